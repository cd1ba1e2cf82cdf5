"""Differences in words: `words/<language>/comparing/`.

A fact's pattern is `differs.<fact>.<subresource or method>`, `differs.<fact>`, or `differs` for all others; of a fact
that one run only has, `differs.added` or `differs.missing`. What a row says first is what matters most: who answers 409
instead of 201 has another reason and message too, and they are listed, not said.

    telling = Telling("en")
    telling.differs(entry, other, [("target", "worker-1", "worker-2")], "Pod default/web-1")
    -> "in B the Binding of Pod default/web-1 went to worker-2 instead of worker-1"
"""

from collections.abc import Sequence

from cluster_engine.comparing.ending import Ending
from cluster_engine.comparing.saying import Object
from cluster_engine.journal import Entry
from cluster_engine.words.languages import document
from cluster_engine.words.sentences import KINDS, PLACE, sentence

PART = "comparing"
FIRST_TOLD = ("target", "status", "line", "exitCode", "node", "succeeded", "reason", "items", "count")
VALUE_MAX = 200
COLUMNS_TOLD = 3

Difference = tuple[str, object, object]


class Telling:
    """What is said of a comparison, in a language."""

    def __init__(self, language: str) -> None:
        self.language = language
        self._texts = document(language, PART)

    def say(self, key: str, **values: object) -> str:
        """Fill a text of this part."""
        return PLACE.sub(lambda place: str(values[place[1]]), self._texts[key])

    def counted(self, key: str, count: int, **values: object) -> str:
        """Fill a text that counts."""
        return self.say(f"{key}_{'one' if count == 1 else 'other'}", count=count, **values)

    def entry(self, entry: Entry) -> str:
        """Say what an entry says."""
        return sentence(entry, self.language)

    def differs(self, a: Entry, b: Entry, request: str, found: Sequence[Difference], about: str) -> str:
        """Say in what b differs from a; `request` is what they answer, `about` their object."""
        path, mine, others = min(found, key=lambda one: _rank(one[0]))
        values = {"field": path, "object": about, "request": request, "line": a["fields"].get("line", "")}
        key = self._key(path, a, mine, others, {name: bool(value) for name, value in values.items()})
        if path == "status":
            mine, others = a["label"], b["label"]
        return self.say(key, **values, a=value_of(mine), b=value_of(others))

    def _key(self, path: str, entry: Entry, mine: object, others: object, known: dict[str, bool]) -> str:
        if mine is None or others is None:
            return "differs.added" if mine is None else "differs.missing"
        variant = entry["fields"].get("subresource") or entry["fields"].get("method") or ""
        for key in (f"differs.{path}.{variant}", f"differs.{path}"):
            text = self._texts.get(key)
            if text is not None and all(known.get(name, True) for name in known if f"{{{name}}}" in text):
                return key
        return "differs.of" if known["object"] else "differs.fact"

    def ends(self, ending: Ending) -> str:
        """Say how an object stands in the end."""
        standing = ending.a or ending.b
        assert standing is not None, "an ending is of an object that is there in one of the runs"
        about = self.about((ending.subject[0], ending.subject[1], standing.name), standing.kind)
        if ending.a is None or ending.b is None:
            return self.say("ends.only_a" if ending.b is None else "ends.only_b", object=about)
        columns = [self.say("ends.column", column=one, a=a, b=b) for one, a, b in ending.columns[:COLUMNS_TOLD]]
        return self.say("ends.differs", object=about, columns=", ".join(columns))

    def about(self, subject: Object, kind: str = "") -> str:
        """Name an object as people do: Pod default/web-1."""
        resource, namespace, name = subject
        return f"{kind or KINDS.get(resource, resource)} {f'{namespace}/{name}' if namespace else name}"


def _rank(path: str) -> tuple[int, bool, str]:
    place = FIRST_TOLD.index(path) if path in FIRST_TOLD else len(FIRST_TOLD)
    return place, not path.startswith("spec."), path


def value_of(value: object) -> str:
    """Write a fact; of what is long, its beginning."""
    text = {True: "true", False: "false", None: "–"}.get(value) if value is None or isinstance(value, bool) else None
    text = str(value) if text is None else text
    return text if len(text) <= VALUE_MAX else text[: VALUE_MAX - 1] + "…"
