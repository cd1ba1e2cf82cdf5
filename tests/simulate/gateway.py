"""A program of this machine that joins a simulated cluster through the gateway, over a real socket.

Its timing is real, so nothing it does can be played again in the same way; it comes last, when the cluster has come to
rest, at a fast pace, and for a bounded time. What it was answered is in the journal like everybody's.
"""

import asyncio
import base64
import http.client
import json
import ssl
import tempfile
import threading
from typing import Any

import yaml

from cluster_engine.cluster import Cluster

PACE = 10.0
SOCKET_SECONDS_MAX = 60.0
ROUNDS = 3
PATH = "/api/v1/namespaces/default/configmaps"


async def use_gateway(cluster: Cluster) -> None:
    """Write, read and conflict over a real connection; then leap on."""
    document = yaml.safe_load(await cluster.kubeconfig())
    loop = asyncio.get_running_loop()
    done: asyncio.Future[None] = loop.create_future()

    def use() -> None:
        try:
            _use(document)
        finally:
            loop.call_soon_threadsafe(done.set_result, None)

    cluster.clock.set_pace(PACE)
    thread = threading.Thread(target=use)
    thread.start()
    try:
        await done
    finally:
        cluster.clock.set_pace(None)
        thread.join()


def _use(document: dict[str, Any]) -> None:
    where, who = document["clusters"][0]["cluster"], document["users"][0]["user"]
    host, _, port = where["server"].removeprefix("https://").partition(":")
    tls = ssl.create_default_context(cadata=base64.b64decode(where["certificate-authority-data"]).decode())
    with tempfile.NamedTemporaryFile() as pair:
        pair.write(base64.b64decode(who["client-certificate-data"]) + base64.b64decode(who["client-key-data"]))
        pair.flush()
        tls.load_cert_chain(pair.name)
    connection = http.client.HTTPSConnection(host, int(port), timeout=SOCKET_SECONDS_MAX, context=tls)
    try:
        made = _ask(connection, "POST", PATH, {"metadata": {"name": "from-outside"}, "data": {"n": "0"}})
        for number in range(1, ROUNDS + 1):
            changed = {**made, "data": {"n": str(number)}}
            _ask(connection, "PUT", f"{PATH}/from-outside", changed)
            _ask(connection, "PUT", f"{PATH}/from-outside", changed)
            made = _ask(connection, "GET", f"{PATH}/from-outside")
        _ask(connection, "GET", PATH)
        _ask(connection, "DELETE", f"{PATH}/from-outside")
    finally:
        connection.close()


def _ask(connection: http.client.HTTPSConnection, method: str, path: str, body: Any = None) -> dict[str, Any]:
    sent = None if body is None else json.dumps(body)
    connection.request(method, path, sent, {"Content-Type": "application/json", "User-Agent": "outside"})
    answer: dict[str, Any] = json.loads(connection.getresponse().read())
    return answer
