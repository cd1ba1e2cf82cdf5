"""watchers: a load generator. It opens many watches of one collection, and says what comes over them.

    watchers 1000 /api/v1/namespaces/default/configmaps
        1 watch is open
        10 watches are open
        100 watches are open
        1000 watches are open, over 10 connections
        MODIFIED: 1000 of 1000 watches have it, after 3 ms           (Ctrl-C ends it)

It is no program of Kubernetes' and of no other project: there is none that one would have on a workstation. It asks as
kubectl's user does (~/.kube/config, or --kubeconfig), over HTTP/2, a hundred streams a connection. With --slow the
first watch reads nothing: its window closes, and the API server lets it go in the end.
"""

import asyncio
from collections.abc import AsyncIterator
from urllib.parse import parse_qsl

import msgspec

from cluster_engine.api.strconv import int_of
from cluster_engine.client.kubeconfig import KubeConfigError
from cluster_engine.client.rest import Client
from cluster_engine.programs.invocation import HOME, Invocation
from cluster_engine.programs.options import OptionError, read_options

WATCHERS_MAX = 2000
"""Of all that run on a machine together."""
SECONDS_MAX = 86_400
LINE_BYTES_MAX = 4 * 1024 * 1024
STEPS = (1, 10, 100, 1000)
ONLY_NEWS: dict[str, str | int | bool | None] = {
    "sendInitialEvents": "false",
    "resourceVersionMatch": "NotOlderThan",
    "watch": True,
}
"""Asks for what comes from now on, and not for what is there."""
SETTLED_SECONDS = 0.05
"""For how long nothing more has to come of an event until it is said how far it has come."""
USAGE = """Usage: watchers [--kubeconfig FILE] [--seconds N] [--slow] COUNT PATH
Open COUNT watches (1 to 2000) of a collection, /api/v1/namespaces/default/pods, and tell what comes.
"""


class Given(msgspec.Struct):
    """A command line that was read."""

    count: int
    path: str
    seconds: int
    kubeconfig: str
    slow: bool


def read(words: list[str], environment: str) -> Given:
    """Read the words after `watchers`. OptionError; ValueError where they make no sense."""
    options, arguments = read_options("watchers", words, "h", {"kubeconfig=": "k", "seconds=": "s", "slow": "o"})
    said = dict(options)
    count, seconds = int_of(arguments[0]) if len(arguments) == 2 else None, int_of(said.get("s", "0"))
    if "h" in said or count is None or not 1 <= count <= WATCHERS_MAX or not arguments[1].startswith("/"):
        raise ValueError
    if seconds is None or not 0 <= seconds <= SECONDS_MAX:
        raise ValueError
    return Given(count, arguments[1], seconds, said.get("k") or environment or f"{HOME}/.kube/config", "o" in said)


class Watching:
    """Many watches: how many are open, and how many have heard of each of the latest event."""

    def __init__(self, invocation: Invocation, client: Client, given: Given) -> None:
        self._invocation = invocation
        self._client = client
        self._given = given
        path, _, query = given.path.partition("?")
        self._path = path
        self._params: dict[str, str | int | bool | None] = {**dict(parse_qsl(query)), **ONLY_NEWS}
        self._open = self._ended = 0
        self._events: dict[int, Event] = {}
        self.failed = ""

    async def run(self) -> int:
        """Open them, one after the other, and listen until all have ended."""
        async with asyncio.TaskGroup() as tasks:
            opened = asyncio.Semaphore(0)
            for number in range(self._given.count):
                tasks.create_task(self._watch(number, opened))
                await opened.acquire()
                if self.failed:
                    self._invocation.err(f"watchers: {self.failed}\n")
                    raise SystemExit(1)
                if self._open in STEPS or self._open == self._given.count:
                    self._say_open()
        self._invocation.out("all watches have ended\n")
        return 0

    def _say_open(self) -> None:
        count = len({end.number for end in self._invocation.process.ends})
        over = f", over {count} connections" if count > 1 else ""
        self._invocation.out(f"{self._open} {'watch is' if self._open == 1 else 'watches are'} open{over}\n")

    async def _watch(self, number: int, opened: asyncio.Semaphore) -> None:
        try:
            async with self._client.stream("GET", self._path, params=self._params) as incoming:
                if incoming.status != 200:
                    body = b"".join([chunk async for chunk in incoming.chunks])
                    self.failed = body.decode("utf-8", "replace").strip()[:500] or f"status {incoming.status}"
                    return
                self._open += 1
                opened.release()
                if self._given.slow and number == 0:
                    await asyncio.get_running_loop().create_future()
                nth = 0
                async for line in _lines(incoming.chunks):
                    nth += 1
                    self._hear(nth, line)
        except OSError as error:
            self.failed = self.failed or str(error)
        finally:
            self._ended += 1
            opened.release()

    def _hear(self, nth: int, line: bytes) -> None:
        """Count the nth event of a watch; whoever hears it first lets it be told how far it has come."""
        now = asyncio.get_running_loop().time()
        event = self._events.get(nth)
        if event is None:
            type_ = line[len(b'{"type":"') :].partition(b'"')[0].decode("ascii", "replace")
            event = self._events[nth] = Event(type_, now)
            event.telling = asyncio.create_task(self._tell(nth, event))
        event.heard += 1
        event.last = now

    async def _tell(self, nth: int, event: "Event") -> None:
        before = -1
        while before != event.heard:
            before = event.heard
            await asyncio.sleep(SETTLED_SECONDS)
        del self._events[nth]
        took = (event.last - event.began) * 1000
        self._invocation.out(f"{event.type}: {event.heard} of {self._open} watches have it, after {took:.0f} ms\n")


class Event(msgspec.Struct):
    """One event of all watches: when it came first and last, and over how many of them."""

    type: str
    began: float
    last: float = 0.0
    heard: int = 0
    telling: asyncio.Task[None] | None = None


async def _lines(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    rest = b""
    async for chunk in chunks:
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            yield line
        if len(rest) > LINE_BYTES_MAX:
            return


def _others(invocation: Invocation) -> int:
    """Count the watches of the others of this program on the machine."""
    processes = invocation.process.host.machine.processes.values()
    others = [one for one in processes if one.name == "watchers" and one is not invocation.process]
    return sum(int_of(one.argv[-2]) or 0 for one in others if len(one.argv) > 2)


async def watchers(invocation: Invocation) -> int:
    """Run watchers."""
    try:
        given = read(list(invocation.argv[1:]), invocation.environment.get("KUBECONFIG", ""))
    except OptionError as problem:
        invocation.err(f"{problem}\n{USAGE}")
        return 2
    except ValueError:
        invocation.err(USAGE)
        return 2
    if (others := _others(invocation)) + given.count > WATCHERS_MAX:
        invocation.err(f"watchers: {others} watches are open from this machine already, of {WATCHERS_MAX} at most\n")
        return 1
    path = invocation.absolute(given.kubeconfig)
    try:
        client = Client.from_kubeconfig(invocation.process, path, user_agent="watchers")
    except (OSError, KubeConfigError) as error:
        invocation.err(f"watchers: {error}\n")
        return 1
    try:
        async with asyncio.timeout(given.seconds or None):
            return await Watching(invocation, client, given).run()
    except TimeoutError:
        return 0


__all__ = ["WATCHERS_MAX", "watchers"]
