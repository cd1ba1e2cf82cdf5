"""What a server says of its health: /healthz, /livez, /readyz, each check by itself, and all of them in words.

    GET /readyz                     ok
    GET /readyz?verbose             [+]ping ok␊[+]etcd ok␊…␊readyz check passed
    GET /readyz?exclude=etcd        as if that check had passed
    GET /readyz/etcd                ok, or 500 internal server error: …

Of a check that fails only whoever asks for it by name learns why. Modelled on apiserver/pkg/server/healthz.
"""

from collections.abc import Awaitable, Callable, Mapping
from urllib.parse import parse_qs

from cluster_engine.apiserver.serving.exchange import Request, Response

TEXT_TYPE = "text/plain; charset=utf-8"
NOSNIFF = (("x-content-type-options", "nosniff"),)
NOT_FOUND = Response(404, TEXT_TYPE, b"404 page not found\n", NOSNIFF)

Check = Callable[[], Awaitable[str | None]]
"""A health check: None when all is well, else what is wrong."""
Checks = Mapping[str, Check]


async def well() -> str | None:
    """Be a check that passes: ping, log."""
    return None


async def health(request: Request, probes: Mapping[str, Checks]) -> Response:
    """Answer a request for the health; `probes` are the checks of each path, by its name without the slash."""
    name, _, only = request.path.strip("/").partition("/")
    checks = probes.get(name)
    if checks is None or (only and only not in checks):
        return NOT_FOUND
    if only:
        problem = await checks[only]()
        if problem is None:
            return Response(200, TEXT_TYPE, b"ok", NOSNIFF)
        return Response(500, TEXT_TYPE, f"internal server error: {problem}\n".encode(), NOSNIFF)
    return await _all(name, checks, parse_qs(request.query, keep_blank_values=True, max_num_fields=100))


async def _all(name: str, checks: Checks, query: Mapping[str, list[str]]) -> Response:
    excluded = dict.fromkeys(query.get("exclude", ()))
    lines, failed = [], False
    for check, ask in checks.items():
        if check in excluded:
            del excluded[check]
            lines.append(f"[+]{check} excluded: ok")
        elif await ask() is None:
            lines.append(f"[+]{check} ok")
        else:
            failed = True
            lines.append(f"[-]{check} failed: reason withheld")
    if excluded:
        names = ",".join(f'"{one}"' for one in sorted(excluded))
        lines.append(f"warn: some health checks cannot be excluded: no matches for {names}")
    if not failed and "verbose" not in query:
        return Response(200, TEXT_TYPE, b"ok", NOSNIFF)
    lines.append(f"{name} check {'failed' if failed else 'passed'}")
    return Response(500 if failed else 200, TEXT_TYPE, ("\n".join(lines) + "\n").encode(), NOSNIFF)
