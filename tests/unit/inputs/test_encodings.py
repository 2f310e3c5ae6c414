"""Files that are not UTF-8: read where that is certain, else refused with the likely encodings."""

from __future__ import annotations

import pytest

from shared.formats.charsets.names import codec_of
from shared.inputs.reading import RowReader
from shared.problems.problem import Problem
from shared.problems.render import render_problem
from tests.support.reading import prompt_of, read_csv, read_two_columns, recipe

TEXT = recipe("model: qwen-plus\nprompt: '{{ text }}'\n")


def table(text: str, codec: str, line_end: str = "\r\n") -> bytes:
    lines = ["id,text", *(f'{number},"{line}"' for number, line in enumerate(text.split("\n"), start=1))]
    return "".join(line + line_end for line in lines).encode(codec)


def the_problem(reader: RowReader) -> Problem:
    (problem,) = reader.problems.first
    return problem


# Where so little is not ASCII, it makes sense as hanzi, too; but these are not all frequent.
ONE_WORD = [
    ("euc-kr", "좋아요"),
    ("euc-kr", "배송"),
    ("euc-kr", "서울"),
    ("euc-kr", "부산"),
    ("euc-kr", "전라남도"),
    ("euc-kr", "김민수"),
    ("euc-kr", "이지영"),
    ("euc-jp", "山田太郎"),
    ("euc-jp", "中村健一"),
    ("euc-kr", "fine\n별로\nok"),
    ("euc-jp", "東京\n大阪"),
    ("euc-jp", "日本"),
    ("euc-jp", "鈴木一郎"),
    ("big5", "fine\n" * 50 + "謝謝"),
    ("big5", "滿意"),
    ("windows-1251", "Москва"),
    ("windows-1251", "Тула"),
    ("koi8-r", "Хорошо"),
    ("windows-1255", "כן"),
    ("windows-1256", "وبعد"),
]

# In the words of customers; none of it is UTF-8 in its encoding.
GARBLED_AS_GB18030 = [
    ("windows-1252", "It’s late and I don’t like it\ncan’t open the box\nfine"),
    ("windows-1252", "“Great value” – I’d buy it again"),
    ("windows-1252", "Le colis est arrivé cassé\nTrès déçu, à éviter"),
    ("windows-1252", "Die Lieferung war verspätet\nSchöne Grüße"),
    ("windows-1252", "Não recomendo, péssima informação"),
    ("windows-1252", "El envío llegó mañana por la tarde"),
    ("windows-1252", "Café crème for 5 €"),
    ("windows-1252", "Comté"),
    ("macintosh", "Le colis est arrivé cassé et l’emballage était déchiré"),
    ("cp850", "Le colis est arrivé cassé et déchiré"),
    ("windows-1250", "Przesyłka dotarła późno\nŻółta książka"),
    ("windows-1251", "Очень хороший товар\nМне не понравилось"),
    ("koi8-r", "Очень хороший товар\nМне не понравилось"),
    ("cp866", "Очень хороший товар\nМне не понравилось"),
    ("windows-1253", "Το προϊόν άργησε πολύ"),
    ("windows-1254", "Ürün çok geç geldi, beğenmedim"),
    ("windows-1255", "המוצר הגיע מאוחר"),
    ("windows-1256", "المنتج وصل متأخرا"),
    ("windows-874", "สินค้ามาช้ามาก"),
    ("shift_jis", "とても良い品です\n配送が遅い\n普通"),
    ("shift_jis", "ｶﾅだけの表、テスト"),
    ("euc-jp", "とても良い品です\n配送が遅い"),
    ("euc-kr", "배송이 너무 늦어요\n아주 좋아요"),
    ("euc-kr", "품질이 기대보다 나쁩니다"),
    ("euc-kr", "서울\n부산\n대구\n인천"),
    ("windows-1251", "Москва\nКазань\nТула\nИван\nПётр"),
    ("big5", "品質很好\n運送太慢，不推薦"),
    ("big5", "許功蓋的餐廳很好吃"),
    *ONE_WORD,
]


