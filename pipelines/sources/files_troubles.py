"""What of a file could not be read: counted by column, said with the first row, and too much of it is an error."""

from __future__ import annotations

from dataclasses import dataclass, field

from lacuna.data_contracts.errors import SourceUnreadable
from lacuna.pipelines.presentation import progress

__all__ = ["Troubles"]

_ROWS_AT_LEAST = 10  # a share of fewer rows says nothing


@dataclass
class _Trouble:
    row: int
    value: str
    count: int = 0


@dataclass
class Troubles:
    """Of one file.

    Attributes
    ----------
    file
        Its address.
    at_most
        The share of its rows that may lack what every row needs.
    """

    file: str
    at_most: float
    rows: int = 0
    _lacking: dict[str, _Trouble] = field(default_factory=dict)
    _empty: dict[str, _Trouble] = field(default_factory=dict)
    _absent: dict[str, str] = field(default_factory=dict)

    def lacks(self, what: str, row: int, value: object, count: int = 1) -> None:
        """Rows lack what every row needs; ``what`` says what became of them."""
        self._count(self._lacking, what, row, value, count)

    def empty(self, what: str, row: int, value: object, count: int = 1) -> None:
        """Values of a column that may be empty can't be read: they are left empty."""
        self._count(self._empty, what, row, value, count)

    def absent(self, theirs: str, use: str) -> None:
        """No row has a column that the settings name."""
        self._absent[theirs] = use

    def tell(self) -> None:
        """Say what there was.

        Raises
        ------
        SourceUnreadable
            More of the rows than may lack what every row needs: the mapping reads something else than it should.
        """
        for what, one in {**self._lacking, **self._empty}.items():
            progress.log.warning("%s", self._phrase(what, one))
        for theirs, use in self._absent.items():
            progress.log.warning("%s: no row has '%s', which is read as %s", self.file, theirs, use)
        worst = max(self._lacking.items(), key=lambda item: item[1].count, default=None)
        if worst and self.rows >= _ROWS_AT_LEAST and worst[1].count > self.at_most * self.rows:
            raise SourceUnreadable(
                f"{self._phrase(*worst)}; that is {worst[1].count:,} of {self.rows:,} rows, and nothing was pulled",
                "read another column, add the word to values or the way of writing to times, put the file right, or "
                "raise bad_rows_at_most",
            )

    def _count(self, into: dict[str, _Trouble], what: str, row: int, value: object, count: int) -> None:
        into.setdefault(what, _Trouble(row, f"{value!r:.60}")).count += count

    def _phrase(self, what: str, one: _Trouble) -> str:
        more = f" (and {one.count - 1:,} more rows)" if one.count > 1 else ""
        value = f" is {one.value}" if one.value != "None" else " has no value"
        column, _, became = what.partition("; ")
        return f"{self.file}, row {one.row}: {column}{value}{more}; {became}"
