"""Servers that say who they are, as tutorials use them: whoami, http-echo, kubernetes-bootcamp, hello-app, echoserver.

    curl http://10.244.1.5:8080/       Hello Kubernetes bootcamp! | Running on: web-0 | v=1

Modelled on traefik/whoami, hashicorp/http-echo, google-samples' two and registry.k8s.io/echoserver, in what they answer
to a plain request and write into their logs. Left out: whoami's further paths (/data, /bench), TLS.
"""

import asyncio
from collections.abc import Callable

from cluster_engine.containerd.servers import http
from cluster_engine.containerd.servers.http import Answer, Request
from cluster_engine.programs.invocation import Invocation

START_SECONDS, STOP_SECONDS = 0.02, 0.05


async def serve(
    invocation: Invocation,
    port: int | None,
    answer: Callable[[Request], Answer],
    *,
    started: str = "",
    log: Callable[[Request, Answer], None] = lambda _, __: None,
    code: int = 0,
    name: str = "",
) -> int:
    """Serve until SIGTERM; return the exit code, 1 where the port is taken. `started` is said once it serves."""
    await asyncio.sleep(START_SECONDS)
    try:
        async with http.serving(invocation, port, answer, log=log, name=name):
            invocation.out(f"{started}\n" if started else "")
            await http.until_sigterm()
            await asyncio.sleep(STOP_SECONDS)
    except OSError as error:
        invocation.err(f"listen tcp :{port}: bind: {str(error.strerror).lower()}\n")
        return 1
    return code


def option(invocation: Invocation, name: str, default: str) -> str:
    """Return the value of `-name=value`, `--name=value` or `--name value`."""
    words = list(invocation.argv[1:])
    for number, word in enumerate(words):
        found, equals, value = word.lstrip("-").partition("=")
        if word.startswith("-") and found == name:
            return value if equals else (words[number + 1] if number + 1 < len(words) else default)
    return default


def port_of(text: str, default: int) -> int:
    """Return the port of ":8080" or "8080"; the default where it is none."""
    digits = text.rpartition(":")[2]
    return int(digits) if digits.isascii() and digits.isdigit() and 0 < int(digits[:6]) < 65536 else default


def hostname(invocation: Invocation) -> str:
    """Return the pod's name, as its programs see it."""
    return invocation.environment.get("HOSTNAME", invocation.process.host.name)


def go_time(invocation: Invocation) -> str:
    """Return the time as Go's log writes it."""
    return invocation.process.now().strftime("%Y/%m/%d %H:%M:%S")


async def whoami(invocation: Invocation) -> int:
    """Run traefik/whoami."""
    port = port_of(option(invocation, "port", invocation.environment.get("WHOAMI_PORT_NUMBER", "80")), 80)

    def answer(request: Request) -> Answer:
        if request.path == "/health":
            return Answer(200)
        lines = [
            f"Hostname: {hostname(invocation)}",
            "IP: 127.0.0.1",
            f"IP: {invocation.process.host.address}",
            f"RemoteAddr: {request.client}:{request.port}",
            f"{request.method} {request.target} HTTP/1.1",
            f"Host: {request.headers.get('host', '')}",
            *(f"{name.title()}: {value}" for name, value in sorted(request.raw_headers) if name.lower() != "host"),
        ]
        return Answer(200, "".join(f"{line}\n" for line in [*lines, ""]).encode())

    return await serve(invocation, port, answer, started=f"{go_time(invocation)} Starting up on port {port}", code=2)


async def http_echo(invocation: Invocation) -> int:
    """Run hashicorp/http-echo."""
    text = option(invocation, "text", invocation.environment.get("ECHO_TEXT", "hello-world"))
    listens = option(invocation, "listen", ":5678")
    port = port_of(listens, 5678)

    def answer(request: Request) -> Answer:
        headers = (("X-App-Name", "http-echo"), ("X-App-Version", "1.0.0"))
        if request.path == "/health":
            return Answer(200, b'{"status":"ok"}\n', "application/json; charset=utf-8", headers)
        return Answer(200, f"{text}\n".encode(), headers=headers)

    def log(request: Request, answered: Answer) -> None:
        agent = request.headers.get("user-agent", "")
        invocation.out(
            f"{go_time(invocation)} {request.headers.get('host', '')} {request.client}:{request.port} "
            f'"{request.method} {request.target} HTTP/1.1" {answered.status} {len(answered.body)} "{agent}" 21.4µs\n'
        )

    started = f"{go_time(invocation)} [INFO] server is listening on {listens}"
    return await serve(invocation, port, answer, started=started, log=log)


async def bootcamp(invocation: Invocation) -> int:
    """Run google-samples' kubernetes-bootcamp."""
    began, version = invocation.process.now(), invocation.environment.get("BOOTCAMP_VERSION", "1")
    requests = 0

    def answer(request: Request) -> Answer:
        nonlocal requests
        requests += 1
        said = f"Hello Kubernetes bootcamp! | Running on: {hostname(invocation)} | v={version}\n"
        return Answer(200, said.encode(), "text/plain")

    def log(_: Request, __: Answer) -> None:
        now = invocation.process.now()
        uptime = (now - began).total_seconds()
        invocation.out(
            f"Running On: {hostname(invocation)} | Total Requests: {requests} | "
            f"App Uptime: {uptime:.3f} seconds | Log Time: {_iso(invocation)}\n"
        )

    started = f"Kubernetes Bootcamp App Started At: {_iso(invocation)} | Running On:  {hostname(invocation)}\n"
    return await serve(invocation, 8080, answer, started=started, log=log)


async def hello_app(invocation: Invocation) -> int:
    """Run google-samples' hello-app."""
    port = port_of(invocation.environment.get("PORT", "8080"), 8080)
    version = invocation.environment.get("HELLO_VERSION", "1.0.0")

    def answer(request: Request) -> Answer:
        invocation.err(f"{go_time(invocation)} Serving request: {request.path}\n")
        return Answer(200, f"Hello, world!\nVersion: {version}\nHostname: {hostname(invocation)}\n".encode())

    return await serve(invocation, port, answer, started=f"{go_time(invocation)} Server listening on port {port}")


async def echoserver(invocation: Invocation) -> int:
    """Run registry.k8s.io/echoserver."""

    def answer(request: Request) -> Answer:
        host = request.headers.get("host", "")
        url = f"http://{host}:8080{request.target}"
        headers = "".join(f"\t{name}={value}\n" for name, value in sorted(request.headers.items()))
        body = request.body.decode("utf-8", "replace") or "-no body in request-"
        said = f"""

Hostname: {hostname(invocation)}

Pod Information:
\t-no pod information available-

Server values:
\tserver_version=nginx: 1.13.3 - lua: 10008

Request Information:
\tclient_address={request.client}
\tmethod={request.method}
\treal path={request.target}
\tquery={request.query}
\trequest_version=1.1
\trequest_scheme=http
\trequest_uri={url}

Request Headers:
{headers}
Request Body:
\t{body}

"""
        return Answer(200, said.encode(), "text/plain")

    return await serve(
        invocation, 8080, answer, started="Generating self-signed cert\nStarting nginx", name="echoserver"
    )


def _iso(invocation: Invocation) -> str:
    return invocation.process.now().strftime("%Y-%m-%dT%H:%M:%S.%f")[:23] + "Z"
