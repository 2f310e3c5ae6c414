"""Tables as text that people drop: encodings, separators, quotes, headers, and what is no table."""

from __future__ import annotations

import gzip
from random import Random

RECIPE = b"model: qwen-flash\nprompt: 'Say {{ name }}: {{ text }}'\n"
_NAMES = ("王小明", "Ada", "Zoë", "O'Brien", "😀", "Nguyễn", "  spaced  ", "=1+1", "-5", "“quoted”")
_TEXTS = ("很好", "so-so", "a,b;c\td", 'says ""hi""', "two\nlines", "\u2028\u2029\u0085", "[[fail:Oops]]", "[[lost]]",
          "[[status:429]]", "[[refuse:400]]")  # fmt: skip


def odd_tables(chance: Random) -> dict[str, bytes]:
    """By name; each folder with its recipe, but for the one of two columns."""
    return {
        "tables/batch.yaml": RECIPE,
        **{f"tables/{name}": content for name, content in (_read(chance) | _refused()).items()},
        "两列/two.csv": "1,你好\n2,[[say]]=1+1\n".encode("gb18030"),
        "两列/header.csv": b"id,prompt\n1,hello\n",
        "两列/three.csv": b"1,hello,you\n",
        "两列/same-ids.csv": b"1,hello\n1,again\n",
        "skip/batch.yaml": RECIPE + b"on_bad_rows: skip\n",
        "skip/bad-rows.csv": "name,text\n王,很好\nB\nC,too,many\n,\nD,\0\n".encode()
        + b"E,\xe7\x8e\nF,good\n",
        "skip/neither-encoding.csv": b"name,text\nA,good\nB\nE,\xff\xfe\nF,good\n",
        "skip/only-bad-rows.csv": b"name,text\nA\nB\n",
        **{f"skip/mutated-{number}.csv": mutated(_table(chance), chance) for number in range(12)},
        **{f"tables/mutated-{number}.csv": mutated(_table(chance), chance) for number in range(12)},
        "nested/batch.yaml": RECIPE,
        "nested/outer.csv": b"name,text\nA,outer\n",
        "nested/内 层/batch.yml": b"model: qwen-plus\nprompt: '{{ row[\"text\"] }}'\noutput: {encoding: gb18030}\n",
        "nested/内 层/inner.csv": "text\n内,层\n".replace(",", "，").encode(),
        "nested/内 层/更深/deepest.csv": "text\n更深😀\n".encode(),
    }


def mutated(content: bytes, chance: Random, changes: int = 4) -> bytes:
    """The content with some of its bytes changed, doubled or removed."""
    changed = bytearray(content)
    for _ in range(changes):
        at = chance.randrange(len(changed))
        piece = chance.choice(
            (b"", b'"', b",", b"\r", b"\n", b"\xe7", b"\t;", bytes(changed[at : at + 9]) * 2)
        )
        changed[at : at + chance.randrange(3)] = piece
    return bytes(changed)


def _table(chance: Random, rows: int = 30) -> bytes:
    lines = [f'{chance.choice(_NAMES)},"{chance.choice(_TEXTS)}"' for _ in range(rows)]
    return "\n".join(["name,text", *lines, ""]).encode()


def _read(chance: Random) -> dict[str, bytes]:
    quoted = 'name,text,"note"\n王,"第一行\n第二行","a ""b"""\n李,你好,\n'
    return {
        "random.csv": _table(chance, 200),
        "gbk-quoted-newline.csv": quoted.encode("gbk"),
        "utf16-le.csv": quoted.encode("utf-16"),
        "utf16-be.csv": b"\xfe\xff" + quoted.encode("utf-16-be"),
        "bom-crlf.csv": quoted.replace("\n", "\r\n").encode("utf-8-sig"),
        "semicolons.csv": b'name;text;n\nA;"a;b";1,5\nB;b;2\n',
        "tabs.tsv": b"name\ttext\nA\ta, b\nB\tb\n",
        "formulas.csv": 'name,text,=x\n=1+1,"=HYPERLINK(""x"")",-5\n＠x,@x,\'=1\n-,+86-138,+1.5e3\n'.encode(),
        "duplicate-columns.csv": b"name,text,n,n\nA,a,1,2\n",
        "our-columns.csv": b"name,status,content,text,result_status\nA,mine,mine,a,mine\n",
        "long-cell.csv": b"name,text\nA," + b"long " * 60_000 + b"\nB,short\n",
        "客户 名单+1%.csv": "name,text\n客户,名单+1%\n".encode(),
        "a&b=c #1?.csv": b"name,text\nA,a\n",
        "UPPER.CSV": b"name,text\nA,a\n",
        "blank-lines.csv": b"\n\nname,text\n\nA,a\n\n\nB,b\n\n",
        "trailing-empty-rows.csv": b"name,text,n\nA,a,1\n,,\n,,\n",
        "no-line-end.csv": b"name,text\r\nA,a",
        "spaced-header.csv": b" name , text \nA,a\n",
        "members.csv.gz": gzip.compress(b"name,text\nA,a\n", mtime=0) + gzip.compress(b"B,b\n", mtime=0),
        "packed.tsv.gz": gzip.compress("name\ttext\n王\t好\n".encode("gb18030"), mtime=0),
    }


def _refused() -> dict[str, bytes]:
    packed = gzip.compress(b"".join(b"A%d,a\n" % number for number in range(3000)), mtime=0)
    return {
        "empty.csv": b"",
        "header-only.csv": b"name,text\n",
        "cr-only.csv": b"name,text\rA,a\rB,b\r",
        "missing-column.csv": b"name,txt\nA,a\n",
        "used-twice.csv": b"name,text,text\nA,a,b\n",
        "ragged.csv": b"name,text\n" + b"A\n" * 130,
        "empty-row.csv": b"name,text\nA,a\n,\nB,b\n",
        "unclosed-quote.csv": b'name,text\nA,"a\nB,b\n',
        "broken-quotes.csv": b'name,text\nA,a"b"c\nB,"b"c\n',
        "nul.csv": b"name,text\nA,a\0\n",
        "damaged-utf8.csv": "name,text\n王,好\n".encode() * 3 + b"x\xe7\x8e,y\n",
        "odd-utf16.csv": "name,text\nA,a\n".encode("utf-16")[:-1],
        "utf16-without-mark.csv": "name,text\nA,a\n".encode("utf-16-le"),
        "windows-1252.csv": "name,text\nIt’s,“late”\n".encode("cp1252"),
        "shift-jis.csv": "name,text\n東京,とても良い\n".encode("shift_jis"),
        "pipes.csv": b"name|text\nA|a\n",
        "separator-line.csv": b"sep=;\nname;text\nA;a\n",
        "blank-prompt.csv": b"name,text\n" + b" , \n",
        "title-row.csv": "2026 评论导出\nname,text\nA,a\n".encode(),
        "invisible-header.csv": "\u200bname,text\nA,a\n".encode(),
        "picture.csv": b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + bytes(range(256)),
        "cut.csv.gz": packed[: len(packed) // 2],
        "not-packed.csv.gz": b"name,text\nA,a\n",
        "notes.txt": b"name,text\n",
        "lines.json": b"[]",
        "table.zip": b"PK\x05\x06" + bytes(18),
        "old.xls": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
        "Batch.yaml": RECIPE,
        "no-suffix": b"name,text\n",
    }
