"""Cards of faults: what breaks, what to look at, what heals it in a real cluster, and a question, for every fault.

The words lie in `cluster_engine/words/<language>/cards/faults.toml`; what is the same in every language (lines to
type, lessons that teach it, sources) in `fault_cards.toml` beside this file. `cards` puts both together, for the page
of all cards and for the document that a cluster's page fetches when somebody opens one (`page_words`).
"""

import tomllib
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

from cluster_engine.words.languages import ORIGIN, document

FOLDER = Path(__file__).parent
LESSONS = FOLDER / "lessons"
PART = "cards"


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """One fault's card in one language. `type`: lines for the terminal; `lessons` {"url", "title"}: those there are.

    `sandbox`: what to try where no lesson teaches it, else "".
    """

    name: str
    title: str
    breaks: str
    look: tuple[str, ...]
    heals: str
    sandbox: str
    question: str
    answer: str
    type: tuple[str, ...]
    lessons: tuple[dict[str, str], ...]
    sources: tuple[dict[str, str], ...]


@cache
def facts() -> dict[str, dict[str, Any]]:
    """What all languages share, by the fault's name, in the order in which cards are shown."""
    return tomllib.loads((FOLDER / "fault_cards.toml").read_text("utf-8"))


def cards(language: str) -> list[Card]:
    """All cards in a language."""
    words, names = document(language, PART), document(language)
    return [
        Card(
            name=name,
            title=names[f"fault.{name}.name"],
            look=tuple(text for key, text in words.items() if key.startswith(f"{name}.look.")),
            sandbox=words.get(f"{name}.sandbox", ""),
            type=tuple(shared["type"]),
            lessons=tuple(_lesson(path, language) for path in shared["lessons"] if (LESSONS / path).is_dir()),
            sources=tuple(shared["sources"]),
            **{part: words[f"{name}.{part}"] for part in ("breaks", "heals", "question", "answer")},
        )
        for name, shared in facts().items()
    ]


def _lesson(path: str, language: str) -> dict[str, str]:
    """A lesson's address and title, which is the first line of its prose; read without the rest, for whoever starts."""
    own = LESSONS / path / f"{language}.md"
    with (own if own.exists() else LESSONS / path / f"{ORIGIN}.md").open(encoding="utf-8") as file:
        return {"url": f"/{path}/", "title": file.readline().removeprefix("# ").strip()}


def headings(language: str) -> dict[str, str]:
    """What stands above a card's parts, by part."""
    return {
        key.removeprefix("card."): text for key, text in document(language, PART).items() if key.startswith("card.")
    }


def page_document(language: str) -> dict[str, Any]:
    """Return the cards by name as a cluster's page loads them, and their headings."""
    return {"headings": headings(language), "cards": {card.name: asdict(card) for card in cards(language)}}
