"""wget says on a host what GNU's says, and in a container what BusyBox's does."""

import asyncio
import re
import shlex

import pytest

from tests.engine.programs.curl_server import answer, real, real_server, served, type_

LINES = [
    "-q -O - U/echo",
    "-O - U/echo",
    "-O T/out U/echo",
    "-q -O - U/404",
    "-O- U/404",
    "-nv -O T/out U/echo",
    "-S -O /dev/null U/echo",
    "-SqO- U/404",
    "--content-on-error -qO- U/404",
    "--spider U/echo",
    "--spider U/404",
    "-qO- --header 'X-A: b' --user-agent foo U/echo",
    "-qO- --post-data a=b U/echo",
    "-qO- --method=DELETE U/echo",
    "-O- U/redirect",
    "-qO- U/chunked",
    "-t 1 -O- http://127.0.0.1:1/",
    "-O- http://nowhere.invalid/",
    "-O- http://localhost:PORT/echo",
    "-t1 -O- U/empty",
    "-t1 -O- U/short",
    "",
    "--foo",
    "foo://x",
]  # fmt: skip


@pytest.fixture(scope="module")
def port():
    with real_server() as port:
        yield port


def plainly(text):
    text = re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", "then", text)
    text = re.sub(r"\([\d.]+ [KMG]?B/s\)", "(speed)", text)
    return re.sub(r"(?<=%)[ \d.KMGB/s]+=[\d.]+s", " =0s", text)


@pytest.mark.parametrize("line", LINES)
def test_it_says_what_gnu_wget_says(run, tmp_path, port, line):
    filled = line.replace("PORT", str(port)).replace("T/", f"{tmp_path}/")
    words = [re.sub(r"^U(?=/)", f"http://127.0.0.1:{port}", word) for word in shlex.split(filled)]

    async def story(world):
        return await type_(world, await served(world, port), ["wget", *words])

    code, out, err = run(story)
    real_code, real_out, real_err = real("wget", words)
    if "1.21.3" not in real("wget", ["--version"])[1]:
        pytest.skip("ANOTHER wget ON THIS MACHINE than the one that is compared with, 1.21.3")
    assert [code, out, *plainly(err).splitlines()] == [real_code, real_out, *plainly(real_err).splitlines()]


def test_in_a_container_it_is_busyboxs(run):
    async def story(world):
        machine = world.add_host("worker-1", "10.0.0.11")
        pod = world.network.add_namespace(machine, "web.default", "10.244.1.5")

        async def main(process):
            await asyncio.start_server(answer, "10.244.1.5", 80)
            process.ready()
            await asyncio.sleep(1e9)

        await world.spawn(pod, "nginx", main).wait_ready()
        code, out, err = await type_(world, pod, ["wget", "-qO-", "http://10.244.1.5/echo"])
        assert (code, err) == (0, "")
        assert out == "GET /echo HTTP/1.1\r\nHost: 10.244.1.5\r\nUser-Agent: Wget\r\nConnection: close\r\n\r\n"
        code, _, err = await type_(world, pod, ["wget", "http://10.244.1.5/404"])
        assert code == 1
        assert err == (
            "Connecting to 10.244.1.5 (10.244.1.5:80)\nwget: server returned error: HTTP/1.1 404 Not Found\n"
        )
        code, _, err = await type_(world, pod, ["wget", "-T", "2", "http://nowhere/"])
        assert (code, err) == (1, "wget: bad address 'nowhere'\n")
        code, _, err = await type_(world, pod, ["wget", "http://10.244.1.5:81/"])
        assert err.endswith("wget: can't connect to remote host (10.244.1.5): Connection refused\n")

    run(story)
