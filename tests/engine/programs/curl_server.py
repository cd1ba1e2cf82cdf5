"""One small HTTP/1.1 server that answers by path, on real loopback and in a world alike; both curls talk to it."""

import asyncio
import contextlib
import gzip
import shutil
import ssl
import subprocess
import threading

import pytest
from patience import PATIENCE_SECONDS

from cluster_engine.programs.running import run
from cluster_engine.programs.streams import Bytes, Captured, Streams
from cluster_engine.programs.table import PROGRAMS

OUTPUT_BYTES_MAX = 16 << 20
PACKED = gzip.compress(b"hello\n", mtime=0)
ANSWERS = {
    b"/redirect": b"HTTP/1.1 302 Found\r\nLocation: /echo\r\nContent-Length: 5\r\n\r\nmoved",
    b"/again": b"HTTP/1.1 307 Temporary Redirect\r\nLocation: /echo?x\r\nContent-Length: 0\r\n\r\n",
    b"/loop": b"HTTP/1.1 302 Found\r\nLocation: /loop\r\nContent-Length: 0\r\n\r\n",
    b"/404": b"HTTP/1.1 404 Not Found\r\nContent-Length: 3\r\n\r\nno\n",
    b"/503": b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n",
    b"/chunked": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nd\n\r\n0\r\n\r\n",
    b"/gzip": b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n%s" % (len(PACKED), PACKED),
    b"/empty": b"",
    b"/short": b"HTTP/1.1 200 OK\r\nContent-Length: 30\r\n\r\nno\n",
    b"/cut": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
    b"/old": b"HTTP/1.0 200 OK\r\nServer: x\r\n\r\nold\n",
    b"/garbage": b"220 hello, this is no HTTP\r\n",
}
ENDS = (b"/empty", b"/short", b"/cut", b"/old", b"/garbage")


async def joined(reader, writer, target):
    """Be a proxy's tunnel to a port of loopback; the name `deny` is refused, `mute` is not answered."""
    host, _, port = target.decode().partition(":")
    if host == "deny":
        writer.write(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 3\r\n\r\nno\n")
    elif host != "mute":
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", int(port))
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")

        async def carry(source, sink):
            while data := await source.read(65536):
                sink.write(data)
            sink.close()

        await asyncio.gather(carry(reader, far_writer), carry(far_reader, writer))
    writer.close()


async def answer(reader, writer):
    """Answer what stands in ANSWERS, else what was asked."""
    with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError, ssl.SSLError):
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            if head.startswith(b"CONNECT "):
                await joined(reader, writer, head.split(b" ")[1])
                return
            lines = [line.lower().partition(b":") for line in head.split(b"\r\n")]
            length = next((int(value) for name, _, value in lines if name == b"content-length"), 0)
            whole = head + await reader.readexactly(length)
            path = head.split(b" ")[1].partition(b"?")[0]
            shown = b"" if head.startswith(b"HEAD") else whole
            writer.write(ANSWERS.get(path, b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(whole), shown)))
            if path in ENDS:
                break
            await writer.drain()
    with contextlib.suppress(ConnectionError, ssl.SSLError):
        writer.close()


@contextlib.contextmanager
def real_server(tls=None):
    """Serve on a free port of real loopback; give the port."""
    loop, ready, port = asyncio.new_event_loop(), threading.Event(), []

    async def answer_until_the_end(reader, writer):
        try:
            await answer(reader, writer)
        except asyncio.CancelledError:  # the server ends before it has heard that a client has left
            writer.transport.abort()

    async def serve():
        server = await asyncio.start_server(answer_until_the_end, "127.0.0.1", 0, ssl=tls)
        port.append(server.sockets[0].getsockname()[1])
        ready.set()
        return server

    def live():
        server = loop.run_until_complete(serve())
        loop.run_forever()
        server.close()
        for task in asyncio.all_tasks(loop):
            task.cancel()
        loop.run_until_complete(asyncio.sleep(0.01))
        loop.close()

    thread = threading.Thread(target=live, daemon=True)
    thread.start()
    assert ready.wait(PATIENCE_SECONDS)
    yield port[0]
    loop.call_soon_threadsafe(loop.stop)
    thread.join(PATIENCE_SECONDS)


def tls_context(folder, pair, authority):
    """Make a real server's context that asks for a certificate of the authority, and goes on without one."""
    (folder / "pem").write_bytes(pair.certificate + pair.key)
    (folder / "ca").write_bytes(authority.pair.certificate)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "pem")
    context.load_verify_locations(folder / "ca")
    context.verify_mode = ssl.CERT_OPTIONAL
    context.set_alpn_protocols(["http/1.1"])
    return context


def real(program, words, environment=None):
    """Run the real program; give exit code, output, errors."""
    if shutil.which(program) is None:
        pytest.skip(f"NO {program} ON THIS MACHINE to compare with")
    done = subprocess.run(
        [program, *words],
        capture_output=True,
        check=False,
        timeout=PATIENCE_SECONDS,
        stdin=subprocess.DEVNULL,
        env=None if environment is None else {"PATH": "/usr/local/bin:/usr/bin:/bin", **environment},
    )
    return done.returncode, done.stdout.decode(), done.stderr.decode()


async def type_(world, host, words, *, stdin=b"", directory="/root", environment=None):
    """Run a program of ours in a world; give exit code, output, errors."""
    out, err = Captured(OUTPUT_BYTES_MAX), Captured(OUTPUT_BYTES_MAX)
    streams = Streams(Bytes(stdin), out, err)
    code = await run(
        world, host, PROGRAMS[words[0]], words, streams, environment=environment or {}, directory=directory
    )
    return code, out.text, err.text


async def serving(world, host, port, tls=None):
    """Have a host's loopback answer on a port."""

    async def main(process):
        await asyncio.start_server(answer, "127.0.0.1", port, ssl=tls)
        process.ready()
        await asyncio.sleep(1e9)

    await world.spawn(host, "server", main).wait_ready()


async def served(world, port, tls=None):
    """Have a host whose loopback answers on a port; give the host."""
    host = world.add_host("here", "10.0.0.1")
    await serving(world, host, port, tls)
    return host
