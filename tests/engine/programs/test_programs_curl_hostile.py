"""curl, wget and openssl with what is made to take for ever or to fill memory: each ends soon, with a word."""

import asyncio
import base64
import gzip
import time

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, PrivateFormat

from cluster_engine.programs.certificates.private_keys import read_private_key
from cluster_engine.programs.curl.arguments import FILES_MAX, read
from cluster_engine.programs.curl.errors import UsageError
from tests.engine.programs.curl_server import type_

CPU_SECONDS_MAX = 10.0
ENDLESS = b"HTTP/1.1 200 OK\r\n\r\n"
BOMB = gzip.compress(b"\0" * (64 << 20))


async def endless(reader, writer):
    """Send zeros without end, or what the path says, as long as somebody takes them."""
    head = await reader.readuntil(b"\r\n\r\n")
    try:
        if b"/headers" in head:
            writer.write(b"HTTP/1.1 200 OK\r\n")
            while True:
                writer.write(b"X: " + b"y" * 60_000 + b"\r\n")
                await writer.drain()
        if b"/bomb" in head:
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(BOMB) + BOMB)
            await writer.drain()
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        while b"/bomb" not in head:
            writer.write(b"\0" * 65536)
            await writer.drain()
    except OSError:
        pass


async def main(process):
    await asyncio.start_server(endless, "127.0.0.1", 80, limit=1 << 22)
    process.ready()
    await asyncio.sleep(1e9)


def ends(run, words, *, stdin=b"", files=()):
    async def story(world):
        host = world.add_host("here", "10.0.0.1")
        await world.spawn(host, "server", main).wait_ready()
        for path, data in files:
            host.files.write(path, data)
        return await type_(world, host, words, stdin=stdin)

    began = time.process_time()
    done = run(story)
    assert time.process_time() - began < CPU_SECONDS_MAX
    return done


CERTIFICATE = b"-----BEGIN CERTIFICATE-----\n" + b"MIIB" * 20_000 + b"\n-----END CERTIFICATE-----\n"
NESTED = b"0\x80" * 50_000
LINES = [
    (["curl", "-sS", "-o", "big", "http://127.0.0.1/"], 23, "Failure writing output to destination"),
    (["curl", "-sS", "http://127.0.0.1/headers"], 56, "Too large response headers"),
    (["curl", "-sS", "--compressed", "-o", "big", "http://127.0.0.1/bomb"], 23, "Failure writing output"),
    (["curl", "-sS", "-m", "1", "-o", "/dev/null", "http://127.0.0.1/"], 28, "Operation timed out"),
    (["curl", *["-v"] * 20_000, "http://127.0.0.1/"], 2, "Argument list too long"),
    (["curl", "-sS", "http://127.0.0.1/[1-999999999]"], 3, "bad range"),
    (["curl", "-sS", "http://127.0.0.1/" + "{a,b}" * 20], 3, "range overflow"),
    (["curl", "-sS", "http://" + "a" * 90_000 + "/"], 6, "Could not resolve host"),
    (["curl", "-sS", "-H", "X: " + "a" * 1_000_000, "http://127.0.0.1/headers"], 56, "Too large"),
    (["curl", "-sS", "-H", "X: a\r\nY: b\0", "http://127.0.0.1/headers"], 56, "Too large"),
    (["curl", "-sS", "-X", "GET /\r\nX:", "http://127.0.0.1/headers"], 43, "bad argument"),
    (["curl", "-sS", "--retry", "999999999", "http://127.0.0.1:1/"], 7, "Couldn't connect"),
    (["curl", "-sS", "-w", "%{" * 100_000, "-o", "/dev/null", "http://127.0.0.1:1/"], 7, "Couldn't connect"),
    (["curl", "-sS", "--cacert", "/root/c", "https://127.0.0.1:80/"], 77, "error setting certificate file"),
    (["curl", "-sS", "http://127.0.0.1:" + "9" * 5_000], 3, "URL using bad"),
    (["curl", "-sS", "http://127.0.0.1:²/"], 3, "URL using bad"),
    (["curl", "-sS", "http://127.0.0.1:1/" + "\\a" * 49_000], 7, "Couldn't connect"),
    (["openssl", "genrsa", "²"], 1, "Can't parse"),
    (["wget", "-q", "-O", "big", "http://127.0.0.1/"], 4, ""),
    (["wget", "-O-", "-t", "1", "http://127.0.0.1/headers"], 4, "Giving up"),
    (["wget", *["-q"] * 20_000, "--foo"], 2, "unrecognized option"),
    (["openssl", "x509", "-in", "/root/c", "-text"], 1, "Unable to load certificate"),
    (["openssl", "x509", "-in", "/root/nested"], 1, "Unable to load certificate"),
    (["openssl", "genrsa", "1000000000"], 1, "bits here"),
    (["openssl", "genrsa", "16384"], 1, "bits here"),
    (["openssl", "rand", "999999999"], 1, "at most"),
    (["openssl", "req", "-new", "-newkey", "ec", "-nodes", "-subj", "/CN=x" * 50_000], 0, ""),
    (["openssl", "x509", *["-text"] * 50_000, "-in", "/root/c"], 1, ""),
    (["openssl", "s_client", "-connect", "127.0.0.1:" + "9" * 5_000], 1, "malformed or ambiguous"),
    (["openssl", "req", "-in", "/root/nested"], 1, "Unable to load X509 request"),
]


