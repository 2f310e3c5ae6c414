"""The names that people see, made of the dropped file's: its recipe, its result, its reports."""

from __future__ import annotations

import hashlib

from shared.bucket.attempt import JobId
from shared.bucket.keys import INBOX, QUOTES, REJECTED, RESULTS

RECIPE_NAMES = ("batch.yaml", "batch.yml")
NOTIFY_NAMES = ("notify.yaml",)
# Editors on Windows add the second ending by themselves.
APPROVALS = (".approve", ".approve.txt")


def recipe_candidates(key: str) -> list[str]:
    """Where the recipe of an inbox file may be, nearest folder first, ``inbox/`` last."""
    return _candidates(key, RECIPE_NAMES)


def notify_candidates(key: str) -> list[str]:
    """The same for what says who is to be told of the file."""
    return _candidates(key, NOTIFY_NAMES)


def _candidates(key: str, names: tuple[str, ...]) -> list[str]:
    """A name too long for a key is left out: OSS answers a question about it with an error."""
    folders = key.split("/")[:-1]
    candidates = (
        "/".join([*folders[:depth], name]) for depth in range(len(folders), 0, -1) for name in names
    )
    return [each for each in candidates if len(each.encode()) <= _MAX_KEY_BYTES]


def has_dot_segment(key: str) -> bool:
    """Whether a part of the path is ``.`` or ``..``.

    OSS takes them as names. Copied to a disk, or requested through a client or proxy that tidies
    paths, such a key leads elsewhere.
    """
    return not _DOTS.isdisjoint(key.split("/"))


def result_key_for(source_key: str, suffix: str = ".csv") -> str:
    """``inbox/a/b.jsonl`` → ``results/a/b.csv``, as ``inbox/a/b.jsonl.gz``."""
    return _derived(RESULTS, _stem(source_key.removeprefix(INBOX)), suffix)


def own_result_key_for(source_key: str, suffix: str = ".csv") -> str:
    """The name to fall back to when another file owns the plain one: ``results/a/b.jsonl.csv``."""
    return _derived(RESULTS, source_key.removeprefix(INBOX), suffix)


def superseded_result_key_for(result_key: str, job_id: JobId) -> str:
    """Where a job's result goes if a later upload of the file already has ``result_key``."""
    path, suffix = _split_result(result_key)
    return _derived(RESULTS, path, f".{job_id}{suffix}")


def report_key_for(result_key: str) -> str:
    """``results/a/b.csv`` or ``.jsonl`` → ``results/a/b.report.json``: one file owns both."""
    return _derived(RESULTS, _split_result(result_key)[0], ".report.json")


def numbered_result_key_for(result_key: str, number: int) -> str:
    """``results/a/b.xlsx`` → ``results/a/b.2.xlsx``, for rows that the first file cannot hold."""
    path, suffix = _split_result(result_key)
    return _derived(RESULTS, path, f".{number}{suffix}")


def overflow_key_for(result_key: str) -> str:
    """``results/a/b.xlsx`` → ``results/a/b.overflow.jsonl``, for texts that no cell can hold."""
    return _derived(RESULTS, _split_result(result_key)[0], ".overflow.jsonl")


def unmatched_key_for(result_key: str, job_id: JobId) -> str:
    """``results/a/b.<job>.unmatched.jsonl``, for lines that name none of the rows.

    It has the first job's id in it: another version of the file must not replace what was paid for.
    """
    return _derived(RESULTS, _split_result(result_key)[0], f".{job_id}.unmatched.jsonl")


def plain_result_key_for(result_key: str) -> str:
    """The ``.csv`` name by which a result's name is claimed, whatever its format."""
    return _derived(RESULTS, _split_result(result_key)[0], ".csv")


def _split_result(result_key: str) -> tuple[str, str]:
    path, dot, suffix = result_key.removeprefix(RESULTS).rpartition(".")
    return path, dot + suffix


def rejection_keys_for(source_key: str) -> tuple[str, str]:
    """The text and the CSV report of a refused file; its whole name, so that no two share one."""
    name = _whole_name(source_key)
    return _derived(REJECTED, name, ".report.txt"), _derived(REJECTED, name, ".report.csv")


def quote_keys_for(source_key: str) -> tuple[str, str]:
    """The quote of a file, as text and as JSON."""
    name = _whole_name(source_key)
    return _derived(QUOTES, name, ".quote.txt"), _derived(QUOTES, name, ".quote.json")


def approval_keys_for(source_key: str) -> tuple[str, ...]:
    """What people may have dropped beside a file to approve its quote."""
    return tuple(f"{source_key}{suffix}" for suffix in APPROVALS)


def _whole_name(source_key: str) -> str:
    name = source_key.removeprefix(INBOX)
    if name.endswith("/") or not name:
        name += "folder"
    if has_dot_segment(name):
        tidy = "/".join("_" * len(part) if part in _DOTS else part for part in name.split("/"))
        name = f"{tidy}~{hashlib.sha256(name.encode()).hexdigest()[:8]}"
    return name


# OSS takes keys of 1,023 bytes
# (https://help.aliyun.com/zh/oss/user-guide/object-naming-conventions), file systems names of 255.
# A longer name is cut, and a digest keeps it apart from others that begin alike.
_MAX_KEY_BYTES = 1023
_MAX_NAME_BYTES = 255
_DOTS = frozenset({".", ".."})


def _derived(prefix: str, path: str, suffix: str) -> str:
    folder, slash, name = path.rpartition("/")
    room = min(_MAX_NAME_BYTES, _MAX_KEY_BYTES - len(f"{prefix}{folder}{slash}".encode())) - len(suffix)
    if len(name.encode()) <= room:
        return f"{prefix}{path}{suffix}"
    digest = "~" + hashlib.sha256(path.encode()).hexdigest()[:8]
    if room < len(digest):  # folders alone fill the key
        return f"{prefix}{digest}{suffix}"
    kept = name.encode()[: room - len(digest)].decode(errors="ignore")
    return f"{prefix}{folder}{slash}{kept}{digest}{suffix}"


def _stem(path: str) -> str:
    folder, _, name = path.rpartition("/")
    if name.lower().endswith(".gz"):  # of "a.csv.gz" both go
        name = name[: -len(".gz")]
    stem = name.rsplit(".", 1)[0] or name
    return f"{folder}/{stem}" if folder else stem
