"""crictl exec, attach and port-forward: by the URL that the runtime gives, to its streaming server on this machine.

    crictl exec -it CONTAINER sh         CRI Exec -> http://127.0.0.1:32771/exec/…, then a WebSocket to there
    crictl port-forward POD 8080:80      Forwarding from 127.0.0.1:8080 -> 80

Modelled on cri-tools 1.32 (cmd/crictl/exec.go, attach.go, portforward.go). The real one's default is SPDY
(`--transport`); here both names are WebSockets.
"""

from cluster_engine.programs.crictl.runtime import CrictlError
from cluster_engine.programs.crictl.session import Session
from cluster_engine.programs.keyboard import is_terminal
from cluster_engine.programs.kubectl.errors import CommandError
from cluster_engine.programs.kubectl.flags import Flag
from cluster_engine.programs.kubectl.port_forward import LOST, Forwarder, read_forward
from cluster_engine.programs.kubectl.remote import converse
from cluster_engine.programs.window import window_of
from cluster_engine.streaming import channels, dialling, port_forward, spdy, websocket
from cluster_engine.streaming.channels import RemoteError
from cluster_engine.streaming.duplex import Duplex
from cluster_engine.streaming.websocket import Tunnel, WebSocket

TRANSPORT = Flag("transport", "r", default="spdy")
STREAMED = (Flag("interactive", "i", kind="bool"), Flag("tty", "t", kind="bool"), TRANSPORT)
STDIN_FLAGS = (Flag("stdin", "i", kind="bool"), Flag("tty", "t", kind="bool"), TRANSPORT)
EXEC_FLAGS = (*STREAMED, Flag("sync", "s", kind="bool"), Flag("timeout", kind="int", default=0))
SWITCHING_PROTOCOLS = 101


async def execute(session: Session) -> None:
    """crictl exec."""
    words = session.arguments
    if len(words) < 2:
        raise CrictlError("container ID and command are required")
    id_ = await session.runtime.container_id(words[0])
    if session.flags["sync"]:
        await _synchronously(session, id_, words[1:])
        return
    tty, stdin = session.flags["tty"], session.flags["interactive"]
    doing = f"execing command in container {words[0]}"
    _check_terminal(session, doing, tty=tty, stdin=stdin)
    answer = await session.runtime.call(
        "Exec", doing, container_id=id_, cmd=words[1:], tty=tty, stdin=stdin, stdout=True, stderr=not tty
    )
    await _joined(session, doing, answer.url, stdin=stdin, tty=tty)


async def _synchronously(session: Session, id_: str, command: list[str]) -> None:
    doing = "execing command in container synchronously"
    answer = await session.runtime.call(
        "ExecSync", doing, container_id=id_, cmd=command, timeout=max(0, session.flags["timeout"])
    )
    session.out(answer.stdout)
    session.invocation.err(answer.stderr)
    if answer.exit_code:
        raise CrictlError(f"non-zero exit code: {answer.exit_code}")


async def attach(session: Session) -> None:
    """crictl attach."""
    (typed, *_) = session.arguments
    id_ = await session.runtime.container_id(typed)
    tty, stdin = session.flags["tty"], session.flags["stdin"]
    doing = "attaching running container failed"
    _check_terminal(session, doing, tty=tty, stdin=stdin)
    answer = await session.runtime.call(
        "Attach", doing, container_id=id_, tty=tty, stdin=stdin, stdout=True, stderr=not tty
    )
    await _joined(session, doing, answer.url, stdin=stdin, tty=tty)


async def forward(session: Session) -> None:
    """crictl port-forward POD PORTS …, until Ctrl-C."""
    words = session.arguments
    if len(words) < 2:
        raise CrictlError("POD-ID and at least one port are required")
    id_ = await session.runtime.pod_id(words[0])
    doing = "port forward"
    try:
        forwards = [read_forward(word) for word in words[1:]]
        answer = await session.runtime.call("PortForward", doing, pod_sandbox_id=id_)
        tunnel = Tunnel(WebSocket(await _upgraded(answer.url, doing, (port_forward.TUNNELLED,)), is_client=True))
        connection = spdy.Connection(tunnel, is_client=True)
        await Forwarder(session.invocation, connection, ["localhost"]).run(forwards)
    except CommandError as error:
        raise CrictlError(f"{doing}: {error}") from error
    raise CrictlError(f"{doing}: {LOST}")


def _check_terminal(session: Session, doing: str, *, tty: bool, stdin: bool) -> None:
    if tty and not stdin:
        raise CrictlError(f"{doing}: tty=true must be specified with interactive=true")
    if tty and not is_terminal(session.invocation.streams.stdin):
        raise CrictlError(f"{doing}: input is not a terminal")


async def _joined(session: Session, doing: str, url: str, *, stdin: bool, tty: bool) -> None:
    streams = session.invocation.streams
    window = window_of(streams.stdout) if tty else None
    try:
        code = await converse(await _upgraded(url, doing, channels.PROTOCOLS), streams, stdin=stdin, window=window)
    except RemoteError as error:
        raise CrictlError(f"{doing}: {error}") from error
    if code:
        raise CrictlError(f"{doing}: command terminated with exit code {code}")


async def _upgraded(url: str, doing: str, protocols: tuple[str, ...]) -> Duplex:
    try:
        answer = await dialling.ask(url, headers=websocket.request_headers(protocols))
    except dialling.DialError as error:
        raise CrictlError(f"{doing}: error sending request: {error}") from error
    if answer.status == SWITCHING_PROTOCOLS:
        return answer.duplex
    text = await answer.text()
    await answer.close()
    raise CrictlError(f"{doing}: unable to upgrade connection: {text}")