@pytest.mark.parametrize(("encoding", "text"), GARBLED_AS_GB18030)
def test_a_text_that_is_garbled_as_gb18030_is_refused_with_its_likely_encoding(
    encoding: str, text: str
) -> None:
    rows, reader = read_csv(table(text, codec_of(encoding)), with_recipe=TEXT)

    problem = the_problem(reader)
    lines = text.split("\n")
    line = next(number for number, line in enumerate(lines, start=2) if not line.isascii())
    first = next(word for word in lines[line - 2].split() if not word.isascii())
    assert rows == []
    assert (problem.code, problem.line) == ("unknown_encoding", line)
    sample = str(problem.values["likely"]).partition(f"{encoding} “")[2].partition("”; ")[0]
    assert first[:20] in sample
    assert reader.facts.encoding != "utf-8"
    assert "encoding: " in render_problem(problem, "zh")


@pytest.mark.parametrize(("encoding", "text"), GARBLED_AS_GB18030)
def test_the_same_text_is_read_once_the_recipe_names_its_encoding(encoding: str, text: str) -> None:
    asked = recipe(f"model: qwen-plus\nprompt: '{{{{ text }}}}'\nencoding: {encoding}\n")

    rows, reader = read_csv(table(text, codec_of(encoding)), with_recipe=asked)

    assert [prompt_of(row) for row in rows] == text.split("\n")
    assert reader.facts.encoding == encoding
    assert reader.facts.warnings == ()


CHINESE = [
    "很好",
    "盒",
    "呵呵",
    "绿萝",
    "糖\n牛奶\n粽子",
    "盒\n咖啡\n酱油",
    "醋\n闪退\n蓝牙",
    "啊",
    "快",
    "酒",
    "卧室",
    "硅胶",
    "嗯",
    "呕吐\n嗯嗯",
    "妨碍",
    "樱桃\nok",
    "秦飞",
    "何柳",
    "卧室\n嗯\n阀门",
    "哇\n俺\n喔",
    "好",
    "退货了",
    "王小明\n李娜\n欧阳娜娜",
    "林俊",
    "柴俊\n潘婷婷",
    "陈玥\n张喆\n李堃",
    "葡萄牙\n瑙鲁",
    "朱镕基",
    "國家圖書館的無線網路",
    "A股大涨，iPhone手机也不错",
    "用户atime、ctime 或 status",
    "物流太慢；客服态度差！",
    "①②③ №1 ★★★",
    "价格￥99，原价￥199",
    "の字商标",
    "★★★★★",
    "\n".join(["★★★★★\n★★★★"] * 20),
    "\n".join(["①②\n③④"] * 20),
    "\n".join(["→"] * 50),
    "\n".join(["√\n×"] * 20),
    "【】",
    "\n".join(["℃\n㎡"] * 20),
    "\n".join(["ｏｋ"] * 20),
    "\n".join(["、。"] * 20),
    "テスト\nありがとう",
    "學習漢語",
    "繁體中文",
    "瑄",
    "陈瑄\n王垚",
    "二〇二四",
    "妨",
    "測試",
    "㐀㒃",
    "氩弧焊工",
    "嘤嘤嘤",
    "龌龊",
    "旖旎\n龌龊",
    "鳜鱼 鲈鱼 鳕鱼 鲳鱼",
    "盱眙\n亳州",
    "蟾蜍 蚯蚓 蜈蚣",
    "饕餮\n耄耋\n囹圄\n桎梏\n踟蹰\n蹒跚",
]


@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
@pytest.mark.parametrize("text", CHINESE)
def test_chinese_in_gb18030_is_read_however_little_there_is_and_quoted_in_a_warning(
    text: str, line_end: str
) -> None:
    rows, reader = read_csv(table(text, "gb18030", line_end), with_recipe=TEXT)

    (warning,) = reader.facts.warnings
    assert [prompt_of(row) for row in rows] == text.split("\n")
    assert (warning.code, warning.line) == ("detected_encoding", 2)
    assert text.partition("\n")[0] in str(warning.found)
    assert warning.values == {"encoding": "gb18030"}


