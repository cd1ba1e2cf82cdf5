"""authz-webhook: a server that says who may what, for an API server with `--authorization-mode=…,Webhook`.

    authz-webhook --kubeconfig=/etc/kubernetes/authz-webhook.yaml --allow=jane:get,list:pods --deny=joe &
    the API server's flags:   --authorization-mode=Node,RBAC,Webhook
                              --authorization-webhook-config-file=/etc/kubernetes/authz-webhook.yaml
                              --authorization-webhook-version=v1

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
USAGE = "usage: authz-webhook [--port=PORT] [--kubeconfig=FILE] [--allow=USER[:VERBS[:RESOURCES]]]... [--deny=...]...\n"
FLAGS = ("port", "kubeconfig", "allow", "deny")


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
        return await _serve(invocation, int(port), given["kubeconfig"][-1:], Judge(invocation, allowed, denied))
    except OSError as error:
        invocation.err(f"authz-webhook: {(error.strerror or str(error)).lower()}\n")
        return 1


def _rule(text: str) -> Rule:
    user, verbs, resources = (*text.split(":"), "", "")[:3]
    sets = (frozenset(one for one in part.split(",") if one not in ("", "*")) for part in (verbs, resources))
    return Rule(user or "*", *sets)


async def _serve(invocation: Invocation, port: int, kubeconfig: list[str], judge: "Judge") -> int:
    process = invocation.process
    address = process.host.address
    authority = Authority("authz-webhook-ca", now=process.now())
    pair = authority.issue("authz-webhook", usage=Usage.SERVER, names=[address, "127.0.0.1", "localhost"])
    for path in kubeconfig:
        invocation.files.write(invocation.absolute(path), _kubeconfig(authority, address, port), PRIVATE_MODE)
    tls = ServerTLS(pair.certificate, pair.key, client_ca=None, client_auth="request")
    async with Listener(process, judge.serve) as listener:
        await listener.listen("0.0.0.0", port, tls)
        invocation.out(f"Serving on https://{address}:{port}/authorize\n")
        await invocation.drain()
        await asyncio.get_running_loop().create_future()
    return 0


def _kubeconfig(authority: Authority, address: str, port: int) -> bytes:
    cluster = {
        "server": f"https://{address}:{port}/authorize",
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

    def __init__(self, invocation: Invocation, allowed: list[Rule], denied: list[Rule]) -> None:
        self._invocation = invocation
        self._allowed, self._denied = allowed, denied

    async def serve(self, request: Request) -> Response:
        """Answer one question."""
        if request.method != "POST":
            return Response(405, "text/plain; charset=utf-8", b"405: Method Not Allowed\n")
        try:
            review = read_json(await request.read())
            spec = review["spec"]
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

    def _status(self, user: str, verb: str, resource: str) -> dict[str, Any]:
        if any(rule.matches(user, verb, resource) for rule in self._denied):
            return {"allowed": False, "denied": True, "reason": "denied by authz-webhook"}
        if any(rule.matches(user, verb, resource) for rule in self._allowed):
            return {"allowed": True, "reason": "allowed by authz-webhook"}
        return {"allowed": False}
