"""The README names every setting there is, and nothing that is not there."""

import ast
import re

from django.conf import settings

README = (settings.ROOT / "README.md").read_text()
SETTINGS = (settings.ROOT / "visualizer" / "settings.py").read_text()
FOR_TESTS = {"ENGINE"}


def read_from_the_environment() -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(SETTINGS)):
        if isinstance(node, ast.Call) and ast.unparse(node.func) in {"os.environ.get", "number", "flag"}:
            name = node.args[0]
            if isinstance(name, ast.Constant):
                found.add(name.value)
    return found - FOR_TESTS


def test_the_table_of_settings_is_whole_and_true():
    rows = re.findall(r"^\| (`[A-Z_`, ]+`) \| (.*?) \|", README, re.MULTILINE)
    assert {name for row, _ in rows for name in re.findall(r"[A-Z_]+", row)} == read_from_the_environment()
    for row, default in rows:
        for name, said in zip(re.findall(r"[A-Z_]+", row), re.findall(r"`([^`]+)`", default), strict=False):
            assert not said.isdigit() or getattr(settings, name) == int(said), name


def test_every_picture_and_document_of_the_readme_is_there_and_small():
    linked = re.findall(r'(?:src|srcset)="([^"]+)"', README) + re.findall(r"\]\((?!http)([^)#]+)\)", README)
    assert len(linked) > 8
    for path in linked:
        assert (settings.ROOT / path).exists(), path
        assert not path.endswith(".png") or (settings.ROOT / path).stat().st_size < 200_000, path
