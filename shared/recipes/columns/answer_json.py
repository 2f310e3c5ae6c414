"""Finds the JSON document of an answer, also when the model wrote more than that.

It is found or refused, never guessed. Of two documents that differ neither is taken, nor is one
beside another that is damaged or cut off, and nothing out of the inside of a damaged one.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import NamedTuple

from pydantic import JsonValue

from shared.formats.json.policies import parse_exact, parse_exact_at
from shared.formats.json.surrogates import without_surrogates

_FENCE = "```"
_SURROGATE_ESCAPE = re.compile(r"\\u[dD][89a-fA-F]")
# A byte order mark and other characters without width, which strip() leaves.
_INVISIBLE = "\ufeff\u200b\u200c\u200d\u2060 \t\r\n"

_THOUGHT = r"(?:\w{1,20}:)?(?:think|thinking|thoughts?|reasoning|reflection)"
_OPENING = re.compile(rf"<{_THOUGHT}>|\[{_THOUGHT}\]|◁{_THOUGHT}▷", re.IGNORECASE)
_CLOSING = re.compile(rf"</{_THOUGHT}>|\[/{_THOUGHT}\]|◁/{_THOUGHT}▷", re.IGNORECASE)
_MARK = re.compile(rf"{_OPENING.pattern}|{_CLOSING.pattern}|[{{}}\[]", re.IGNORECASE)

# What a person takes for an object even if it is not JSON: quotes of any kind, a name and a colon,
# or a comment. Other braces are prose, such as {name} or \frac{1}{2}.
_LIKE_OBJECT = re.compile(r"""\{\s*(?:["'“”‘’＂「『`]|//|/\*|\#|[^\s{}:：]{1,80}\s*[:：])""")
_LIKE_LIST = re.compile(r'\[\s*[\[{"\d\]tfn-]')
_STRUCTURED = re.compile(r"\[\s*[\[{]")
_BRACE = re.compile(r"[{}]")
# How much may be read in vain: a bracket that begins no document costs what was read from there.
_COST_OF_A_TRY = 200
_BUDGET = 100_000

_FENCE_LINE = re.compile(r"^[ \t]*(`{3,}|~{3,})[ \t]*([\w+#.-]*).*$", re.MULTILINE)
_LABELS_OF_JSON = {"", "json", "jsonc", "json5", "jsonl", "text", "txt", "plaintext", "output"}


class FoundJson(NamedTuple):
    """A document, and the code that says what stood with it; ``""`` if it is plain JSON."""

    document: JsonValue
    oddity: str = ""


def find_json(content: str, *, wants_list: bool = False) -> FoundJson:
    """The JSON document in an answer, alone or in one Markdown fence, or else the only one in it.

    Args:
        content: What the model wrote.
        wants_list: A list of plain values may be the document. Otherwise ``[1]`` in prose is none.

    Raises:
        ValueError: See ``parse_exact``; or there are several, or none after the thinking.
    """
    text = content.strip()
    try:
        document, oddity = parse_exact(_unfenced(text)), ""
    except ValueError as error:
        document, oddity = _find_with_more(text.strip(_INVISIBLE), error, wants_list=wants_list)
    if _SURROGATE_ESCAPE.search(content):
        # Half a pair cannot be written; as in ``content``, it becomes U+FFFD.
        document = json.loads(without_surrogates(json.dumps(document, ensure_ascii=False)))
    return FoundJson(document, oddity)


def _unfenced(text: str) -> str:
    if not (text.startswith(_FENCE) and text.endswith(_FENCE) and len(text) >= 2 * len(_FENCE)):
        return text
    inner = text[len(_FENCE) : -len(_FENCE)]
    return (inner[4:] if inner[:4].lower() == "json" else inner).strip()


def _find_with_more(text: str, refusal: ValueError, *, wants_list: bool) -> FoundJson:
    after_thinking = text[_end_of_thinking(text) :]
    for oddity, part, may_be_raw in (
        ("", text, False),
        ("answer_had_raw_characters", text, True),
        ("answer_had_thinking", after_thinking, True),
    ):
        document = _whole(part, may_be_raw=may_be_raw)
        if document is not None:
            return FoundJson(document, oddity)
    found = {
        json.dumps(document, sort_keys=True): document
        for document in _Search(_without_code(text)).run()
        if _may_be_meant(document, wants_list=wants_list)
    }
    if len(found) > 1:
        raise ValueError(f"{len(found)} different JSON documents")
    for document in found.values():
        return FoundJson(document, "answer_had_prose")
    raise refusal


def _whole(text: str, *, may_be_raw: bool = True) -> JsonValue:
    """The document that the text is; ``None`` if it is none, or null."""
    try:
        return parse_exact(_unfenced(text.strip(_INVISIBLE)), may_be_raw=may_be_raw)
    except ValueError:
        return None


def _end_of_thinking(text: str) -> int:
    """Behind its last closing tag. Some servers leave out the opening one."""
    return max((tag.end() for tag in _CLOSING.finditer(text)), default=0)


def _may_be_meant(document: JsonValue, *, wants_list: bool) -> bool:
    if isinstance(document, list):
        return wants_list or any(isinstance(item, dict | list) for item in document)
    return isinstance(document, dict)


class _Search:
    """Looks for every object and list that stands in a text by itself, not inside another.

    Attributes:
        found: What was found so far.
    """

    def __init__(self, text: str) -> None:
        self._text = text
        self._end_of_thinking = _end_of_thinking(text)
        self._budget = _BUDGET + 2 * len(text)
        self.found: list[JsonValue] = []

    def run(self) -> list[JsonValue]:
        """Find all.

        Raises:
            ValueError: One is damaged or cut off, or the thinking does not end.
        """
        position = 0
        while mark := _MARK.search(self._text, position):
            position = self._after(mark)
        return self.found

    def _after(self, mark: re.Match[str]) -> int:
        """Where to go on behind a bracket or a tag of thinking."""
        try:
            return self._after_bracket(mark.start()) if mark[0] in "{[" else self._after_tag(mark)
        except ValueError:
            if mark.end() > self._end_of_thinking:
                raise
            self.found.clear()  # all of it was thinking
            return self._end_of_thinking

    def _after_bracket(self, start: int) -> int:
        text = self._text
        is_list = text[start] == "["
        if is_list and not _LIKE_LIST.match(text, start):
            return start + 1
        try:
            document, end = parse_exact_at(text, start)
        except ValueError as error:
            stopped_at: int = getattr(error.__cause__, "pos", len(text))
            self._budget -= _COST_OF_A_TRY + stopped_at - start
            is_meant = (_STRUCTURED if is_list else _LIKE_OBJECT).match(text, start)
            behind = start + 1 if is_list else _end_of_braces(text, start)
            if is_meant or behind is None or self._budget < 0:
                raise
            return behind
        self.found.append(document)
        return end

    def _after_tag(self, mark: re.Match[str]) -> int:
        if mark[0] == "}":
            raise ValueError(f"Extra data, character {mark.start() + 1}")
        if _CLOSING.fullmatch(mark[0]):
            self.found.clear()
            return mark.end()
        closing = _CLOSING.search(self._text, mark.end())
        if closing is None:
            raise ValueError("the thinking does not end")
        return closing.end()


def _end_of_braces(text: str, start: int) -> int | None:
    depth = 0
    for brace in _BRACE.finditer(text, start):
        depth += 1 if brace[0] == "{" else -1
        if depth == 0:
            return brace.end()
    return None


class _Fence(NamedTuple):
    start: int
    end: int
    label: str
    inner: str


def _without_code(text: str) -> str:
    """The text without its fences of code, if another fence is JSON."""
    pieces, position, has_json = [], 0, False
    for fence in _fences(text):
        if _is_document(fence.inner):
            has_json = True
        elif fence.label not in _LABELS_OF_JSON:
            pieces.append(text[position : fence.start])
            position = fence.end
    return "".join((*pieces, text[position:])) if has_json else text


def _is_document(text: str) -> bool:
    return isinstance(_whole(text), dict | list)


def _fences(text: str) -> Iterator[_Fence]:
    opening: re.Match[str] | None = None
    for line in _FENCE_LINE.finditer(text):
        if opening is None:
            opening = line
        elif line[1].startswith(opening[1]) and not line[2]:
            inner = text[opening.end() : line.start()]
            yield _Fence(opening.start(), line.end(), opening[2].lower(), inner)
            opening = None
