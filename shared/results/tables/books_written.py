"""Where the next invocation goes on with a result of many workbooks."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import ValidationError

from shared.bucket.base import Record
from shared.ports.store import ObjectStore
from shared.problems.exceptions import ObjectMissing


class BooksWritten(Record):
    """The workbooks that are whole, and what the next one begins with.

    They count only as long as all of them lie there unchanged: people may delete a result, and
    another version of the file may have written over it.

    Attributes:
        books: Key and ETag of each, the result itself first.
        rows: How many rows they have.
        texts: Where the texts are that no cell of theirs can hold.
        cut: How many these are.
    """

    books: tuple[tuple[str, str], ...] = ()
    rows: int = 0
    texts: tuple[str, ...] = ()
    cut: int = 0


def find_books(store: ObjectStore, record_key: str, key: str) -> BooksWritten:
    """Those of the result ``key`` that need not be written again."""
    try:
        found = BooksWritten.model_validate_json(store.get(record_key))
    except (ObjectMissing, ValidationError):
        return BooksWritten()
    is_whole = all((head := store.head(book)) and head.etag == etag for book, etag in found.books)
    return found if is_whole and key in dict(found.books[:1]) else BooksWritten()


def keep_books(store: ObjectStore, record_key: str, keys: Sequence[str], written: BooksWritten) -> None:
    """Remember that these are whole, and the rest of ``written``."""
    books = tuple((key, head.etag) for key in keys if (head := store.head(key)))
    if len(books) == len(keys):
        store.put(record_key, written.model_copy(update={"books": books}).to_bytes())
