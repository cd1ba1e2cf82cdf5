"""The error channel: how a command has ended, in words of whoever is at the other side."""

import json

import pytest

from cluster_engine.streaming import channels
from cluster_engine.streaming.channels import RemoteError


@pytest.mark.parametrize(("status", "code"), [(channels.exit_status(0), 0), (channels.exit_status(42), 42)])
def test_the_exit_code_comes_as_it_was_sent(status, code):
    assert channels.exit_code(json.dumps(status).encode()) == code


@pytest.mark.parametrize(
    "raw", [b"", b"{", b"\xff", b"[]", b'{"status": {"a": 1}}', b"[" * 5000 + b"]" * 5000, b'{"a":' * 5000]
)
def test_what_is_no_status_is_said_to_be_none(raw):
    with pytest.raises(RemoteError, match="error stream protocol error"):
        channels.exit_code(raw)