@pytest.mark.parametrize(("words", "code", "said"), LINES, ids=lambda one: str(one)[:40])
def test_it_ends_soon_with_a_word(run, words, code, said):
    pem = b"-----BEGIN CERTIFICATE REQUEST-----\n"
    files = [("/root/c", CERTIFICATE), ("/root/nested", pem + NESTED)]
    done = ends(run, words, files=files)
    assert (done[0], said in done[2]) == (code, True), done[2][-500:]


def test_standard_input_without_end_is_bounded(run):
    code, _, err = ends(run, ["curl", "-d", "@-", "http://127.0.0.1/"], stdin=b"a" * (17 << 20))
    assert (code, err) == (2, "curl: memory exhausted\n")


def test_a_file_of_options_that_names_itself_is_read_a_bounded_number_of_times():
    asked = []

    def load(path):
        asked.append(path)
        return 'config = "self"\nurl = "http://a"\n'

    with pytest.raises(UsageError, match="error encountered when reading a file"):
        read(["-K", "self"], load)
    assert len(asked) == FILES_MAX + 1


def test_what_is_wrong_in_a_file_of_options_is_a_warning_unless_curl_is_silent():
    text = "foo = 1\nheader\nurl = http://a\n"
    told = read(["-K", "f"], lambda _: text)
    assert told.warnings == ["f:1: warning: 'foo' is unknown", "f:2: warning: 'header' requires parameter"]
    assert told.urls == ["http://a"]
    assert read(["-s", "-K", "f"], lambda _: text).warnings == []


def test_a_key_whose_password_would_take_minutes_to_try_is_refused_at_once():
    key = ec.generate_private_key(ec.SECP256R1())
    form = PrivateFormat.PKCS8
    usual = key.private_bytes(Encoding.PEM, form, BestAvailableEncryption(b"secret"))
    assert read_private_key(usual, b"secret").private_numbers() == key.private_numbers()
    raw = base64.b64decode(b"".join(usual.splitlines()[1:-1]))
    rounds = b"\x02\x02\x08\x00"  # 2048
    assert raw.count(rounds) == 1
    hostile = _longer(raw, rounds, b"\x02\x04\x7f\xff\xff\xff")
    text = b"-----BEGIN ENCRYPTED PRIVATE KEY-----\n%s-----END ENCRYPTED PRIVATE KEY-----\n"
    began = time.process_time()
    with pytest.raises(ValueError, match="takes too long"):
        read_private_key(usual + text % base64.encodebytes(hostile), b"secret")
    assert time.process_time() - began < 1


def _longer(der, old, new):
    """Put a longer value in the place of another, and correct the lengths of what it lies in."""
    at = der.index(old)
    found = bytearray(der.replace(old, new))
    for place in range(at):
        if found[place] == 0x30 and found[place + 1] < 0x80 and place + 2 + found[place + 1] >= at + len(old):
            found[place + 1] += len(new) - len(old)
        elif found[place] == 0x30 and found[place + 1] == 0x81 and place + 3 + found[place + 2] >= at + len(old):
            found[place + 2] += len(new) - len(old)
    return bytes(found)
