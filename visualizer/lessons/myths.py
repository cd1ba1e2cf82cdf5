"""Myth and wire: the drawing that people often make, arrow by arrow, beside the names of what was captured.

An arrow's words are the protocol's own, the same in every language, or the author's, which each language says in its
prose. Which of the two they are can be seen, so that no English sentence stays in a German drawing by oversight.

    {from: kubectl, to: kube-apiserver, label: DELETE pods}     the protocol's own: verbs, kinds, fields, statuses
    {from: kube-apiserver, to: kubectl, says: gone}             words: "- gone: the pod is gone" in the myth's section
"""

import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from cluster_engine.api.kinds import BUILT_IN
from visualizer.lessons.yaml_values import Place

ARROWS_MAX = 20
_PLAIN = re.compile(r"[a-z]{2,}")
_PARTICIPANT = re.compile(r"[a-z0-9-]+")
_VERBS = ("get", "list", "watch", "create", "update", "patch", "delete", "status", "binding", "eviction", "scale")
_TERMS = frozenset((*_VERBS, *(name for kind in BUILT_IN.stored for name in (kind.plural, kind.singular))))


@dataclass(frozen=True, slots=True)
class Arrow:
    """One arrow of the common drawing. Either `label` or `says` is there: the text itself, or its id in the prose."""

    begin: str
    end: str
    label: str | None = None
    says: str | None = None

    def page_data(self) -> dict[str, Any]:
        """Say it as the page reads it."""
        return {"from": self.begin, "to": self.end, "label": self.label, "says": self.says}


@dataclass(frozen=True, slots=True, kw_only=True)
class Myth:
    """The common drawing beside what was captured: arrows as people draw them, and names that hold."""

    id: str
    common: tuple[Arrow, ...]
    wire: tuple[str, ...]

    @property
    def said(self) -> tuple[str, ...]:
        """Return the ids of the words that prose has to say."""
        return tuple(arrow.says for arrow in self.common if arrow.says is not None)

    def page_data(self) -> dict[str, Any]:
        """Say it as the page reads it."""
        return {"id": self.id, "common": [arrow.page_data() for arrow in self.common], "wire": list(self.wire)}


def read_myth(place: Place, names: Collection[str]) -> Myth:
    """Read a beat's myth; `names` are those that its wire may refer to. Wrong."""
    keys = place.keys(("id", "common", "wire"), needed=("id", "common", "wire"))
    return Myth(
        id=keys["id"].identifier(),
        common=tuple(_arrow(one) for one in keys["common"].items(ARROWS_MAX, 1)),
        wire=tuple(one.one_of(names, "name") for one in keys["wire"].items(ARROWS_MAX, 1)),
    )


def _arrow(place: Place) -> Arrow:
    keys = place.keys(("from", "to", "label", "says"), needed=("from", "to"))
    if ("label" in keys) == ("says" in keys):
        remedy = "write label: for the protocol's own words, or says: and an id whose words stand in the prose"
        raise place.wrong("an arrow has either a label or says something", remedy)
    label = _label(keys["label"]) if "label" in keys else None
    says = keys["says"].identifier() if "says" in keys else None
    return Arrow(_participant(keys["from"]), _participant(keys["to"]), label, says)


def _participant(place: Place) -> str:
    name = place.text()
    if not _PARTICIPANT.fullmatch(name):
        raise place.wrong(f"{name!r} is no component", "write a program's name, the same in every language: kubelet")
    return name


def _label(place: Place) -> str:
    label = place.text()
    if words := plain_words(label):
        remedy = "write says: and an id, and in the myth's section of each language the list item - id: words"
        raise place.wrong(f"{label!r} has words that need translating ({', '.join(words)})", remedy)
    return label


def plain_words(label: str) -> list[str]:
    """Find what is no term of a protocol: words in small letters that are no resource and no verb of the API."""
    words = [word.strip(".,;:!()'\"") for word in label.split()]
    return [word for word in words if _PLAIN.fullmatch(word) and word not in _TERMS]


__all__ = ["Arrow", "Myth", "plain_words", "read_myth"]