@pytest.mark.parametrize("text", ["囹圄", "咩咩", "钼 铌", "绝"])
def test_chinese_that_is_refused_for_its_rare_characters_is_among_what_is_likely(text: str) -> None:
    _, reader = read_csv(table(text, "gb18030"), with_recipe=TEXT)

    assert f'gb18030 “1,"{text}"”' in str(the_problem(reader).values["likely"])


def test_two_columns_without_a_recipe_are_judged_as_well() -> None:
    _, french = read_two_columns("1,Très déçu\n2,À éviter\n".encode("cp1252"))
    rows, chinese = read_two_columns("1,不错\n2,很差\n".encode("gbk"))

    assert the_problem(french).code == "unknown_encoding"
    assert [prompt_of(row) for row in rows] == ["不错", "很差"]
    assert [warning.code for warning in chinese.facts.warnings] == ["detected_encoding"]


@pytest.mark.parametrize("chunk_bytes", [1, 3, 64 * 1024])
def test_what_comes_late_in_a_file_is_judged_too(chunk_bytes: int) -> None:
    start = b"id,text\n" + b"1,plain\n" * 9_000  # more than a piece of 64 KiB

    _, english = read_csv(start + "2,I don’t\n".encode("cp1252"), with_recipe=TEXT, chunk_bytes=chunk_bytes)
    rows, chinese = read_csv(start + "2,不错\n".encode("gbk"), with_recipe=TEXT, chunk_bytes=chunk_bytes)

    assert (the_problem(english).code, the_problem(english).line) == ("unknown_encoding", 9_002)
    assert prompt_of(rows[-1]) == "不错"
    assert [warning.line for warning in chinese.facts.warnings] == [9_002]


@pytest.mark.parametrize(
    ("encoding", "content", "missing_bytes", "rows"),
    [
        ("utf-8", "1,很好\n2,很好", 1, 1),
        ("utf-8", "1,很好\n2,很好", 2, 1),
        ("utf-8", "1,plain\n2,一般般", 1, 1),
        ("utf-8", "1,Très bon\n2,À éviter, cassé", 1, 1),
        ("utf-8", "1,좋아요", 2, 1),
        ("utf-8", "1,好👍", 1, 1),
        ("utf-8", "1,很好\n2,很好", 1, 9_000),
        ("utf-8", "1,plain\n2,一般般", 1, 9_000),
        ("gb18030", "1,很好\n2,很好", 1, 1),
        ("gb18030", "1,plain\n2,一般般", 1, 1),
        ("gb18030", "1,质量很好，物流很快", 1, 1),
        ("gb18030", "1,plain\n2,一般般", 1, 9_000),
    ],
)
def test_a_file_that_ends_in_the_middle_of_a_character_is_said_to_be_cut(
    encoding: str, content: str, missing_bytes: int, rows: int
) -> None:
    written = ("id,text\n" + "0,plain\n" * rows + content).encode(encoding)

    read, reader = read_csv(written[:-missing_bytes], with_recipe=TEXT)

    (problem,) = read[-1].problems
    assert reader.problems.total == 0
    assert reader.facts.encoding == encoding
    assert (problem.code, problem.line) == ("cut_character", 2 + rows + content.count("\n"))
    assert [row.problems for row in read[:-1]] == [()] * (len(read) - 1)


@pytest.mark.parametrize(
    ("encoding", "text"), [("windows-1252", "café"), ("euc-kr", "좋아요"), ("windows-1251", "Спасибо")]
)
def test_a_last_line_without_a_line_feed_is_judged_too(encoding: str, text: str) -> None:
    _, reader = read_csv(f"id,text\n1,plain\n2,{text}".encode(encoding), with_recipe=TEXT)

    problem = the_problem(reader)
    assert (problem.code, problem.line) == ("unknown_encoding", 3)
    assert f"{encoding} “2,{text}”" in str(problem.values["likely"])


