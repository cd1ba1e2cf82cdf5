"""websocat: lines from and to a WebSocket.

    kubectl proxy &
    websocat -U --origin http://localhost 'ws://127.0.0.1:8001/api/v1/pods?watch=1'
    websocat -kU --origin https://me -H "Authorization: Bearer $TOKEN" 'wss://10.0.0.1:6443/api/v1/pods?watch=1'

Each message that comes is a line; each line that is typed is a message. At the end of its input it closes, unless it
only listens (-U) or waits (-n). A server's certificate is verified by what SSL_CERT_FILE names, or not at all (-k).

Modelled on websocat 1.13. Left out: every other address than ws:// and wss://, servers, client certificates.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator

import msgspec

from cluster_engine.programs.invocation import Invocation
from cluster_engine.programs.options import OptionError, read_options
from cluster_engine.programs.streams import read_file
from cluster_engine.streaming import dialling, websocket
from cluster_engine.streaming.websocket import WebSocket
from cluster_engine.world.tls import client_tls

SHORT = "kntbUuE1qvH:"
LONG = {
    "insecure": "k",
    "no-close": "n",
    "text": "t",
    "binary": "b",
    "unidirectional": "u",
    "unidirectional-reverse": "U",
    "exit-on-eof": "E",
    "one-message": "1",
    "header=": "H",
    "origin=": "O",
    "protocol=": "P",
}
HELP = """websocat 1.13.0
Command-line client for web sockets

USAGE:
    websocat [FLAGS] [OPTIONS] ws://URL | wss://URL

FLAGS:
    -h, --help                      Prints help information
    -k, --insecure                  Accept invalid certificates and hostnames while connecting to TLS
    -n, --no-close                  Don't send Close message to websocket on EOF
    -t, --text                      Send message to WebSockets as text messages
    -b, --binary                    Send message to WebSockets as binary messages
    -u, --unidirectional            Inhibit copying data in one direction
    -U, --unidirectional-reverse    Inhibit copying data in the other direction
    -E, --exit-on-eof               Close a data transfer direction if the other one reached EOF
    -1, --one-message               Send and/or receive only one message

OPTIONS:
    -H, --header <header>           Add custom HTTP header to websocket client request, as `name: value`
        --origin <origin>           Add Origin HTTP header to websocket client request
        --protocol <protocol>       Specify this Sec-WebSocket-Protocol: header when connecting
"""
SCHEMES = {"ws": "http", "wss": "https"}
SWITCHING_PROTOCOLS = 101
PHRASES = {400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found", 200: "OK"}
LINE_BYTES_MAX = 64 * 1024


class Given(msgspec.Struct):
    """A command line that was read."""

    url: str
    flags: frozenset[str]
    headers: list[tuple[str, str]]
    protocols: tuple[str, ...]


class SocketError(Exception):
    """What websocat says of a WebSocket that there is not."""


def read(words: list[str]) -> Given:
    """Read the words after `websocat`. OptionError; ValueError: the text says what is wrong."""
    options, arguments = read_options("websocat", words, SHORT, LONG)
    urls = [one for one in arguments if one != "-"]
    if len(urls) != 1 or urls[0].partition("://")[0] not in SCHEMES:
        raise ValueError("No URL specified" if not urls else f"Unknown address or overlay of `{urls[0]}`")
    headers = []
    for letter, value in options:
        if letter == "H":
            name, colon, text = value.partition(":")
            if not colon or not name.strip():
                raise ValueError("Invalid header. Header should be of form `name: value`")
            headers.append((name.strip(), text.strip()))
        elif letter == "O":
            headers.append(("Origin", value))
    protocols = tuple(value for letter, value in options if letter == "P")
    return Given(urls[0], frozenset(letter for letter, _ in options), headers, protocols)


async def websocat(invocation: Invocation) -> int:
    """Run websocat."""
    if {"-h", "--help"} & {*invocation.argv[1:]}:
        invocation.out(HELP)
        return 0
    try:
        given = read(list(invocation.argv[1:]))
    except (OptionError, ValueError) as problem:
        invocation.err(f"{str(problem) if isinstance(problem, OptionError) else f'websocat: {problem}'}\n")
        return 1
    try:
        socket = await _connected(invocation, given)
    except SocketError as problem:
        invocation.err(f"websocat: WebSocketError: {problem}\nwebsocat: error running\n")
        return 1
    try:
        await _relay(invocation, socket, given)
    finally:
        await socket.close()
    return 0


async def _connected(invocation: Invocation, given: Given) -> WebSocket:
    scheme, _, rest = given.url.partition("://")
    headers = [*websocket.request_headers(given.protocols), *given.headers]
    try:
        tls = _tls(invocation, given) if scheme == "wss" else None
        answer = await dialling.ask(f"{SCHEMES[scheme]}://{rest}", headers=headers, tls=tls)
    except (OSError, ValueError) as error:
        raise SocketError(f"I/O failure: {error}") from error
    if answer.status != SWITCHING_PROTOCOLS:
        await answer.close()
        phrase = PHRASES.get(answer.status, "")
        said = f"WebSocketError: Received unexpected status code ({answer.status} {phrase}".rstrip()
        raise SocketError(f"{said})")
    return WebSocket(answer.duplex, is_client=True)


def _tls(invocation: Invocation, given: Given) -> ssl.SSLContext:
    path = invocation.environment.get("SSL_CERT_FILE")
    ca = read_file(invocation.files, invocation.absolute(path)) if path else b""
    context = client_tls(ca=ca, alpn=("http/1.1",))
    if "k" in given.flags:
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


async def _relay(invocation: Invocation, socket: WebSocket, given: Given) -> None:
    """Carry messages until one side has come to its end."""
    ways = []
    if "u" not in given.flags:
        ways.append(asyncio.create_task(_print(invocation, socket, once="1" in given.flags)))
    if "U" not in given.flags:
        ways.append(asyncio.create_task(_send(invocation, socket, waits="n" in given.flags)))
    try:
        done, _ = await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        for way in done:
            way.result()
    finally:
        for way in ways:
            way.cancel()


async def _print(invocation: Invocation, socket: WebSocket, *, once: bool) -> None:
    while (message := await socket.receive()) is not None:
        line = message.rstrip(b"\n").replace(b"\n", b" ").replace(b"\0", b" ")
        invocation.out(line + b"\n")
        await invocation.drain()
        if once:
            return


async def _send(invocation: Invocation, socket: WebSocket, *, waits: bool) -> None:
    try:
        async for line in _lines(invocation):
            await socket.send_text(line)
        if waits:
            await asyncio.get_running_loop().create_future()
    except ConnectionError:
        return


async def _lines(invocation: Invocation) -> AsyncIterator[str]:
    """Give what is typed, line by line; a line without an end is cut at LINE_BYTES_MAX."""
    rest = b""
    async for piece in invocation.pieces():
        *lines, rest = (rest + piece).split(b"\n")
        if len(rest) > LINE_BYTES_MAX:
            lines, rest = [*lines, rest], b""
        for line in lines:
            yield line.decode("utf-8", "replace")
    if rest:
        yield rest.decode("utf-8", "replace")


__all__ = ["websocat"]
