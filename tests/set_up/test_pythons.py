"""Which other Pythons `make test-pythons` finds."""

import sys
from pathlib import Path

import pytest

from tests import pythons


def fake(path: Path, version: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{version}\n")
    path.chmod(0o755)


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    return {"PATH": str(tmp_path / "bin"), "HOME": str(tmp_path)}


def test_one_of_each_other_minor_version_is_found_oldest_first(tmp_path, environment):
    pyenv, ours = tmp_path / ".pyenv" / "versions", sys.version_info
    fake(tmp_path / "bin" / "python3.30", "echo 3 30 1")
    fake(tmp_path / "bin" / "python3.28", "exit 127  # a shim of pyenv's")
    fake(pyenv / "3.29.0" / "bin" / "python3", "echo 3 29 0")
    fake(pyenv / "3.29.4" / "bin" / "python3", "echo 3 29 4")
    fake(pyenv / "3.10.1" / "bin" / "python3", "echo 3 10 1")
    fake(pyenv / "3.0.0" / "bin" / "python3", f"echo 3 {ours.minor} 99")
    assert pythons.others(environment) == {
        "3.29.4": pyenv / "3.29.4" / "bin" / "python3",
        "3.30.1": tmp_path / "bin" / "python3.30",
    }


def test_where_there_is_no_other_it_says_so_and_passes(environment, monkeypatch, capsys):
    monkeypatch.setattr(pythons.os, "environ", environment)
    pythons.main()
    assert capsys.readouterr().out == "Other Pythons here: none.\n"


def test_a_python_whose_tests_fail_fails_all(environment, monkeypatch, capsys):
    monkeypatch.setattr(pythons, "others", lambda _: {"3.29.4": Path("a"), "3.30.1": Path("b")})
    monkeypatch.setattr(pythons, "run_on", lambda version, *_: version == "3.30.1")
    with pytest.raises(SystemExit, match=r"The tests failed on Python 3\.29\.4\."):
        pythons.main()
