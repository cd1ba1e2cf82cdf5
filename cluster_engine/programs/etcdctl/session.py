"""One run of etcdctl: the endpoints, the printer, and the calls."""

from collections.abc import Sequence
from typing import Any

from google.protobuf.message import Message

from cluster_engine.programs.etcdctl.connection import Etcd, Settings
from cluster_engine.programs.etcdctl.printing import Printer, as_json, go_json, header_fields, unsupported
from cluster_engine.programs.invocation import Invocation


class Session:
    """What a command needs. `etcd` is the first endpoint; must be closed."""

    def __init__(self, invocation: Invocation, settings: Settings, printer: Printer) -> None:
        self.invocation = invocation
        self.out, self.err = invocation.out, invocation.err
        self.printer = printer
        self.settings = settings
        self._known: dict[str, Etcd] = {}

    @property
    def etcd(self) -> Etcd:
        """The endpoint that is asked where one is enough."""
        return self.at(self.settings.endpoints[0])

    def at(self, endpoint: str) -> Etcd:
        """Return the way to one of the endpoints."""
        if endpoint not in self._known:
            self._known[endpoint] = Etcd(self.invocation, self.settings, endpoint)
        return self._known[endpoint]

    @property
    def endpoints(self) -> Sequence[str]:
        """All endpoints."""
        return self.settings.endpoints

    async def call(self, service: str, method: str, request: Any) -> Any:
        """Call a method at the first endpoint; see Etcd.call."""
        return await self.etcd.call(service, method, request)

    def answer(self, message: Message) -> None:
        """Print the answer to get, put, del or txn. FailedError where the format cannot show it."""
        if self.printer.name == "table":
            raise unsupported("table")
        self.out(self.printer.answer(message))

    def show(self, answer: Any, simple: str, *, fields: str | None = "", told: Any = None) -> None:
        """Print another answer: `fields` follow its header, None where there are none; `told` is its JSON.

        FailedError where the format cannot show it.
        """
        match self.printer.name:
            case "json":
                self.out(go_json(as_json(answer) if told is None else told) + "\n")
            case "protobuf":
                self.out(answer.SerializeToString())
            case "fields" if fields is not None:
                self.out(header_fields(answer.header) + fields)
            case "simple":
                self.out(simple)
            case format_:
                raise unsupported(format_)

    def close(self) -> None:
        """Hang up everywhere."""
        for etcd in self._known.values():
            etcd.close()
