"""nginx and Apache httpd: the files of a directory over HTTP, with their access logs.

    10.244.1.1 - - [21/Nov/2026:10:00:00 +0000] "GET / HTTP/1.1" 200 236 "-" "curl/8.5.0" "-"

Before it serves, nginx makes directories for what it buffers and writes its process number: with a read-only root, or
as another user than root, the official image cannot, and says so (`Layout`).

    nginx: [emerg] mkdir() "/var/cache/nginx/client_temp" failed (30: Read-only file system)

Modelled on the official images: their entrypoints' lines, headers, log formats and error pages. Left out: their
configuration files (they serve port 80, or that of the variant which needs no root, 8080) and modules; what is made is
not there to be seen.
"""

import asyncio
from collections.abc import Mapping
from datetime import datetime

import msgspec

from cluster_engine.containerd.servers import http
from cluster_engine.containerd.servers.http import Answer, Request
from cluster_engine.programs.invocation import Invocation
from cluster_engine.programs.streams import is_directory

START_SECONDS, STOP_SECONDS = 0.02, 0.1
NGINX_ROOT, HTTPD_ROOT = "/usr/share/nginx/html", "/usr/local/apache2/htdocs"
NGINX_VERSION, HTTPD_VERSION = "1.27.3", "2.4.62"
TYPES: Mapping[str, str] = {
    "html": "text/html", "htm": "text/html", "css": "text/css", "js": "application/javascript", "txt": "text/plain",
    "json": "application/json", "xml": "text/xml", "png": "image/png", "jpg": "image/jpeg", "svg": "image/svg+xml",
}  # fmt: skip
WELCOME = b"""<!DOCTYPE html>
<html>
<head>
<title>Welcome to nginx!</title>
</head>
<body>
<h1>Welcome to nginx!</h1>
<p>If you see this page, the nginx web server answers, and wants to be configured.</p>
<p><em>Thank you for using nginx.</em></p>
</body>
</html>
"""
NGINX_FILES = {f"{NGINX_ROOT}/index.html": WELCOME}
HTTPD_FILES = {f"{HTTPD_ROOT}/index.html": b"<html><body><h1>It works!</h1></body></html>\n"}
ENTRYPOINT = "/docker-entrypoint.sh"
ENTRYPOINT_LINES = (
    f"{ENTRYPOINT}: /docker-entrypoint.d/ is not empty, will attempt to perform configuration",
    f"{ENTRYPOINT}: Looking for shell scripts in /docker-entrypoint.d/",
    f"{ENTRYPOINT}: Launching /docker-entrypoint.d/10-listen-on-ipv6-by-default.sh",
    f"{ENTRYPOINT}: Configuration complete; ready for start up",
)


class Layout(msgspec.Struct, frozen=True):
    """Where an image's nginx.conf has it write, and to which user it turns, 0 for none."""

    buffers: str
    pid: str
    worker: int


OFFICIAL = Layout("/var/cache/nginx", "/var/run/nginx.pid", 101)
UNPRIVILEGED = Layout("/tmp", "/tmp/nginx.pid", 0)
BUFFERS = ("client_temp", "proxy_temp", "fastcgi_temp", "uwsgi_temp", "scgi_temp")
CONFIGURATION = "/etc/nginx/conf.d/default.conf"
CANNOT_MODIFY = f"10-listen-on-ipv6-by-default.sh: info: can not modify {CONFIGURATION} (read-only file system?)"
USELESS_USER = (
    'the "user" directive makes sense only if the master process runs with super-user privileges, '
    "ignored in /etc/nginx/nginx.conf:2"
)


async def nginx(
    invocation: Invocation, port: int = 80, *, layout: Layout = OFFICIAL, by_entrypoint: bool = False
) -> int:
    """Run nginx, in the foreground however it is called."""
    version = invocation.environment.get("NGINX_VERSION", NGINX_VERSION)
    if "-v" in invocation.argv or "-V" in invocation.argv:
        invocation.err(f"nginx version: nginx/{version}\n")
        return 0

    def say(level: str, text: str, process: str = "1#1") -> None:
        now = invocation.process.now().strftime("%Y/%m/%d %H:%M:%S")
        invocation.err(f"{now} [{level}] {process}: {text}\n")
        if level in ("warn", "emerg"):
            invocation.err(f"nginx: [{level}] {text}\n")

    def answer(request: Request) -> Answer:
        path, data = _found(invocation, NGINX_ROOT, request.path)
        if request.method not in ("GET", "HEAD"):
            return _error_page(405, f"nginx/{version}")
        if data is None:
            if path.endswith("/"):
                say("error", f'*1 directory index of "{path}" is forbidden, {_about(request)}', "29#29")
                return _error_page(403, f"nginx/{version}")
            why = f'open() "{path}" failed (2: No such file or directory)'
            say("error", f"*1 {why}, {_about(request)}", "29#29")
            return _error_page(404, f"nginx/{version}")
        headers = (("Connection", "keep-alive"), ("ETag", f'"{len(data):x}"'), ("Accept-Ranges", "bytes"))
        return Answer(200, data, _type(path), headers)

    def log(request: Request, answered: Answer) -> None:
        agent, referer = (request.headers.get(name, "-") for name in ("user-agent", "referer"))
        forwarded = request.headers.get("x-forwarded-for", "-")
        line = _common(request, answered, invocation.process.now())
        invocation.out(f'{line} "{referer}" "{agent}" "{forwarded}"\n')

    if by_entrypoint:
        *lines, last = ENTRYPOINT_LINES
        lines += [] if _refusal(invocation, CONFIGURATION) is None else [CANNOT_MODIFY]
        invocation.out("".join(f"{line}\n" for line in [*lines, last]))
    await asyncio.sleep(START_SECONDS)
    if layout.worker and invocation.process.user.uid:
        say("warn", USELESS_USER)
    if problem := _problem(invocation, layout):
        say("emerg", problem)
        return 1
    try:
        async with http.serving(invocation, port, answer, name=f"nginx/{version}", log=log):
            say("notice", 'using the "epoll" event method')
            say("notice", f"nginx/{version}")
            say("notice", "start worker processes")
            say("notice", "start worker process 29")
            await http.until_sigterm()
            say("notice", "signal 3 (SIGQUIT) received, shutting down")
            await asyncio.sleep(STOP_SECONDS)
    except OSError as error:
        say("emerg", f"bind() to 0.0.0.0:{port} failed ({http.reason(error)})")
        return 1
    return 0


