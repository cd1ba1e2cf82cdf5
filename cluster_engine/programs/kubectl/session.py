"""One run of kubectl: the connection, the namespace, the headers, and the requests in the forms that kubectl uses.

Every run dials anew, as a new process does. Requests carry what the real one's carry:

    User-Agent: kubectl/v1.32.13 (linux/amd64) kubernetes/glassplane      Kubectl-Command: kubectl get
    Accept: …as=Table… (get), application/json (everything else)         Kubectl-Session: <uuid>

(Where the real one prefers protobuf, for typed calls, this one speaks JSON: docs/fidelity.md.)
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from typing import Any

import msgspec

from cluster_engine.api.documents import Unreadable, read_json
from cluster_engine.api.durations import go_duration, go_seconds
from cluster_engine.api.objects import Object
from cluster_engine.api.status import Refusal
from cluster_engine.client.kubeconfig import (
    LOCALHOST,
    ContextNotFoundError,
    KubeConfigError,
    NoServerError,
    Overrides,
)
from cluster_engine.client.rate_limits import DEFAULT, ThrottleLog
from cluster_engine.client.rest import PATCH_TYPES, READING_BODY, Client, with_query
from cluster_engine.client.unexplained import unexplained
from cluster_engine.programs import keyboard
from cluster_engine.programs.invocation import HOME, Invocation
from cluster_engine.programs.keyboard import NoEditorError
from cluster_engine.programs.kubectl import tracing
from cluster_engine.programs.kubectl.errors import CommandError
from cluster_engine.programs.kubectl.flags import Flag, Parsed
from cluster_engine.version import user_agent

Params = Mapping[str, str | int | bool | None]

USER_AGENT = user_agent("kubectl")
KUBECONFIG = f"{HOME}/.kube/config"
INVALID_TIMEOUT = (
    "Invalid timeout value. Timeout must be a single integer in seconds, or an integer followed by a corresponding "
    "time unit (e.g. 1s | 2m | 3h)"
)
JSON = "application/json"
TABLE = ",".join(f"application/json;as=Table;v={version};g=meta.k8s.io" for version in ("v1", "v1beta1")) + f",{JSON}"

INSECURE = "insecure-skip-tls-verify"
OF_CLUSTER = ("server", "tls-server-name", INSECURE, "certificate-authority")
OF_USER = ("client-certificate", "client-key", "token")
"""Flags that stand for fields of a kubeconfig's cluster and user, by the fields' names."""
FILES = ("certificate-authority", "client-certificate", "client-key")

GLOBAL_FLAGS = (
    Flag("namespace", "n"),
    Flag("kubeconfig"),
    Flag("context"),
    Flag("cluster"),
    Flag("user"),
    *(Flag(name, "s" if name == "server" else "") for name in OF_CLUSTER if name != INSECURE),
    Flag(INSECURE, kind="bool"),
    *(Flag(name) for name in OF_USER),
    Flag("as"),
    Flag("as-group", kind="strings"),
    Flag("as-uid"),
    Flag("request-timeout", default="0"),
    Flag("v", "v", kind="int", default=0),
    Flag("help", "h", kind="bool"),
)

THROTTLED = ("kubectl delete", "kubectl describe", "kubectl drain")
"""The commands that are held to client-go's default limit; those that read files make a client for each object."""


