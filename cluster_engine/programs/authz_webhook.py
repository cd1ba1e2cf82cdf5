"""authz-webhook: a server that says who may what, for an API server with `--authorization-mode=…,Webhook`.

    authz-webhook --kubeconfig=/etc/kubernetes/authz-webhook.yaml --allow=jane:get,list:pods --deny=joe &
    the API server's flags:   --authorization-mode=Node,RBAC,Webhook
                              --authorization-webhook-config-file=/etc/kubernetes/authz-webhook.yaml
                              --authorization-webhook-version=v1

With --token=TOKEN:USER[:GROUPS] it says whose tokens are, too, by the kubeconfig of --token-kubeconfig:

    --authentication-token-webhook-config-file=FILE --authentication-token-webhook-version=v1

It listens with HTTPS on all addresses of its host or pod, with a certificate of its own making, and writes a kubeconfig
by which an API server finds and trusts it. A rule is USER[:VERBS[:RESOURCES]]; what is left out or * is all. Those of
--deny come first, and end the matter; what no rule says is no opinion. Each question is printed with its answer.

A tool of Glassplane's, after the example server that Kubernetes' documentation describes under "Webhook Mode".
"""

import asyncio
import base64
from typing import Any

import msgspec
import yaml

from cluster_engine.api.documents import Unreadable, read_json
from cluster_engine.apiserver.serving.exchange import Request, Response
from cluster_engine.apiserver.serving.listener import Listener
from cluster_engine.pki.authority import Authority, Usage
from cluster_engine.programs.invocation import Invocation
from cluster_engine.world.files import PRIVATE_MODE
from cluster_engine.world.tls import ServerTLS

PORT = 8443
RULES_MAX = 100
USAGE = (
    "usage: authz-webhook [--port=PORT] [--kubeconfig=FILE] [--allow=USER[:VERBS[:RESOURCES]]]... [--deny=...]...\n"
    "                     [--token-kubeconfig=FILE] [--token=TOKEN:USER[:GROUPS]]...\n"
)
FLAGS = ("port", "kubeconfig", "allow", "deny", "token", "token-kubeconfig")


class Rule(msgspec.Struct, frozen=True):
    """Whom it is about, and which verbs and resources; an empty set is all."""

    user: str
    verbs: frozenset[str]
    resources: frozenset[str]

    def matches(self, user: str, verb: str, resource: str) -> bool:
        """Return whether a question is this rule's."""
        return self.user in ("*", user) and all(
            not said or wanted in said for said, wanted in ((self.verbs, verb), (self.resources, resource))
        )


async def authz_webhook(invocation: Invocation) -> int:
    """Run authz-webhook."""
    given: dict[str, list[str]] = {name: [] for name in FLAGS}
    for word in invocation.argv[1:]:
        name, equals, value = word.removeprefix("--").partition("=")
        if not word.startswith("--") or name not in given or not equals:
            invocation.err(f"authz-webhook: unknown flag: {word}\n{USAGE}")
            return 2
        given[name].append(value)
    port = (given["port"] or [str(PORT)])[-1]
    if not (port.isascii() and port.isdigit() and 0 < int(port) < 65536):
        invocation.err(f"authz-webhook: invalid port {port}\n")
        return 2
    allowed, denied = ([_rule(text) for text in given[name][:RULES_MAX]] for name in ("allow", "deny"))
    try:
        tokens = {text.partition(":")[0]: text.partition(":")[2] for text in given["token"][:RULES_MAX]}
        files = {"/authorize": given["kubeconfig"][-1:], "/authenticate": given["token-kubeconfig"][-1:]}
        return await _serve(invocation, int(port), files, Judge(invocation, allowed, denied, tokens))
    except OSError as error:
        invocation.err(f"authz-webhook: {(error.strerror or str(error)).lower()}\n")
        return 1


def _rule(text: str) -> Rule:
    user, verbs, resources = (*text.split(":"), "", "")[:3]
    sets = (frozenset(one for one in part.split(",") if one not in ("", "*")) for part in (verbs, resources))
    return Rule(user or "*", *sets)


