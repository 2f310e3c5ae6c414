"""Reads the rows of a dropped file, whatever its format."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import ClassVar, Protocol

from shared.formats.charsets.decoding import EncodingMismatch
from shared.inputs.inbox_keys import FileForm, InputKind
from shared.inputs.rows import InputFacts, InputRow, Observations, RowBlock, each_row
from shared.problems.exceptions import UserInputError
from shared.problems.problem import Problem, ProblemList


class RowSource(Protocol):
    """The rows of a file of one kind. Nothing is opened before ``rows`` is read."""

    kind: ClassVar[InputKind]

    def rows(self, observed: Observations) -> Iterator[InputRow | RowBlock]: ...


class RowReader:
    """The rows of one file, and afterwards what there is to say about it.

    Attributes:
        problems: Of the file as a whole. If there is one, ignore the rows, even where bad rows are
            skipped: some may not have been seen.
        all_problems: These and every row's, in the order of the file.
    """

    def __init__(
        self,
        source: RowSource,
        form: FileForm,
        encoding: str | None = None,
        file_warnings: ProblemList | None = None,
    ) -> None:
        """Prepare to read.

        Args:
            source: What reads the rows.
            form: By the file's name.
            encoding: The ``next_encoding`` of an earlier mismatch.
            file_warnings: Grows as the file is unpacked.
        """
        self._file_warnings = file_warnings or ProblemList()
        self._source = source
        self._form = form
        self._encoding = encoding
        self._start()

    def rows(self) -> Iterator[InputRow]:
        """``blocks``, but each row by itself."""
        return each_row(self.blocks())

    def blocks(self) -> Iterator[InputRow | RowBlock]:
        """Yield every row in input order, bad ones included, each time from the start of the file.

        Raises:
            EncodingMismatch: Rows that were yielded are wrong. Drop them and open the rows again in
                its ``next_encoding``. Nothing else is raised for what is in the file.
        """
        self._start()
        try:
            yield from self._counted()
        except EncodingMismatch as mismatch:
            if self._rows:
                raise
            self._encoding = mismatch.next_encoding
            yield from self.blocks()

    @property
    def facts(self) -> InputFacts:
        """What is known of the file; complete once ``rows`` has ended."""
        observed = self._observed
        return InputFacts(
            kind=self._source.kind,
            form=self._form,
            sheet=observed.sheet,
            encoding=observed.encoding,
            delimiter=observed.delimiter,
            columns=observed.columns,
            column_types=observed.column_types,
            model=observed.model,
            endpoint=observed.endpoint,
            thinking=observed.thinking,
            rows=self._rows,
            bad_rows=self._bad_rows,
            warnings=(*self._file_warnings.first, *observed.warnings.first),
        )

    def _start(self) -> None:
        self.problems = ProblemList()
        self.all_problems = ProblemList()
        self._observed = Observations(tried_encoding=self._encoding)
        self._rows = 0
        self._bad_rows = 0

    def _counted(self) -> Iterator[InputRow | RowBlock]:
        try:
            for row in self._source.rows(self._observed):
                if isinstance(row, RowBlock):
                    self._rows += len(row.lines)
                    yield row
                    continue
                self._rows += 1
                if row.request is None:
                    self._bad_rows += 1
                    if not row.is_left_out:
                        self.all_problems.extend(row.problems)
                yield row
        except UserInputError as error:
            self._refuse(error.problems)
        if not self._rows and not self.problems.total:
            is_table = self._source.kind is not InputKind.REQUEST_JSONL
            self._refuse([Problem("no_rows" if is_table else "empty_file")])

    def _refuse(self, problems: Iterable[Problem]) -> None:
        self.problems.extend(problems)
        self.all_problems.extend(problems)
