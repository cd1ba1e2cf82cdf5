"""Programs on the workstation that do what kubectl does not: they race, rehearse, sweep, hold, lose their right, watch.

What they are answered they do not judge; the journal shows it, and the invariants look at the journal. Whatever goes
wrong (a fault, a refusal) they shrug off and go on.

    contender   reads an object and writes it back twice from what it read; two run side by side
    rehearser   creates, changes and deletes with dryRun=All
    sweeper     makes objects with a label, rehearses their deletion, and deletes the collection
    holder      objects with finalizers, and with owners that go, or of which one stays
    bearer      uses a service account's token while its right, and then the account, is taken away
    streamer    watches with sendInitialEvents, and again from where it was
    elder       lists and watches by HTTP/1.1
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import msgspec

from cluster_engine.api.kinds import CONFIG_MAP, POD, ROLE_BINDING, SERVICE_ACCOUNT
from cluster_engine.api.objects import Object
from cluster_engine.api.status import NotFound, Refusal
from cluster_engine.client import Client, kubeconfig
from cluster_engine.world.process import Process
from cluster_engine.world.tls import client_tls

CONFIG = "/root/.kube/config"
NAMESPACE = "default"
LABEL = {"swept": "yes"}
TROUBLE = (Refusal, OSError, TimeoutError)
ROUNDS = 5
PATIENCE_SECONDS = 20.0
WATCH_SECONDS = 15.0


def config_map(name: str, value: str, **metadata: Any) -> Object:
    """Write a ConfigMap with one value."""
    head = {"name": name, "namespace": NAMESPACE, **metadata}
    return {"kind": "ConfigMap", "apiVersion": "v1", "metadata": head, "data": {"value": value}}


@asynccontextmanager
async def _admin(process: Process) -> AsyncIterator[Client]:
    client = Client.from_kubeconfig(process, CONFIG, user_agent=f"simulated-{process.name}")
    try:
        yield client
    finally:
        await client.aclose()


async def _try(doing: Awaitable[Any]) -> Any:
    """Give what comes of it, None when it fails or takes too long."""
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            return await doing
    except TROUBLE:
        return None


async def contend(process: Process) -> None:
    """Read, and write twice from one resourceVersion."""
    async with _admin(process) as client:
        await _try(client.create(CONFIG_MAP, config_map("contended", "0")))
        for number in range(ROUNDS):
            await asyncio.sleep(process.rng.uniform(0.0, 2.0))
            read = await _try(client.get(CONFIG_MAP, "contended", NAMESPACE))
            if read is None:
                continue
            for attempt in "ab":
                data = {"value": f"{process.pid}-{number}-{attempt}"}
                await _try(client.update(CONFIG_MAP, {**read, "data": data}))
            version = {"metadata": {"resourceVersion": read["metadata"]["resourceVersion"]}, "data": {"late": "yes"}}
            await _try(client.patch(CONFIG_MAP, "contended", version, NAMESPACE, type="merge"))


async def rehearse(process: Process) -> None:
    """Do everything, and let nothing be stored."""
    async with _admin(process) as client:
        dry = {"dryRun": "All"}
        headers = {"content-type": "application/json"}
        path = CONFIG_MAP.path(NAMESPACE)
        kept = await _try(client.create(CONFIG_MAP, config_map("kept", "original")))
        for _ in range(ROUNDS):
            await asyncio.sleep(process.rng.uniform(0.5, 2.0))
            body = msgspec.json.encode(config_map("rehearsed", "x"))
            await _try(client.request("POST", path, params=dry, body=body, headers=headers))
            if kept is not None:
                body = msgspec.json.encode({**kept, "data": {"value": "rehearsed"}})
                await _try(client.request("PUT", f"{path}/kept", params=dry, body=body, headers=headers))
            await _try(client.request("DELETE", f"{path}/kept", params=dry))


async def sweep(process: Process) -> None:
    """Delete a collection, first as a rehearsal."""
    async with _admin(process) as client:
        for number in range(2):
            for letter in "abc":
                await _try(client.create(CONFIG_MAP, config_map(f"swept-{number}{letter}", letter, labels=LABEL)))
            path, query = CONFIG_MAP.path(NAMESPACE), {"labelSelector": "swept=yes"}
            await _try(client.request("DELETE", path, params={**query, "dryRun": "All"}))
            await _try(client.request("DELETE", path, params=query))
            await asyncio.sleep(process.rng.uniform(1.0, 5.0))


async def hold(process: Process) -> None:
    """Keep an object by a finalizer; let dependents lose one owner, or all."""
    async with _admin(process) as client:
        held = config_map("held", "x", finalizers=["example.com/hold"])
        first, second = [await _try(client.create(CONFIG_MAP, each)) for each in (held, config_map("owner", "x"))]
        owners = [_reference(owner) for owner in (first, second) if owner is not None]
        if len(owners) == 2:
            await _try(client.create(CONFIG_MAP, config_map("of-both", "x", ownerReferences=owners)))
            await _try(client.create(CONFIG_MAP, config_map("of-one", "x", ownerReferences=owners[1:])))
        for name in ("held", "owner"):
            await _try(client.delete(CONFIG_MAP, name, NAMESPACE))
        await asyncio.sleep(process.rng.uniform(2.0, 6.0))
        done = None
        while done is None:
            patch = {"metadata": {"finalizers": None}}
            try:
                async with asyncio.timeout(PATIENCE_SECONDS):
                    done = await client.patch(CONFIG_MAP, "held", patch, NAMESPACE, type="merge")
            except NotFound:
                return
            except TROUBLE:
                await asyncio.sleep(2.0)


def _reference(owner: Object) -> Object:
    metadata = owner["metadata"]
    return {"apiVersion": "v1", "kind": "ConfigMap", "name": metadata["name"], "uid": metadata["uid"]}


async def bear(process: Process) -> None:
    """Use a token; lose the binding, then the account, and go on asking."""
    async with _admin(process) as client:
        head = {"name": "probe", "namespace": NAMESPACE}
        account = {"kind": "ServiceAccount", "apiVersion": "v1", "metadata": head}
        role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "view"}
        subjects = [{"kind": "ServiceAccount", **head}]
        binding = {"kind": "RoleBinding", "apiVersion": ROLE_BINDING.api_version, "metadata": head}
        binding |= {"roleRef": role, "subjects": subjects}
        await _try(client.create(SERVICE_ACCOUNT, account))
        await _try(client.create(ROLE_BINDING, binding))
        request = {"kind": "TokenRequest", "apiVersion": "authentication.k8s.io/v1", "spec": {"expirationSeconds": 600}}
        granted = await _try(client.create(SERVICE_ACCOUNT, request, NAMESPACE, subresource="token", name="probe"))
        if granted is None:
            return
        bearer = client.with_token(granted["status"]["token"])
        for kind, rounds, pause in ((ROLE_BINDING, 3, 2.0), (SERVICE_ACCOUNT, 3, 2.0), (None, 10, 4.0)):
            for _ in range(rounds):
                await _try(bearer.list(CONFIG_MAP, NAMESPACE))
                await asyncio.sleep(process.rng.uniform(0.0, pause))
            if kind is not None:
                await _try(client.delete(kind, "probe", NAMESPACE))


async def stream(process: Process) -> None:
    """Watch with the state first, and again with what was reached."""
    async with _admin(process) as client:
        initial = {"sendInitialEvents": True, "resourceVersionMatch": "NotOlderThan"}
        version = None
        for _ in range(2):
            version = await _try_watch(client, version, initial)


async def _try_watch(client: Client, version: str | None, initial: dict[str, Any]) -> str | None:
    try:
        async with (
            asyncio.timeout(WATCH_SECONDS),
            client.watch(POD, resource_version=version, **initial) as events,
        ):
            async for _, obj in events:
                version = obj["metadata"]["resourceVersion"]
    except TROUBLE:
        await asyncio.sleep(1.0)
    return version


async def live_long(process: Process) -> None:
    """Speak HTTP/1.1: list, then watch over the same connection."""
    config = kubeconfig.load(process.files, CONFIG)
    tls = client_tls(ca=config.ca or b"", certificate=config.certificate, key=config.key, alpn=("http/1.1",))
    try:
        async with asyncio.timeout(2 * WATCH_SECONDS):
            reader, writer = await asyncio.open_connection(config.host, config.port, ssl=tls)
            path = CONFIG_MAP.path(NAMESPACE)
            head = f"HTTP/1.1\r\nHost: {config.host}\r\nUser-Agent: elder\r\n\r\n"
            writer.write(f"GET {path} {head}".encode())
            answer = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
            length = int(answer.partition("content-length: ")[2].partition("\r\n")[0])
            version = msgspec.json.decode(await reader.readexactly(length))["metadata"]["resourceVersion"]
            writer.write(f"GET {path}?watch=true&resourceVersion={version} {head}".encode())
            while await reader.read(65536):
                pass
    except (*TROUBLE, asyncio.IncompleteReadError, KeyError, ValueError):
        return


CLIENTS: dict[str, Callable[[Process], Awaitable[None]]] = {
    "contender": contend,
    "rehearser": rehearse,
    "sweeper": sweep,
    "holder": hold,
    "bearer": bear,
    "streamer": stream,
    "elder": live_long,
}
