"""Columns as Go's text/tabwriter lays them out, since kubectl's output is made with it.

A cell is text that ends with a tab. A column is a block of consecutive lines that have a cell in that place; it is as
wide as its widest cell plus the padding. What follows the last tab of a line is not a cell and is never padded. So in

    layout("NAME\\tREADY\\nweb\\t1/1\\n", minimum=6, padding=3)      "NAME   READY\\nweb    1/1\\n"

Modelled on text/tabwriter/tabwriter.go; `remembered` is the RememberWidths flag of the fork that `kubectl get -w` uses.
"""


def layout(text: str, *, minimum: int, padding: int, remembered: list[int] | None = None) -> str:
    """Replace the tabs of `text` by spaces. `remembered` keeps columns from shrinking from one call to the next."""
    lines = [line.split("\t") for line in text.split("\n")]
    out: list[str] = []
    _Layout(lines, minimum, padding, remembered, out).format(0, len(lines))
    return "\n".join(out)


class _Layout:
    def __init__(
        self, lines: list[list[str]], minimum: int, padding: int, remembered: list[int] | None, out: list[str]
    ) -> None:
        self._lines = lines
        self._minimum = minimum
        self._padding = padding
        self._remembered = remembered
        self._out = out
        self._widths: list[int] = []

    def format(self, begin: int, end: int) -> None:
        """Write the lines begin … end, whose first columns have the widths known so far."""
        column = len(self._widths)
        line = begin
        while line < end:
            if column >= len(self._lines[line]) - 1:
                line += 1
                continue
            self._write(begin, line)
            begin = line
            width = self._minimum
            while line < end and column < len(self._lines[line]) - 1:
                width = max(width, len(self._lines[line][column]) + self._padding)
                line += 1
            self._widths.append(self._not_less_than_before(column, width))
            self.format(begin, line)
            self._widths.pop()
            begin = line
        self._write(begin, end)

    def _not_less_than_before(self, column: int, width: int) -> int:
        if self._remembered is None:
            return width
        if column >= len(self._remembered):
            self._remembered.append(width)
        self._remembered[column] = max(self._remembered[column], width)
        return self._remembered[column]

    def _write(self, begin: int, end: int) -> None:
        for line in self._lines[begin:end]:
            cells = [cell.ljust(width) for cell, width in zip(line, self._widths, strict=False)]
            self._out.append("".join(cells + line[len(self._widths) :]))
