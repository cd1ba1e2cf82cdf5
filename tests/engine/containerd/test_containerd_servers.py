"""What servers in containers answer on their pods' addresses."""

import asyncio

import pytest

from cluster_engine.containerd.servers.databases import DATABASE_BYTES_MAX
from cluster_engine.containerd.servers.http import BODY_BYTES_MAX, HEADER_BYTES_MAX
from cluster_engine.rpc import cri_pb2 as cri

ADDRESS = "10.244.1.2"
AGNHOST = "registry.k8s.io/e2e-test-images/agnhost:2.40"


async def talk(port, *pieces, address=ADDRESS):
    """Send pieces on one connection, a second apart; return what came until it was closed, or for a second."""
    reader, writer = await asyncio.open_connection(address, port)
    for piece in pieces:
        writer.write(piece)
        await asyncio.sleep(1)
    writer.write_eof()
    said = b""
    try:
        async with asyncio.timeout(2):
            while piece := await reader.read(65536):
                said += piece
    except (TimeoutError, ConnectionError):
        pass
    writer.close()
    return said.decode()


def get(path, *headers):
    lines = [f"GET {path} HTTP/1.1", "Host: web-0", "User-Agent: curl/8.5.0", *headers, "Connection: close", "", ""]
    return "\r\n".join(lines).encode()


@pytest.fixture
def asked(on_node):
    """Run a container, send it bytes on one connection; return what it answered and its log."""

    def start(image, port, *pieces, args=(), command=(), wait=1.0):
        async def story(node):
            await node.container(await node.sandbox(), image, *command, args=args)
            await asyncio.sleep(wait)
            said = await talk(port, *pieces)
            return said, [line.split(" ", 3)[3] for line in node.log().splitlines()]

        return on_node(story)

    return start


def test_nginx_shows_its_welcome_page_and_logs_who_asked(asked):
    said, log = asked("nginx:1.27.1", 80, get("/"))
    head, _, body = said.partition("\r\n\r\n")
    assert head.startswith("HTTP/1.1 200 OK\r\nServer: nginx/1.27.1\r\nDate: Thu, 01 Jan 2026")
    assert "Content-Type: text/html" in head
    assert "<h1>Welcome to nginx!</h1>" in body
    assert log[0].startswith("/docker-entrypoint.sh: ")
    assert log[-1] == f'10.0.0.11 - - [{log[-1][15:41]}] "GET / HTTP/1.1" 200 {len(body)} "-" "curl/8.5.0" "-"'


def test_nginx_serves_the_files_that_are_there(on_node):
    async def story(node):
        text = "echo mine > /usr/share/nginx/html/index.html; exec nginx -g 'daemon off;'"
        await node.container(await node.sandbox(), "nginx", "sh", "-c", text)
        await asyncio.sleep(1)
        answers = [await talk(80, get(path)) for path in ("/", "/missing", "/../etc/hostname")]
        return [(answer.split()[1], answer.rpartition("\r\n\r\n")[2]) for answer in answers], node.log()

    answers, log = on_node(story)
    assert answers[0] == ("200", "mine\n")
    assert [code for code, _ in answers[1:]] == ["404", "404"]
    assert 'open() "/usr/share/nginx/html/missing" failed (2: No such file or directory)' in log


def test_a_port_has_one_server(on_node):
    async def story(node):
        sandbox = await node.sandbox()
        await node.container(sandbox, "nginx")
        await asyncio.sleep(1)
        second = await node.container(sandbox, "nginx", attempt=1)
        await asyncio.sleep(1)
        return await node.status(second), node.log(attempt=1)

    status, log = on_node(story)
    assert status.exit_code == 1
    assert "[emerg] 1#1: bind() to 0.0.0.0:80 failed (98: Address already in use)" in log


