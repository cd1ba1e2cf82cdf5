"""A lesson's prose: Markdown by sections, to HTML that cannot carry anything but text.

    # Title                            then a paragraph: the summary in lists
    ## beat client-hello: Title        kind, id, title; `goal`, `solution` and `differs` have no id, `hint` a number
    - hello: In the ClientHello        in a question: what an option (or an item) is called; in a myth: an arrow
    ### right                          in a question: said after the answer; also `wrong`, `wrong hello`

Raw HTML is shown as text. Links lead to entries (`beat:`, `mark:`, `check:`), to lessons (`lesson:`) or to https.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.token import Token

from visualizer.lessons.source import InvalidLessonError, LessonError

KINDS = ("beat", "question", "myth", "goal", "check", "hint", "solution", "debrief", "differs")
WITH_ITEMS = ("question", "myth")
WITHOUT_ID = ("goal", "solution", "differs")
ANCHORS = ("beat", "mark", "check")
SECTIONS_MAX = 200
LIST_BEGINS_MAX = 20  # a list may go on after something else; a status code begins a sentence

_HEADING = re.compile(r"(?P<kind>[a-z]+)(?:\s+(?P<id>[a-z0-9-]+))?\s*(?::\s*(?P<title>.*))?", re.DOTALL)
_OPTION = re.compile(r"(?P<id>[a-z0-9]+(?:-[a-z0-9]+)*):\s+(?P<text>.+)", re.DOTALL)
_ANSWER = re.compile(r"right|wrong(?: [a-z0-9-]+)?")
_LINK = re.compile(r"(?P<kind>[a-z]+):(?P<target>.*)")
_URL = re.compile(r"https://[^\s\"'<>]+")
_PATH = re.compile(r"(walkthroughs|exercises)/[a-z0-9-]+")
_REMEDY = f"begin a section with ## and one of {', '.join(KINDS)}"


@dataclass(frozen=True, slots=True)
class Link:
    """A link in the prose: where it leads, and the line it stands in."""

    kind: str
    target: str
    line: int


@dataclass(frozen=True, slots=True)
class Section:
    """One section. `options` and `answers` are HTML by option, and by "right", "wrong" or "wrong <option>"."""

    kind: str
    id: str
    title: str
    html: str
    options: dict[str, str] = field(default_factory=dict)
    answers: dict[str, str] = field(default_factory=dict)
    line: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Prose:
    """A lesson in one language. `summary` is plain text, `intro` the same as HTML."""

    file: str
    title: str
    summary: str
    intro: str
    sections: tuple[Section, ...]
    links: tuple[Link, ...] = ()

    def section(self, kind: str, id_: str = "") -> Section | None:
        """Find a section."""
        return next((one for one in self.sections if (one.kind, one.id) == (kind, id_)), None)

    def titles(self) -> dict[tuple[str, str], str]:
        """Return the sections' titles; that of the lesson is ("lesson", "")."""
        return {("lesson", ""): self.title, **{(one.kind, one.id): one.title for one in self.sections}}


def parse(text: str, file: str) -> Prose:
    """Read a lesson's prose. InvalidLessonError with all mistakes."""
    return _Parser(file).prose(text)


