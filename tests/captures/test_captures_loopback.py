"""Our lens reads what real OpenSSL, curl and etcd say on this machine's loopback as tshark does, message by message."""

import os
import shutil
import subprocess

import pytest
from patience import PATIENCE_SECONDS

from tests.captures.loopback import RecordingError, compare, free_port, record, serving
from tests.captures.web_server import web_server

pytestmark = pytest.mark.timeout(300)
CERTIFICATES = {
    "ec": "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout key -out cert -subj /CN=web",
    "alice": "openssl req -x509 -newkey ed25519 -nodes -keyout key -out cert -subj /CN=alice",
    "rsa": "openssl req -x509 -newkey rsa:2048 -nodes -keyout key -out cert -subj /CN=web",
}


def need(*programs):
    if missing := [one for one in ("dumpcap", "tshark", *programs) if shutil.which(one) is None]:
        pytest.skip(f"there is no {missing[0]} here")


def recorded(port, speak):
    try:
        return record(port, speak)
    except RecordingError as problem:
        pytest.skip(str(problem))


def run(words, **more):
    return subprocess.run(words, capture_output=True, check=False, timeout=PATIENCE_SECONDS, **more)


@pytest.fixture
def port():
    with free_port() as port:
        yield port


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """A folder with a certificate and its key for each algorithm."""
    need("openssl")
    beside = tmp_path_factory.mktemp("certificates")
    made = {name: beside / name for name in CERTIFICATES}
    for name, line in CERTIFICATES.items():
        made[name].mkdir()
        subprocess.run(line.split(), cwd=made[name], check=True, capture_output=True)
        (made[name] / "hello").write_text(ANSWER, newline="")
    return made


# -- openssl s_client and s_server -------------------------------------------------------------------------------------

REQUEST = b"GET /hello HTTP/1.0\r\n\r\n"
ANSWER = "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nhello\n"
MUTUAL = "-cert ../alice/cert -key ../alice/key"
HANDSHAKES = {
    # name: certificate, server, client, what must be among the handshake messages and alerts
    "TLS 1.3": ("ec", "", "", {"encrypted_extensions", "new_session_ticket", "certificate_verify"}),
    "TLS 1.3, RSA": ("rsa", "", "", {"certificate_verify"}),
    "TLS 1.3, ChaCha20": ("ec", "", "-ciphersuites TLS_CHACHA20_POLY1305_SHA256", {"finished"}),
    "TLS 1.3, AES-128": ("ec", "", "-ciphersuites TLS_AES_128_GCM_SHA256", {"finished"}),
    "TLS 1.3, a second ClientHello": ("ec", "-groups P-384", "-groups X25519:P-384", {"finished"}),
    "TLS 1.3, mutual": ("ec", "-Verify 1", MUTUAL, {"certificate_request"}),
    "TLS 1.3, no client certificate": ("ec", "-Verify 1 -verify_return_error", "", {"alert certificate_required"}),
    "TLS 1.3, client does not trust": ("ec", "", "-verify_return_error -verify 1 -CAfile other", {"alert unknown_ca"}),
    "TLS 1.2": ("ec", "-tls1_2", "", {"server_key_exchange", "client_key_exchange"}),
    "TLS 1.2, RSA key exchange": ("rsa", "-tls1_2", "-cipher AES128-GCM-SHA256", {"client_key_exchange"}),
    "TLS 1.2, ChaCha20": ("rsa", "-tls1_2", "-cipher ECDHE-RSA-CHACHA20-POLY1305", {"server_key_exchange"}),
    "TLS 1.2, finite fields": ("rsa", "-tls1_2", "-cipher DHE-RSA-AES256-GCM-SHA384", {"server_key_exchange"}),
    "TLS 1.2, mutual": ("ec", "-tls1_2 -Verify 1", MUTUAL, {"certificate_request", "certificate_verify"}),
    "no version in common": ("ec", "-tls1_3", "-tls1_2", {"alert protocol_version"}),
    "no cipher in common": ("ec", "-tls1_2", "-cipher AES128-GCM-SHA256", {"alert handshake_failure"}),
}


