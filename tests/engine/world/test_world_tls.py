"""TLS in the world is OpenSSL's, and servers treat certificates as real ones do."""

import asyncio
import ssl
from datetime import UTC, datetime

import httpx
import pytest

from cluster_engine.pki.authority import Authority, Usage
from cluster_engine.world.tls import ServerTLS, client_tls

NOW = datetime.now(UTC)
CA, FOREIGN = Authority("ca", now=NOW), Authority("foreign", now=NOW)
SERVER = CA.issue("server", usage=Usage.SERVER, names=["server", "10.0.0.1"])
CLIENT, STRANGER = CA.issue("client", usage=Usage.CLIENT), FOREIGN.issue("stranger", usage=Usage.CLIENT)


def server(auth, alpn=("h2", "http/1.1")):
    tls = ServerTLS(SERVER.certificate, SERVER.key, client_ca=CA.pair.certificate, client_auth=auth, alpn=alpn)

    async def answer(reader, writer):
        chain = writer.get_extra_info("peercert_chain")
        while line := await reader.readline():
            writer.write(b"%d %s %s" % (len(chain) > 0, writer.get_extra_info("alpn_protocol").encode(), line))
        writer.close()

    async def main(process):
        await asyncio.start_server(answer, "10.0.0.1", 443, ssl=tls)
        process.ready()
        await asyncio.sleep(1e9)

    return main


async def ask(pair, **options):
    certificate, key = (pair.certificate, pair.key) if pair else (None, None)
    context = client_tls(ca=CA.pair.certificate, certificate=certificate, key=key, **options)
    reader, writer = await asyncio.open_connection("server", 443, ssl=context)
    writer.write(b"who\n")
    try:
        return await reader.readline()
    finally:
        writer.close()


async def started(world, auth, **options):
    await world.spawn(world.add_host("server", "10.0.0.1"), "server", server(auth, **options)).wait_ready()


@pytest.mark.parametrize(("pair", "shown"), [(CLIENT, b"1"), (STRANGER, b"1"), (None, b"0")])
def test_a_server_that_requests_a_certificate_refuses_none(run, pair, shown):
    async def story(world):
        await started(world, "request")
        assert await ask(pair) == shown + b" h2 who\n"

    run(story)


def test_keys_and_signatures_take_each_side_its_time(run):
    async def story(world):
        await started(world, "request")
        took = []
        for effort in (0.0, 1.0):
            world.effort = effort
            began = world.loop.time()
            await ask(CLIENT)
            took.append(world.loop.time() - began)
        assert 0.0005 < took[1] - took[0] < 0.02

    run(story)


def test_a_client_that_does_not_trust_the_server_says_so_however_long_it_thinks(run):
    async def story(world):
        world.effort = 1.0
        await started(world, "request")
        foreign = client_tls(ca=FOREIGN.pair.certificate)
        with pytest.raises(ssl.SSLCertVerificationError):
            await asyncio.open_connection("server", 443, ssl=foreign)
        assert await ask(CLIENT) == b"1 h2 who\n"

    run(story)


@pytest.mark.parametrize("effort", [0.0, 1.0])
@pytest.mark.parametrize(("pair", "alert"), [(STRANGER, "UNKNOWN_CA"), (None, "CERTIFICATE_REQUIRED")])
def test_a_server_that_requires_a_certificate_answers_with_an_alert(run, pair, alert, effort):
    async def story(world):
        world.effort = effort
        await started(world, "require")
        with pytest.raises(ssl.SSLError, match=alert):
            await ask(pair)
        assert await ask(CLIENT) == b"1 h2 who\n"

    run(story)


def test_a_client_refuses_a_server_of_another_name(run):
    async def story(world):
        await started(world, "none")
        world.host("outside").names["other"] = "10.0.0.1"
        context = client_tls(ca=CA.pair.certificate)
        with pytest.raises(ssl.SSLCertVerificationError, match="Hostname mismatch"):
            await asyncio.open_connection("other", 443, ssl=context)

    run(story)


def test_a_client_refuses_an_unknown_authority(run):
    async def story(world):
        await started(world, "none")
        with pytest.raises(ssl.SSLCertVerificationError):
            await asyncio.open_connection("server", 443, ssl=client_tls(ca=FOREIGN.pair.certificate))

    run(story)


def test_alpn_is_agreed_in_the_servers_order(run):
    async def story(world):
        await started(world, "none", alpn=["http/1.1"])
        assert await ask(None, alpn=["h2", "http/1.1"]) == b"0 http/1.1 who\n"

    run(story)


def test_no_common_alpn_is_an_alert_unless_http11_is_offered(run):
    async def story(world):
        await started(world, "none", alpn=["h2"])
        with pytest.raises(ssl.SSLError, match=r"(?i)no.application.protocol"):
            await ask(None, alpn=["spdy/3"])
        context = client_tls(ca=CA.pair.certificate, alpn=["http/1.1"])
        _, writer = await asyncio.open_connection("server", 443, ssl=context)
        assert writer.get_extra_info("alpn_protocol") is None
        writer.close()

    run(story)


def test_garbage_instead_of_a_handshake_harms_nobody(run):
    async def story(world):
        await started(world, "request")
        reader, writer = await asyncio.open_connection("server", 443)
        writer.write(b"\x16\x03\x01" + b"\xff" * 2000)
        await reader.read()
        writer.close()
        assert await ask(CLIENT) == b"1 h2 who\n"

    run(story)


@pytest.mark.parametrize(("pace", "seconds"), [(1, 32), (60, 32 * 60)])
def test_a_handshake_that_is_begun_and_not_ended_is_given_half_a_minute_of_its_clients_time(run, pace, seconds):
    async def story(world):
        await started(world, "request")
        opening = asyncio.ensure_future(asyncio.open_connection("server", 443))
        await world.until(lambda: world.network.ends)
        if pace > 1:
            (client, _) = world.network.ends[1]
            client.told = {"peer_time": lambda: world.loop.time() / pace}
        reader, writer = await opening
        writer.write(b"\x16\x03\x01")
        assert await reader.read() == b""
        assert seconds <= world.loop.time() <= seconds + 2
        writer.close()

    run(story)


def test_httpx_runs_unmodified(run):
    async def main(process):
        async def answer(reader, writer):
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok")
            writer.close()

        tls = ServerTLS(SERVER.certificate, SERVER.key, client_ca=None, client_auth="none", alpn=["http/1.1"])
        await asyncio.start_server(answer, "10.0.0.1", 443, ssl=tls)
        process.ready()
        await asyncio.sleep(1e9)

    async def story(world):
        await world.spawn(world.add_host("server", "10.0.0.1"), "server", main).wait_ready()
        async with httpx.AsyncClient(verify=client_tls(ca=CA.pair.certificate)) as client:
            assert (await client.get("https://server/")).text == "ok"

    run(story)


def test_plain_http_is_told_to_use_https(run):
    async def story(world):
        await started(world, "request")
        reader, writer = await asyncio.open_connection("server", 443)
        writer.write(b"GET / HTTP/1.1\r\nHost: server\r\n\r\n")
        answer = await reader.read()
        assert answer.startswith(b"HTTP/1.0 400 Bad Request\r\n")
        assert b"Client sent an HTTP request to an HTTPS server" in answer
        writer.close()
        assert await ask(CLIENT) == b"1 h2 who\n"

    run(story)
