"""Attacks that take a client of their own: each is a function that gives what it was told, which attacks.toml judges.

They are named there by `client`. What is held against the server is said as words too, "1000 of 1000 opened".
"""

import asyncio
import contextlib
import json
import resource
import secrets
import socket
import struct
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import httpx
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.errors import ErrorCodes
from h2.events import ConnectionTerminated, ResponseReceived, StreamReset

from tests.bench import light_sockets
from tests.bench.outside_clients import Client, Door, object_named
from tests.visitor import Browser

if TYPE_CHECKING:
    from tests.attacks.attacker import Attacker

SECONDS = 60.0
CONFIG_MAPS = "/api/v1/namespaces/default/configmaps"


# Through the gateway --------------------------------------------------------------------------------------------------


def indexed_headers(attacker: "Attacker", count: int = 240_000) -> str:
    """Send a request whose headers are indices into a table of HPACK's: a byte each, thirty written out."""
    door = _door(attacker)
    door.context.set_alpn_protocols(["h2"])
    connection = H2Connection(H2Configuration(client_side=True))
    connection.initiate_connection()
    names = {":method": "GET", ":path": "/version", ":scheme": "https", ":authority": "kubernetes"}
    connection.send_headers(1, [*names.items(), *[("accept-encoding", "gzip, deflate")] * count], end_stream=True)
    with door.connect() as plain:
        with contextlib.suppress(OSError):  # the answer may come, and the end, before all is sent
            plain.sendall(connection.data_to_send())
        while data := plain.recv(65536):
            for event in connection.receive_data(data):
                match event:
                    case ResponseReceived(headers=fields):
                        return f"{HTTPStatus(int(dict(fields)[b':status']))}"
                    case ConnectionTerminated(error_code=code) | StreamReset(error_code=code):
                        return ErrorCodes(code or 0).name
    return "hung up"


def silent_connections(attacker: "Attacker", count: int = 5000) -> str:
    """Open connections and say nothing; what a request beside them is answered, if not at once, then soon."""
    door = _door(attacker)
    with _many_files(count), contextlib.ExitStack() as opened:
        for _ in range(count):
            with contextlib.suppress(OSError):
                opened.enter_context(socket.create_connection((door.host, door.port), timeout=SECONDS))
        deadline = time.monotonic() + SECONDS
        while True:
            try:
                return Client(door).ask("GET", "/version").decode()
            except OSError:  # those of the last second have not been silent yet, and none makes room
                if time.monotonic() > deadline:
                    raise
                time.sleep(1)


def speaking_connections(attacker: "Attacker", count: int = 1290) -> str:
    """Open connections, each with a request; what the last are answered."""
    door = _door(attacker)
    told = set()
    with _many_files(count), contextlib.ExitStack() as opened:
        for _ in range(count):
            client = Client(door)
            client.send("GET", "/version")
            status, body = client.receive()
            opened.enter_context(client.socket)
            if status != HTTPStatus.OK:
                told.add(body.decode())
                client.socket.close()
    return "\n".join(told)


def full_store(attacker: "Attacker", size: int = 900_000) -> str:
    """Create ConfigMaps until one is refused; what it is refused with."""
    client = Client(_door(attacker))
    for number in range(100):
        client.send("POST", CONFIG_MAPS, object_named(f"full-{number}", {"key": "x" * size}))
        status, body = client.receive()
        if status != HTTPStatus.CREATED:
            return f"{status} {json.loads(body)['message']}"
    return "all created"


def _door(attacker: "Attacker") -> Door:
    answer = attacker.visitor.client.get(f"{attacker.address}/clusters/{attacker.visitor.cluster}/kubeconfig")
    with tempfile.NamedTemporaryFile("w") as kubeconfig:
        kubeconfig.write(answer.raise_for_status().text)
        kubeconfig.flush()
        return Door(kubeconfig.name)


