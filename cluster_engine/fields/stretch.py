"""Reading a stretch of bytes from the front, and keeping a field of everything that is read.

A dissector says in one go what stands there and what it is called; order, places and bounds follow from reading:

    def _alert(stretch: Stretch) -> None:
        stretch.number("tls.alert.level", 1, {1: "warning", 2: "fatal"})
        stretch.number("tls.alert.description", 1, ALERTS)

    dissected(bytes([2, 48]), _alert)
    -> (Field("tls.alert.level", 0, 1, "2 fatal"), Field("tls.alert.description", 1, 2, "48 unknown_ca"))

`within` opens a field that has fields of its own. Where reading fails in it (`Unreadable`), its rest becomes the field
`unreadable`, and what follows it is read on; so do bytes that nobody has read. Fields cover every byte of what was
dissected. What grows is bounded: fields of one dissection (FIELDS_MAX), how deep they lie (DEPTH_MAX), each value.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from cluster_engine.fields.field import UNFINISHED, UNREADABLE, Field, every, text_of
from cluster_engine.lens.unreadable import Unreadable

FIELDS_MAX = 2000
DEPTH_MAX = 24


class Stretch:
    """Bytes from `at` to `end`, read from the front, and the fields found so far."""

    __slots__ = ("_budget", "_depth", "_found", "at", "data", "end", "value")

    def __init__(self, data: bytes, begin: int, end: int, *, depth: int = 0, budget: list[int] | None = None) -> None:
        self.data = data
        self.at = begin
        self.end = end
        self.value = ""
        """What the field that these bytes are is said to hold; whoever reads them may set it."""
        self._found: list[Field] = []
        self._depth = depth
        self._budget = [FIELDS_MAX] if budget is None else budget

    def __len__(self) -> int:
        """How many bytes are left to read."""
        return self.end - self.at

    def peek(self, count: int) -> bytes:
        """Return the next `count` bytes, or as many as there are, without reading them."""
        return self.data[self.at : min(self.at + count, self.end)]

    def take(self, name: str, count: int, value: str | None = None) -> bytes:
        """Read `count` bytes as a field, shown in hexadecimal unless its value is given."""
        begin = self.at
        part = self._skip(count)
        if count:
            self._keep(Field(name, begin, self.at, text_of(part if value is None else value)))
        return part

    def text(self, name: str, count: int, encoding: str = "utf-8") -> str:
        """Read `count` bytes as a field of text."""
        begin = self.at
        text = self._skip(count).decode(encoding, "replace")
        if count:
            self._keep(Field(name, begin, self.at, text_of(text)))
        return text

    def number(
        self, name: str, count: int, names: Mapping[int, str] | None = None, *, hexadecimal: bool = False
    ) -> int:
        """Read an unsigned integer of `count` bytes as a field; `names` says what its values are called."""
        begin = self.at
        value = int.from_bytes(self._skip(count))
        digits = f"0x{value:0{2 * count}x}" if hexadecimal else str(value)
        called = (names or {}).get(value)
        self._keep(Field(name, begin, self.at, f"{digits} {called}" if called else digits))
        return value

    def rest(self, value: str | None = None) -> bytes:
        """Read all that is left, which belongs to this field itself and to no field in it; give the field a value."""
        part = self._skip(len(self))
        self.value = text_of(part if value is None else value)
        return part

    @contextmanager
    def within(self, name: str, count: int, value: str = "") -> "Iterator[Stretch]":
        """Read the next `count` bytes as a field with fields in it.

        Too few bytes: what there is becomes the field, and its rest is unfinished; where more follow, unreadable.
        `value` may be set while reading.
        """
        begin, end = self.at, min(self.at + count, self.end)
        if self._depth >= DEPTH_MAX:
            raise Unreadable("nested too deeply")
        inner = Stretch(self.data, begin, end, depth=self._depth + 1, budget=self._budget)
        inner.value = value
        self._spend()
        problem = ""
        try:
            yield inner
        except Unreadable as error:
            problem = str(error)
        self.at = end
        if end > begin:
            called = UNREADABLE
            if end - begin < count:
                problem = f"{count} bytes announced, {end - begin} are here"
                called = UNFINISHED if end == len(self.data) else UNREADABLE  # in what is whole, they are too many
            self._found.append(Field(name, begin, end, text_of(inner.value), inner.fields(problem, called)))

    @contextmanager
    def group(self, name: str, value: str = "") -> "Iterator[Stretch]":
        """Read a field with fields in it that ends where reading ends. Where that fails, the rest is lost with it."""
        begin = self.at
        if self._depth >= DEPTH_MAX:
            raise Unreadable("nested too deeply")
        inner = Stretch(self.data, begin, self.end, depth=self._depth + 1, budget=self._budget)
        inner.value = value
        self._spend()
        problem = ""
        try:
            yield inner
            inner.end = inner.at
        except Unreadable as error:
            problem = str(error)
        self.at = inner.end
        if self.at > begin:
            self._found.append(Field(name, begin, self.at, text_of(inner.value), inner.fields(problem)))

    def adopt(self, fields: Sequence[Field]) -> None:
        """Take fields that were found on another way, from here on; of these as many more as there may be at all."""
        if fields:
            self._spend()
            self._budget[0] -= sum(1 for _ in every(fields)) - 1
            self._found += fields
            self.at = fields[-1].end

    def fields(self, problem: str = "", called: str = UNREADABLE) -> tuple[Field, ...]:
        """Return what was found; bytes that were not read become a field of that name, unless nothing was."""
        if self.at < self.end and (self._found or problem or self._depth == 0):
            reason = problem or "more bytes than belong here"
            self._found.append(Field(called, self.at, self.end, text_of(reason)))
        return tuple(self._found)

    def _skip(self, count: int) -> bytes:
        if self.at + count > self.end:
            raise Unreadable(f"{count} bytes wanted, {len(self)} are here")
        begin, self.at = self.at, self.at + count
        return self.data[begin : self.at]

    def _keep(self, field: Field) -> None:
        try:
            self._spend()
        except Unreadable:
            self.at = field.begin
            raise
        self._found.append(field)

    def _spend(self) -> None:
        if self._budget[0] <= 0:
            raise Unreadable(f"more than {FIELDS_MAX} fields")
        self._budget[0] -= 1


def dissected(data: bytes, read: Callable[[Stretch], None]) -> tuple[Field, ...]:
    """Return what `read` finds in the bytes; what it cannot read is one field `unreadable` over the rest."""
    stretch = Stretch(data, 0, len(data))
    try:
        read(stretch)
    except Unreadable as error:
        return stretch.fields(str(error))
    return stretch.fields()