class _Parser:
    def __init__(self, file: str) -> None:
        self._file = file
        self._errors: list[LessonError] = []
        self._markdown = MarkdownIt("commonmark", {"html": False, "typographer": False}).enable("table")
        self._markdown.add_render_rule("fence", _fence)

    def _wrong(self, line: int, problem: str, remedy: str) -> None:
        self._errors.append(LessonError(self._file, line, problem, remedy))

    def prose(self, text: str) -> Prose:
        tokens = self._markdown.parse(text)
        self._refuse_slips(tokens)
        links = self._links(tokens)
        chunks = list(_chunks(tokens, "h2", "h1"))
        title, intro = self._beginning(chunks)
        sections = [self._section(heading, body) for heading, body in chunks if heading and heading[0].tag == "h2"]
        made = [section for section in sections if section is not None]
        self._refuse_twice(made)
        if len(made) > SECTIONS_MAX:
            self._wrong(1, f"there are {len(made)} sections", f"write at most {SECTIONS_MAX}")
        if self._errors:
            raise InvalidLessonError(sorted(self._errors))
        summary = " ".join(_plain(token) for token in intro if token.type == "inline")
        return Prose(self._file, title, summary, self._render(intro), tuple(made), links)

    def _refuse_slips(self, tokens: Sequence[Token]) -> None:
        """A paragraph that begins with "200." is a list for Markdown, and no author meant one."""
        for token in tokens:
            start = token.attrGet("start")
            if token.type == "ordered_list_open" and isinstance(start, int) and start > LIST_BEGINS_MAX:
                remedy = f"write {start}\\. for the number, or begin a list with 1."
                self._wrong(_line(token), f"a list begins with {start}.", remedy)

    def _beginning(self, chunks: list[tuple[list[Token], list[Token]]]) -> tuple[str, list[Token]]:
        heading, body = next((chunk for chunk in chunks if chunk[0] and chunk[0][0].tag == "h1"), ([], []))
        if not heading:
            self._wrong(1, "there is no title", "begin with # and the title")
            return "", []
        if not any(token.type == "inline" for token in body):
            self._wrong(_line(heading[0]), "there is no summary", "write a paragraph below the title")
        for other, _ in chunks:
            if other and other[0].tag == "h1" and other is not heading:
                self._wrong(_line(other[0]), "there is a second title", _REMEDY)
        return _plain(heading[1]), body

    # -- sections ------------------------------------------------------------------------------------------------------

    def _section(self, heading: list[Token], body: list[Token]) -> Section | None:
        line = _line(heading[0])
        named = self._named(_plain(heading[1]), line)
        if named is None:
            return None
        kind, id_, title = named
        parts = list(_chunks(body, "h3"))
        text = parts[0][1]
        options, text = _options(text, self._render_inline) if kind in WITH_ITEMS else ({}, text)
        answers = dict(self._answers(kind, parts[1:]))
        return Section(kind, id_, title, self._render(text), options, answers, line)

    def _named(self, text: str, line: int) -> tuple[str, str, str] | None:
        found = _HEADING.fullmatch(text)
        if found is None or found["kind"] not in KINDS:
            self._wrong(line, f"{text!r} is no section", _REMEDY)
            return None
        kind, id_, title = found["kind"], found["id"] or "", (found["title"] or "").strip()
        if bool(id_) == (kind in WITHOUT_ID):
            remedy = f"write ## {kind}: Title" if kind in WITHOUT_ID else f"write ## {kind} its-id: Title"
            self._wrong(line, f"a section {kind} has {'no' if id_ else 'an'} id", remedy)
        if not title and kind not in WITHOUT_ID:
            self._wrong(line, f"the section {kind} {id_} has no title", f"write ## {kind} {id_}: Title")
        return kind, id_.removeprefix("hint-") if kind == "hint" else id_, title

    def _answers(self, kind: str, parts: list[tuple[list[Token], list[Token]]]) -> Iterator[tuple[str, str]]:
        seen: set[str] = set()
        for heading, body in parts:
            text = _plain(heading[1])
            if kind != "question" or not _ANSWER.fullmatch(text) or text in seen:
                remedy = "in a question write ### right, ### wrong or ### wrong <option>, each once; elsewhere no ###"
                self._wrong(_line(heading[0]), f"{text!r} has no place here", remedy)
            elif not body:
                self._wrong(_line(heading[0]), f"nothing is said below {text!r}", "say it")
            seen.add(text)
            yield text, self._render(body)

    def _refuse_twice(self, sections: list[Section]) -> None:
        seen: dict[tuple[str, str], int] = {}
        for one in sections:
            key = (one.kind, one.id)
            if key in seen:
                self._wrong(one.line, f"{one.kind} {one.id} was on line {seen[key]}".replace("  ", " "), "keep one")
            seen[key] = one.line

    # -- rendering -----------------------------------------------------------------------------------------------------

    def _render(self, tokens: Sequence[Token]) -> str:
        return str(self._markdown.renderer.render(list(tokens), self._markdown.options, {}))

    def _render_inline(self, token: Token) -> str:
        return self._render([token])

    def _links(self, tokens: Sequence[Token]) -> tuple[Link, ...]:
        """Turn links into what a page can follow; refuse those that lead elsewhere, and pictures."""
        found = []
        for token in tokens:
            for child in token.children or []:
                if child.type == "link_open":
                    link = self._link(child, _line(token))
                    found += [link] if link else []
                elif child.type == "image":
                    self._wrong(_line(token), "there are no pictures in prose", "point to the diagram instead")
        return tuple(found)

    def _link(self, token: Token, line: int) -> Link | None:
        href = str(token.attrs.get("href", ""))
        found = _LINK.fullmatch(href)
        kind, target = (found["kind"], found["target"]) if found else ("", href)
        if kind in ANCHORS and target:
            token.attrs = {"href": "#", "data-anchor": target}
        elif kind == "lesson" and _PATH.fullmatch(target):
            token.attrs = {"href": f"/{target}/"}
        elif _URL.fullmatch(href):
            token.attrs = {"href": href, "rel": "noopener"}
            kind, target = "https", href
        else:
            remedy = "link to beat:, mark:, check:, lesson:walkthroughs/… or https://"
            self._wrong(line, f"{href!r} is no address for a link", remedy)
            return None
        return Link(kind, target, line)


