"""One way to read the rows of a dropped file, whatever its format."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import dropwhile

from shared.domain.binary_files import refuse_binary
from shared.domain.csv_blocks import Record
from shared.domain.csv_rows import (
    TableFormat,
    recipe_rows,
    rows_of_recipe,
    rows_of_two_columns,
    two_column_rows,
)
from shared.domain.encodings import EncodingMismatch, peek
from shared.domain.errors import UserInputError
from shared.domain.file_kinds import FileForm, FileFormat, InputKind
from shared.domain.inputs import InputFacts, InputRow, Observations
from shared.domain.problems import Problem, ProblemList
from shared.domain.provider_profile import ProviderProfile
from shared.domain.recipe import Recipe
from shared.domain.request_lines import request_rows

__all__ = ["EncodingMismatch", "RowReader", "open_rows"]

Source = Callable[[Observations, str | None], Iterator[InputRow]]
OpenChunks = Callable[[], Iterator[bytes]]
OpenRecords = Callable[[str | None, Observations], Iterator[Record]]


def open_rows(
    kind: InputKind,
    chunks_factory: OpenChunks,
    recipe: Recipe | None,
    profile: ProviderProfile,
    default_model: str,
    *,
    encoding: str | None = None,
    form: FileForm | None = None,
    records_factory: OpenRecords | None = None,
) -> RowReader:
    """Prepare to read a file; nothing is opened yet.

    Args:
        kind: What its rows are.
        chunks_factory: Opens the file from its start; called again if its encoding was guessed wrong.
        recipe: Needed for ``InputKind.RECIPE_CSV``; the other kinds have no use for one.
        profile: Of the provider to which the rows go.
        default_model: For two columns without a recipe.
        encoding: The ``next_encoding`` of the ``EncodingMismatch`` that an earlier reading ended in.
        form: How the file is written down; text, by its kind, if not given.
        records_factory: Opens a table that is no text, at the sheet that is given; then there are no chunks to open.
    """
    if kind is InputKind.RECIPE_CSV and recipe is None:
        raise ValueError("a table with a header needs a recipe")

    def read_text(observed: Observations, tried: str | None) -> Iterator[InputRow]:
        if kind is InputKind.REQUEST_JSONL:
            head, chunks = peek(chunks_factory())
            refuse_binary(head)
            return request_rows(chunks, profile, observed)
        if kind is InputKind.RECIPE_CSV and recipe is not None:
            table = TableFormat(recipe.encoding, recipe.delimiter, tried)
            return recipe_rows(chunks_factory, table, recipe, profile, observed)
        table = TableFormat(tried_encoding=tried)
        return two_column_rows(chunks_factory, table, default_model, profile, observed)

    def read_table(open_records: OpenRecords, observed: Observations) -> Iterator[InputRow]:
        if recipe is not None:
            records = open_records(recipe.sheet, observed)
            return rows_of_recipe(records, recipe, profile, observed)
        # Line 0 is a header that is no row of its file, as Parquet's; there is no use for one without a recipe.
        records = dropwhile(lambda record: record.line == 0, open_records(None, observed))
        return rows_of_two_columns(records, default_model, profile, observed)

    def read(observed: Observations, tried: str | None) -> Iterator[InputRow]:
        return read_table(records_factory, observed) if records_factory else read_text(observed, tried)

    return RowReader(kind, form or _text_form_for(kind), read, encoding)


def _text_form_for(kind: InputKind) -> FileForm:
    return FileForm(FileFormat.JSONL if kind is InputKind.REQUEST_JSONL else FileFormat.CSV)


class RowReader:
    """The rows of one file, and afterwards what there is to say about it.

    Attributes:
        problems: Of the file as a whole. If there is one, the rows do not matter, even where bad rows are skipped:
            some may never have been seen.
        all_problems: These and every row's, in the order of the file.
    """

    def __init__(self, kind: InputKind, form: FileForm, read: Source, encoding: str | None) -> None:
        self._kind = kind
        self._form = form
        self._read = read
        self._encoding = encoding
        self._start()

    def rows(self) -> Iterator[InputRow]:
        """Yield every row in input order, bad ones included, each time from the start of the file.

        Never raises for what is in the file, except:

        Raises:
            EncodingMismatch: Rows that were handed out are wrong. Drop them and open the rows again in its
                ``next_encoding``.
        """
        self._start()
        try:
            yield from self._counted()
        except EncodingMismatch as mismatch:
            if self._rows:
                raise
            self._encoding = mismatch.next_encoding
            yield from self.rows()

    @property
    def facts(self) -> InputFacts:
        """What is known of the file; complete once ``rows`` has ended."""
        observed = self._observed
        return InputFacts(
            kind=self._kind,
            form=self._form,
            sheet=observed.sheet,
            encoding=observed.encoding,
            delimiter=observed.delimiter,
            columns=observed.columns,
            model=observed.model,
            endpoint=observed.endpoint,
            thinking=observed.thinking,
            rows=self._rows,
            bad_rows=self._bad_rows,
            warnings=observed.warnings.first,
            total_problems=self.all_problems.total,
        )

    def _start(self) -> None:
        self.problems = ProblemList()
        self.all_problems = ProblemList()
        self._observed = Observations()
        self._rows = 0
        self._bad_rows = 0

    def _counted(self) -> Iterator[InputRow]:
        try:
            for row in self._read(self._observed, self._encoding):
                self._rows += 1
                if row.request is None:
                    self._bad_rows += 1
                    self.all_problems.extend(row.problems)
                yield row
        except UserInputError as error:
            self._refuse(error.problems)
        if not self._rows and not self.problems.total:
            is_table = self._kind is not InputKind.REQUEST_JSONL
            self._refuse([Problem("no_rows" if is_table else "empty_file")])

    def _refuse(self, problems: Iterable[Problem]) -> None:
        self.problems.extend(problems)
        self.all_problems.extend(problems)