@contextlib.contextmanager
def _many_files(count: int) -> Iterator[None]:
    """Let this process have as many files open, as far as it may."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(max(soft, count + 256), hard), hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


# At the web server ----------------------------------------------------------------------------------------------------


def herd(attacker: "Attacker", count: int = 1000) -> str:
    """Open the page of a cluster a thousand times in one moment."""
    place, cookies = f"/ws/clusters/{attacker.visitor.cluster}/", attacker.visitor.cookies

    async def page() -> bool:
        opened = await light_sockets.connect(attacker.address, place, cookies, lambda frame: b'"hello"' in frame)
        await opened.seen.wait()
        opened.close()
        return True

    with _many_files(count):
        return asyncio.run(_all_of(count, page, "opened"))


def half_requests(attacker: "Attacker", count: int = 400) -> str:
    """Begin requests and go on with a byte a second; all are to be ended, and others served meanwhile."""
    place = urlsplit(attacker.address)

    async def half() -> bool:
        reader, writer = await asyncio.open_connection(place.hostname, place.port)
        writer.write(b"GET / HTTP/1.1\r\nHost: here\r\nX-Slow: ")
        answer = asyncio.ensure_future(reader.read())
        while not answer.done():
            writer.write(b"x")
            await asyncio.wait([answer], timeout=1)
        writer.close()
        return b" 408 " in answer.result()

    with _many_files(count), ThreadPoolExecutor(1) as beside:
        served = beside.submit(_slowest_page, attacker.address, 10)
        told = asyncio.run(_all_of(count, half, "answered 408"))
        return f"{told}; pages meanwhile {'served' if served.result() < SECONDS else 'late'}"


def _slowest_page(address: str, count: int) -> float:
    slowest = 0.0
    for _ in range(count):
        began = time.monotonic()
        httpx.get(address + "/privacy/", timeout=SECONDS).raise_for_status()
        slowest = max(slowest, time.monotonic() - began)
    return slowest


async def _all_of(count: int, one: Callable[[], Awaitable[bool]], said: str) -> str:
    """Do something many times at once; say how many went well."""

    async def tried() -> bool:
        try:
            async with asyncio.timeout(SECONDS):
                return await one()
        except (OSError, TimeoutError, light_sockets.RefusedError):
            return False

    well = sum(await asyncio.gather(*(tried() for _ in range(count))))
    return f"{well} of {count} {said}"


def sandboxes(attacker: "Attacker", count: int = 43) -> str:
    """Ask for the sandbox without a cookie, again and again; what is said beside the pages that come."""

    def asked(_: int) -> str:
        answer = httpx.get(attacker.address + "/sandbox/", headers={"Accept": "application/json"}, timeout=60)
        return str(answer.status_code) if answer.status_code == HTTPStatus.OK else f"{answer.status_code} {answer.text}"

    with ThreadPoolExecutor(8) as many:
        return "\n".join(sorted(set(many.map(asked, range(count)))))


def wrong_passwords(attacker: "Attacker", count: int = 10) -> str:
    """Guess at a name from the address at which its owner is, too; whether the owner gets in."""
    name, password = f"alice-{secrets.token_hex(4)}", secrets.token_hex(12)
    owner, guesser = Browser(attacker.address), Browser(attacker.address)
    owner.sign_up(name, password)
    owner.post("/account/sign-out/")
    for number in range(count):
        guesser.post("/account/sign-in/", {"name": name, "password": f"a wrong one {number}"})
    answer = owner.post("/account/sign-in/", {"name": name, "password": password})
    return f"{answer.status_code} {answer.text if answer.status_code != HTTPStatus.SEE_OTHER else ''}"


def wrong_codes(attacker: "Attacker", count: int = 35) -> str:
    """Guess codes of rooms from one address; what the right one opens there."""
    with httpx.Client(timeout=SECONDS) as somebody:
        for _ in range(count):
            code = "".join(secrets.choice("BCDFGHJKMNPQRSTVWXYZ") for _ in range(7))
            somebody.get(f"{attacker.address}/join/{code}/")
    answer = httpx.get(f"{attacker.address}/join/{attacker.room['code']}/", timeout=SECONDS)
    return f"{answer.status_code} {answer.text}"


# Files that are brought -----------------------------------------------------------------------------------------------


def hostile_captures(attacker: "Attacker", connections: int = 60_000) -> str:
    """Bring captures that are made to take a reader down; how many come to an end, while pages are served."""
    files = {
        "a connection a packet": _syns(connections),
        "a block as long as no file": struct.pack("<III", 0x0A0D0D0A, 0xFFFFFFFC, 0x1A2B3C4D) + bytes(2_000_000),
        "brackets for an audit log": b'{"kind":"Event","apiVersion":"audit.k8s.io/v1","x":' + b"[" * 2_000_000,
    }
    browser, ended, served = Browser(attacker.address), 0, 0
    for data in files.values():
        url, pages = _brought(browser, attacker.address, data)
        ended += url != ""
        served += pages
    return f"{ended} of {len(files)} came to an end; {'pages meanwhile served' if served else 'no page was served'}"


def hostile_recordings(attacker: "Attacker", lines: int = 40, objects: int = 8000) -> str:
    """Bring an audit log of long lists of objects in no shape, and ask what stood in it; what is answered."""
    items = [
        {"metadata": {"name": f"a{n}", "resourceVersion": str(n + 1)}, "spec": {}, "status": {}} for n in range(objects)
    ]
    items[0] |= {"spec": {"containers": 7}, "status": {"conditions": "<b>"}}
    listed = {"kind": "PodList", "metadata": {"resourceVersion": str(objects)}, "items": items}
    event = {"kind": "Event", "auditID": "a", "stage": "ResponseComplete", "verb": "list", "requestURI": "/api/v1/pods"}
    event |= {"objectRef": {"resource": "pods"}, "responseStatus": {"code": 200}, "responseObject": listed}
    line = json.dumps({**event, "stageTimestamp": "2026-01-01T00:00:00Z"}).encode()
    browser = Browser(attacker.address)
    url, _ = _brought(browser, attacker.address, b"\n".join([line] * lines))
    asked = ("state/objects/", "state/board/", "state/object/?resource=pods&name=a0", "export/audit", "export/otlp")
    codes = [browser.client.get(f"{attacker.address}{url}{one}", timeout=4 * SECONDS).status_code for one in asked]
    return f"{codes.count(HTTPStatus.OK)} of {len(asked)} questions were answered"


def _brought(browser: Browser, address: str, data: bytes) -> tuple[str, int]:
    """Bring a file; return where its recording is ("-" where there is none, "" while it is read), and pages served."""
    begun = browser.post("/imports/", {"name": "brought"}).json()
    size = begun["partBytes"]
    for n in range(0, len(data), size):
        path = f"/imports/{begun['id']}/parts/{n // size}/"
        browser.post(path, data[n : n + size], **{"Content-Type": "application/octet-stream"})
    browser.post(f"/imports/{begun['id']}/read/")
    until, served = time.monotonic() + 4 * SECONDS, 0
    while time.monotonic() < until:
        served += browser.client.get(f"{address}/glossary/").status_code == HTTPStatus.OK
        found = browser.client.get(f"{address}/imports/{begun['id']}/").json()
        if found["state"] in ("read", "failed"):
            return found["url"] or "-", served
    return "", served


def _syns(count: int) -> bytes:
    packets = [struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65_535, 101)]
    for number in range(count):
        ends = struct.pack("!BBHI", 10, number >> 16, number & 0xFFFF, 0x0A000001)
        tcp = struct.pack("!HHIIBBHHH", 1024 + number % 60_000, 443, 1, 0, 5 << 4, 0x02, 65_535, 0, 0)
        packet = struct.pack("!BBHHHBBH", 0x45, 0, 40, 0, 0, 64, 6, 0) + ends + tcp
        packets.append(struct.pack("<IIII", number, 0, len(packet), len(packet)) + packet)
    return b"".join(packets)
