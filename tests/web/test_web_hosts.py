"""By which names a server may be called."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from asgiref.testing import ApplicationCommunicator
from web_until import PATIENCE

from visualizer import hosts, security
from visualizer.asgi import application

ADDRESSES = ["192.168.1.5", "192.168.1.5:8000", "[2001:db8::1]:8000", "[::1]", "localhost:8000", "teacher.local:8000"]
STRANGERS = [
    "evil.example",
    "evil.example:8000",
    "1.2.3.4.evil.example",
    "local.evil.example",
    "1.2.3",
    "",
    "[::1",
    "a b",
]


def read(**environment: str) -> dict:
    """The settings that an environment makes."""
    script = "import json; from visualizer import settings as s; "
    script += "print(json.dumps([s.ALLOWED_HOSTS, s.NAMES, s.GATEWAY_NAMES]))"
    clean = {name: value for name, value in os.environ.items() if name not in {"HOST", "ALLOWED_HOSTS", "GATEWAY_HOST"}}
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=Path(__file__).parent.parent.parent,
        env={**clean, **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    return dict(zip(("ALLOWED_HOSTS", "NAMES", "GATEWAY_NAMES"), json.loads(done.stdout), strict=True))


@pytest.mark.parametrize("host", ["0.0.0.0", "::"])
def test_a_server_that_lets_everybody_in_answers_to_addresses_and_to_what_it_was_told(settings, tmp_path, host):
    made = read(DATA_DIR=str(tmp_path), HOST=host, ALLOWED_HOSTS="class.example, .school.example", GATEWAY_HOST="gate")
    settings.ALLOWED_HOSTS, settings.NAMES = made["ALLOWED_HOSTS"], made["NAMES"]
    for name in [*ADDRESSES, "class.example", "room.school.example", "gate:8000", "CLASS.example"]:
        assert hosts.is_ours(name), name
    for name in [*STRANGERS, "sub.class.example"]:
        assert not hosts.is_ours(name), name


def test_without_anything_said_addresses_and_names_nearby_are_answered_to(settings, tmp_path):
    made = read(DATA_DIR=str(tmp_path), HOST="0.0.0.0")
    settings.ALLOWED_HOSTS, settings.NAMES = made["ALLOWED_HOSTS"], made["NAMES"]
    assert [name for name in [*ADDRESSES, *STRANGERS] if hosts.is_ours(name)] == ADDRESSES


def test_whoever_says_any_name_gets_any_name(settings, tmp_path):
    made = read(DATA_DIR=str(tmp_path), HOST="0.0.0.0", ALLOWED_HOSTS="*")
    settings.ALLOWED_HOSTS, settings.NAMES = made["ALLOWED_HOSTS"], made["NAMES"]
    assert hosts.is_ours("evil.example")


def test_a_server_of_ones_own_answers_to_this_machine_alone(settings, tmp_path):
    made = read(DATA_DIR=str(tmp_path))
    settings.ALLOWED_HOSTS, settings.NAMES = made["ALLOWED_HOSTS"], made["NAMES"]
    assert [name for name in [*ADDRESSES, *STRANGERS] if hosts.is_ours(name)] == ["[::1]", "localhost:8000"]


@pytest.mark.parametrize(("name", "is_ours"), [("192.168.1.5:8000", True), ("evil.example:8000", False)])
def test_a_websocket_of_a_page_under_a_name_that_is_not_ours_is_refused(settings, name, is_ours):
    settings.ALLOWED_HOSTS, settings.NAMES = ["*"], ["localhost", ".local"]
    headers = [(b"host", name.encode()), (b"origin", b"http://" + name.encode())]
    assert security.allowed_origin({"headers": headers}) is is_ours


@pytest.mark.asyncio
@pytest.mark.parametrize(("language", "words"), [("en", "is not called"), ("de", "heißt nicht")])
async def test_a_page_under_a_name_that_is_not_ours_says_so(settings, language, words):
    settings.ALLOWED_HOSTS, settings.NAMES = ["*"], ["localhost", ".local"]
    status, page = await get("<evil>.example", language)
    assert status == 400
    assert words in page and "&lt;evil&gt;.example" in page
    assert (await get("10.0.0.7:8000", language))[0] == 200


async def get(host: str, language: str) -> tuple[int, str]:
    """Ask for a page; Django's test client has a Host of its own."""
    headers = [(b"host", host.encode()), (b"accept-language", language.encode())]
    scope = {"type": "http", "http_version": "1.1", "method": "GET", "path": "/privacy/", "query_string": b""}
    asked = ApplicationCommunicator(application, {**scope, "headers": headers, "server": ("127.0.0.1", 80)})
    await asked.send_input({"type": "http.request", "body": b""})
    start, body = await asked.receive_output(PATIENCE), await asked.receive_output(PATIENCE)
    await asked.send_input({"type": "http.disconnect"})
    await asked.wait(PATIENCE)
    return start["status"], body["body"].decode()
