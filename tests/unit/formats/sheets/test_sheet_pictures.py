"""Pictures in cells and on top of them are seen; what describes them wrongly refuses nothing."""

from __future__ import annotations

import pytest

from shared.formats.record import SheetLayout
from tests.support.workbooks import codes_of, read, rows_of, sheet_of, with_cells, with_part, with_parts

OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
RICH = "http://schemas.microsoft.com/office/2017/06/relationships"
RELATIONS = "xl/_rels/workbook.xml.rels"
HEADER = b'<row r="1"><c r="A1" t="inlineStr"><is><t>id</t></is></c><c r="B1" t="inlineStr"><is><t>v</t></is></c></row>'


def rich_values(*structures: str, cell: bytes = b't="e" vm="1"') -> bytes:
    """A sheet whose B2 shows the first of these rich values, as Excel 365 writes them."""
    content = with_cells(
        HEADER + b'<row r="2"><c r="A2"><v>1</v></c><c r="B2" %b><v>#VALUE!</v></c></row>' % cell
    )
    listed = "".join(
        f'<Relationship Id="rIdR{number}" Type="{kind}" Target="{part}"/>'
        for number, (kind, part) in enumerate(
            [
                (f"{OFFICE}/sheetMetadata", "metadata.xml"),
                (f"{RICH}/rdRichValue", "richData/rdrichvalue.xml"),
                (f"{RICH}/rdRichValueStructure", "richData/rdrichvaluestructure.xml"),
            ]
        )
    )
    content = with_part(
        content,
        RELATIONS,
        lambda xml: xml.replace(b"</Relationships>", listed.encode() + b"</Relationships>"),
    )
    blocks = "".join(
        f'<bk><extLst><ext uri="{{3e2802c4}}"><x:rvb xmlns:x="r" i="{number}"/></ext></extLst></bk>'
        for number in range(len(structures))
    )
    used = "".join(f'<bk><rc t="1" v="{number}"/></bk>' for number in range(len(structures)))
    return with_parts(
        content,
        {
            "xl/metadata.xml": '<metadata xmlns="m"><metadataTypes><metadataType name="XLRICHVALUE"/></metadataTypes>'
            f'<futureMetadata name="XLRICHVALUE">{blocks}</futureMetadata><valueMetadata>{used}</valueMetadata></metadata>',
            "xl/richData/rdrichvalue.xml": '<rvData xmlns="r">'
            + "".join(f'<rv s="{number}"><v>0</v></rv>' for number in range(len(structures)))
            + "</rvData>",
            "xl/richData/rdrichvaluestructure.xml": '<rvStructures xmlns="r">'
            + "".join(f'<s t="{name}"><k n="x"/></s>' for name in structures)
            + "</rvStructures>",
        },
    )


@pytest.mark.parametrize("structure", ["_localImage", "_webimage", "_imageurl"])
@pytest.mark.parametrize("cell", [b't="e" vm="1"', b'vm="1" t="e" s="0"'])
def test_a_picture_that_was_placed_in_a_cell_is_seen(structure: str, cell: bytes) -> None:
    content = rich_values(structure, "_error", cell=cell)

    assert rows_of(content)[1] == (2, ("1", ""))
    assert codes_of(content) == ["image_in_cell"]


@pytest.mark.parametrize(
    ("structures", "cell"),
    [
        (["_linkedentitycore", "_localImage"], b't="e" vm="1"'),
        (["_error", "_localImage"], b't="e" vm="1"'),
        (["_localImage"], b't="e"'),
        (["_localImage"], b't="e" vm="9"'),
    ],
)
def test_other_rich_values_are_no_pictures(structures: list[str], cell: bytes) -> None:
    content = rich_values(*structures, cell=cell)

    assert rows_of(content)[1] == (2, ("1", "#VALUE!"))
    assert codes_of(content) == []


@pytest.mark.parametrize(
    "broken", ["xl/metadata.xml", "xl/richData/rdrichvalue.xml", "xl/richData/rdrichvaluestructure.xml"]
)
@pytest.mark.parametrize("written", [b"", b"<", b"<a/>", b"<a><b/></a>"])
def test_rich_values_that_make_no_sense_refuse_nothing(broken: str, written: bytes) -> None:
    content = with_part(rich_values("_localImage"), broken, lambda _: written)

    assert rows_of(content)[1] == (2, ("1", "#VALUE!"))


def anchored(*anchors: str, sheet: bytes | None = None) -> bytes:
    content = sheet or sheet_of(["id", "v"], [1, "a"], [2, "b"])
    return with_parts(
        content,
        {
            "xl/worksheets/_rels/sheet1.xml.rels": '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
            f'<Relationship Id="rId1" Type="{OFFICE}/drawing" Target="../drawings/drawing1.xml"/></Relationships>',
            "xl/drawings/drawing1.xml": f'<d:wsDr xmlns:d="d">{"".join(anchors)}</d:wsDr>',
        },
    )


def anchor(row: int, column: int, content: str = "<d:pic/>", kind: str = "twoCellAnchor") -> str:
    corner = f"<d:col>{column}</d:col><d:colOff>9</d:colOff><d:row>{row}</d:row><d:rowOff>0</d:rowOff>"
    return f"<d:{kind}><d:from>{corner}</d:from><d:to/>{content}</d:{kind}>"


@pytest.mark.parametrize("kind", ["twoCellAnchor", "oneCellAnchor"])
@pytest.mark.parametrize("content", ["<d:pic/>", "<d:grpSp><d:pic/></d:grpSp>"])
def test_pictures_on_top_of_cells_are_part_of_the_layout(kind: str, content: str) -> None:
    drawn = anchored(anchor(1, 1, content, kind), anchor(2, 1, content, kind), anchor(5, 0, content, kind))

    assert read(drawn)[1].layout == SheetLayout(pictures=[(2, 1), (3, 1), (6, 0)])


def test_the_layout_counts_columns_from_the_first_of_the_table() -> None:
    sheet = with_cells(HEADER.replace(b'"A1"', b'"C1"').replace(b'"B1"', b'"D1"'))

    assert read(anchored(anchor(1, 3), sheet=sheet))[1].layout == SheetLayout(
        pictures=[(2, 1)], first_column=3
    )


@pytest.mark.parametrize(
    "drawing",
    [
        anchor(1, 1, "<d:graphicFrame/>"),
        anchor(1, 1, "<d:sp/>"),
        "<d:absoluteAnchor><d:pic/></d:absoluteAnchor>",
        "<d:twoCellAnchor><d:from/><d:pic/></d:twoCellAnchor>",
        "<d:twoCellAnchor><d:from><d:row>x</d:row></d:from><d:pic/></d:twoCellAnchor>",
        "<",
    ],
)
def test_charts_shapes_and_broken_drawings_are_passed_by(drawing: str) -> None:
    content = anchored(drawing)

    assert not read(content)[1].layout.pictures
    assert rows_of(content)[2] == (3, ("2", "b"))
