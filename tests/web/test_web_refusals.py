"""What engine and workers refuse with is read in the reader's language."""

import ast
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from django.utils.translation import override

from cluster_engine import faults, predicates
from cluster_engine.programs.capture.keys import WHY
from visualizer import refusals
from visualizer.imports.reading import INTERRUPTED
from visualizer.imports.services import BROKEN

ROOT = Path(__file__).resolve().parents[2] / "cluster_engine"
FITS = {"FaultError": [refusals.FAULTS], "_wrong": [refusals.PREDICATES, refusals.REMEDIES]}
FITS["PredicateError"] = FITS["_wrong"]


def _sample(node: ast.expr) -> str | None:
    """A text as it could be, with a value in each place for one; None when it is not written here."""
    match node:
        case ast.Constant(str(text)):
            return text
        case ast.JoinedStr(parts):
            return "".join(_sample(part) or "x" for part in parts)
        case _:
            return None


def _raised(folder: str) -> Iterator[tuple[str, Sequence[str]]]:
    """What modules refuse with, and the patterns one of which has to fit."""
    for path in (ROOT / folder).glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef) and node.name == "claims":
                said = [one.value for one in ast.walk(node) if isinstance(one, ast.Return) and one.value is not None]
                yield from ((text, refusals.CLAIMS) for one in said if (text := _sample(one)))
            if isinstance(node, ast.Call) and (kind := getattr(node.func, "id", "")) in FITS:
                texts = [text for one in node.args if (text := _sample(one)) is not None]
                yield from zip(texts, FITS[kind], strict=False)


@pytest.mark.parametrize(("folder", "least"), [("faults", 18), ("predicates", 25)])
def test_whatever_the_engine_refuses_with_has_a_pattern(folder: str, least: int) -> None:
    raised = list(_raised(folder))
    assert len(raised) >= least
    unknown = [text for text, known in raised if not any(refusals._expression(one).fullmatch(text) for one in known)]
    assert unknown == []


def test_whatever_could_not_be_read_of_a_file_has_a_pattern() -> None:
    folders = [ROOT / "recordings", ROOT.parent / "visualizer" / "imports"]
    told = [text for folder in folders for path in folder.glob("*.py") for text in _told(path)]
    told += [BROKEN, INTERRUPTED]
    assert len(told) >= 16
    assert [
        text for text in told if not any(refusals._expression(one).fullmatch(text) for one in refusals.RECORDINGS)
    ] == []
    assert set(refusals.NOT_OPENED) == set(WHY.values())


def _told(path: Path) -> Iterator[str]:
    """What a module says of a file: a `problem`, one of `problems`, or why it is refused."""
    for node in ast.walk(ast.parse(path.read_text())):
        said: list[ast.expr] = []
        match node:
            case ast.Assign([ast.Attribute(attr="problem")], value):
                said = [value]
            case ast.Call(ast.Name("CaptureError" | "Enough"), args):
                said = args
            case ast.Call(ast.Attribute(ast.Name("problems") | ast.Attribute(attr="problems"), "append"), args):
                said = args
            case ast.Return(ast.IfExp(orelse=ast.List(texts))):
                said = [text.value if isinstance(text, ast.Starred) else text for text in texts]
        yield from (text for one in said if (text := _sample(one)))


def _refused(document: object) -> str:
    try:
        faults.read(document)
    except ValueError as problem:
        return str(problem)
    raise AssertionError("this was not refused")


@pytest.mark.parametrize(
    ("text", "german"),
    [
        ("there is no worker w9; hosts are worker-1", "Einen Worker w9 gibt es nicht; vorhanden sind worker-1"),
        (_refused({"name": "power-off"}), "Der Störung power-off fehlt das Feld target"),
        ("end is a number from 0 to 5, not 'x'", "end ist eine Zahl von 0 bis 5, nicht 'x'"),
        (
            "the power of worker-1 is the subject of fault-1 already; heal that first",
            "Der Strom von worker-1: Daran arbeitet schon fault-1; bitte heile erst diese Störung",
        ),
        (
            "connection 3, 10.0.0.5:40112 → 10.0.0.1:6443: not opened: its cipher suite is not read here",
            "Verbindung 3, 10.0.0.5:40112 → 10.0.0.1:6443: nicht geöffnet: ihre Cipher Suite wird hier nicht gelesen",
        ),
        ("only the first 50000 messages are kept", "nur die ersten 50000 Nachrichten sind aufgehoben"),
        ("This fault is over already.", "Diese Störung ist schon vorbei."),
        ("something nobody has translated", "something nobody has translated"),
        ("", ""),
    ],
)
def test_a_refusal_is_read_in_german_with_its_values_as_they_are(text: str, german: str) -> None:
    with override("de"):
        assert refusals.said(text) == german
    with override("en"):
        assert refusals.said(text) == text


def test_what_is_wrong_with_a_condition_is_said_whole() -> None:
    with pytest.raises(predicates.PredicateError) as refused:
        predicates.read({"entry": {"knd": "x"}})
    with override("de"):
        said = refusals.said(str(refused.value))
    assert said.startswith("entry.knd: Einen Schlüssel knd gibt es nicht; Schlüssel sind kind, from")


def test_a_text_that_could_keep_the_patterns_busy_is_left_alone() -> None:
    with override("de"):
        assert refusals.said("is not from to " * 10_000) == "is not from to " * 10_000
