"""agnhost, the one image that Kubernetes' own tests use for nearly everything: its commands by the first argument.

    agnhost netexec --http-port=8080      /hostname  /echo?msg=…  /clientip  /healthz  /exit?code=…  /redirect
    agnhost serve-hostname                its name, on 9376
    agnhost liveness                      /healthz on 8080: 200 for ten seconds, then 500
    agnhost pause                         nothing, until it is stopped

Modelled on test/images/agnhost. Left out: its other commands (they pause), netexec's UDP, SCTP and /shell.
"""

import asyncio
from urllib.parse import parse_qs

from cluster_engine.containerd.servers import http
from cluster_engine.containerd.servers.hello import go_time, hostname, option, port_of, serve
from cluster_engine.containerd.servers.http import Answer, Request
from cluster_engine.programs.invocation import Invocation

HEALTHY_SECONDS = 10.0


async def agnhost(invocation: Invocation) -> int:
    """Run agnhost."""
    words = [word for word in invocation.argv[1:] if not word.startswith("-")]
    commands = {"netexec": _netexec, "serve-hostname": _serve_hostname, "liveness": _liveness,
                "test-webserver": _test_webserver}  # fmt: skip
    command = commands.get(words[0] if words else "")
    return await (command or _pause)(invocation)


async def pause(invocation: Invocation) -> int:
    """Run /pause: wait for SIGTERM."""
    await http.until_sigterm()
    invocation.out("Shutting down, got signal: Terminated\n")
    return 0


async def _pause(invocation: Invocation) -> int:
    invocation.out("Paused\n")
    await http.until_sigterm()
    return 0


async def _netexec(invocation: Invocation) -> int:
    port = port_of(option(invocation, "http-port", "8080"), 8080)

    def answer(request: Request) -> Answer:
        query = {name: values[0] for name, values in parse_qs(request.query, max_num_fields=100).items()}
        invocation.out(f"{go_time(invocation)} {request.method} {request.target}\n")
        match request.path:
            case "/":
                now = invocation.process.now().strftime("%Y-%m-%d %H:%M:%S.%f +0000 UTC")
                return Answer(200, f"NOW: {now}".encode())
            case "/hostname" | "/hostName":
                return Answer(200, hostname(invocation).encode())
            case "/clientip":
                return Answer(200, f"{request.client}:{request.port}".encode())
            case "/echo":
                return Answer(int(query["code"]) if _is_code(query.get("code")) else 200, query.get("msg", "").encode())
            case "/header":
                return Answer(200, request.headers.get(query.get("key", "").lower(), "").encode())
            case "/healthz":
                return Answer(200)
            case "/redirect":
                code = int(query["code"]) if _is_code(query.get("code")) else 302
                location = query.get("location", "/").translate({10: None, 13: None})
                return Answer(code, headers=(("Location", location.encode("ascii", "ignore").decode()),))
            case "/exit" | "/shutdown":
                code = int(query["code"]) if _is_code(query.get("code")) or query.get("code") in ("0", "1") else 0
                asyncio.get_running_loop().call_later(0.01, invocation.process.exit, code & 0xFF)
                return Answer(200)
        return Answer(404, b"404 page not found\n")

    return await serve(invocation, port, answer, started=f"{go_time(invocation)} Started HTTP server on port {port}")


def _is_code(text: str | None) -> bool:
    return text is not None and text.isascii() and text.isdigit() and len(text) == 3 and 200 <= int(text) <= 599


async def _serve_hostname(invocation: Invocation) -> int:
    port = port_of(option(invocation, "port", "9376"), 9376)
    started = f"{go_time(invocation)} Serving on port {port}."
    return await serve(invocation, port, lambda _: Answer(200, hostname(invocation).encode()), started=started)


async def _liveness(invocation: Invocation) -> int:
    began = invocation.process.now()

    def answer(request: Request) -> Answer:
        if request.path != "/healthz":
            return Answer(404, b"404 page not found\n")
        seconds = (invocation.process.now() - began).total_seconds()
        if seconds > HEALTHY_SECONDS:
            return Answer(500, f"error: {seconds:.9f}".encode())
        return Answer(200, b"ok")

    return await serve(invocation, 8080, answer)


async def _test_webserver(invocation: Invocation) -> int:
    port = port_of(option(invocation, "port", "80"), 80)
    return await serve(invocation, port, lambda _: Answer(200, b"<pre>\n</pre>\n", "text/html; charset=utf-8"))
