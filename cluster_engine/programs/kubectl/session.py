"""One run of kubectl: the connection, the namespace, the headers, and the requests in the forms that kubectl uses.

Every run dials anew, as a new process does. Requests carry what the real one's carry:

    User-Agent: kubectl/v1.32.13 (linux/amd64) kubernetes/glassplane      Kubectl-Command: kubectl get
    Accept: …as=Table… (get), application/json (everything else)         Kubectl-Session: <uuid>

(Where the real one prefers protobuf, for typed calls, this one speaks JSON: docs/fidelity.md.)
"""

import contextlib
from collections.abc import AsyncIterator, Mapping
from typing import Any

import msgspec

from cluster_engine.api.documents import Unreadable, read_json
from cluster_engine.api.status import Refusal
from cluster_engine.client.kubeconfig import KubeConfigError
from cluster_engine.client.rest import Client
from cluster_engine.programs.invocation import HOME, Invocation, absolute
from cluster_engine.programs.kubectl.errors import CommandError
from cluster_engine.programs.kubectl.flags import Flag, Parsed

Obj = dict[str, Any]
Params = Mapping[str, str | int | bool | None]

VERSION = "v1.32.13"
USER_AGENT = f"kubectl/{VERSION} (linux/amd64) kubernetes/glassplane"
KUBECONFIG = f"{HOME}/.kube/config"
JSON = "application/json"
TABLE = ",".join(f"application/json;as=Table;v={version};g=meta.k8s.io" for version in ("v1", "v1beta1")) + f",{JSON}"
PATCH_TYPES = {
    "json": "application/json-patch+json",
    "merge": "application/merge-patch+json",
    "strategic": "application/strategic-merge-patch+json",
}

GLOBAL_FLAGS = (
    Flag("namespace", "n"),
    Flag("kubeconfig"),
    Flag("context"),
    Flag("as"),
    Flag("as-group", kind="strings"),
    Flag("token"),
    Flag("request-timeout", default="0"),
    Flag("v", "v", kind="int", default=0),
    Flag("help", "h", kind="bool"),
)


class Session:
    """What a command needs. `flags` are its own and the global ones."""

    def __init__(self, invocation: Invocation, command: str, flags: Parsed) -> None:
        self._invocation = invocation
        self.process = invocation.process
        self.command = command
        self.flags = flags
        self.out = invocation.out
        self.err = invocation.err
        self.cache: dict[str, Any] = {}
        self._client: Client | None = None
        self._headers = {"Kubectl-Command": command, "Kubectl-Session": self.process.uuid()}
        if flags["as"]:
            self._headers["Impersonate-User"] = flags["as"]
        if flags["as-group"]:
            self._headers["Impersonate-Group"] = flags["as-group"][0]

    # -- where and who -------------------------------------------------------------------------------------------------

    @property
    def client(self) -> Client:
        """The client; made when first needed. CommandError when there is no usable kubeconfig."""
        if self._client is None:
            path = absolute(self.flags["kubeconfig"] or KUBECONFIG)
            try:
                client = Client.from_kubeconfig(
                    self.process, path, user_agent=USER_AGENT, context=self.flags["context"]
                )
            except FileNotFoundError as error:
                raise CommandError(f"stat {error.filename}: no such file or directory") from error
            except KubeConfigError as error:
                raise CommandError(str(error)) from error
            token = self.flags["token"]
            self._client = client.with_token(token) if token else client
        return self._client

    @property
    def server(self) -> str:
        """The server's host and port; what the kubeconfig says."""
        try:
            return f"{self.client.config.host}:{self.client.config.port}"
        except CommandError:
            return "localhost:8080"

    @property
    def namespace(self) -> str:
        """The namespace that the command is about."""
        return str(self.flags["namespace"] or self.client.config.namespace)

    async def close(self) -> None:
        """Hang up."""
        if self._client is not None:
            await self._client.aclose()

    def read(self, path: str) -> str:
        """Read a file of the workstation; CommandError when it is not there."""
        try:
            return self.process.files.read(absolute(path)).decode("utf-8", "replace")
        except FileNotFoundError as error:
            raise CommandError(f'the path "{path}" does not exist') from error

    # -- requests ------------------------------------------------------------------------------------------------------

    async def get(self, path: str, params: Params | None = None, *, accept: str = JSON) -> Any:
        """GET; raises Refusal."""
        return await self.request("GET", path, params=params, accept=accept)

    async def post(self, path: str, obj: Obj, *, manager: str, dry_run: bool = False) -> Any:
        """Create."""
        params = {"dryRun": "All" if dry_run else None, "fieldManager": manager, "fieldValidation": "Strict"}
        return await self.request("POST", path, body=obj, params=params)

    async def patch(
        self, path: str, patch: Any, *, type_: str, manager: str, strict: bool = False, dry_run: bool = False
    ) -> Any:
        """Patch with one of PATCH_TYPES."""
        params = {
            "dryRun": "All" if dry_run else None,
            "fieldManager": manager,
            "fieldValidation": "Strict" if strict else None,
        }
        return await self.request("PATCH", path, body=patch, params=params, content_type=PATCH_TYPES[type_])

    async def delete(self, path: str, options: Obj) -> Any:
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
        headers = {"accept": accept, **self._headers}
        content = None
        if body is not None:
            content = body if isinstance(body, bytes) else msgspec.json.encode(body)
            headers["content-type"] = content_type
        response = await self.client.request(method, path, params=params, body=content, headers=headers)
        if response.status >= 400:
            raise refusal_of(response.status, response.body)
        return response.body

    @contextlib.asynccontextmanager
    async def stream(self, path: str, params: Params, *, accept: str = JSON) -> AsyncIterator[AsyncIterator[bytes]]:
        """GET something that goes on; gives the pieces as they come. Raises Refusal."""
        headers = {"accept": accept, **self._headers}
        async with self.client.stream("GET", path, params=params, headers=headers) as incoming:
            if incoming.status >= 400:
                raise refusal_of(incoming.status, b"".join([chunk async for chunk in incoming.chunks]))
            yield incoming.chunks

    @contextlib.asynccontextmanager
    async def watch(
        self, path: str, params: Params, *, accept: str = JSON
    ) -> AsyncIterator[AsyncIterator[tuple[str, Obj]]]:
        """Watch; gives type and object of each event. An ERROR event raises its Refusal."""
        async with self.stream(path, {**params, "watch": True}, accept=accept) as chunks:
            yield _events(chunks)


def refusal_of(status: int, body: bytes) -> Refusal:
    """Read the Status of an answer that is a failure; make one where there is none."""
    try:
        answer = read_json(body)
    except Unreadable:
        answer = None
    if isinstance(answer, dict) and answer.get("kind") == "Status":
        return Refusal.from_status(answer)
    text = body[:2048].decode("utf-8", "replace").strip()
    if status == 404:
        return Refusal("the server could not find the requested resource", code=404, reason="NotFound")
    return Refusal(text or "the server responded with an unknown status", code=status)


async def _events(chunks: AsyncIterator[bytes]) -> AsyncIterator[tuple[str, Obj]]:
    rest = b""
    async for chunk in chunks:
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            event = msgspec.json.decode(line)
            if event["type"] == "ERROR":
                raise Refusal.from_status(event["object"])
            yield event["type"], event["object"]
