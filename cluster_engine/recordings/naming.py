"""Who speaks in a capture: what certificates, tokens, names of servers and ports say of an address.

Theory of operation. Nothing in a packet says which program sent it. What it shows may: a client its certificate, its
token or how it calls itself (User-Agent); a server the port it listens on, its certificate, or the name it was asked
for (SNI). A capture is read twice, first to learn this, then under the names. What shows nothing is called by its
address.

    10.0.0.11, certificate CN=system:node:worker-1                  worker-1/kubelet
    10.244.1.5, token system:serviceaccount:kube-system:coredns     10.244.1.5/coredns
    10.0.0.1:6443                                                   10.0.0.1/kube-apiserver

    10.0.0.5, CN=admin, User-Agent kubectl/v1.32, and another with Helm/3.17
                                                                    10.0.0.5/admin:kubectl and 10.0.0.5/admin:Helm

Programs of one address with one name are told apart where they call themselves differently; where not, nothing says
that they are two. A component is called as its program is, so that what it asks others and what it is asked are one
participant's. These are claims of who speaks: whether a certificate is good is not judged here. A token's text is never
kept.
"""

import base64
import binascii
import ipaddress
from collections import defaultdict

import msgspec

from cluster_engine.journal import Entry, Journal
from cluster_engine.lens.evidence import unpack
from cluster_engine.world.tap import Endpoint

PORTS = {
    53: "dns", 2379: "etcd", 2380: "etcd", 6443: "kube-apiserver", 10250: "kubelet", 10256: "kube-proxy",
    10257: "kube-controller-manager", 10259: "kube-scheduler",
}  # fmt: skip
COMPONENTS = {
    "kube-apiserver-etcd-client": "kube-apiserver",
    "kube-apiserver-kubelet-client": "kube-apiserver",
    "kube-etcd-healthcheck-client": "etcd",
    "system:kube-scheduler": "kube-scheduler",
    "system:kube-controller-manager": "kube-controller-manager",
    "system:kube-proxy": "kube-proxy",
}
NODE, SERVICE_ACCOUNT = "system:node:", "system:serviceaccount:"
LIBRARIES = ("", "Go-http-client")
"""What does not say which program it is."""
CLIENT = "client"
NAME_MAX = 64
TOKEN_CHARACTERS_MAX = 16_384


class Names:
    """Names of programs; `hosts` are names of addresses, as far as the file has some."""

    def __init__(self, hosts: dict[str, str]) -> None:
        self._hosts = {address: _clean(name) for address, name in hosts.items() if _clean(name)}
        self._ends: dict[int, tuple[Endpoint, Endpoint]] = {}
        self._clients: dict[int, str] = {}
        self._products: dict[int, str] = {}
        self._of_one_name: dict[tuple[str, str], set[str]] | None = None
        self._servers: dict[Endpoint, str] = {}

    def unknown(self, number: int, client: Endpoint, server: Endpoint) -> tuple[str, str]:
        """Name the participants of a connection in the first reading."""
        self._ends[number] = client, server
        return f"{CLIENT}/{number}", f"server/{number}"

    def known(self, number: int, client: Endpoint, server: Endpoint) -> tuple[str, str]:
        """Name the participants of a connection, after all has been learned."""
        program = PORTS.get(server.port) or self._servers.get(server) or (f"port {server.port}" if server.port else "")
        return self._called(client.address, self._client(number, client)), self._called(server.address, program)

    def _client(self, number: int, client: Endpoint) -> str:
        name, product = self._clients.get(number, ""), self._products.get(number, "")
        if self._of_one_name is None:
            self._of_one_name = self._products_of_names()
        is_one_of_several = len(self._of_one_name.get((client.address, name), ())) > 1
        return f"{name}:{product}" if product and product != name and is_one_of_several else name

    def _products_of_names(self) -> dict[tuple[str, str], set[str]]:
        found: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
        for number, name in self._clients.items():
            if product := self._products.get(number, ""):
                found[self._ends[number][0].address, name].add(product)
        return found

    def ends_of(self, number: int) -> str:
        """Say between which addresses a connection is."""
        client, server = self._ends[number]
        return f"{client} → {server}"

    def _called(self, address: str, program: str) -> str:
        host = self._hosts.get(address, address)
        return f"{host}/{program}" if program else host

    def learn(self, journal: Journal, entry: Entry) -> None:
        """Take what an entry of the first reading shows."""
        ends = self._ends.get(entry["connection"])
        if ends is None:
            return
        of_client, fields = entry["from"].startswith(CLIENT), entry["fields"]
        match entry["kind"]:
            case "tls.client_hello" if fields.get("serverName"):
                self._servers.setdefault(ends[1], _clean(str(fields["serverName"])))
            case "tls.certificate" if fields.get("commonName") and of_client:
                self._is_certified(entry["connection"], ends[0], str(fields["commonName"]))
            case "tls.certificate" if fields.get("commonName"):
                self._servers[ends[1]] = _clean(str(fields["commonName"]))
            case "http.request" | "grpc.request" if entry["connection"] not in self._products:
                self._calls_itself(journal, entry)

    def _is_certified(self, number: int, client: Endpoint, name: str) -> None:
        self._clients[number] = program_of(name)
        node = _clean(name.removeprefix(NODE))
        if name.startswith(NODE) and node and not ipaddress.ip_address(client.address).is_loopback:
            self._hosts.setdefault(client.address, node)

    def _calls_itself(self, journal: Journal, entry: Entry) -> None:
        headers = dict(unpack(journal.evidence(entry["seq"])).headers)
        name = _subject_of(headers.get("authorization", ""))
        product = _clean(headers.get("user-agent", "").partition("/")[0])
        product = "" if product in LIBRARIES or product.startswith("grpc") else product
        self._products[entry["connection"]] = product
        program = program_of(name) if name else product
        if program:
            self._clients.setdefault(entry["connection"], program)


def program_of(name: str) -> str:
    """Return which program a user's name belongs to: a component's own, a service account's, or the name itself."""
    if name.startswith(NODE):
        return "kubelet"
    if name.startswith(SERVICE_ACCOUNT):
        return _clean(name.rpartition(":")[2])
    return COMPONENTS.get(name) or _clean(name)


def _subject_of(authorization: str) -> str:
    """Return the subject of a bearer token that is a JWT (RFC 7519), "" of another."""
    scheme, _, token = authorization[:TOKEN_CHARACTERS_MAX].partition(" ")
    parts = token.strip().split(".")
    if scheme.lower() != "bearer" or len(parts) != 3:
        return ""
    try:
        claims = msgspec.json.decode(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)), type=_Claims)
    except (binascii.Error, msgspec.DecodeError, ValueError):
        return ""
    return claims.sub


class _Claims(msgspec.Struct):
    sub: str = ""


def _clean(name: str) -> str:
    """Make a name one that can stand in a participant's: no slash, nothing that is not printed."""
    return "".join(one if one.isalnum() or one in ".-_@:*" else "_" for one in name[:NAME_MAX])
