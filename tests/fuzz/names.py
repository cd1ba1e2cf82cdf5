"""Hostile names: messages at CoreDNS and at the lens, Corefiles, a pod's /etc/resolv.conf and /etc/hosts."""

import asyncio
import random
from typing import Any

from tests.fuzz import making

PIECES = ("kubernetes", "ttl ", "pods ", "forward . /etc/resolv.conf", "{", "}", "\n", "#", ".:53 {", "99999999999")
CONF = "search default.svc.cluster.local cluster.local\nnameserver 10.96.0.10\noptions ndots:5 timeout:1\n"
CONF_PIECES = ("search ", "nameserver ", "options ", "ndots:", "²", "\n", ";", "#", "10.96.0.10", "\t", "::1", "9" * 30)


def make_message(rng: random.Random) -> bytes:
    import dns.message

    kind = rng.choice(["A", "AAAA", "SRV", "PTR", "ANY", "TXT"])
    name = rng.choice(
        ["web.default.svc.cluster.local", "7.4.96.10.in-addr.arpa", "_http._tcp.web.default.svc.cluster.local"]
    )
    query = dns.message.make_query(name, kind, id=rng.getrandbits(16), use_edns=rng.random() < 0.5)
    return making.spoiled_bytes(rng, query.to_wire())


class _Nobody:
    """An informer's owner, as far as a server that knows nothing needs one."""

    rng = random.Random(1)

    def __getattr__(self, _: str) -> Any:
        return None


def take_message(case: bytes) -> None:
    from cluster_engine.coredns.corefile import Corefile
    from cluster_engine.coredns.main import Server
    from cluster_engine.coredns.records import Names
    from cluster_engine.lens.datagrams import _opened

    _opened(case)
    server = object.__new__(Server)
    server._process, server._corefile = _Nobody(), Corefile(zones=("cluster.local", "in-addr.arpa"))  # type: ignore[assignment]
    server._is_synced, server._serial = True, 1
    metadata = {"namespace": "default", "name": "web"}
    spec = {"clusterIP": "10.96.4.7", "ports": [{"name": "http", "port": 80}]}
    server._names = Names("cluster.local", [{"metadata": metadata, "spec": spec}], [], ["default"])
    answer = asyncio.run(server.answer(case, 512))
    assert answer is None or len(answer) >= 12


def make_corefile(rng: random.Random) -> str:
    from cluster_engine.kubeadm.addons import manifests

    right = next(one for one in manifests("coredns") if one["kind"] == "ConfigMap")["data"]["Corefile"]
    return making.spoiled_text(rng, right, PIECES)


def take_corefile(case: str) -> None:
    from cluster_engine.coredns.corefile import CorefileError, parse

    try:
        parse(case)
    except CorefileError:
        return


def make_configuration(rng: random.Random) -> tuple[str, str]:
    return making.spoiled_text(rng, CONF, CONF_PIECES), making.text(rng, ("a", ".", "..", "-", "x" * 70, "ä"))


def take_configuration(case: tuple[str, str]) -> None:
    from cluster_engine.world import resolver
    from cluster_engine.world.files import FileSystem

    files, (text, name) = FileSystem(), case
    for path in (resolver.RESOLV_CONF, resolver.HOSTS):
        files.write(path, text.encode("utf-8", "surrogatepass"))
    resolver.in_hosts(files, name)
    config = resolver.configuration(files)
    assert len(config.candidates(name)) <= resolver.SEARCHES_MAX + 1
