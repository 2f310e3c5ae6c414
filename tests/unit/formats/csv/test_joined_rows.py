"""A quote that closes further down joins rows, and that is told."""

from __future__ import annotations

import pytest

from tests.support.reading import read_csv, read_two_columns, recipe

ASKED = recipe("model: qwen-plus\nprompt: '{{ text }}'\n")
MANY = "".join(f"{number},fine {number},1\n" for number in range(100, 500))


def told(content: str) -> list[tuple[int | None, object, object]]:
    read = read_csv(content.encode(), with_recipe=ASKED) if "text" in content else None
    _, reader = read or read_two_columns(content.encode())
    return [
        (each.line, each.values["cells"], each.values["last_line"])
        for each in reader.facts.warnings
        if each.code == "rows_in_one_cell"
    ]


@pytest.mark.parametrize(
    ("content", "found"),
    [
        ('id,text,n\n1,good,1\n2,"Loved it,2\n3,fine,3\n4,not good",4\n5,x,5\n', (3, 1, 5)),
        ('id,text\n1,"Great product\n2,I said no\n3,ok"\n4,fine\n', (2, 1, 4)),
        ('id\ttext\n1\t"Great product\n2\tI said no\n3\tok"\n', (2, 1, 4)),
        ('id;text;x\n1;"Great product;1\n2;I said no;2\n3;ok";3\n', (2, 1, 4)),
        ('id,text,n\n1,"好,1\n2,差",2\n' + MANY, (2, 1, 3)),
        (f'id,text,n\n{MANY}7,"Loved it,2\n8,fine,3\n9,not good",4\n{MANY}', (402, 1, 404)),
        ('name,text,n\nAnna,"Loved it,2\nBo,fine,3\nCem,not good",4\nDi,x,5\n', (2, 1, 4)),
        ('id,text,n\r\nA-1,"x,1\r\nA-2,y",2\r\nA-3,"z,3\r\nA-4,w",4\r\n', (2, 2, 3)),
        ('q1,"Great product\nq2,I said no\nq3,ok"\nq4,fine\n', (1, 1, 3)),
        ('text,n\n"Loved it,2\n3,5\nfine",4\n', None),
        ('id,text\n1,"Dear team\nthanks, all good"\n2,x\n', None),
        ('id,text,n\n1,"one, two\nred, green, blue\nso, so",1\n2,x,2\n', None),
        ('id,text\n1,"1. good\n2. bad, very\n3. so"\n', None),
        ('text\n"one\ntwo"\n"1\n2"\n', None),
    ],
)
def test_a_cell_of_whole_rows_is_told(content: str, found: tuple[int, int, int] | None) -> None:
    assert told(content) == ([found] if found else [])