async def _serve(invocation: Invocation, port: int, kubeconfigs: dict[str, list[str]], judge: "Judge") -> int:
    process = invocation.process
    address = process.host.address
    authority = Authority("authz-webhook-ca", now=process.now())
    pair = authority.issue("authz-webhook", usage=Usage.SERVER, names=[address, "127.0.0.1", "localhost"])
    for path, files in kubeconfigs.items():
        for file in files:
            config = _kubeconfig(authority, f"https://{address}:{port}{path}")
            invocation.files.write(invocation.absolute(file), config, PRIVATE_MODE)
    tls = ServerTLS(pair.certificate, pair.key, client_ca=None, client_auth="request")
    async with Listener(process, judge.serve) as listener:
        await listener.listen("0.0.0.0", port, tls)
        invocation.out(f"Serving on https://{address}:{port}/authorize\n")
        await invocation.drain()
        await asyncio.get_running_loop().create_future()
    return 0


def _kubeconfig(authority: Authority, server: str) -> bytes:
    cluster = {
        "server": server,
        "certificate-authority-data": base64.b64encode(authority.pair.certificate).decode(),
    }
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "authz-webhook", "cluster": cluster}],
        "users": [{"name": "kube-apiserver", "user": {}}],
        "contexts": [{"name": "webhook", "context": {"cluster": "authz-webhook", "user": "kube-apiserver"}}],
        "current-context": "webhook",
    }
    return yaml.safe_dump(document, sort_keys=False).encode()


class Judge:
    """Answers reviews by its rules."""

    def __init__(self, invocation: Invocation, allowed: list[Rule], denied: list[Rule], tokens: dict[str, str]) -> None:
        self._invocation = invocation
        self._allowed, self._denied = allowed, denied
        self._tokens = tokens

    async def serve(self, request: Request) -> Response:
        """Answer one question."""
        if request.method != "POST":
            return Response(405, "text/plain; charset=utf-8", b"405: Method Not Allowed\n")
        try:
            review = read_json(await request.read())
            spec = review["spec"]
            if review.get("kind") == "TokenReview":
                return await self._whose(review, str(spec["token"]))
            what = spec.get("resourceAttributes") or spec["nonResourceAttributes"]
            user, verb = str(spec.get("user", "")), str(what.get("verb", ""))
            resource = str(what.get("resource") or what.get("path", ""))
        except (Unreadable, KeyError, TypeError, AttributeError):
            return Response(400, "text/plain; charset=utf-8", b"expected a SubjectAccessReview\n")
        status = self._status(user, verb, resource)
        said = "denied" if status.get("denied") else "allowed" if status["allowed"] else "no opinion"
        place = "/".join(str(what[name]) for name in ("namespace", "name") if what.get(name))
        self._invocation.out(f"{user} {verb} {resource}{f' {place}' if place else ''}: {said}\n")
        await self._invocation.drain()
        answer = {"kind": "SubjectAccessReview", "apiVersion": review.get("apiVersion", ""), "status": status}
        return Response(200, body=msgspec.json.encode(answer))

    async def _whose(self, review: dict[str, Any], token: str) -> Response:
        user, _, groups = self._tokens.get(token, "").partition(":")
        status: dict[str, Any] = {"authenticated": bool(user)}
        if user:
            status["user"] = {"username": user, "groups": [one for one in groups.split(",") if one]}
        self._invocation.out(f"token {token[:4]}...: {user or 'nobody'}\n")
        await self._invocation.drain()
        answer = {"kind": "TokenReview", "apiVersion": review.get("apiVersion", ""), "status": status}
        return Response(200, body=msgspec.json.encode(answer))

    def _status(self, user: str, verb: str, resource: str) -> dict[str, Any]:
        if any(rule.matches(user, verb, resource) for rule in self._denied):
            return {"allowed": False, "denied": True, "reason": "denied by authz-webhook"}
        if any(rule.matches(user, verb, resource) for rule in self._allowed):
            return {"allowed": True, "reason": "allowed by authz-webhook"}
        return {"allowed": False}
