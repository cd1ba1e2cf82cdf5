"""A command's streams as channels of a WebSocket (or of SPDY), and what attaching to a container's own program is.

    asked for stdin, stdout      channel 0 -> the program's standard input, its output -> channel 1
    with a terminal              both outputs are one
    the terminal's size          channel 4 -> its window
    its end                      channel 3: a Status with the exit code; then all is closed

Modelled on k8s.io/kubelet/pkg/cri/streaming/remotecommand, and containerd's internal/cri/server/container_attach.go.
"""

import asyncio
import errno
from collections.abc import Awaitable, Callable
from typing import Protocol

import msgspec
from grpclib.exceptions import GRPCError

from cluster_engine.containerd.runtime import not_started
from cluster_engine.containerd.store import Container
from cluster_engine.containerd.workloads import NotExecutableError
from cluster_engine.programs.streams import Nowhere, Output, Pipe, Streams
from cluster_engine.programs.window import Window
from cluster_engine.rpc import cri_pb2 as cri
from cluster_engine.streaming import channels

MESSAGE_BYTES_MAX = 32 * 1024
"""From here on what a command has written is sent: the buffer of Go's io.Copy."""
STREAM_BYTES_A_SECOND = 4 * 1024 * 1024
FOLLOWED_BYTES_MAX = 1024 * 1024
"""What a container may have written that somebody who is attached has not taken; then they are attached no longer."""


class Messages(Protocol):
    """What carries the channels: a WebSocket, or the streams of SPDY."""

    async def receive(self) -> bytes | None:
        """Return the next message; None once the client has gone."""
        ...

    async def send(self, data: bytes) -> None:
        """Send a message. ConnectionError."""
        ...

    async def close(self) -> None:
        """End it."""
        ...


class RemoteCommand:
    """One command whose streams are channels, from its start to its Status; `window` is that of its terminal."""

    def __init__(
        self,
        socket: Messages,
        asked: cri.ExecRequest | cri.AttachRequest,
        run: Callable[[Streams], Awaitable[int]],
        window: Window | None,
    ) -> None:
        self._socket, self._run, self._window = socket, run, window
        self._stdin, self._stdout, self._stderr = Pipe(window), Pipe(window), Pipe(window)
        if not asked.stdin:
            self._stdin.end()
        nowhere = Nowhere()
        stdout: Output = self._stdout if asked.stdout else nowhere
        stderr: Output = stdout if asked.tty else self._stderr if asked.stderr else nowhere
        self._streams = Streams(self._stdin, stdout, stderr)

    async def serve(self) -> None:
        """Run it to its end; a client that goes away ends it."""
        async with asyncio.TaskGroup() as tasks:
            listening = tasks.create_task(self._listen())
            sending = tasks.create_task(self._send_all())
            running = tasks.create_task(self._status())
            await asyncio.wait([listening, running], return_when=asyncio.FIRST_COMPLETED)
            if running.done():
                self._stdout.end()
                self._stderr.end()
                await asyncio.wait([sending, listening], return_when=asyncio.FIRST_COMPLETED)
                await self._say(channels.ERROR, running.result())
            for task in (listening, running, sending):
                task.cancel()
        await self._socket.close()

    async def _status(self) -> bytes:
        try:
            return msgspec.json.encode(channels.exit_status(await self._run(self._streams)))
        except NotExecutableError as error:
            return msgspec.json.encode(channels.failure(f"error executing command in container: {not_started(error)}"))
        except GRPCError as error:
            message = f"error executing command in container: {error.message}"
            return msgspec.json.encode(channels.failure(message))

    async def _listen(self) -> None:
        """Take what the client sends until it has gone."""
        while (message := await self._socket.receive()) is not None:
            if not message:
                continue
            try:
                if message[0] == channels.STDIN:
                    self._stdin.write(message[1:])
                    await self._stdin.drain()
                elif message[0] == channels.CLOSE and message[1:] == bytes([channels.STDIN]):
                    self._stdin.end()
                elif message[0] == channels.RESIZE and self._window is not None:
                    self._window.resize(*channels.size_in(message[1:]))
            except BrokenPipeError:
                continue  # nobody reads any more

    async def _send_all(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._send(channels.STDOUT, self._stdout))
            tasks.create_task(self._send(channels.STDERR, self._stderr))

    async def _send(self, channel: int, pipe: Pipe) -> None:
        while piece := await pipe.read():
            said = bytearray(piece)
            while pipe.held and len(said) < MESSAGE_BYTES_MAX:  # as one read of a real pipe gives it
                said += await pipe.read()
            await self._say(channel, bytes(said))
            if len(said) >= MESSAGE_BYTES_MAX:  # or a flood would let no time go by
                await asyncio.sleep(len(said) / STREAM_BYTES_A_SECOND)

    async def _say(self, channel: int, data: bytes) -> None:
        try:
            await self._socket.send(bytes([channel]) + data)
        except ConnectionError:
            for pipe in (self._stdout, self._stderr):
                pipe.abandon()


class Follower:
    """An Output for whoever is attached. A container does not wait for them: whoever is too slow is left behind."""

    def __init__(self, output: Output) -> None:
        self._output = output

    def write(self, data: bytes) -> None:
        """See Output; OSError where too much has not been taken."""
        if isinstance(self._output, Pipe) and self._output.held > FOLLOWED_BYTES_MAX:
            raise OSError(errno.ENOBUFS, "No buffer space available")
        self._output.write(data)

    async def drain(self) -> None:
        """See Output."""


async def attach(container: Container, streams: Streams) -> int:
    """Join a running container's streams until it has ended; what it wrote before is not seen. Always 0."""
    log, process, stdin = container.log, container.process, container.stdin
    assert log is not None
    assert process is not None
    followers: list[tuple[str, Output]] = [("stdout", Follower(streams.stdout)), ("stderr", Follower(streams.stderr))]
    log.followers.update(dict.fromkeys(followers))
    try:
        async with asyncio.TaskGroup() as tasks:
            typing = tasks.create_task(_type(streams, stdin, ends=container.config.stdin_once)) if stdin else None
            await process.wait()
            if typing is not None:
                typing.cancel()
    finally:
        for follower in followers:
            log.followers.pop(follower, None)
    return 0


async def _type(streams: Streams, stdin: Pipe, *, ends: bool) -> None:
    try:
        while data := await streams.stdin.read():
            stdin.write(data)
            await stdin.drain()
        if ends:
            stdin.end()
    except BrokenPipeError:
        return
