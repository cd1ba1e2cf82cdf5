"""What an entry says and what it is: a pattern is chosen by the entry's kind and fields, and its places are filled.

A pattern's key is `say.` (or `explain.`), a kind, and any number of words. A word holds of an entry when it is the
value of one of its `TELLING` fields, or the name of a field that is there (not null, false, "" or empty). Of the
patterns whose words all hold and whose places can all be filled, the one with most words is taken; of several such, the
first in the file. What stands in [brackets] is left out unless all places in it can be filled.

    "http.request.list" = "{from} asks {to} for the list of {resource}[ in namespace {namespace}]"

Places are the entry's fields and, beside them, `from` and `to` (who speaks to whom, after the pattern
`say.participant`), `label`, `text` (of a note, whole), `size`, `one` (kind and name of the object) and `fault` (its
name in this language). A kind without a pattern is said as `say.message` or `say.note`.

    sentence({"kind": "http.request", "from": "workstation/kubectl", "to": "control-plane/kube-apiserver", …})
    -> "kubectl asks kube-apiserver for the list of pods in namespace default"

`static/js/strings.js` does the same in the browser.
"""

import re
from collections.abc import Mapping
from functools import cache
from typing import Any

from cluster_engine.api.kinds import BUILT_IN
from cluster_engine.cast import cast
from cluster_engine.words.languages import by_file, document

TELLING = ("verb", "subresource", "type", "method", "operation", "flags", "description", "event")
HOSTS_UNSAID = frozenset({"", *(host.name for host in cast(nodes=0).hosts)})  # whatever is no worker is there once
PLACE = re.compile(r"\{(\w+)\}")
OPTIONAL = re.compile(r"\[([^\[\]]*)\]")
KINDS = {kind.plural: kind.name for kind in BUILT_IN.stored}
AT_ONCE = ("faults", "page", "sentences")  # files of words without which nothing of a page can be drawn

Entry = Mapping[str, Any]


def sentence(entry: Entry, language: str = "en") -> str:
    """Return what an entry says, as one sentence without a full stop."""
    texts = document(language)
    for pattern in (*_patterns("say", entry, language), texts["say.message" if entry["to"] else "say.note"]):
        said = _fill(pattern, entry, texts)
        if said is not None:
            return said
    return str(entry["label"])


def explanation(entry: Entry, language: str = "en") -> str:
    """Return in one or two sentences what an entry's kind is, in its variant where there is one; "" if unknown."""
    return next(iter(_patterns("explain", entry, language)), "")


def page_words(language: str) -> dict[str, str]:
    """Return all that the page says in a language, by key; with them what one object of each kind is called."""
    return {**_kinds(), **document(language)}


def page_parts(language: str) -> dict[str, dict[str, str]]:
    """Return the same in the parts in which it is fetched: "" at once, the others by their files' names when needed."""
    parts = by_file(language)
    return {"": _kinds() | {key: text for name in AT_ONCE for key, text in parts.pop(name).items()}} | parts


def _kinds() -> dict[str, str]:
    return {f"kind.{plural}": name for plural, name in KINDS.items()}


def _patterns(prefix: str, entry: Entry, language: str) -> list[str]:
    """Return the patterns whose words hold of the entry, the most particular first."""
    fields = entry["fields"]
    told = {fields[name] for name in TELLING if isinstance(fields.get(name), str)}
    return [
        pattern
        for words, pattern in _by_kind(prefix, language).get(entry["kind"], ())
        if all(word in told or _is_there(fields.get(word)) for word in words)
    ]


@cache
def _by_kind(prefix: str, language: str) -> dict[str, list[tuple[list[str], str]]]:
    """Return each kind's patterns with the words of their keys, most words first. A kind has two parts: "tcp.syn"."""
    found: dict[str, list[tuple[list[str], str]]] = {}
    for key, pattern in document(language).items():
        head, *parts = key.split(".")
        if head == prefix:
            found.setdefault(".".join(parts[:2]), []).append((parts[2:], pattern))
    for patterns in found.values():
        patterns.sort(key=lambda one: -len(one[0]))
    return found


def _fill(pattern: str, entry: Entry, texts: Mapping[str, str]) -> str | None:
    """Return the pattern with its places filled; None when one outside of brackets has no value."""
    values = {name: _value(name, entry, texts) for name in PLACE.findall(pattern)}

    def complete(part: str) -> bool:
        return all(values[name] is not None for name in PLACE.findall(part))

    kept = OPTIONAL.sub(lambda part: part[1] if complete(part[1]) else "", pattern)
    return PLACE.sub(lambda place: str(values[place[1]]), kept) if complete(kept) else None


def _value(name: str, entry: Entry, texts: Mapping[str, str]) -> str | None:
    """Return what a place stands for, None where the entry does not say it."""
    fields = entry["fields"]
    match name:
        case "from" | "to":
            return _participant(entry[name], texts) if entry[name] else None
        case "label" | "size":
            return str(entry[name])
        case "text":
            return _plain(fields.get("text")) or str(entry["label"])
        case "one":
            return _one(fields)
        case "fault":
            return texts.get(f"fault.{fields.get('name')}.name") or _plain(fields.get("name"))
    return _plain(fields.get(name))


def _participant(participant: str, texts: Mapping[str, str]) -> str:
    """Return what a participant is called: its program, with its host where several hosts run that program."""
    host, _, program = participant.rpartition("/")
    if host in HOSTS_UNSAID:
        return program
    return texts["say.participant"].replace("{host}", host).replace("{program}", program)


def _one(fields: Mapping[str, Any]) -> str | None:
    """Return "Pod web-1"; the name that a server is still to choose as "Pod web-…"."""
    resource, generated = fields.get("resource"), fields.get("generateName")
    name = fields.get("name") or (f"{generated}…" if generated else "")
    return f"{KINDS.get(resource, resource)} {name}".rstrip() if resource else None


def _plain(value: Any) -> str | None:
    """Return a value as text: lists with commas; None for what is not there or is a document."""
    if not _is_there(value) or isinstance(value, dict):
        return None
    if isinstance(value, list):
        texts = [_plain(one) for one in value]
        return None if None in texts else ", ".join(map(str, texts))
    if isinstance(value, bool):
        return "true"
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _is_there(value: Any) -> bool:
    return value is not None and value is not False and value not in ("", [], {})