def _chunks(tokens: Sequence[Token], *tags: str) -> Iterator[tuple[list[Token], list[Token]]]:
    """Cut at headings of these levels: each heading's tokens with what follows it; first what precedes them all."""
    heading: list[Token] = []
    body: list[Token] = []
    at = 0
    while at < len(tokens):
        token = tokens[at]
        if token.type == "heading_open" and token.tag in tags and token.level == 0:
            yield heading, body
            heading, body = list(tokens[at : at + 3]), []
            at += 3
        else:
            body.append(token)
            at += 1
    yield heading, body


def _options(tokens: list[Token], render: Any) -> tuple[dict[str, str], list[Token]]:
    """Take the last list whose every element is `id: text` out of a question's body."""
    for end in range(len(tokens) - 1, -1, -1):
        if tokens[end].type != "bullet_list_close" or tokens[end].level != 0:
            continue
        begin = max(n for n in range(end) if tokens[n].type == "bullet_list_open" and tokens[n].level == 0)
        inlines = [token for token in tokens[begin:end] if token.type == "inline"]
        matches = [_OPTION.fullmatch(token.content) for token in inlines]
        if matches and all(matches):
            return {one["id"]: _after_id(token, render) for one, token in zip(matches, inlines, strict=True) if one}, (
                tokens[:begin] + tokens[end + 1 :]
            )
    return {}, tokens


def _after_id(token: Token, render: Any) -> str:
    first = (token.children or [])[0]
    first.content = first.content.partition(":")[2].lstrip()
    return str(render(token))


def _fence(renderer: Any, tokens: Sequence[Token], at: int, options: Any, env: Any) -> str:
    """Mark what can be typed into the terminal."""
    token = tokens[at]
    shell = token.info.strip() == "sh"
    text = token.content.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")
    return f'<pre class="command"><code>{text}</code></pre>\n' if shell else f"<pre><code>{text}</code></pre>\n"


def _plain(token: Token) -> str:
    parts = ((" " if child.type in ("softbreak", "hardbreak") else child.content) for child in token.children or [])
    return "".join(parts).strip()


def _line(token: Token) -> int:
    return (token.map[0] if token.map else 0) + 1


__all__ = ["Link", "Prose", "Section", "parse"]
