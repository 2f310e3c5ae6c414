from __future__ import annotations

import stat
from dataclasses import replace
from pathlib import Path

import pytest

from scripts.deploy.note import Note
from scripts.deploy.place import Place

MADE = {"PageSecret": "made", "CallbackSecret": "other"}


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place("id", "key-secret", "", "cn-beijing", "https://oss.example", notes=tmp_path / "notes")


def test_a_secret_is_kept_when_more_is_noted(place: Place) -> None:
    note = Note(place, "drop")
    note.add(MADE, {})

    told = note.add({}, {"PageUrl": "https://page/"})

    assert told == note.read()
    assert (told["PAGE_SECRET"], told["PAGE_URL"]) == ("made", "https://page/")
    assert Note(place, "drop").with_known({"PageSecret": "new", "CallbackSecret": "new"}) == {
        "PageSecret": "made",
        "CallbackSecret": "new",
    }
    assert Note(place, "else").with_known(MADE) == MADE
    assert note.with_known({}) == {}, "a template without pages takes no secret of one"


def test_only_the_owner_reads_it_and_keys_are_an_own_machines_alone(place: Place) -> None:
    note = Note(place, "drop")
    note.path.parent.mkdir()
    note.path.touch(mode=0o644)

    note.add(MADE, {})

    assert stat.S_IMODE(note.path.stat().st_mode) == 0o600
    assert [each.name for each in note.path.parent.iterdir()] == ["drop.env"]
    assert "key-secret" not in note.path.read_text()
    Note(replace(place, control="http://127.0.0.1:1"), "drop").add(MADE, {})
    assert note.read()["ALIBABA_CLOUD_ACCESS_KEY_SECRET"] == "key-secret"


def test_a_gone_buckets_note_goes(place: Place) -> None:
    note = Note(place, "drop")
    note.add(MADE, {})

    note.forget()
    note.forget()

    assert note.read() == {}
