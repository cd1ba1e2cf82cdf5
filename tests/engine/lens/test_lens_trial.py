"""Which key opens which recording, why not, and the same outcome as with the real tshark."""

import re
import shutil
import subprocess

import pytest

from cluster_engine.lens.trial import Verdict, private_key
from cluster_engine.programs.capture import packets, pcap
from cluster_engine.programs.capture.dissection import Dissection
from tests.engine.lens.tls_recordings import joined, kinds, pem, rsa_key, without_packets

CLIENT_HELLO, CLIENT_KEY_EXCHANGE, ANSWER = 4, 6, 9
"""Packets of a recording, by number."""


def tried(file, *, log=b"", keys=()):
    """Read a file with keys; give the verdict on each connection and what requests were seen."""
    dissection, reader, said = Dissection(log.decode().splitlines(), list(keys)), pcap.Reader(file), []
    said += (dissection.row(one, packets.packet_of(one.data, one.size, reader.link)) for one in reader.records())
    verdicts = [recording.verdict(dissection.trial) for _, _, recording in dissection.recordings()]
    return verdicts, [row.info for row in said if row.protocol == "HTTP"]


def verdict(name, **how):
    (found,), _ = tried(kinds()[name].file, **how)
    return found


def test_the_servers_key_opens_what_was_agreed_on_by_rsa_and_nothing_else():
    keys = [rsa_key()]
    verdicts = [verdict(name, keys=keys) for name in ("rsa", "ecdhe", "tls13")]
    assert verdicts == [Verdict.OPENED, Verdict.EPHEMERAL, Verdict.FORWARD_SECRET]
    _, said = tried(kinds()["rsa"].file, keys=keys)
    assert said == ["GET /secret HTTP/1.1 ", "HTTP/1.1 200 OK "]


@pytest.mark.parametrize("name", ["rsa", "resumed", "ecdhe", "tls13"])
def test_the_key_log_opens_every_session_and_only_its_own(name):
    recorded = kinds()[name]
    assert verdict(name, log=recorded.keys) is Verdict.OPENED
    other = kinds()["rsa" if name == "ecdhe" else "ecdhe"]
    assert verdict(name, log=other.keys) is not Verdict.OPENED


def test_another_key_and_no_key_are_told_apart():
    assert verdict("rsa", keys=[rsa_key(1)]) is Verdict.OTHER_KEY
    assert verdict("rsa") is Verdict.NO_KEY
    assert verdict("rsa", keys=[rsa_key(1), rsa_key()]) is Verdict.OPENED


def test_a_resumed_session_is_opened_with_the_one_before_and_not_alone():
    both = joined(kinds()["rsa"].file, kinds()["resumed"].file)
    assert verdict("resumed", keys=[rsa_key()]) is Verdict.RESUMED
    verdicts, said = tried(both, keys=[rsa_key()])
    assert verdicts == [Verdict.OPENED, Verdict.OPENED]
    assert len(said) == 4


@pytest.mark.parametrize("name", ["rsa", "ecdhe", "tls13"])
def test_a_capture_that_begins_late_or_ends_early_says_so(name):
    recorded = kinds()[name]
    late = without_packets(recorded.file, 1, 2, 3, CLIENT_HELLO)
    (found,), _ = tried(late, log=recorded.keys, keys=[rsa_key()])
    assert found is Verdict.BEGINS_LATE
    (found,), _ = tried(without_packets(recorded.file, *range(5, 99)), log=recorded.keys, keys=[rsa_key()])
    assert found is Verdict.CUT
    with pytest.raises(pcap.PcapError):
        tried(recorded.file[:-7], log=recorded.keys)


def test_a_key_log_with_false_secrets_does_not_fit():
    label, random, secret = kinds()["ecdhe"].keys.split()
    assert verdict("ecdhe", log=b" ".join((label, random, secret[::-1]))) is Verdict.MISFIT


def test_what_is_no_private_key_or_is_locked_is_refused():
    assert private_key(pem(rsa_key())).key_size == 2048
    locked = b"-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\nAAAA\n"
    for text in (b"", b"hello", locked + b"-----END RSA PRIVATE KEY-----\n", pem(rsa_key())[:-200]):
        with pytest.raises(ValueError, match=r"."):
            private_key(text)


@pytest.mark.skipif(shutil.which("tshark") is None, reason="there is no tshark to compare with")
@pytest.mark.parametrize("given", ["nothing", "server key", "another key", "key log", "half a key log"])
def test_the_real_tshark_opens_the_same_requests(given, tmp_path):
    found, missing = kinds(), {"late": (1, 2, 3, CLIENT_HELLO), "deaf": (CLIENT_KEY_EXCHANGE, ANSWER)}
    file = joined(*(without_packets(one.file, *missing.get(name, ())) for name, one in found.items()))
    log = b"".join(one.keys for one in found.values())
    log = {"key log": log, "half a key log": found["ecdhe"].keys}.get(given, b"")
    keys = {"server key": [rsa_key()], "another key": [rsa_key(1)]}.get(given, [])
    (tmp_path / "a.pcap").write_bytes(file)
    (tmp_path / "keys").write_bytes(log)
    options = ["-o", f"tls.keylog_file:{tmp_path}/keys", "-d", "tcp.port==6443,tls", "-Y", "http"]
    for key in keys:
        (tmp_path / "server.key").write_bytes(pem(key))
        options += ["-o", f'uat:rsa_keys:"{tmp_path}/server.key",""']
    line = ["tshark", "-r", "a.pcap", *options, "-T", "fields", "-e", "_ws.col.Info"]
    done = subprocess.run(line, capture_output=True, text=True, check=True, timeout=60, cwd=tmp_path)
    _, ours = tried(file, log=log, keys=keys)
    theirs = [re.sub(r"\[TCP [^\]]*\] ", "", one) for one in done.stdout.splitlines()]
    assert ours == theirs
    assert len(ours) == {"server key": 4, "key log": 8, "half a key log": 2}.get(given, 0)
