"""Puts together what all choices of a reply say, or all its vectors: one row has one content."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from shared.formats.json.compact import compact_json
from shared.formats.json.surrogates import without_surrogates
from shared.results.columns import WHOLE_REASONS
from shared.results.replies.forms.contents import Said, read_choice
from shared.results.replies.forms.parts import gathered, in_order, index_of, is_nothing, mapping, text
from shared.results.replies.forms.vectors import read_vectors
from shared.results.replies.reasons import Told, error_in


class Chat(NamedTuple):
    """What a row gets of the choices, or of the vectors, that came back for it.

    Attributes:
        shown: ``content`` as it stands in the result. Of several choices, a JSON array of theirs.
        choice: The columns' part: the first choice; but if another one is cut off, that one's
            reason, since the row is not whole.
        message: The same, with the thinking wherever it stood.
        more: What has no column.
        is_there: Whether there were choices or vectors at all.
        is_empty_by_choice: A model that has nothing to say may do so: an empty text, and ``stop``.
        told: Errors that stand inside the choices.
    """

    shown: str = ""
    choice: Mapping[str, Any] = {}
    message: Mapping[str, Any] = {}
    more: Mapping[str, Any] = {}
    is_there: bool = False
    is_answer: bool = False
    is_refusal: bool = False
    is_empty_by_choice: bool = False
    told: Told = Told()

    @property
    def finish_reason(self) -> str:
        return text(self.choice.get("finish_reason"))


def read_chat(body: Mapping[str, Any], data: list[Any] | None) -> Chat:
    """The choices in the order of ``index``; what has vectors is no chat."""
    if data is not None:
        return _vectors(data)
    choices = body.get("choices")
    if isinstance(choices, dict):
        choices = [choices]
    if not isinstance(choices, list) or not choices:
        return Chat()
    ordered = in_order(choices)
    said = [read_choice(choice) for choice in ordered]
    first = mapping(ordered[0])
    reason = next((each.finish_reason for each in said if each.finish_reason not in WHOLE_REASONS), "")
    return Chat(
        shown=_shown(said),
        choice={**first, "finish_reason": reason or said[0].finish_reason},
        message={**mapping(first.get("message")), "reasoning_content": said[0].reasoning_content},
        more=_beside(ordered, said, reason),
        is_there=True,
        is_answer=any(each.is_answer for each in said),
        is_refusal=any(each.is_refusal for each in said),
        is_empty_by_choice=any(each.content is not None and each.finish_reason == "stop" for each in said),
        told=sum((error_in(each.more.get("error")) for each in said), Told()),
    )


def _shown(said: Sequence[Said]) -> str:
    if len(said) == 1:
        return text(said[0].content)
    return without_surrogates(compact_json([each.content for each in said]))


def _beside(ordered: Sequence[Any], said: Sequence[Said], reason: str) -> Mapping[str, Any]:
    """What the first choice holds beside its columns, and under ``choices`` the others'."""
    others = []
    for at, (choice, each) in enumerate(zip(ordered, said, strict=True)):
        index = index_of(choice)
        own: dict[str, Any] = {"reasoning_content": each.reasoning_content} if at else {}
        if reason and each.finish_reason != reason:
            own["finish_reason"] = each.finish_reason
        own = {key: value for key, value in own.items() if not is_nothing(value)}
        own = gathered(
            index={"index": at if index is None else index}, choice=own, more=each.more if at else {}
        )
        if len(own) > 1:
            others.append(own)
    return gathered(more=said[0].more, other={"choices": others} if others else {})


def _vectors(data: list[Any]) -> Chat:
    content, more = read_vectors(data)
    if is_nothing(content):
        return Chat(more=more, is_there=bool(data))
    return Chat(shown=without_surrogates(compact_json(content)), more=more, is_there=True, is_answer=True)
