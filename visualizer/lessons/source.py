"""YAML as plain data, and the line of everything in it.

The YAML of lessons is JSON's data in YAML's dress (YAML 1.2's core schema): `on`, `yes` and dates are texts, keys are
texts and occur once, and nothing is written by reference (`&a`, `*a`, `<<`).

    source = Source.read(path)
    source.data["beats"][0]["id"]            "client-hello"
    source.line(("beats", 0, "id"))          17
"""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

FILE_BYTES_MAX = 128 * 1024
DEPTH_MAX = 24

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_INT = re.compile(r"[-+]?[0-9]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_WORDS: dict[str, Any] = {"null": None, "~": None, "": None, "true": True, "false": False}

Where = tuple[str | int, ...]


@dataclass(frozen=True, slots=True, order=True)
class LessonError:
    """One mistake in a lesson's files: where, what, and how to mend it."""

    file: str
    line: int
    problem: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.problem}; {self.remedy}"


class InvalidLessonError(ValueError):
    """A lesson cannot be read; `errors` are all mistakes that were found."""

    def __init__(self, errors: Sequence[LessonError]) -> None:
        super().__init__("\n".join(map(str, errors)))
        self.errors = tuple(errors)


def read_text(path: Path) -> str:
    """Read a lesson's file. InvalidLessonError when it is missing, too long or not UTF-8."""

    def wrong(problem: str, remedy: str) -> InvalidLessonError:
        return InvalidLessonError([LessonError(str(path), 1, problem, remedy)])

    try:
        content = path.read_bytes()
    except OSError as failure:
        raise wrong("the file is not there", f"write {path.name}") from failure
    if len(content) > FILE_BYTES_MAX:
        raise wrong(f"the file is longer than {FILE_BYTES_MAX} bytes", "say it shorter, or make two lessons")
    try:
        return content.decode()
    except UnicodeDecodeError as failure:
        raise wrong("the file is not UTF-8", "save it as UTF-8") from failure


@dataclass(frozen=True, slots=True)
class Source:
    """A YAML file that has been read."""

    file: str
    data: Any
    root: yaml.Node

    @classmethod
    def read(cls, path: Path) -> "Source":
        """Read a file. InvalidLessonError."""
        return cls.parse(read_text(path), str(path))

    @classmethod
    def parse(cls, text: str, file: str) -> "Source":
        """Read a text. InvalidLessonError."""
        try:
            _refuse_excess(text, file)
            root = yaml.compose(text, _LOADER)
        except yaml.MarkedYAMLError as problem:
            line = getattr(problem.problem_mark or problem.context_mark, "line", 0) + 1
            remedy = "mend the YAML; a text with : # { } [ ] or * in front is written in quotes"
            raise InvalidLessonError([LessonError(file, line, str(problem.problem), remedy)]) from problem
        except yaml.YAMLError as problem:
            raise InvalidLessonError([LessonError(file, 1, str(problem), "mend the YAML")]) from problem
        if root is None:
            raise InvalidLessonError([LessonError(file, 1, "the file is empty", "write a lesson")])
        return cls(file, _construct(root, file), root)

    def line(self, where: Where) -> int:
        """Return the line of what lies at `where`, or of what is nearest above it."""
        node = self.root
        line = node.start_mark.line
        for step in where:
            if isinstance(node, yaml.MappingNode):
                found = next((pair for pair in node.value if pair[0].value == str(step)), None)
                if found is None:
                    break
                line, node = found[0].start_mark.line, found[1]
            elif isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
                node = node.value[step]
                line = node.start_mark.line
            else:
                break
        return int(line) + 1


def _refuse_excess(text: str, file: str) -> None:
    """Refuse what could make a small file large or a reader run out of stack, before anything is made of it."""
    event: Any
    depth = 0
    for event in yaml.parse(text, _LOADER):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > DEPTH_MAX:
            remedy = f"nest at most {DEPTH_MAX} levels"
            raise InvalidLessonError(
                [LessonError(file, event.start_mark.line + 1, "this is nested too deeply", remedy)]
            )
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            problem = "& and * are no references here"
            remedy = 'write a text that begins with them in quotes ("*/kubelet"), and repeat what is meant twice'
            raise InvalidLessonError([LessonError(file, event.start_mark.line + 1, problem, remedy)])


def _construct(node: yaml.Node, file: str) -> Any:
    def wrong(at: yaml.Node, problem: str, remedy: str) -> InvalidLessonError:
        return InvalidLessonError([LessonError(file, at.start_mark.line + 1, problem, remedy)])

    if isinstance(node, yaml.SequenceNode):
        return [_construct(one, file) for one in node.value]
    if not isinstance(node, yaml.MappingNode):
        return _scalar(node)
    made: dict[str, Any] = {}
    for key, value in node.value:
        if not isinstance(key, yaml.ScalarNode) or key.value == "<<":
            raise wrong(key, "a key is a plain text", "write key: value")
        if key.value in made:
            raise wrong(key, f"{key.value} is there twice", "keep one of the two")
        made[key.value] = _construct(value, file)
    return made


def _scalar(node: Any) -> Any:
    text = node.value
    if node.style:  # quoted, or a block
        return text
    if text in _WORDS:
        return _WORDS[text]
    if _INT.fullmatch(text) and len(text) < 16:
        return int(text)
    if _FLOAT.fullmatch(text) and math.isfinite(float(text)):
        return float(text)
    return text


__all__ = ["InvalidLessonError", "LessonError", "Source", "Where", "read_text"]
