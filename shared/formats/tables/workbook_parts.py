"""The fixed parts of an xlsx workbook, beside its sheets: what there is, and how cells look.

https://ecma-international.org/publications-and-standards/standards/ecma-376/
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from xml.sax.saxutils import quoteattr

HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_TYPES = "application/vnd.openxmlformats-officedocument.spreadsheetml"

# The styles of cells, by number; 0 is none. A quoted one stays a text when somebody edits it.
DATE, DATETIME, TIME, SPAN, QUOTED = range(1, 6)
_NUMBER_FORMATS = ("yyyy\\-mm\\-dd", "yyyy\\-mm\\-dd\\ hh:mm:ss", "hh:mm:ss", "[h]:mm:ss")
_FIRST_FORMAT = 164  # lower numbers are Excel's own


def fixed_parts(names: Sequence[str]) -> Iterator[tuple[str, str]]:
    """The name and content of each part, for sheets of these names."""
    numbers = range(1, len(names) + 1)
    sheets = "".join(
        f'<sheet name={quoteattr(name)} sheetId="{number}" r:id="rId{number}"/>'
        for number, name in zip(numbers, names, strict=True)
    )
    targets = [(f"worksheets/sheet{number}.xml", "worksheet") for number in numbers]
    kinds = [(f"/xl/worksheets/sheet{number}.xml", "worksheet") for number in numbers]
    yield "[Content_Types].xml", _content_types([("/xl/workbook.xml", "sheet.main"), *kinds, _STYLES_TYPE])
    yield "_rels/.rels", relations([("xl/workbook.xml", "officeDocument")])
    yield (
        "xl/workbook.xml",
        f'<workbook xmlns="{MAIN}" xmlns:r="{OFFICE}"><sheets>{sheets}</sheets></workbook>',
    )
    yield "xl/_rels/workbook.xml.rels", relations([*targets, ("styles.xml", "styles")])
    yield "xl/styles.xml", _styles()


_STYLES_TYPE = ("/xl/styles.xml", "styles")


def _content_types(parts: Sequence[tuple[str, str]]) -> str:
    overrides = "".join(
        f'<Override PartName="{name}" ContentType="{_TYPES}.{kind}+xml"/>' for name, kind in parts
    )
    defaults = (
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        '<Default Extension="xml" ContentType="application/xml"/>'
    )
    return f'<Types xmlns="{_PACKAGE}/content-types">{defaults}{overrides}</Types>'


def relations(targets: Sequence[tuple[str, str]]) -> str:
    """Of these targets and kinds, in order: ``rId1`` and so on are their names."""
    listed = "".join(
        f'<Relationship Id="rId{number}" Type="{OFFICE}/{kind}" Target="{target}"/>'
        for number, (target, kind) in enumerate(targets, 1)
    )
    return f'<Relationships xmlns="{_PACKAGE}/relationships">{listed}</Relationships>'


def _styles() -> str:
    plain = '<xf numFmtId="0" fontId="0" fillId="0" borderId="0"'
    numbered = list(enumerate(_NUMBER_FORMATS, _FIRST_FORMAT))
    formats = "".join(f'<numFmt numFmtId="{number}" formatCode="{code}"/>' for number, code in numbered)
    dates = "".join(
        f'<xf numFmtId="{number}" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/>'
        for number, _ in numbered
    )
    return (
        f'<styleSheet xmlns="{MAIN}"><numFmts count="{len(numbered)}">{formats}</numFmts>'
        '<fonts count="1"><font><sz val="11"/><name val="Calibri"/><family val="2"/></font></fonts>'
        '<fills count="2"><fill><patternFill patternType="none"/></fill>'
        '<fill><patternFill patternType="gray125"/></fill></fills>'
        '<borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders>'
        f'<cellStyleXfs count="1">{plain}/></cellStyleXfs><cellXfs count="{len(numbered) + 2}">'
        f'{plain} xfId="0"/>{dates}{plain} xfId="0" quotePrefix="1"/></cellXfs>'
        '<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>'
    )