@pytest.mark.parametrize(
    ("image", "port", "args", "path", "answer"),
    [
        ("httpd", 80, [], "/", "<h1>It works!</h1>"),
        ("httpd", 80, [], "/no", "HTTP/1.1 404 Not Found"),
        ("traefik/whoami", 80, [], "/x", "Hostname: web-0\nIP: 127.0.0.1\nIP: 10.244.1.2\nRemoteAddr: 10.0.0.11:"),
        ("traefik/whoami", 8000, ["--port=8000"], "/x", "GET /x HTTP/1.1\nHost: web-0\n"),
        ("hashicorp/http-echo", 5678, ["-text=hello"], "/", "\r\n\r\nhello\n"),
        ("hashicorp/http-echo", 80, ["-listen=:80", "-text", "two words"], "/", "\r\n\r\ntwo words\n"),
        ("gcr.io/google-samples/kubernetes-bootcamp:v1", 8080, [], "/", "Running on: web-0 | v=1"),
        ("gcr.io/google-samples/hello-app:1.0", 8080, [], "/", "Hello, world!\nVersion: 1.0.0\nHostname: web-0\n"),
        ("registry.k8s.io/echoserver:1.10", 8080, [], "/a?b=c", "\treal path=/a?b=c\n\tquery=b=c\n"),
        (AGNHOST, 8080, ["netexec"], "/hostname", "\r\n\r\nweb-0"),
        (AGNHOST, 80, ["netexec", "--http-port=80"], "/echo?msg=hi", "\r\n\r\nhi"),
        (AGNHOST, 8080, ["netexec"], "/redirect?location=/x%0dy", "Location: /xy"),
        (AGNHOST, 9376, ["serve-hostname"], "/", "web-0"),
        ("quay.io/prometheus/node-exporter:v1.8.2", 9100, [], "/metrics", "HTTP/1.1 200 OK"),
    ],
)  # fmt: skip
def test_the_servers_of_tutorials_answer(asked, image, port, args, path, answer):
    said, _ = asked(image, port, get(path), args=args)
    assert answer in said


@pytest.mark.parametrize(("wait", "status"), [(5.0, "200 OK"), (12.0, "500 Internal Server Error")])
def test_liveness_of_agnhost_is_well_for_ten_seconds(asked, wait, status):
    assert status in asked(AGNHOST, 8080, get("/healthz"), args=["liveness"], wait=wait)[0]


def test_redis_remembers(asked):
    said, log = asked(
        "redis:7", 6379, b"PING\r\n", b"*3\r\n$3\r\nSET\r\n$1\r\na\r\n$2\r\nhi\r\nGET a\r\nDEL a b\r\nGET a\r\n"
    )
    assert said == "+PONG\r\n+OK\r\n$2\r\nhi\r\n:1\r\n$-1\r\n"
    assert log[-1].endswith("Ready to accept connections tcp")


def test_redis_has_no_more_than_so_much(asked):
    value = b"x" * 60_000
    pieces = b"".join(
        b"*3\r\n$3\r\nSET\r\n$%d\r\n%d\r\n$%d\r\n%s\r\n" % (len(str(n)), n, 60_000, value) for n in range(40)
    )
    said, _ = asked("redis:7", 6379, pieces)
    assert said.count("+OK") <= DATABASE_BYTES_MAX // 60_000 + 2
    assert "-OOM command not allowed" in said


@pytest.mark.parametrize(
    "sent",
    [b"\0\1\2\r\n\r\n", b"GET / HTTP/1.1\r\n\r\n", b"GET " + b"/x" * HEADER_BYTES_MAX + b" HTTP/1.1\r\nHost: a\r\n\r\n",
     b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % (BODY_BYTES_MAX + 1) + b"x" * (BODY_BYTES_MAX + 1)],
    ids=["no HTTP", "no host", "a long target", "a large body"],
)  # fmt: skip
def test_what_is_no_request_is_refused_and_the_server_lives(on_node, sent):
    async def story(node):
        id_ = await node.container(await node.sandbox(), "nginx")
        await asyncio.sleep(1)
        return await talk(80, sent), await talk(80, get("/")), await node.status(id_)

    refused, answered, status = on_node(story)
    assert refused.startswith("HTTP/1.1 4")
    assert answered.startswith("HTTP/1.1 200")
    assert status.state == cri.CONTAINER_RUNNING


@pytest.mark.parametrize(("limit", "reason"), [(200, "OOMKilled"), (400, "")])
def test_who_takes_more_memory_than_the_limit_is_killed(on_node, limit, reason):
    async def story(node):
        sandbox = await node.sandbox()
        await node("PullImage", image=cri.ImageSpec(image="polinux/stress"))
        config = cri.ContainerConfig(
            metadata=cri.ContainerMetadata(name="app"),
            image=cri.ImageSpec(image="polinux/stress", user_specified_image="polinux/stress"),
            command=["stress"],
            args=["--vm", "1", "--vm-bytes", "250M", "--vm-hang", "1"],
            linux=cri.LinuxContainerConfig(
                resources=cri.LinuxContainerResources(memory_limit_in_bytes=limit * 1024 * 1024)
            ),
        )
        id_ = (await node("CreateContainer", pod_sandbox_id=sandbox, config=config)).container_id
        await node("StartContainer", container_id=id_)
        await asyncio.sleep(5)
        return await node.status(id_)

    status = on_node(story)
    assert status.reason == reason
    assert status.exit_code == (137 if reason else 0)