@pytest.mark.parametrize(("certificate", "server", "client", "among"), HANDSHAKES.values(), ids=HANDSHAKES)
def test_a_handshake_of_openssl(folders, tmp_path, port, certificate, server, client, among):
    need("openssl")
    folder, keys = folders[certificate], tmp_path / "keys"
    keys.touch()
    if "other" in client:
        shutil.copy(folders["rsa"] / "cert", folder / "other")
    ask = ["openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-keylogfile", str(keys), "-ign_eof"]
    serve = ["openssl", "s_server", "-accept", str(port), "-cert", "cert", "-key", "key", "-HTTP", *server.split()]
    with serving(serve, folder, b"ACCEPT"):
        capture = recorded(port, lambda: run([*ask, *client.split()], cwd=folder, input=REQUEST) and None)
    found = compare(capture, keys.read_text(), port, tmp_path)
    assert found.differences == []
    assert among <= set(found.said("tls"))
    if not any(one.startswith("alert") for one in among):
        assert found.said("http/1") == ["GET /hello", "200"]
        assert found.problems == []


@pytest.mark.parametrize("version", ["-tls1_3", "-tls1_2", "-tls1_2 -no_ticket"])
def test_a_session_that_openssl_resumes(folders, tmp_path, port, version):
    folder, keys = folders["ec"], tmp_path / "keys"
    ask = ["openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-keylogfile", str(keys), "-ign_eof"]
    session = str(tmp_path / "session")

    def speak():
        for option in ("-sess_out", "-sess_in"):
            run([*ask, option, session], input=REQUEST)

    serve = ["openssl", "s_server", "-accept", str(port), "-cert", "cert", "-key", "key", "-HTTP", *version.split()]
    with serving(serve, folder, b"ACCEPT"):
        capture = recorded(port, speak)
    found = compare(capture, keys.read_text(), port, tmp_path)
    assert found.differences == []
    assert found.problems == []
    assert found.said("tls").count("client_hello") == 2
    assert found.said("tls").count("certificate") == 1
    assert found.said("http/1") == ["GET /hello", "200"] * 2


