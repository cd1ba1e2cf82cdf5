"""How ss lays out its table: columns as wide as what is in them, spread over a terminal, or packed into a pipe.

    State  Recv-Q Send-Q Local Address:Port  Peer Address:PortProcess
    LISTEN 0      4096         0.0.0.0:10250      0.0.0.0:*          users:(("kubelet",pid=104,fd=3))

An address ends with its colon and is aligned to the right, a port to the left: so the colons stand below each other.
Modelled on iproute2 6.1 (misc/ss.c, render_calc_width): on a terminal the space that is left goes to all columns, and
columns for which there is no room go on in the next line. In a pipe nothing is spread, whence "PortProcess".
"""

from collections.abc import Iterator, Sequence

import msgspec


class _Column(msgspec.Struct, frozen=True):
    header: str
    delimiter: str
    to_the_right: bool = False


COLUMNS = (
    _Column("Netid", ""),
    _Column("State", " "),
    _Column("Recv-Q", " "),
    _Column("Send-Q", " "),
    _Column("Local Address:", " ", to_the_right=True),
    _Column("Port", ""),
    _Column("Peer Address:", " ", to_the_right=True),
    _Column("Port", ""),
    _Column("Process", ""),
)
HEADER = tuple(column.header for column in COLUMNS)
NETID, STATE = 0, 1


def laid_out(rows: Sequence[Sequence[str]], hidden: set[int], width: int | None = None) -> list[str]:
    """Return the lines of rows, each with a text for each of COLUMNS. `width` is that of the terminal, if any.

    A line that is longer than the terminal is wide breaks there between two columns.
    """
    shown = [index for index in range(len(COLUMNS)) if index not in hidden]
    widths = _widths(rows, shown)
    if width is not None:
        _spread(widths, width)
    return ["".join(_cells(row, widths)) for row in rows]


def _widths(rows: Sequence[Sequence[str]], shown: list[int]) -> dict[int, int]:
    """Return how wide each column is that has anything in it."""
    widths: dict[int, int] = {}
    for index in shown:
        if longest := max((len(row[index]) for row in rows), default=0):
            widths[index] = longest + (len(COLUMNS[index].delimiter) if widths else 0)
    return widths


def _spread(widths: dict[int, int], screen: int) -> None:
    """Widen the columns until they fill lines of a screen."""
    line: list[int] = []
    for index, width in list(widths.items()):
        widths[index] = min(width, screen)
        if line and sum(widths[one] for one in line) + widths[index] > screen:
            _pad(widths, line, screen)
            line = []
        line.append(index)
    if line:
        _pad(widths, line, screen)


def _pad(widths: dict[int, int], line: list[int], screen: int) -> None:
    spacing, rest = divmod(screen - sum(widths[index] for index in line), len(line))
    for index in reversed(line):
        widths[index] += spacing + (rest > 0)
        rest -= rest > 0


def _cells(row: Sequence[str], widths: dict[int, int]) -> Iterator[str]:
    is_first = True
    for index, width in widths.items():
        column = COLUMNS[index]
        before = "" if is_first else column.delimiter
        is_first = False
        room = width - len(before)
        yield before + (row[index].rjust(room) if column.to_the_right else row[index].ljust(room))
