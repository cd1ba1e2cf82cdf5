"""The README names every setting there is, and nothing that is not there."""

import ast
import re

from django.conf import settings

from visualizer import environment

README = (settings.ROOT / "README.md").read_text()
VARIABLES = {one.name: one for one in vars(environment).values() if isinstance(one, environment.Variable)}
READERS_ELSEWHERE = {
    "visualizer/settings.py": ["ENGINE"],  # for tests
    "visualizer/asgi.py": ["DJANGO_SETTINGS_MODULE"],
    "visualizer/hosting/supervisor.py": [None],  # these two hand all of it on
    "visualizer/hosting/processes.py": [None],
}


def test_the_table_of_settings_is_whole_and_true():
    rows = re.findall(r"^\| (`[A-Z_`, ]+`) \| (.*?) \|", README, re.MULTILINE)
    assert [name for row, _ in rows for name in re.findall(r"[A-Z_]+", row)] == list(VARIABLES)
    for row, said in rows:
        for name in re.findall(r"[A-Z_]+", row):
            default = VARIABLES[name].default
            if default and isinstance(default, int | str):
                assert str(default) in re.findall(r"[\w.]+", said), name


def test_nobody_reads_the_environment_but_the_module_that_names_it():
    read = {}
    for path in (settings.ROOT / "visualizer").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Attribute) and ast.unparse(node) in {"os.environ", "os.getenv"}:
                line = path.read_text().splitlines()[node.lineno - 1]
                named = re.search(r"(?:environ|getenv)\S*\([\"'](\w+)", line)
                read.setdefault(str(path.relative_to(settings.ROOT)), []).append(named and named[1])
    del read["visualizer/environment.py"]
    assert read == READERS_ELSEWHERE


def test_every_picture_and_document_of_the_readme_is_there_and_small():
    linked = re.findall(r'(?:src|srcset)="([^"]+)"', README) + re.findall(r"\]\((?!http)([^)#]+)\)", README)
    assert len(linked) > 8
    for path in linked:
        assert (settings.ROOT / path).exists(), path
        assert not path.endswith(".png") or (settings.ROOT / path).stat().st_size < 200_000, path
