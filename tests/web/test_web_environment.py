"""Settings that do not fit: one sentence and exit code 2, in every program that reads them."""

import errno
import os
import runpy
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.core.management.base import CommandError
from test_web_readme import VARIABLES

from visualizer import environment
from visualizer.hosting import worker
from visualizer.management.commands import serve

ROOT = Path(__file__).parent.parent.parent
NUMBERS = ["abc", "-1", "1.5", "1e3", "9" * 5000, "١x", "0x10", "1 2"]
MISFITS = {
    "HOST": ["a b", "999.1.1.1", "1.2.3", "http://x", "x:80", "::zz", "[::1", "-x", "\udcff"],
    "PORT": [*NUMBERS, "65536", "99999"],
    "ALLOWED_HOSTS": ["https://x", "x:80", "x, y z", "*.x", "..x", "x/y"],
    "HTTPS": ["maybe", "2", "-"],
    "SECRET_KEY": ["\udcff"],
    "GATEWAY_HOST": ["https://x", "x:6443", "::1", "a b", "1.2.3.999"],
    "REDIS_URL": ["abc", "http://x", "x:6379", "redis://x:abc", "redis://x:99999", "redis://x?colour=1"],
    "WORKERS": [*NUMBERS, "257"],
    "CLUSTERS_PER_WORKER": [*NUMBERS, "0", "1001"],
    "CLUSTER_MEMORY_MIB": [*NUMBERS, "0", "63"],
    "CLUSTERS_PER_VISITOR": [*NUMBERS, "0"],
    "CLUSTER_IDLE_SECONDS": [*NUMBERS, "0", "99999999999"],
    "JOURNAL_ENTRIES_MAX": [*NUMBERS, "0", "999"],
    "RECORDINGS_KEPT_DAYS": [*NUMBERS, "999999999"],
    "DEBUG": ["*", "app:*"],
}
FITS: list[tuple[str, str, Any]] = [
    ("HOST", "0.0.0.0", "0.0.0.0"),
    ("HOST", "[::]", "::"),
    ("HOST", "fe80::1", "fe80::1"),
    ("HOST", "Localhost", "localhost"),
    ("PORT", "0", 0),
    ("PORT", "65535", 65535),
    ("ALLOWED_HOSTS", " A.example , .b.example,*, ::1,[::1],10.0.0.1,", None),
    ("HTTPS", "Yes", True),
    ("HTTPS", "off", False),
    ("DATA_DIR", "x/y", Path("x/y")),
    ("GATEWAY_HOST", "Room.Example", "room.example"),
    (
        "REDIS_URL",
        "rediss://:secret@[::1]:6379/0?ssl_cert_reqs=none",
        "rediss://:secret@[::1]:6379/0?ssl_cert_reqs=none",
    ),
    ("REDIS_URL", "unix:///run/redis.sock", "unix:///run/redis.sock"),
    ("WORKERS", "0", 0),
    ("RECORDINGS_KEPT_DAYS", "0", 0),
]


def run(*command: str, **variables: str) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if name not in VARIABLES}
    return subprocess.run(
        [sys.executable, *command],
        cwd=ROOT,
        env={**clean, **variables},
        capture_output=True,
        text=True,
        errors="surrogateescape",
        timeout=60,
        check=False,
    )


def read_settings(monkeypatch: pytest.MonkeyPatch, **variables: str) -> dict[str, Any]:
    """Django's settings, read anew."""
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    return runpy.run_path(str(ROOT / "visualizer" / "settings.py"))


def one_sentence(ended: subprocess.CompletedProcess[str]) -> str:
    """What a program said that ended at a setting which does not fit."""
    assert ended.returncode == 2, ended.stderr
    assert ended.stderr.endswith(".\n")
    assert ended.stderr.count("\n") == 1, ended.stderr
    return ended.stderr


@pytest.mark.parametrize(("name", "text"), [(name, text) for name, texts in MISFITS.items() for text in texts])
def test_what_does_not_fit_is_refused_in_one_short_sentence(name, text):
    with pytest.raises(environment.Misfit) as caught:
        VARIABLES[name].parse(text)
    words = str(caught.value)
    assert words.startswith(f"{name} must be ")
    assert words.endswith(".")
    assert len(words) < 250
    assert "\n" not in words


@pytest.mark.parametrize(("name", "text", "value"), FITS)
def test_what_fits_is_read(name, text, value, monkeypatch):
    monkeypatch.setenv(name, f" {text} ")
    hosts = ["a.example", ".b.example", "*", "[::1]", "[::1]", "10.0.0.1"]
    assert VARIABLES[name].read() == (hosts if name == "ALLOWED_HOSTS" else value)


@pytest.mark.parametrize("name", list(VARIABLES))
def test_what_is_empty_is_not_given(name, monkeypatch):
    monkeypatch.setenv(name, " ")
    assert VARIABLES[name].read() == VARIABLES[name].default
    monkeypatch.delenv(name)
    assert VARIABLES[name].read() == VARIABLES[name].default


