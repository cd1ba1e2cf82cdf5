"""openssl enc and pkcs12 say what the real ones say, and each reads what the other has written."""

import re
import shlex
from datetime import UTC, datetime

import pytest

from cluster_engine.pki.authority import Authority, Usage
from tests.engine.programs.curl_server import real, type_

NOW = datetime.now(UTC).replace(microsecond=0)
CA, OTHER = Authority("ca", now=NOW), Authority("other", now=NOW)
WEB = CA.issue("web", usage=Usage.SERVER, names=["web"])
AES, SECRET = "-aes-256-cbc -pbkdf2", "-pass pass:x"
LINES = [
    f"enc {AES} {SECRET} -in text -S 0011223344556677 -a",
    f"enc {AES} {SECRET} -in text -S 0011 -a -A",
    "enc -aes-128-cbc -k x -nosalt -p -in text -a",
    f"enc {AES} -iter 5 -md sha512 {SECRET} -nosalt -in text -a",
    "aes-192-cbc -pbkdf2 -kfile long -nosalt -in text -a",
    "enc -aes-256-cbc -K 0102 -iv 03 -in text -a",
    "enc -aes-256-cbc -K 0102 -in text",
    f"enc -d {AES} {SECRET} -in secret",
    f"enc -d {AES} -nosalt -pass pass:1 -in block",
    f"enc -d {AES} -nosalt -pass pass:12 -in block",
    f"enc -d {AES} {SECRET} -in web.crt",
    f"enc -d {AES} {SECRET} -in short",
    f"enc {AES} -pass foo:x -in text",
    f"enc {AES} -pass file:none -in text",
    f"enc {AES} -pass env:NOBODY -in text",
    f"enc {AES} {SECRET} -in none",
    f"enc {AES} {SECRET} -S zz -in text",
    "enc -foo -in text",
    "enc -in text",
    "enc -base64 -in text",
    "pkcs12 -in web.p12 -nokeys -clcerts -passin pass:x",
    "pkcs12 -in web.p12 -nokeys -cacerts -passin file:word",
    "pkcs12 -in web.p12 -nodes -passin pass:x",
    "pkcs12 -in web.p12 -noenc -nocerts -passin pass:x",
    "pkcs12 -in web.p12 -noout -passin pass:x",
    "pkcs12 -in web.p12 -nokeys -passin pass:y",
    "pkcs12 -in web.crt -nokeys -passin pass:x",
    "pkcs12 -in none -passin pass:x",
    "pkcs12 -export -in web.crt -out a.p12 -passout pass:x",
    "pkcs12 -export -in web.crt -inkey none -out a.p12 -passout pass:x",
    "pkcs12 -export -in web.crt -inkey ca.key -out a.p12 -passout pass:x",
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("secrets")
    files = {"text": b"plain text\n", "word": b"x\nmore\n", "long": b"a word\n", "short": b"short", "block": bytes(16)}
    files |= {"blocks": bytes(64), "cut": bytes(40)}
    files |= {"web.crt": WEB.certificate, "web.key": WEB.key, "ca.crt": CA.pair.certificate, "ca.key": CA.pair.key}
    for name, data in files.items():
        (made / name).write_bytes(data)
    both = f"-in {made}/web.crt -inkey {made}/web.key -certfile {made}/ca.crt -name web"
    for line in (
        f"enc {AES} {SECRET} -in {made}/text -out {made}/secret",
        f"pkcs12 -export {both} -out {made}/web.p12 -passout pass:x",
    ):
        real("openssl", shlex.split(line))
    return made


def ours(run, folder, *lines):
    async def story(world):
        host = world.add_host("a", "10.0.0.1")
        for path in folder.iterdir():
            host.files.write(f"/root/{path.name}", path.read_bytes())
        done = [await type_(world, host, ["openssl", *shlex.split(line)]) for line in lines]
        return done, {path: host.files.read(path) for path in host.files.below("/root")}

    return run(story)


def plainly(text):
    return re.sub(r"(?m)^[0-9A-F]{16}:error", "thread:error", text)


@pytest.mark.parametrize("line", LINES)
def test_it_says_what_the_real_one_says(run, folder, monkeypatch, line):
    monkeypatch.chdir(folder)
    (found,), _ = ours(run, folder, line)
    expected = real("openssl", shlex.split(line))
    assert (found[0], found[1], plainly(found[2])) == (expected[0], expected[1], plainly(expected[2]))


@pytest.mark.parametrize("name", ["blocks", "cut"])
def test_what_comes_before_a_bad_end_is_written(run, folder, tmp_path, name):
    line = f"enc -d {AES} -nosalt -pass pass:1 -in {name} -out"
    (found,), files = ours(run, folder, f"{line} got")
    expected = real("openssl", [*shlex.split(line.replace(name, f"{folder}/{name}")), f"{tmp_path}/got"])
    assert (found[0], found[2].partition("\n")[0]) == (expected[0], "bad decrypt")
    assert files["/root/got"] == (tmp_path / "got").read_bytes() != b""


def test_what_is_encrypted_here_the_real_one_reads(run, folder, tmp_path):
    lines = (
        f"enc {AES} {SECRET} -in text -out made",
        "pkcs12 -export -in web.crt -inkey web.key -certfile ca.crt -name n -out made.p12 -passout pass:x",
    )
    done, files = ours(run, folder, *lines)
    assert [one[0] for one in done] == [0, 0]
    for name in ("made", "made.p12"):
        (tmp_path / name).write_bytes(files[f"/root/{name}"])
    decrypted = real("openssl", shlex.split(f"enc -d {AES} {SECRET} -in {tmp_path}/made"))
    assert decrypted == (0, "plain text\n", "")
    shown = real("openssl", shlex.split(f"pkcs12 -in {tmp_path}/made.p12 -nokeys -passin pass:x"))
    assert shown[1].count("-----BEGIN CERTIFICATE-----") == 2 and "friendlyName: n" in shown[1]


def test_what_would_take_too_long_is_refused(run, folder):
    (done,), _ = ours(run, folder, f"enc {AES} -iter 100001 {SECRET} -in text")
    assert done == (1, "", "enc: 1 to 100000 iterations here, not 100001\n")