def _problem(invocation: Invocation, layout: Layout) -> str:
    """Return why nginx cannot write what it must, "" where it can."""
    for name in BUFFERS:
        path = f"{layout.buffers}/{name}"
        if error := _refusal(invocation, path):
            return f'mkdir() "{path}" failed ({http.reason(error)})'
        if layout.worker and invocation.process.user.uid == 0 and not invocation.process.user.can("CHOWN"):
            return f'chown("{path}", {layout.worker}) failed (1: Operation not permitted)'
    error = _refusal(invocation, layout.pid)
    return f'open() "{layout.pid}" failed ({http.reason(error)})' if error else ""


def _refusal(invocation: Invocation, path: str) -> OSError | None:
    try:
        invocation.files.check_writable(path)
    except OSError as error:
        return error
    return None


async def httpd(invocation: Invocation) -> int:
    """Run httpd-foreground."""
    name = f"Apache/{invocation.environment.get('HTTPD_VERSION', HTTPD_VERSION)} (Unix)"

    def say(module: str, code: str, text: str) -> None:
        now = invocation.process.now().strftime("%a %b %d %H:%M:%S.%f %Y")
        invocation.err(f"[{now}] [{module}:notice] [pid 1:tid 1] {code}: {text}\n")

    def answer(request: Request) -> Answer:
        path, data = _found(invocation, HTTPD_ROOT, request.path)
        if data is None:
            return Answer(404, _HTTPD_404, "text/html; charset=iso-8859-1")
        return Answer(200, data, _type(path), (("ETag", f'"{len(data):x}"'), ("Accept-Ranges", "bytes")))

    def log(request: Request, answered: Answer) -> None:
        invocation.out(f"{_common(request, answered, invocation.process.now())}\n")

    address = invocation.process.host.address
    invocation.err(
        "AH00558: httpd: Could not reliably determine the server's fully qualified domain name, using "
        f"{address}. Set the 'ServerName' directive globally to suppress this message\n"
    )
    await asyncio.sleep(START_SECONDS)
    try:
        async with http.serving(invocation, 80, answer, name=name, log=log):
            say("mpm_event", "AH00489", f"{name} configured -- resuming normal operations")
            say("core", "AH00094", "Command line: 'httpd -D FOREGROUND'")
            await http.until_sigterm()
            say("mpm_event", "AH00491", "caught SIGTERM, shutting down")
            await asyncio.sleep(STOP_SECONDS)
    except OSError as error:
        why = http.reason(error).replace(": ", ")")
        invocation.err(f"({why}: AH00072: make_sock: could not bind to address 0.0.0.0:80\n")
        return 1
    return 0


_HTTPD_404 = b"""<!DOCTYPE HTML PUBLIC "-//IETF//DTD HTML 2.0//EN">
<html><head>
<title>404 Not Found</title>
</head><body>
<h1>Not Found</h1>
<p>The requested URL was not found on this server.</p>
</body></html>
"""


def _found(invocation: Invocation, root: str, path: str) -> tuple[str, bytes | None]:
    """Return the file that a path means, and its bytes; None where there is none."""
    inside = "/".join(part for part in path.split("/") if part not in ("", ".", ".."))
    full = f"{root}/{inside}" if inside else root
    if path.endswith("/") or is_directory(invocation.files, full):
        index = f"{full}/index.html"
        return (index, invocation.files.read(index)) if invocation.files.exists(index) else (f"{full}/", None)
    return (full, invocation.files.read(full)) if invocation.files.exists(full) else (full, None)


def _type(path: str) -> str:
    return TYPES.get(path.rpartition(".")[2], "application/octet-stream")


def _about(request: Request) -> str:
    host = request.headers.get("host", "")
    asked = f"{request.method} {request.target} HTTP/1.1"
    return f'client: {request.client}, server: localhost, request: "{asked}", host: "{host}"'


def _common(request: Request, answer: Answer, now: datetime) -> str:
    """Return a line of the common log format."""
    time = now.strftime("%d/%b/%Y:%H:%M:%S +0000")
    sent = 0 if request.method == "HEAD" else len(answer.body)
    return f'{request.client} - - [{time}] "{request.method} {request.target} HTTP/1.1" {answer.status} {sent}'


def _error_page(status: int, server: str) -> Answer:
    phrase = {403: "Forbidden", 404: "Not Found", 405: "Not Allowed"}[status]
    title = f"{status} {phrase}"
    body = (
        f"<html>\r\n<head><title>{title}</title></head>\r\n<body>\r\n<center><h1>{title}</h1></center>\r\n"
        f"<hr><center>{server}</center>\r\n</body>\r\n</html>\r\n"
    )
    return Answer(status, body.encode(), "text/html", (("Connection", "keep-alive"),))