class Session:
    """What a command needs. `flags` are its own and the global ones; `own` are the names of the former.

    A command may have a flag of its own by a global one's name (`create rolebinding --user`): then it means that alone.
    """

    def __init__(self, invocation: Invocation, command: str, flags: Parsed, own: frozenset[str] = frozenset()) -> None:
        self._invocation = invocation
        self.process = invocation.process
        self.command = command
        self.flags = flags
        self._own = own
        self.out = invocation.out
        self.err = invocation.err
        self.drain = invocation.drain
        self.streams = invocation.streams
        self.user_agent = USER_AGENT
        self.standard_input = b""
        """What was piped in, where a flag says that it is to be read ("-")."""
        self.cache: dict[str, Any] = {}
        self._client: Client | None = None
        self._limited: Client | None = None
        self._trace = tracing.Trace(flags["v"], self.process)
        self.headers = {"Kubectl-Command": command, "Kubectl-Session": self.process.uuid()}

    # -- where and who -------------------------------------------------------------------------------------------------

    def warning(self, text: str) -> str:
        """Return a line of klog's that warns."""
        return self._trace.warning(text)

    def error(self, text: str) -> str:
        """Return a line of klog's that tells of an error."""
        return self._trace.error(text)

    @property
    def client(self) -> Client:
        """The client; made when first needed. CommandError when there is no usable kubeconfig."""
        if self._client is None:
            timeout_seconds = self._timeout_seconds()
            try:
                self._client = self._made()
            except ContextNotFoundError as error:
                raise CommandError(f"Error in configuration: {error}", plain=True) from error
            except KubeConfigError as error:
                raise CommandError(str(error)) from error
            self._client.timeout_seconds = timeout_seconds
            self._client.impersonation = self._impersonation
        return self._client

    def _made(self) -> Client:
        path = self.kubeconfig
        try:
            client = Client.from_kubeconfig(self.process, path, user_agent=USER_AGENT, overrides=self._overrides)
        except FileNotFoundError as error:
            if path != KUBECONFIG:
                raise CommandError(f"stat {error.filename}: no such file or directory") from error
            return Client(LOCALHOST, self.process, USER_AGENT)
        except NoServerError:
            return Client(LOCALHOST, self.process, USER_AGENT)
        self.err(self._trace.config(path))
        return client

    def _timeout_seconds(self) -> float | None:
        """Return what --request-timeout says: a number of seconds, or a duration; 0 is for ever. CommandError."""
        said = str(self.flags["request-timeout"])
        try:
            seconds = go_seconds(f"{said}s" if said.isdecimal() else said)
        except ValueError as error:
            raise CommandError(INVALID_TIMEOUT) from error
        return seconds if seconds > 0 else None

    def _timed(self, params: Params | None) -> Params:
        """Add how long the client will wait, which the server heeds too."""
        seconds = self.client.timeout_seconds
        return {**(params or {}), **({} if seconds is None else {"timeout": go_duration(seconds)})}

    @property
    def _overrides(self) -> Overrides:
        """What flags say instead of the kubeconfig."""
        named = ("context", "cluster", "user", *OF_CLUSTER, *OF_USER)
        said = {name: self.flags[name] for name in named if self.flags[name] and name not in self._own}
        said |= {name: self.absolute(said[name]) for name in FILES if name in said}
        return Overrides(
            context=said.get("context", ""),
            cluster=said.get("cluster", ""),
            user=said.get("user", ""),
            of_cluster={name: said[name] for name in OF_CLUSTER if name in said},
            of_user={name: said[name] for name in OF_USER if name in said},
        )

    @property
    def _impersonation(self) -> tuple[tuple[str, str], ...]:
        """The headers that --as, --as-uid and --as-group stand for, one for each group."""
        user = [("Impersonate-User", self.flags["as"])] if self.flags["as"] else []
        uid = [("Impersonate-Uid", self.flags["as-uid"])] if self.flags["as-uid"] else []
        groups = [("Impersonate-Group", each) for each in self.flags["as-group"]]
        return (*user, *uid, *groups)

    @property
    def kubeconfig(self) -> str:
        """The path of the kubeconfig: --kubeconfig, else the first of $KUBECONFIG, else the one in ~/.kube."""
        named = self._invocation.environment.get("KUBECONFIG", "").split(":")
        return self.absolute(self.flags["kubeconfig"] or next(filter(None, named), KUBECONFIG))

    def absolute(self, path: str) -> str:
        """Complete a path from the directory in which kubectl was started."""
        return self._invocation.absolute(path)

    @property
    def server(self) -> str:
        """The server's host and port; what the kubeconfig says."""
        try:
            return self.client.config.authority
        except CommandError:
            return LOCALHOST.authority

    @property
    def url(self) -> str:
        """Where the server's paths begin."""
        return self.client.config.url

    @property
    def namespace(self) -> str:
        """The namespace that the command is about."""
        return str(self.flags["namespace"] or self.client.config.namespace)

    async def close(self) -> None:
        """Hang up."""
        if self._client is not None:
            await self._client.aclose()

    def read(self, path: str) -> str:
        """Read a file, or what was piped in ("-"); CommandError when it is not there."""
        if path == "-":
            return self.standard_input.decode("utf-8", "replace")
        try:
            return self.process.files.read(self.absolute(path)).decode("utf-8", "replace")
        except FileNotFoundError as error:
            raise CommandError(f'the path "{path}" does not exist') from error

    async def edit(self, name: str, text: str) -> str:
        """Have a text edited at the terminal. CommandError where nobody is there to do it."""
        try:
            answer = await keyboard.edit(self._invocation.streams.stdin, name, text)
        except NoEditorError as error:
            raise CommandError('there was a problem with the editor "edit"') from error
        return text if answer is None else answer

    # -- requests ------------------------------------------------------------------------------------------------------

    async def get(self, path: str, params: Params | None = None, *, accept: str = JSON) -> Any:
        """GET; raises Refusal."""
        return await self.request("GET", path, params=params, accept=accept)

    async def post(self, path: str, obj: Object, *, manager: str, dry_run: bool = False) -> Any:
        """Create."""
        params = {"dryRun": "All" if dry_run else None, "fieldManager": manager, "fieldValidation": "Strict"}
        return await self.request("POST", path, body=obj, params=params)

    async def patch(
        self, path: str, patch: Any, *, type_: str, manager: str = "", strict: bool = False, dry_run: bool = False
    ) -> Any:
        """Patch with one of PATCH_TYPES; without a manager the User-Agent names it."""
        params = {
            "dryRun": "All" if dry_run else None,
            "fieldManager": manager or None,
            "fieldValidation": "Strict" if strict else None,
        }
        return await self.request("PATCH", path, body=patch, params=params, content_type=PATCH_TYPES[type_])

    async def delete(self, path: str, options: Object) -> Any:
        """Delete."""
        return await self.request("DELETE", path, body=options)

    async def request(
        self,
        method: str,
        path: str,
        *,
        params: Params | None = None,
        body: Any = None,
        accept: str = JSON,
        content_type: str = JSON,
    ) -> Any:
        """Send a request and decode the answer; raises Refusal."""
        raw = await self.raw(method, path, params=params, body=body, accept=accept, content_type=content_type)
        try:
            return msgspec.json.decode(raw)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as problem:
            raise CommandError(f"unable to decode the server's answer: {problem}") from problem

    async def raw(
        self,
        method: str,
        path: str,
        *,
        params: Params | None = None,
        body: Any = None,
        accept: str = JSON,
        content_type: str = JSON,
    ) -> bytes:
        """Send a request and give the answer's bytes; raises Refusal."""
        headers = {"accept": accept, **self.headers}
        content = None
        if body is not None:
            content = body if isinstance(body, bytes) else msgspec.json.encode(body)
            headers |= {"content-type": content_type} if content_type else {}
        params = self._timed(params)
        sent = self._sent(method, path, params, headers, content)
        response = await self._client_for(path).request(method, path, params=params, body=content, headers=headers)
        self.err(self._trace.answer(sent, response.status, response.headers, response.body))
        if response.status >= 400:
            raise refusal_of(response.status, response.body, f"{method.lower()} {_resource_of(path)}")
        return response.body

    def _client_for(self, path: str) -> Client:
        """Return who asks: a client that is throttled, where the real command has one for many objects."""
        if self.command not in THROTTLED or "filename" in self.flags or not _resource_of(path):
            return self.client
        if self._limited is None:
            self._limited = self.client.with_limit(DEFAULT)
            self._limited.throttle_log = ThrottleLog(
                lambda text: self.err(self._trace.note(f"request.go:729] {text}")), verbose=self._trace.level >= 3
            )
        return self._limited

    def take_another_client(self) -> None:
        """Begin a part of the command that has a client of its own: with a full bucket."""
        self._limited = None

    def _sent(
        self, method: str, path: str, params: Params | None, headers: Mapping[str, str], body: bytes | None = None
    ) -> tracing.Sent:
        """Tell of a request that is being sent, as far as -v asks for it."""
        url = f"{self.url}{with_query(path, params)}"
        all_headers = {**headers, **dict(self._impersonation), "User-Agent": USER_AGENT}
        sent = tracing.Sent(asyncio.get_running_loop().time(), method, url, all_headers)
        self.err(self._trace.request(sent, body))
        return sent

    @contextlib.asynccontextmanager
    async def stream(self, path: str, params: Params, *, accept: str = JSON) -> AsyncIterator[AsyncIterator[bytes]]:
        """GET something that goes on; gives the pieces as they come. Raises Refusal."""
        headers, params = {"accept": accept, **self.headers}, self._timed(params)
        sent = self._sent("GET", path, params, headers)
        seconds = self.client.timeout_seconds
        until = None if seconds is None else asyncio.get_running_loop().time() + seconds
        async with contextlib.AsyncExitStack() as stack:
            streaming = self.client.stream("GET", path, params=params, headers=headers)
            limit = asyncio.timeout_at(until)
            try:
                async with limit:
                    incoming = await stack.enter_async_context(streaming)
            except TimeoutError as error:
                if limit.expired():
                    raise TimeoutError(self.client.awaiting()) from error
                raise
            self.err(self._trace.answer(sent, incoming.status, incoming.headers, None))
            chunks = _until(until, incoming.chunks)
            if incoming.status >= 400:
                raise refusal_of(incoming.status, b"".join([chunk async for chunk in chunks]))
            yield chunks

    @contextlib.asynccontextmanager
    async def watch(
        self, path: str, params: Params, *, accept: str = JSON
    ) -> AsyncIterator[AsyncIterator[tuple[str, Object]]]:
        """Watch; gives type and object of each event. An ERROR event raises its Refusal.

        It ends, as if the server had ended it, when its time is up.
        """
        async with self.stream(path, {**params, "watch": True}, accept=accept) as chunks:
            yield _events(_as_far_as_it_comes(chunks))


