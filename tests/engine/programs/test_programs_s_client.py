"""openssl s_client reports what the real one reports of one small server that both talk to."""

import asyncio
import re
import shlex
from datetime import UTC, datetime

import pytest

from cluster_engine.pki.authority import Authority, Usage
from cluster_engine.world.tls import ServerTLS
from tests.engine.programs.curl_server import real, real_server, served, tls_context, type_

NOW = datetime.now(UTC)
CA = Authority("ca", now=NOW)
SERVER = CA.issue("server", organizations=["shop"], usage=Usage.SERVER, names=["localhost", "127.0.0.1"])
CLIENT = CA.issue("client", usage=Usage.CLIENT)
LINES = [
    "-connect 127.0.0.1:PORT",
    "-connect localhost:PORT -CAfile T/ca.crt -showcerts -alpn http/1.1",
    "-connect 127.0.0.1:PORT -CAfile T/ca.crt -servername server -cert T/client.pem",
    "-connect 127.0.0.1:PORT -CAfile T/ca.crt -cert T/client.crt -key T/client.key -tls1_2",
    "-connect 127.0.0.1:PORT -tls1_3 -brief",
    "-connect 127.0.0.1:PORT -verify_return_error",
    "-connect 127.0.0.1:PORT -CAfile T/ca.crt -state -tls1_2",
    "-connect 127.0.0.1:PORT -CAfile T/ca.crt -verify 3",
    "-connect 127.0.0.1:PORT -ciphersuites TLS_AES_128_GCM_SHA256",
    "-connect 127.0.0.1:PORT -ciphersuites FOO",
    "-connect 127.0.0.1:PORT -tls1_2 -cipher FOO",
    "-connect 127.0.0.1:PORT -cert T/none",
    "-connect 127.0.0.1:1",
    "-connect nowhere.invalid:1",
]
DIFFERS = re.compile(
    r"(Server Temp Key|Negotiated TLS1.3 group|(Shared )?Requested Signature Algorithms|SSL handshake has read"
    r"|    (Session-ID|Master-Key|Start Time|TLS session ticket lifetime hint|TLS session ticket)|    [0-9a-f]{4} - |$)"
)
"""Lines that are of one connection only, or of the version of OpenSSL."""


def plainly(text):
    text = re.sub(r"^[0-9A-F]{16}(?=:error)", "thread", text, flags=re.M)
    text = text.partition("---\nPost-Handshake")[0]  # tickets that come before the end of standard input, or not
    text = re.sub(
        r"^(SSL_connect:(SSLv3/TLS write (client hello|finished)|before.*)\n|Can't use.*\n|SSL3 alert write.*\n)",
        "",
        text,
        flags=re.M,
    )
    return [line for line in text.splitlines() if not DIFFERS.match(line)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    found = tmp_path_factory.mktemp("files")
    (found / "ca.crt").write_bytes(CA.pair.certificate)
    (found / "client.crt").write_bytes(CLIENT.certificate)
    (found / "client.key").write_bytes(CLIENT.key)
    (found / "client.pem").write_bytes(CLIENT.certificate + CLIENT.key)
    return found


@pytest.fixture(scope="module")
def port(tmp_path_factory):
    with real_server(tls_context(tmp_path_factory.mktemp("server"), SERVER, CA)) as port:
        yield port


def ours(run, folder, line, port, stdin=b""):
    tls = ServerTLS(
        SERVER.certificate + CA.pair.certificate,
        SERVER.key,
        client_ca=None,  # the names that real servers send, Python's leaves out
        client_auth="request",
        alpn=("http/1.1",),
    )

    async def story(world):
        host = await served(world, port, tls)
        for path in folder.iterdir():
            host.files.write(str(path), path.read_bytes())
        return await type_(world, host, ["openssl", "s_client", *shlex.split(line)], stdin=stdin)

    return run(story)


@pytest.mark.parametrize("line", LINES)
def test_it_reports_what_the_real_one_reports(run, folder, port, line):
    if not real("openssl", ["version"])[1].startswith("OpenSSL 3.0."):
        pytest.skip("ANOTHER openssl ON THIS MACHINE than the one that is compared with, 3.0")
    filled = line.replace("PORT", str(port)).replace("T/", f"{folder}/")
    code, out, err = ours(run, folder, filled, port)
    real_code, real_out, real_err = real("openssl", ["s_client", *shlex.split(filled)])
    assert [code, *plainly(out), *plainly(err)] == [real_code, *plainly(real_out), *plainly(real_err)]


def test_what_is_typed_is_sent_and_the_answer_is_printed(run, folder):
    typed = b"GET /chunked HTTP/1.1\r\n\r\nGET /old HTTP/1.1\r\n\r\n"
    code, out, _ = ours(run, folder, "-connect 127.0.0.1:443 -quiet", 443, typed)
    assert code == 0
    assert out.startswith("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n")
    assert out.endswith("Server: x\r\n\r\nold\n")


def test_a_line_that_begins_with_q_ends_it(run, folder):
    code, out, err = ours(run, folder, "-connect 127.0.0.1:443", 443, b"Q\n")
    assert (code, err.endswith("DONE\n")) == (0, True)
    assert "Verify return code: 19 (self-signed certificate in certificate chain)\n" in out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["openssl", "s_client", "-connect", "127.0.0.1:443"], "ssl3_read_n:unexpected eof while reading:"),
        (
            ["curl", "-sSk", "https://127.0.0.1/"],
            "curl: (35) OpenSSL/3.0.19: error:0A000126:SSL routines::unexpected eof",
        ),
    ],
)
def test_a_server_that_hangs_up_in_the_handshake(run, words, said):
    async def hang_up(reader, writer):
        await reader.read(1)
        writer.close()

    async def main(process):
        await asyncio.start_server(hang_up, "127.0.0.1", 443)
        process.ready()
        await asyncio.sleep(1e9)

    async def story(world):
        host = world.add_host("here", "10.0.0.1")
        await world.spawn(host, "server", main).wait_ready()
        code, _, err = await type_(world, host, words)
        assert code != 0
        assert said in err

    run(story)