@pytest.mark.parametrize("name", ["SECRET_KEY", "REDIS_URL"])
def test_a_refusal_repeats_no_password(name):
    with pytest.raises(environment.Misfit) as caught:
        VARIABLES[name].parse("redis://:hunter2@x:abc\udcff")
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("name", list(MISFITS))
def test_django_reads_no_setting_past_its_variable(name, tmp_path, monkeypatch):
    with pytest.raises(environment.Misfit, match=f"^{name} must be "):
        read_settings(monkeypatch, **{"DATA_DIR": str(tmp_path), name: MISFITS[name][0]})


@pytest.mark.parametrize("name", ["REDIS_URL", "CLUSTERS_PER_WORKER", "CLUSTER_MEMORY_MIB", "GATEWAY_HOST"])
def test_a_worker_reads_no_setting_past_its_variable(name, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["worker", "--redis", "redis://127.0.0.1:1/0"])
    monkeypatch.setenv(name, MISFITS[name][0])
    with pytest.raises(environment.Misfit, match=f"^{name} must be "):
        worker.arguments()


def test_a_worker_takes_what_its_variables_say(monkeypatch):
    monkeypatch.setattr(sys, "argv", ["worker"])
    monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1:1/0")
    options = worker.arguments()
    assert (options.redis, options.clusters_max, options.gateway_host) == ("redis://127.0.0.1:1/0", 40, None)
    monkeypatch.setenv("CLUSTERS_PER_WORKER", "7")
    monkeypatch.setenv("GATEWAY_HOST", "Room.Example")
    options = worker.arguments()
    assert (options.clusters_max, options.gateway_host) == (7, "room.example")


def test_a_server_whose_clusters_nobody_would_run_does_not_start(tmp_path, monkeypatch):
    with pytest.raises(environment.Misfit, match=r"^WORKERS must be at least 1 where REDIS_URL is not set"):
        read_settings(monkeypatch, DATA_DIR=str(tmp_path), WORKERS="0")
    assert read_settings(monkeypatch, WORKERS="0", REDIS_URL="redis://127.0.0.1:1/0")["WORKERS"] == 0
    assert read_settings(monkeypatch, WORKERS="", REDIS_URL="redis://127.0.0.1:1/0")["WORKERS"] == 0


def test_a_folder_that_cannot_be_made_is_told_in_words(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    for folder in (tmp_path / "file", tmp_path / "file" / "deeper", Path("/proc/none")):
        with pytest.raises(environment.Misfit, match=f"^DATA_DIR must be a folder to write in, and {folder} is none: "):
            read_settings(monkeypatch, DATA_DIR=str(folder))


@pytest.mark.parametrize("spoil", [Path.mkdir, Path.touch, lambda path: path.write_bytes(b"\xff" * 50)])
def test_a_secret_key_that_cannot_be_read_is_told_in_words(spoil, tmp_path, monkeypatch):
    spoil(tmp_path / "secret_key")
    with pytest.raises(environment.Misfit, match=str(tmp_path / "secret_key")):
        read_settings(monkeypatch, DATA_DIR=str(tmp_path))


def test_a_server_and_a_worker_end_with_that_sentence_alone(tmp_path):
    said = one_sentence(run("manage.py", "serve", DATA_DIR=str(tmp_path), PORT="99999"))
    assert said == "PORT must be a whole number from 0 to 65535, not '99999'.\n"
    said = one_sentence(run("-m", "visualizer.hosting.worker", REDIS_URL="abc"))
    assert said == "REDIS_URL must be a URL like redis://127.0.0.1:6379/0.\n"


@pytest.mark.parametrize(
    ("arguments", "words"), [(["--port", "99999"], "PORT must be"), (["--host", "a b"], "HOST must be")]
)
def test_what_is_said_on_the_command_line_is_held_to_the_same(arguments, words):
    with pytest.raises(CommandError, match=words):
        serve.Command().create_parser("manage.py", "serve").parse_args(arguments)


def test_a_database_that_cannot_be_used_is_told_in_words(tmp_path):
    (tmp_path / "glassplane.sqlite3").mkdir()
    assert "unable to open database file" in one_sentence(run("manage.py", "serve", DATA_DIR=str(tmp_path)))
    (tmp_path / "glassplane.sqlite3").rmdir()
    (tmp_path / "glassplane.sqlite3").write_text("something else" * 100)
    assert "file is not a database" in one_sentence(run("manage.py", "serve", DATA_DIR=str(tmp_path)))


def test_an_address_of_another_machine_is_told_from_a_port_in_use(tmp_path):
    said = one_sentence(run("manage.py", "serve", DATA_DIR=str(tmp_path), HOST="192.0.2.1", PORT="0"))
    assert "HOST must be an address or a host name of this machine" in said
    for problem, words in (
        (socket.gaierror(socket.EAI_NONAME, "Name or service not known"), "HOST must be"),
        (OSError(errno.EADDRINUSE, "Address already in use"), "is in use"),
        (OSError(errno.EACCES, "Permission denied"), "Cannot listen on port 80 of x: Permission denied."),
    ):
        assert words in str(serve.cannot_listen("x", 80, problem))