def test_new_keys_in_the_middle_of_a_session_of_openssl(folders, tmp_path, port):
    folder, keys = folders["ec"], tmp_path / "keys"
    ask = ["openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-keylogfile", str(keys)]

    def speak():
        with subprocess.Popen(ask, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as client:
            client.stdin.write(b"K\n")
            client.stdin.flush()
            while b"KEYUPDATE" not in client.stdout.readline():
                pass
            client.stdin.write(REQUEST)
            client.stdin.flush()
            client.stdout.read()

    serve = ["openssl", "s_server", "-accept", str(port), "-cert", "cert", "-key", "key", "-HTTP"]
    with serving(serve, folder, b"ACCEPT"):
        capture = recorded(port, speak)
    found = compare(capture, keys.read_text(), port, tmp_path)
    assert found.differences == []
    assert found.said("tls").count("key_update") == 2
    assert found.said("http/1") == ["GET /hello", "200"]


# -- curl --------------------------------------------------------------------------------------------------------------

ERRANDS = (
    "{0}/hello",
    "{0}/hello {0}/many {0}/nowhere",
    "{0}/chunked {0}/compressed --compressed",
    "-I {0}/many",
    "--data-binary @body {0}/things",
    "-H Expect:100-continue -T body {0}/things/1",
    "-Z {0}/many {0}/hello {0}/compressed {0}/nowhere",
)
PATHS = ["/hello", "/hello", "/many", "/nowhere", "/chunked", "/compressed", "/many", "/things", "/things/1"]


def curled(folder, port, keys, *options):
    env = {**os.environ, "SSLKEYLOGFILE": str(keys)}
    for errand in ERRANDS:
        words = errand.format(f"https://127.0.0.1:{port}").split()
        done = run(["curl", "-sk", *options, *words], cwd=folder, env=env)
        assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("tls", ["--tlsv1.3", "--tls-max 1.2"])
@pytest.mark.parametrize("http", ["--http1.1", "--http2"])
def test_what_curl_asks_a_web_server(folders, tmp_path, port, tls, http):
    need("curl")
    folder, keys = folders["ec"], tmp_path / "keys"
    (folder / "body").write_bytes(b"all work and no play " * 5000)
    with web_server(port, folder):
        capture = recorded(port, lambda: curled(folder, port, keys, http, *tls.split()))
    found = compare(capture, keys.read_text(), port, tmp_path)
    assert found.differences == []
    assert found.problems == []
    said = found.said("http/1" if http == "--http1.1" else "stream")
    asked = [one.split()[1] for one in said if " " in one]
    assert asked[: len(PATHS)] == PATHS
    assert len(said) == 2 * len(asked) == 26
    assert bool(found.said("http2")) == (http == "--http2")
    asking = {(one["from"], one["to"]) for one in found.entries if one["kind"] == "http.request"}
    assert asking == {("127.0.0.1/curl", "127.0.0.1/web")}


def test_without_the_keys_the_handshake_is_read_and_the_rest_is_closed(folders, tmp_path, port):
    need("curl")
    folder = folders["ec"]
    with web_server(port, folder):
        capture = recorded(port, lambda: run(["curl", "-sk", f"https://127.0.0.1:{port}/hello"]) and None)
    found = compare(capture, "", port, tmp_path)
    assert found.differences == []
    assert any("not opened" in problem for problem in found.problems)
    kinds = {one["kind"] for one in found.entries}
    assert {"tls.client_hello", "tls.server_hello", "tls.encrypted"} <= kinds
    assert "http.request" not in kinds


# -- etcd and etcdctl --------------------------------------------------------------------------------------------------

LONG = "y" * 70_000
"""Longer than a window of HTTP/2 is at first."""
COMMANDS = (
    ("put", "/b", "0"),
    ("put", "/a/1", "x"),
    ("put", "/a/2", LONG),
    ("put", "/a/3", LONG),
    ("get", "--prefix", "/a"),
    ("lease", "grant", "60"),
    ("del", "/a/1"),
    ("member", "list"),
    ("compact", "4"),
    ("get", "--rev=2", "/a/1"),
    ("endpoint", "status"),
    ("role", "add", "reader"),
    ("role", "get", "nobody"),
)
TXN = b'value("/a/1") = "z"\n\nput /a/3 yes\n\nput /a/3 no\nput /a/4 no\n\n'
LAST = "/a/last"


@pytest.fixture
def peers():
    with free_port() as port:
        yield port


def test_what_etcdctl_and_etcd_say(tmp_path, port, peers):
    need("etcd", "etcdctl")
    here, peer = f"http://127.0.0.1:{port}", f"http://127.0.0.1:{peers}"
    serve = ["etcd", "--data-dir", "data", "--listen-client-urls", here, "--advertise-client-urls", here]
    serve += ["--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer, "--initial-cluster", f"default={peer}"]
    ctl = [
        "etcdctl",
        "--endpoints",
        here,
        f"--dial-timeout={PATIENCE_SECONDS}s",
        f"--command-timeout={PATIENCE_SECONDS}s",
    ]
    env = {**os.environ, "ETCDCTL_API": "3"}
    refused = []

    def speak():
        refused.extend(words for words in COMMANDS if run([*ctl, *words], env=env).returncode)
        run([*ctl, "txn"], env=env, input=TXN)
        watch = [*ctl, "watch", "--prefix", "/a", "--rev", "5"]
        with subprocess.Popen(watch, env=env, stdout=subprocess.PIPE) as watching:
            run([*ctl, "put", LAST, "1"], env=env)
            while watching.stdout.readline().strip() != LAST.encode():
                pass
            watching.terminate()

    with serving(serve, tmp_path, b"ready to serve client requests"):
        capture = recorded(port, speak)
    found = compare(capture, "", port, tmp_path, is_http2=True)
    assert found.differences == []
    assert found.problems == []
    assert refused == [("get", "--rev=2", "/a/1"), ("role", "get", "nobody")]
    calls = [one.rpartition("/")[2] for one in found.said("stream") if one.startswith("POST ")]
    assert {"Put", "Range", "Txn", "LeaseGrant", "DeleteRange", "MemberList", "Compact", "Status", "Watch"} <= set(
        calls
    )
    messages = found.said("messages")
    assert len(messages) > 2 * len(calls) - len(refused)
    assert max(int(one.partition(" ")[0]) for one in messages) > 2 * len(LONG)