@pytest.mark.parametrize(
    ("encoding", "content"),
    [
        ("utf-16-le", b"\xff\xfe" + "id,text\n1,很好\n".encode("utf-16-le")),
        ("utf-16-be", b"\xfe\xff" + "id,text\n1,很好\n".encode("utf-16-be")),
        ("utf-32-le", b"\xff\xfe\0\0" + "id,text\n1,很好\n".encode("utf-32-le")),
    ],
)
def test_what_a_mark_says_is_told_with_a_line(encoding: str, content: bytes) -> None:
    rows, reader = read_csv(content, with_recipe=TEXT)

    (warning,) = reader.facts.warnings
    assert [prompt_of(row) for row in rows] == ["很好"]
    assert (warning.line, warning.found, warning.values) == (2, "1,很好", {"encoding": encoding})


def test_iso_2022_jp_is_ascii_but_not_sent_as_such() -> None:
    content = table("とても良い\n遅い", "iso2022_jp")
    asked = recipe("model: qwen-plus\nprompt: '{{ text }}'\nencoding: ISO-2022-JP\n")

    _, detected = read_csv(content, with_recipe=TEXT)
    rows, _ = read_csv(content, with_recipe=asked)

    assert 'iso-2022-jp “1,"とても良い' in str(the_problem(detected).values["likely"])
    assert [prompt_of(row) for row in rows] == ["とても良い", "遅い"]


def test_a_wrong_byte_in_plain_chinese_is_its_rows_problem() -> None:
    content = (
        "id,text\n1,质量很好的电饭煲，推荐大家购买，下次还来\n2,物流太慢".encode("gbk") + b"\xff!\n3,\xba\n"
    )

    rows, reader = read_csv(content, with_recipe=TEXT)

    assert [[problem.code for problem in row.problems] for row in rows] == [
        [], ["invalid_encoding"], ["cut_character"],
    ]  # fmt: skip
    assert reader.problems.total == 0


@pytest.mark.parametrize(
    ("encoding", "cell"),
    [
        ("big5", "許,功\\蓋|餐"),
        ("shift_jis", "ソ,表\\能|十"),
        ("gb18030", "乗,亅\\亇|乤"),
        ("euc-kr", "뙼,똻|"),
        ("windows-1252", "n°1, “d’été”|"),
        ("hz", "很好，|"),
    ],
)
@pytest.mark.parametrize("chunk_bytes", [1, 2, 7, 1000])
def test_a_second_byte_that_looks_like_a_separator_separates_nothing(
    encoding: str, cell: str, chunk_bytes: int
) -> None:
    # With ``|`` as the delimiter a second byte of 7C would split; a backslash (5C) is one, too.
    written = cell.replace("|", "")
    text = "id|text\n" + f'1|{written}\n2|"{written}\n{written}"\n' * 40
    asked = recipe(f"model: qwen-plus\nprompt: '{{{{ text }}}}'\nencoding: {encoding}\ndelimiter: '|'\n")

    rows, reader = read_csv(text.encode(codec_of(encoding)), with_recipe=asked, chunk_bytes=chunk_bytes)

    assert [prompt_of(row) for row in rows] == [written, f"{written}\n{written}"] * 40
    assert reader.all_problems.total == 0


def test_bytes_that_do_not_fit_the_recipes_encoding_are_their_rows_problem() -> None:
    asked = recipe("model: qwen-plus\nprompt: '{{ text }}'\nencoding: big5\n")

    rows, _ = read_csv(b"id,text\n1,\xff\xff\n" + "2,好\n".encode("big5"), with_recipe=asked)

    (problem,) = rows[0].problems
    assert (problem.code, problem.values["encoding"]) == ("invalid_encoding", "big5")
    assert prompt_of(rows[1]) == "好"


@pytest.mark.parametrize("encoding", ["gb18030", "windows-1252", "big5", "koi8-r", "shift_jis"])
@pytest.mark.parametrize(
    "cell", ["质量很好的电饭煲，推荐大家购买", "été déçu à Besançon, où l’on n’a reçu rien"]
)
def test_a_recipe_that_contradicts_a_file_in_utf8_garbles_nothing(encoding: str, cell: str) -> None:
    asked = recipe(f"model: qwen-plus\nprompt: '{{{{ text }}}}'\nencoding: {encoding}\n")

    rows, reader = read_csv(table(f"plain\n{cell}\n{cell}", "utf-8"), with_recipe=asked)

    assert [prompt_of(row) for row in rows] == ["plain", cell, cell]
    (warning,) = reader.facts.warnings
    assert (warning.code, warning.line) == ("encoding_ignored", 3)
    assert cell[:10] in str(warning.values["as_utf8"])


