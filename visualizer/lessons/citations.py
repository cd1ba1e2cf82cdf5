"""Citations: what bears a lesson out. Each names the parts that rest on it; no part that claims something goes without.

{of: [binding], at: "kubernetes v1.32 pkg/scheduler/…/default_binder.go: the Binding"}     a place in a source tree
{of: [stored], at: "https://kubernetes.io/…", title: "Kubernetes: controllers"}            a page, with its title
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from visualizer.lessons.yaml_values import Place

OF_ONE_MAX = 80


@dataclass(frozen=True, slots=True, kw_only=True)
class Citation:
    """What bears out the parts of a lesson named in `of`. A page has a `title`, a place in a source tree has none."""

    of: tuple[str, ...]
    at: str
    title: str | None = None
    line: int = field(default=0, compare=False)

    def page_data(self) -> dict[str, Any]:
        """Say it as pages read it."""
        return {"of": list(self.of), "at": self.at, "title": self.title}


def read_citation(place: Place, claims: list[str], line: int) -> Citation:
    """Read one; `claims` are the ids of the parts that may be named. Wrong."""
    keys = place.keys(("of", "at", "title"), needed=("of", "at"))
    at = keys["at"].text()
    is_page = at.startswith("https://")
    if is_page and "title" not in keys:
        raise place.wrong("this page has no title", "add title: and what it is called")
    if not is_page and "title" in keys:
        raise place.wrong(f"{at} is no page and has a title", "give an address that begins with https://, or no title")
    return Citation(
        of=tuple(one.one_of(claims, "part") for one in keys["of"].items(OF_ONE_MAX, 1)),
        at=at,
        title=keys["title"].text() if is_page else None,
        line=line,
    )


def claims_in(document: dict[str, Any]) -> Iterator[str]:
    """Give the ids of all parts of a lesson's document that need a source: beats, their myths, questions, debriefs."""
    for part in ("beats", "questions", "debriefs"):
        for one in _mappings(document.get(part)):
            yield from _id(one)
            if isinstance(one.get("myth"), dict):
                yield from _id(one["myth"])


def _mappings(value: Any) -> list[dict[str, Any]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _id(value: dict[str, Any]) -> Iterator[str]:
    if isinstance(value.get("id"), str):
        yield value["id"]


__all__ = ["Citation", "claims_in", "read_citation"]
