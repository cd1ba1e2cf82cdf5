"""A command's streams through the API server: a WebSocket whose channels are standard input, output and error.

    GET /api/v1/namespaces/default/pods/web-0/exec?command=date&container=nginx&stderr=true&stdout=true
    Upgrade: websocket, Sec-WebSocket-Protocol: v5.channel.k8s.io         101, then messages (`streaming/channels.py`)

Modelled on client-go/tools/remotecommand/websocket.go. Left out: the second attempt by SPDY.
"""

import asyncio
from collections.abc import Mapping
from urllib.parse import urlencode

from cluster_engine.programs.invocation import SIGPIPE
from cluster_engine.programs.kubectl.errors import CommandError
from cluster_engine.programs.kubectl.session import Session, refusal_of
from cluster_engine.programs.streams import Streams
from cluster_engine.programs.window import Window, window_of
from cluster_engine.streaming import channels, websocket
from cluster_engine.streaming.channels import RemoteError
from cluster_engine.streaming.duplex import Duplex
from cluster_engine.streaming.websocket import WebSocket
from cluster_engine.world.process import current_process

SWITCHING_PROTOCOLS = 101
WRITE_BYTES_MAX = 32 * 1024
"""Of one message of standard input, as client-go copies it."""


async def upgraded(session: Session, path: str, query: str, protocols: tuple[str, ...]) -> Duplex:
    """Ask for a WebSocket; give the connection. Refusal, ConnectionError."""
    headers = [*session.headers.items(), ("User-Agent", session.user_agent), *websocket.request_headers(protocols)]
    answer = await session.client.ask(f"{path}{'?' if query else ''}{query}", headers=headers)
    if answer.status == SWITCHING_PROTOCOLS:
        return answer.duplex
    text = await answer.text()
    await answer.close()
    raise refusal_of(answer.status, text.encode())


async def stream(
    session: Session,
    path: str,
    *,
    streams: Streams | None = None,
    container: str,
    command: list[str] | None = None,
    stdin: bool = False,
    tty: bool = False,
    redraws: bool = False,
) -> int:
    """Run a command, or attach; give its exit code. `streams`: if not kubectl's own. CommandError, Refusal, OSError.

    `redraws`: a terminal is made one larger first, for a program that is running to draw its screen again.
    """
    streams = streams or session.streams
    flags: Mapping[str, bool] = {"stderr": not tty, "stdin": stdin, "stdout": True, "tty": tty}
    query = [("command", word) for word in command or ()] + [("container", container)]
    query += [(name, "true") for name, value in flags.items() if value]
    try:
        duplex = await upgraded(session, path, urlencode(query), channels.PROTOCOLS)
        window = window_of(streams.stdout) if tty else None
        return await converse(duplex, streams, stdin=stdin, window=window, redraws=redraws)
    except RemoteError as error:
        raise CommandError(str(error)) from error


async def converse(
    duplex: Duplex, streams: Streams, *, stdin: bool, window: Window | None = None, redraws: bool = False
) -> int:
    """Join streams to a command's at the other end of a connection; give its exit code. RemoteError.

    With a `window` the other end is told the size of this terminal.
    """
    socket = WebSocket(duplex, is_client=True)
    try:
        async with asyncio.TaskGroup() as tasks:
            telling = [tasks.create_task(_type(socket, streams))] if stdin else []
            if window is not None:
                telling.append(tasks.create_task(_tell_size(socket, window, redraws=redraws)))
            code = await _listen(socket, streams)
            for task in telling:
                task.cancel()
    except* RemoteError as errors:
        raise RemoteError(str(errors.exceptions[0])) from errors
    finally:
        await socket.close()
    return code


async def _listen(socket: WebSocket, streams: Streams) -> int:
    outputs = {channels.STDOUT: streams.stdout, channels.STDERR: streams.stderr}
    while (message := await socket.receive()) is not None:
        if not message:
            continue
        if message[0] == channels.ERROR:
            return channels.exit_code(message[1:])
        output = outputs.get(message[0])
        if output is not None and len(message) > 1:
            try:
                output.write(message[1:])
                await output.drain()
            except BrokenPipeError:
                current_process.get().kill(signal=SIGPIPE)
            except OSError as error:
                raise RemoteError(f"write /dev/stdout: {str(error.strerror).lower()}") from error
    raise RemoteError("websocket: close 1006 (abnormal closure): unexpected EOF")


async def _tell_size(socket: WebSocket, window: Window, *, redraws: bool) -> None:
    try:
        if redraws and window.size is not None:
            await socket.send(channels.size_message(window.size.columns + 1, window.size.rows + 1))
        while True:
            if (told := window.size) is not None:
                await socket.send(channels.size_message(told.columns, told.rows))
            if window.size == told:
                await window.changed()
    except ConnectionError:
        return


async def _type(socket: WebSocket, streams: Streams) -> None:
    try:
        while data := await streams.stdin.read():
            for begin in range(0, len(data), WRITE_BYTES_MAX):
                await socket.send(bytes([channels.STDIN]) + data[begin : begin + WRITE_BYTES_MAX])
        await socket.send(bytes([channels.CLOSE, channels.STDIN]))
    except ConnectionError:
        return  # the other end has gone; whoever listens says why
