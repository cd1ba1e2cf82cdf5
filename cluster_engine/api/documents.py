"""Text into plain data, JSON or YAML, within bounds: the one way in for documents that somebody else has written.

Theory of operation. Whoever writes a document can write one that costs more than its length: brackets nested until a
recursive reader runs out of stack, a short list of aliases of lists of aliases that stands for gigabytes, a number of
a million digits. So JSON is decoded by msgspec, which bounds its own recursion, and looked at afterwards; YAML is
built from the parser's events without recursion, and every alias is charged what it stands for before it is copied.

    bytes ─► libyaml's events ─► a stack of open lists and mappings ─► dict, list, str, int, float, bool, None

YAML is read as kubectl and the API server read it: `sigs.k8s.io/yaml` over go-yaml v2. Keys become text, `<<` merges,
of two equal keys the last counts (`doubled` says which, for strict decoding), moments stay text. Modelled on
goyaml.v2/decode.go; bounds are ours where they are narrower than Go's, the words are Go's.

    read_yaml("a: &x [1, 2]\\nb: *x\\n")     [{"a": [1, 2], "b": [1, 2]}]
    read_json(b"[" * 300)                   Unreadable("exceeded max depth")

Left out: tags of the writer's own (what bears one is text, a list or a mapping, as if it bore none).
"""

import math
import re
from collections.abc import Iterator
from typing import Any

import msgspec
import yaml

from cluster_engine.api.nesting import DEPTH_MAX, exceeds
from cluster_engine.api.yaml_scalars import Scalar, resolve

BYTES_MAX = 3 * 1024 * 1024  # what an API server takes in one request (apiserver: MaxRequestBodyBytes)
NODES_MAX = 200_000
DIRECTIVES_MAX = 64
DOUBLED_MAX = 100

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_LONG_NUMBER = re.compile(rb"[0-9]{19}")


class Unreadable(ValueError):  # noqa: N818, as Refused and NotRunning
    """A text is no document; the message says why, in the words of Go's decoders."""


class Document(msgspec.Struct, frozen=True):
    """One document of a YAML text; `doubled` are go-yaml's sentences about keys that stand twice in one mapping."""

    value: Any
    doubled: list[str]


# -- JSON --------------------------------------------------------------------------------------------------------------


def read_json(body: bytes | str) -> Any:
    """Read JSON, whatever it holds; integers that no 64 bits hold are floats, as in Go. Unreadable."""
    raw = _encoded(body)
    if len(raw) > BYTES_MAX:
        raise Unreadable(f"document is too large: limit is {BYTES_MAX} bytes")
    try:
        value = msgspec.json.decode(raw)
    except RecursionError:
        raise Unreadable("exceeded max depth") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Unreadable(str(error)) from error
    if raw.count(b"{") + raw.count(b"[") > DEPTH_MAX and exceeds(value):
        raise Unreadable("exceeded max depth")
    return _with_floats(value) if _LONG_NUMBER.search(raw) else value


def _encoded(text: bytes | str) -> bytes:
    if isinstance(text, bytes):
        return text
    try:
        return text.encode()
    except UnicodeEncodeError:
        raise Unreadable("invalid Unicode character") from None