def test_lines_that_end_with_carriage_returns_alone_are_counted_in_a_warning() -> None:
    rows, reader = read_csv(table("plain\n不错\n很差", "gbk", "\r"), with_recipe=TEXT)
    _, french = read_csv(table("plain\ndéçu\nà éviter", "mac_roman", "\r"), with_recipe=TEXT)

    assert [prompt_of(row) for row in rows] == ["plain", "不错", "很差"]
    assert [warning.line for warning in reader.facts.warnings] == [3]
    assert (the_problem(french).code, the_problem(french).line) == ("unknown_encoding", 3)
    assert "macintosh “" in str(the_problem(french).values["likely"])


@pytest.mark.parametrize("rows", [1, 300])
def test_the_euro_of_windows_in_a_gbk_table_is_read(rows: int) -> None:
    text = "\n".join(["价格９９€，原价€199，乗€"] * rows)
    parts = table(text, "gb18030").split("€".encode("gb18030"))

    read, reader = read_csv(b"\x80".join(parts), with_recipe=TEXT)

    assert [prompt_of(row) for row in read] == text.split("\n")
    assert reader.all_problems.total == 0


HANZI_THAT_ARE_NO_UTF_8 = [
    "女",
    "女\n未知",
    "女\n" * 50 + "女",
    "女\n" * 50 + "男\n冯强",
    "要\n么",
    "一\nok",
    "未知\n小写",
    "未知\n谢谢",
    "选\n血\n穴",
    "药\n未知",
    "男\n女\n" * 30 + "未知",
    "女\n男\n" * 30 + "未知",
]


@pytest.mark.parametrize("text", HANZI_THAT_ARE_NO_UTF_8)
def test_hanzi_in_gb18030_that_are_no_words_in_utf_8_are_detected(text: str) -> None:
    rows, reader = read_csv(table(text, "gb18030"), with_recipe=TEXT)

    assert [prompt_of(row) for row in rows] == text.split("\n")
    assert [warning.code for warning in reader.facts.warnings] == ["detected_encoding"]


@pytest.mark.parametrize("text", [*HANZI_THAT_ARE_NO_UTF_8, "谢谢", "小写", "站", "暖"])
def test_hanzi_in_gb18030_that_are_valid_utf_8_are_read_as_the_recipe_says(text: str) -> None:
    asked = recipe("model: qwen-plus\nprompt: '{{ text }}'\nencoding: gb18030\n")
    rows, reader = read_csv(table(text, "gb18030"), with_recipe=asked)

    assert [prompt_of(row) for row in rows] == text.split("\n")
    assert reader.facts.warnings == ()


@pytest.mark.parametrize(
    ("text", "as_utf8"),
    [("谢谢", "лл"), ("小", "С"), ("写\nok", "д"), ("猫\n毛", "è"), ("1,谢谢", "лл"), ("笑\n笑\n校", "Ц")],
)
def test_cells_that_are_hanzi_in_gb18030_and_letters_in_utf_8_are_told_in_both(
    text: str, as_utf8: str
) -> None:
    lines = text.split("\n")
    said = f"{'id,' if ',' in text else ''}text\n{text}\n"
    asked = recipe("model: qwen-plus\nprompt: '{{ text }}'\nencoding: utf-8\n")

    _, reader = read_csv(said.encode("gb18030"), with_recipe=TEXT)
    _, sure = read_csv(said.encode("gb18030"), with_recipe=asked)

    (warning,) = reader.facts.warnings
    assert (warning.code, warning.line) == ("maybe_gb18030", 2)
    assert warning.found is not None
    assert as_utf8 in warning.found
    assert lines[0] in str(warning.values["as_gb18030"])
    assert sure.facts.warnings == ()


@pytest.mark.parametrize("text", ["café", "да\nno", "кг\nмл", "Ω\nмг", "½", "м\nж", "Grün\nè"])
def test_letters_in_utf_8_that_are_no_frequent_hanzi_are_read_without_a_word(text: str) -> None:
    _, reader = read_csv(table(text, "utf-8"), with_recipe=TEXT)

    assert reader.facts.warnings == ()


