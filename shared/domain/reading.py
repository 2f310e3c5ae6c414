"""One way to read the rows of a dropped file, whatever its format."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from shared.domain.csv_rows import TableFormat, recipe_rows, two_column_rows
from shared.domain.encodings import EncodingMismatch
from shared.domain.errors import UserInputError
from shared.domain.file_kinds import InputKind
from shared.domain.inputs import InputFacts, InputRow, Observations
from shared.domain.limits import ShardLimits
from shared.domain.problems import Problem, ProblemList
from shared.domain.recipe import Recipe
from shared.domain.request_lines import request_rows

__all__ = ["EncodingMismatch", "RowReader", "open_rows"]

Source = Callable[[Observations, str | None], Iterator[InputRow]]


def open_rows(
    kind: InputKind,
    chunks_factory: Callable[[], Iterator[bytes]],
    recipe: Recipe | None,
    limits_for: Callable[[str], ShardLimits],
    default_model: str,
    *,
    encoding: str | None = None,
) -> RowReader:
    """Prepare to read a file; nothing is opened yet.

    Args:
        kind: Its format.
        chunks_factory: Opens the file from its start; called again if its encoding was guessed wrong.
        recipe: Needed for ``InputKind.RECIPE_CSV``; the other formats have no use for one.
        limits_for: The provider's bounds for a model; for ``""``, the loosest.
        default_model: For a two-column CSV.
        encoding: The ``next_encoding`` of the ``EncodingMismatch`` that an earlier reading ended in.
    """
    if kind is InputKind.RECIPE_CSV and recipe is None:
        raise ValueError("a CSV with a header needs a recipe")

    def read(observed: Observations, tried: str | None) -> Iterator[InputRow]:
        if kind is InputKind.REQUEST_JSONL:
            return request_rows(chunks_factory(), limits_for, observed)
        if kind is InputKind.RECIPE_CSV and recipe is not None:
            table = TableFormat(recipe.encoding, recipe.delimiter, tried)
            return recipe_rows(chunks_factory, table, recipe, limits_for(recipe.model), observed)
        table = TableFormat(tried_encoding=tried)
        return two_column_rows(chunks_factory, table, default_model, limits_for(default_model), observed)

    return RowReader(kind, read, encoding)


class RowReader:
    """The rows of one file, and afterwards what there is to say about it.

    Attributes:
        problems: Of the file as a whole. If there is one, the rows do not matter, even where bad rows are skipped:
            some may never have been seen.
        all_problems: These and every row's, in the order of the file.
    """

    def __init__(self, kind: InputKind, read: Source, encoding: str | None) -> None:
        self._kind = kind
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