def _with_floats(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _with_floats(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_with_floats(each) for each in value]
    if type(value) is int and not -(2**63) <= value < 2**63:
        try:
            return float(value)
        except OverflowError:
            raise Unreadable("number out of range") from None
    return value


# -- YAML --------------------------------------------------------------------------------------------------------------


def read_yaml(text: bytes | str) -> list[Any]:
    """Read all documents of a text. Unreadable."""
    return [document.value for document in yaml_documents(text)]


def read_one_yaml(text: bytes | str) -> Any:
    """Read a text that is one document: its first; None where there is none. Unreadable."""
    return next((document.value for document in yaml_documents(text)), None)


def yaml_documents(text: bytes | str) -> Iterator[Document]:
    """Read a text, document after document. Unreadable, perhaps after some documents have come."""
    raw = _encoded(text)
    if len(raw) > BYTES_MAX:
        raise Unreadable(f"yaml: document is too large: limit is {BYTES_MAX} bytes")
    if raw.count(b"%") > DIRECTIVES_MAX and sum(line.startswith(b"%") for line in raw.splitlines()) > DIRECTIVES_MAX:
        raise Unreadable("yaml: found too many directives")  # libyaml compares each with all before it
    building = _Building()
    try:
        for event in yaml.parse(raw, Loader=_LOADER):
            if isinstance(event, yaml.DocumentStartEvent):
                building = _Building(building.nodes)
            elif isinstance(event, yaml.DocumentEndEvent):
                yield Document(building.root, building.doubled)
            else:
                building.take(event)
    except yaml.MarkedYAMLError as error:
        raise Unreadable(f"yaml: {_go_words(error)}") from error
    except yaml.YAMLError as error:
        raise Unreadable("yaml: control characters are not allowed") from error


def _go_words(error: yaml.MarkedYAMLError) -> str:
    mark = error.problem_mark or error.context_mark
    line = mark.line if mark is not None else 0
    problem = (error.problem or "could not find expected ':'").replace(
        "mapping values are not allowed here", "mapping values are not allowed in this context"
    )
    return f"line {line + 1}: {problem}" if line else problem


_NO_KEY: Any = object()
_MERGE: Any = object()


class _Open(msgspec.Struct):
    """A list or mapping whose end has not come yet. The counts are those before it began."""

    value: Any
    anchor: str | None
    nodes_before: int
    bytes_before: int
    height: int = 0
    key: Any = _NO_KEY
    line: int = 0


class _Anchored(msgspec.Struct, frozen=True):
    """What an alias stands for, and what it costs to write it out."""

    value: Any
    nodes: int
    bytes: int
    height: int


class _Building(msgspec.Struct):
    """One document as its events come. `nodes` and `bytes` count what it stands for, aliases written out."""

    nodes: int = 0
    bytes: int = 0
    aliased: int = 0
    root: Any = None
    doubled: list[str] = msgspec.field(default_factory=list)
    _open: list[_Open] = msgspec.field(default_factory=list)
    _anchors: dict[str, _Anchored | None] = msgspec.field(default_factory=dict)

    def take(self, event: Any) -> None:
        """Take the next event. Unreadable."""
        if isinstance(event, yaml.ScalarEvent):
            self._scalar(event)
        elif isinstance(event, yaml.CollectionStartEvent):
            self._begin(event, {} if isinstance(event, yaml.MappingStartEvent) else [])
        elif isinstance(event, yaml.CollectionEndEvent):
            self._end()
        elif isinstance(event, yaml.AliasEvent):
            self._alias(event.anchor or "")

    def _scalar(self, event: Any) -> None:
        self._charge(1, len(event.value))
        plain = not event.style and event.tag is None
        if plain and event.value == "<<" and self._awaits_key():
            self._open[-1].key = _MERGE
            return
        try:
            value = resolve(event.value, event.tag) if plain or event.tag else event.value
        except ValueError as problem:
            raise Unreadable(f"yaml: {problem}") from None
        if event.anchor:
            self._anchors[event.anchor] = _Anchored(value, 1, len(event.value), 0)
        self._put(value, event.start_mark.line)

    def _awaits_key(self) -> bool:
        return bool(self._open) and isinstance(self._open[-1].value, dict) and self._open[-1].key is _NO_KEY

    def _begin(self, event: Any, value: Any) -> None:
        if len(self._open) >= DEPTH_MAX:
            raise Unreadable(f"yaml: exceeded max depth of {DEPTH_MAX}")
        if event.anchor:
            self._anchors[event.anchor] = None
        self._open.append(_Open(value, event.anchor, self.nodes, self.bytes, line=event.start_mark.line))
        self._charge(1, 2)

    def _end(self) -> None:
        done = self._open.pop()
        if done.anchor:
            cost = (self.nodes - done.nodes_before, self.bytes - done.bytes_before)
            self._anchors[done.anchor] = _Anchored(done.value, *cost, done.height + 1)
        self._put(done.value, done.line, done.height + 1)

    def _alias(self, name: str) -> None:
        if name not in self._anchors:
            raise Unreadable(f"yaml: unknown anchor '{name}' referenced")
        found = self._anchors[name]
        if found is None:
            raise Unreadable(f"yaml: anchor '{name}' value contains itself")
        self.aliased += found.nodes
        self._charge(found.nodes, found.bytes)
        if len(self._open) + found.height > DEPTH_MAX:
            raise Unreadable(f"yaml: exceeded max depth of {DEPTH_MAX}")
        self._put(_copy(found.value), 0, found.height)

    def _charge(self, nodes: int, size: int) -> None:
        self.nodes += nodes
        self.bytes += size
        if self.aliased > 100 and self.nodes > 1000 and self.aliased / self.nodes > 0.99:
            raise Unreadable("yaml: document contains excessive aliasing")
        if self.nodes > NODES_MAX or self.bytes > BYTES_MAX:
            if self.aliased:
                raise Unreadable("yaml: document contains excessive aliasing")
            raise Unreadable(f"yaml: document is too large: limit is {NODES_MAX} values")

    def _put(self, value: Any, line: int, height: int = 0) -> None:
        """Put a finished value where it belongs: into what is open, as key or as value."""
        if not self._open:
            self.root = _finite(value)
            return
        place = self._open[-1]
        place.height = max(place.height, height)
        if isinstance(place.value, list):
            place.value.append(_finite(value))
        elif place.key is _NO_KEY:
            place.key = _key(value)
            if place.key in place.value and len(self.doubled) < DOUBLED_MAX:
                self.doubled.append(f'line {line + 1}: key "{place.key}" already set in map')
        elif place.key is _MERGE:
            _merge(place.value, value)
            place.key = _NO_KEY
        else:
            place.value[place.key] = _finite(value)
            place.key = _NO_KEY


def _finite(value: Any) -> Any:
    """Refuse numbers that JSON cannot write."""
    if isinstance(value, float) and not math.isfinite(value):
        name = "NaN" if math.isnan(value) else "+Inf" if value > 0 else "-Inf"
        raise Unreadable(f"json: unsupported value: {name}")
    return value


def _key(value: Scalar | list[Any] | dict[str, Any]) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    if value is None:
        raise Unreadable("unsupported map key of type: %!s(<nil>), key: <nil>")
    raise Unreadable(f"yaml: invalid map key: {'map' if isinstance(value, dict) else 'list'}")


def _merge(into: dict[str, Any], value: Any) -> None:
    several = value if isinstance(value, list) else [value]
    if not all(isinstance(one, dict) for one in several):
        raise Unreadable("yaml: map merge requires map or sequence of maps as the value")
    for one in reversed(several):
        into.update(one)


def _copy(value: Any) -> Any:
    """Copy what an anchor stands for: whoever changes one place must not change the other."""
    if isinstance(value, dict):
        return {key: _copy(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_copy(each) for each in value]
    return value