@pytest.mark.parametrize(
    "text",
    [
        *["café", "é\nè", "ñ", "¥5", "·", "Red · Large", "½", "°", "÷", "Größe\nö", "да\nно", "один"],
        *["α\nβ", "αβ", "רע", "ա\nբ"],
        # Units, grades and genders of one letter or a few.
        *["Ω\nV\nΩ", "мг\nг\nмкг", "ž\nm\nž", "м\nж", "м", "мм", "км", "л", "дб", "нд", "ů\nš", "Σ\nΦ"],
        *["кг\nмл", "Ω\nмг", "Σ", "Д", "Ц", "ў", "ł", "ű", "ø\nå", "ů\nŮ", "ң\nү", "ס\nת"],
    ],
)
@pytest.mark.parametrize("columns", [1, 2, 3])
def test_utf_8_that_is_valid_gb18030_stays_utf_8(text: str, columns: int) -> None:
    cells = text.split("\n")
    lines = [
        ",".join(["id", "text", "more"][-columns:]),
        *(",".join([*"12", each][-columns:]) for each in cells),
    ]
    asked = recipe(f"model: qwen-plus\nprompt: '{{{{ {lines[0].split(',')[-1]} }}}}'\n")
    rows, reader = read_csv("\n".join(lines).encode(), with_recipe=asked)

    assert [prompt_of(row) for row in rows] == cells
    assert reader.facts.encoding == "utf-8"


@pytest.mark.parametrize("text", ["a,Ω\nb,V", "a,м\nb,ж", "a,ž\nb,m"])
def test_two_columns_in_utf_8_that_are_valid_gb18030_stay_utf_8(text: str) -> None:
    rows, reader = read_two_columns(text.encode())

    assert [prompt_of(row) for row in rows] == [line[2:] for line in text.split("\n")]
    assert reader.facts.encoding == "utf-8"


@pytest.mark.parametrize("text", ["Ω\nV", "мг\nг", "ž\nm", "да\nно"])
def test_units_in_utf_8_are_read_although_the_recipe_says_gb18030(text: str) -> None:
    asked = recipe("model: qwen-plus\nprompt: '{{ text }}'\nencoding: gb18030\n")
    rows, reader = read_csv(table(text, "utf-8"), with_recipe=asked)

    assert [prompt_of(row) for row in rows] == text.split("\n")
    assert [warning.code for warning in reader.facts.warnings] == ["encoding_ignored"]


@pytest.mark.parametrize("codec", ["utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"])
@pytest.mark.parametrize(
    "text",
    ["编号,内容\n1,很好\n", "编号\t内容\r\n1\t物流太慢\r\n", "id,text\n1,a\n", "番号,感想\n1,すごい\n"],
)
def test_utf_16_without_a_mark_is_named_however_short_it_is(text: str, codec: str) -> None:
    _, reader = read_csv(text.encode(codec), with_recipe=TEXT)

    assert the_problem(reader).values == {"reason": f"{codec[:6].upper()} without BOM"}


@pytest.mark.parametrize("codec", ["utf-16-le", "utf-16-be"])
def test_utf_16_without_a_mark_is_read_once_it_is_named(codec: str) -> None:
    encoding = {"utf-16-le": "utf-16", "utf-16-be": "utf-16-be"}[codec]
    asked = recipe(f"model: qwen-plus\nprompt: '{{{{ 内容 }}}}'\nencoding: {encoding}\n")
    rows, _ = read_csv("编号,内容\n1,很好\n".encode(codec), with_recipe=asked)

    assert [prompt_of(row) for row in rows] == ["很好"]


@pytest.mark.parametrize("row", [b"1,a\0b\n", b"1,\0\0\n", b"1,abc\0\n2,defg\0\n"])
def test_a_nul_in_a_text_is_its_rows_problem(row: bytes) -> None:
    rows, reader = read_csv(b"id,text\n" + row, with_recipe=TEXT)

    assert (reader.problems.total, rows[0].problems[0].code) == (0, "nul_character")
