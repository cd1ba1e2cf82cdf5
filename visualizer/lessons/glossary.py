"""What words mean, and where a lesson uses them first.

`glossary/<language>.toml` has each term with its forms (the words in a text that mean it) and its definition; the order
and the sources stand in the English file alone. A term that a language lacks is said in English.

In a lesson each term is marked at its first use, in the order in which the lesson is read: its beats, then the rest.
Nothing is marked in code, in links, and in what is no running text (titles, options, answers).

    linked(prose, ["hello"], "en")

    <p>A <button type="button" class="term" data-term="watch" popovertarget="term">watch</button> goes on.</p>

and the section `term watch` with the definition is added, from which the page fills the card `#term`. What follows
a word without a space, as a full stop does, is held at it, for a line may break beside any button.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from html import escape
from pathlib import Path
from urllib.parse import urlsplit

from cluster_engine.words.languages import ORIGIN
from visualizer.lessons.lesson import LANGUAGES
from visualizer.lessons.prose import Prose, Section

FOLDER = Path(__file__).parent / "glossary"
MARKED = re.compile(
    r'<button type="button" class="term" data-term="([a-z0-9-]+)" popovertarget="term">([^<]*)</button>'
)

_HELD = re.compile(
    r"\(?(?:<em><button [^<>]*>[^<]*</button></em>|<strong><button [^<>]*>[^<]*</button></strong>"
    r"|<button [^<>]*>[^<]*</button>)[^\s<]+"
)
_PIECE = re.compile(r"<[^<>]*>|[^<]+")  # prose is HTML of our own making: < and > are escaped wherever they are text
_TAG = re.compile(r"<(/?)([a-z0-9]+)")
_CLOSED = {"a", "code", "pre", "h1", "h2", "h3", "h4", "h5", "h6"}


@dataclass(frozen=True, slots=True)
class Term:
    """A word and what it means: plain text in one language, and where that can be looked up."""

    id: str
    term: str
    forms: tuple[str, ...]
    text: str
    source: str

    @property
    def site(self) -> str:
        """Whose page the source is."""
        return urlsplit(self.source).hostname or ""

    @property
    def section(self) -> Section:
        """The definition as a section of a lesson's prose."""
        link = f'<a href="{escape(self.source)}" rel="noopener">{escape(self.site)}</a>'
        return Section("term", self.id, self.term, f"<p>{escape(self.text)}</p>\n<p>{link}</p>\n")


@lru_cache(maxsize=len(LANGUAGES))
def glossary(language: str) -> Mapping[str, Term]:
    """Return all terms by id, in the order in which they are listed."""
    origin = read(ORIGIN)
    own = read(language) if (FOLDER / f"{language}.toml").exists() else {}
    said = {id_: {**one, **own.get(id_, {})} for id_, one in origin.items()}
    return {id_: Term(id_, one["term"], tuple(one["forms"]), one["text"], one["source"]) for id_, one in said.items()}


def read(language: str) -> dict[str, dict[str, str]]:
    """Read one language's file."""
    return tomllib.loads((FOLDER / f"{language}.toml").read_text("utf-8"))


def linked(prose: Prose, beats: Sequence[str], language: str) -> Prose:
    """Mark the first use of each term, and add a section for each that is marked."""
    order = {("beat", beat): number for number, beat in enumerate(beats)}
    reading = sorted(prose.sections, key=lambda one: order.get((one.kind, one.id), len(order)))
    marker = _Marker(language)
    marked = {(one.kind, one.id): replace(one, html=marker.marked(one.html)) for one in reading}
    sections = [marked[one.kind, one.id] for one in prose.sections]
    return replace(prose, sections=(*sections, *(glossary(language)[id_].section for id_ in marker.seen)))


class _Marker:
    """Marks terms in one text after the other, each once."""

    def __init__(self, language: str) -> None:
        self._forms, self._pattern = _matcher(language)
        self.seen: list[str] = []

    def marked(self, html: str) -> str:
        """Return HTML with the terms marked that were not seen before."""
        marked = "".join(self._pattern.sub(self._mark, piece) if open_ else piece for piece, open_ in _pieces(html))
        return _HELD.sub(r'<span class="held">\g<0></span>', marked)

    def _mark(self, found: re.Match[str]) -> str:
        term = self._forms[found[0]]
        if term in self.seen:
            return found[0]
        self.seen.append(term)
        return f'<button type="button" class="term" data-term="{term}" popovertarget="term">{found[0]}</button>'


@lru_cache(maxsize=len(LANGUAGES))
def _matcher(language: str) -> tuple[dict[str, str], re.Pattern[str]]:
    forms = {form: term.id for term in glossary(language).values() for form in term.forms}
    longest_first = "|".join(re.escape(form) for form in sorted(forms, key=len, reverse=True))
    word = rf"(?<![\w-])(?:{longest_first})(?![\w-])"
    return forms, re.compile(word)


def _pieces(html: str) -> Iterator[tuple[str, bool]]:
    """Cut HTML into tags and texts; with each, whether it is a text in which terms may be marked."""
    closed = 0
    for piece in _PIECE.findall(html):
        tag = _TAG.match(piece)
        if tag and tag[2] in _CLOSED:
            closed += -1 if tag[1] else 1
        yield piece, tag is None and not closed


__all__ = ["MARKED", "Term", "glossary", "linked"]
