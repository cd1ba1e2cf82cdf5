"""Tables for the terminal: what the server sent as `Table`, in columns.

The server decides which columns there are and what stands in them; kubectl only chooses (priority 1 with -o wide) and
adds NAMESPACE, labels and kinds where asked. Modelled on cli-runtime/pkg/printers/tableprinter.go.
"""

from collections.abc import Sequence
from typing import Any

import msgspec

from cluster_engine.api.objects import Object
from cluster_engine.programs.kubectl.tabwriter import layout

EVENT_WIDTH = len("MODIFIED")


class TablePrinter(msgspec.Struct, kw_only=True):
    """Prints the tables of one resource: the header once, columns never narrower than before."""

    wide: bool = False
    with_namespace: bool = False
    headers: bool = True
    kind: str = ""
    show_labels: bool = False
    label_columns: Sequence[str] = ()
    _columns: list[Object] = msgspec.field(default_factory=list)
    _widths: list[int] = msgspec.field(default_factory=list)
    _printed: bool = False

    def text(self, table: Object, event: str = "") -> str:
        """Give a table's text; a later one may leave its columns out, as in a watch. `event` stands before each row."""
        self._columns = table.get("columnDefinitions") or self._columns
        shown = [index for index, column in enumerate(self._columns) if self.wide or not column.get("priority")]
        lines = []
        if self.headers and not self._printed:
            self._printed = True
            lines.append(["EVENT"] * bool(event) + self._header(shown))
        before = [event.ljust(EVENT_WIDTH)] if event else []
        lines.extend(before + self._row(row, shown) for row in table.get("rows") or [])
        if not lines:
            return ""
        text = "".join("\t".join(line) + "\n" for line in lines)
        return layout(text, minimum=6, padding=3, remembered=self._widths)

    def _header(self, shown: list[int]) -> list[str]:
        names = [self._columns[index]["name"].upper() for index in shown]
        names += [label.rpartition("/")[2].upper() for label in self.label_columns]
        if self.show_labels:
            names.append("LABELS")
        return ["NAMESPACE", *names] if self.with_namespace else names

    def _row(self, row: Object, shown: list[int]) -> list[str]:
        cells = [_cell(row["cells"][index]) for index in shown]
        metadata = (row.get("object") or {}).get("metadata") or {}
        if self.kind and cells:
            cells[0] = f"{self.kind}/{cells[0]}"
        labels = metadata.get("labels") or {}
        cells += [labels.get(label, "") for label in self.label_columns]
        if self.show_labels:
            cells.append(",".join(f"{key}={labels[key]}" for key in sorted(labels)) or "<none>")
        return [metadata.get("namespace", ""), *cells] if self.with_namespace else cells


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    text = str(value)
    first, newline, _ = text.partition("\n")
    return f"{first}..." if newline else text