class OutOfTimeError(CommandError):
    """An answer that was not there to its end when --request-timeout was over."""

    def __init__(self) -> None:
        super().__init__(READING_BODY)


async def _until(until: float | None, chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Give pieces as they come; OutOfTimeError at that time."""
    while True:
        limit = asyncio.timeout_at(until)
        try:
            async with limit:
                chunk = await anext(chunks, b"")
        except TimeoutError as error:
            if limit.expired():
                raise OutOfTimeError from error
            raise
        if not chunk:
            return
        yield chunk


async def _as_far_as_it_comes(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    with contextlib.suppress(OutOfTimeError):
        async for chunk in chunks:
            yield chunk


def _resource_of(path: str) -> str:
    """Return the resource in a path, with its group: deployments.apps; "" where there is none."""
    root, *parts = path.split("?", maxsplit=1)[0].strip("/").split("/")
    group = f".{parts.pop(0)}" if root == "apis" and parts else ""
    rest = parts[3:] if parts[1:2] == ["namespaces"] and len(parts) > 3 else parts[1:]
    return f"{rest[0]}{group}" if rest else ""


def refusal_of(status: int, body: bytes, asked: str = "") -> Refusal:
    """Read the Status of an answer that is a failure; make one where there is none, of what was `asked`."""
    try:
        answer = read_json(body)
    except Unreadable:
        answer = None
    if isinstance(answer, dict) and answer.get("kind") == "Status":
        return Refusal.from_status(answer)
    verb, _, resource = asked.partition(" ")
    return unexplained(status, body[:2048].decode("utf-8", "replace").strip(), verb=verb, resource=resource)


async def _events(chunks: AsyncIterator[bytes]) -> AsyncIterator[tuple[str, Object]]:
    rest = b""
    async for chunk in chunks:
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            try:
                event = read_json(line)
                happened, obj = event["type"], event["object"]
            except (Unreadable, LookupError, TypeError) as problem:
                raise CommandError(f"unable to decode an event from the watch stream: {problem}") from problem
            if happened == "ERROR":
                raise Refusal.from_status(obj)
            yield happened, obj
