"""What is typed to every program but kubectl, on a host without a cluster: lines that are right, and spoiled ones.

A case is a file `odd` and several lines; one word of a spoiled line is another, or is repeated, or its text is spoiled.
Beside the workstation there is a web server, whose answer is `odd`.
"""
# ruff: noqa: E501

import asyncio
import random
import shlex
from collections.abc import Callable
from typing import Any

from tests.fuzz import making

LINES_MAX = 8
LINE_SECONDS_MAX = 60
"""Of the world's time; then Ctrl-C."""
SERVER = "10.0.0.11"
LINES = (
    "awk -F: -v a=1 '{ print $1 }' odd", "base64 -d odd", "basename /a/b.c .c", "cat -n odd - /etc/hostname",
    "column -t -s , odd", "comm -12 odd odd", "cp -r /etc /tmp/x", "cut -d , -f 1-2,4- odd", "date -d '2 days ago' +%s",
    "date -d @1700000000 -u '+%Y-%m-%dT%H:%M:%S%z'", "diff -u odd /etc/hostname", "dirname /a//b/",
    "echo -e 'a\\tb\\x41'", "env -i A=b env", "expr 1 + 2", "find / -name '*.conf' -type f -maxdepth 3 -exec cat {} \\;",
    "grep -rn -A 2 a /etc", "head -c 10 odd", "jq -r --arg a 1 '.a' odd", "less odd", "ln -s odd f", "ls -la --sort=time /",
    "md5sum odd", "mkdir -p a/b/c", "mv odd f", "nl -ba odd", "paste -s -d , odd", "printf '%5.2f|%-3s|%x\\n' 1 a 255",
    "rev odd", "rm -rf a", "sed -n -e 1,2p -e 's/a/b/g' odd", "seq -w -s , 1 2 9", "sort -t , -k 2,2n -u odd",
    "stat -c '%n %s' odd", "tac odd", "tail -n +2 odd", "tar czf f.tar odd", "tar tvf odd", "tee f < odd",
    "test -f odd -a 1 -lt 2", "[ a = b ]", "timeout 5 sleep 3", "tr a-z '[:upper:]' < odd", "uniq -c odd",
    "wc -lwc odd", "xargs -n 2 -I {} echo {} < odd", "watch -n 1 date",
    "curl -sS -v -H 'A: b' -d @odd -o f http://10.0.0.11/a?b=c", "curl -w '%{http_code}\\n' -X PUT -T odd http://10.0.0.11",
    "curl --resolve a.b:80:10.0.0.11 -L http://a.b/[1-3]", "curl -G --data-urlencode 'a=b c' http://u:p@10.0.0.11:80/#x",
    "wget -qO- http://10.0.0.11/", "nc -zv 10.0.0.11 80", "websocat -U ws://10.0.0.11/x", "watchers 3 /x", "ping -c 2 -W 1 10.0.0.11", "traceroute -n 10.0.0.11",
    "dig +short @10.0.0.11 kubernetes.default.svc A", "nslookup -type=srv a.b 10.0.0.11", "host a.b", "getent hosts a",
    "ip -4 -o addr show dev eth0", "ip route get 10.0.0.11", "ss -tlnp '( sport = :80 )'", "netstat -tan", "lsof -i :80",
    "iptables-save -t nat", "tcpdump -c 1 -i any -w f.pcap port 80", "tcpdump -nn -X -r odd tcp", "arp -n",
    "tshark -r odd -Y http -T fields -e tcp.port", "openssl x509 -in odd -noout -text", "openssl rsa -in odd -check",
    "openssl genrsa -out k.pem 2048", "openssl req -new -x509 -key k.pem -subj /CN=a -days 3 -addext subjectAltName=DNS:a",
    "openssl verify -CAfile odd odd", "openssl s_client -connect 10.0.0.11:80 -servername a", "openssl rand -hex 8",
    "openssl dgst -sha256 odd", "openssl enc -base64 -in odd", "etcdctl --endpoints=10.0.0.11:80 get --prefix /",
    "crictl -r unix:///x ps -a -o json", "systemctl status kubelet", "journalctl -u kubelet -n 5 --since '1 hour ago'",
    "ps aux --sort=-pid", "kill -9 1", "man ls", "help", "which -a ls", "type cd", "hostname -I", "uname -a", "id -u",
    "kubeadm certs check-expiration", "openssl ciphers -v", "top -b -n 1", "free -h", "df -h /", "uptime -p", "file odd",
)  # fmt: skip
PIECES = (
    "-",
    "--",
    "=",
    ",",
    ":",
    "%",
    "{}",
    "[1-9]",
    "[a",
    "*",
    "?",
    "/",
    "@",
    "#",
    "-1",
    "1-",
    "99999999999",
    "odd",
    "''",
)
FLAGS = (
    "-a",
    "-c",
    "-d",
    "-e",
    "-f",
    "-h",
    "-i",
    "-k",
    "-n",
    "-o",
    "-r",
    "-s",
    "-t",
    "-v",
    "-x",
    "--help",
    "--version",
    "--x=",
)


def make(rng: random.Random) -> tuple[bytes, list[str]]:
    """Draw the content of the file `odd`, and lines."""
    text = making.text(rng, ("a,b,c\n", "1\n", '{"a": [1]}', "-----BEGIN CERTIFICATE-----\nTUU=\n", "\t", " ")).encode(
        "utf-8", "replace"
    )
    odd = making.spoiled_bytes(rng, text) if text and rng.random() < 0.5 else text
    return odd, [_line(rng) for _ in range(rng.randrange(2, LINES_MAX))]


def _line(rng: random.Random) -> str:
    line = rng.choice(LINES)
    try:
        words = shlex.split(line)
    except ValueError:
        return line
    for _ in range(rng.randrange(1, 4)):
        at = rng.randrange(1, len(words) + 1)
        match rng.randrange(5):
            case 0:
                words.insert(at, rng.choice(FLAGS))
            case 1:
                words.insert(at, making.text(rng, PIECES))
            case 2:
                words[at - 1 : at] = []
                words = words or ["true"]
            case 3:
                words[at:] = [making.spoiled_text(rng, " ".join(words[at:]), PIECES)]
            case _ if at < len(words):
                words[at] = making.spoiled_text(rng, words[at], PIECES)
    quoted = [words[0], *(word if word in ("<", ">", "(", ")") else shlex.quote(word) for word in words[1:])]
    return " ".join(quoted)[:8000].encode("utf-8", "replace").decode()


def take(case: tuple[bytes, list[str]]) -> None:
    """Type the lines. AssertionError for a bug that the shell tells of."""
    from cluster_engine.world.story import run_story

    odd, lines = case

    async def story(world: Any) -> None:
        from cluster_engine.shell.terminal import Terminal

        world.is_strict = True
        host = world.add_host("workstation", "10.0.0.100")
        server = world.spawn(world.add_host("worker-1", SERVER), "server", _serve(odd))
        await server.wait_ready()
        host.files.write("/root/odd", odd)
        terminal = Terminal(world, host, lambda work, name: world.loop.create_task(work, name=name))
        for line in lines:
            await _typed(terminal, line)

    run_story(story)


async def _typed(terminal: Any, line: str) -> None:
    from cluster_engine.world.bugs import APOLOGY

    said: list[str] = []
    running = asyncio.ensure_future(terminal.run(line, lambda _, text: said.append(text)))
    try:
        code = await asyncio.wait_for(asyncio.shield(running), LINE_SECONDS_MAX)
    except TimeoutError:
        running.cancel()
        await asyncio.wait([running])
        return
    assert APOLOGY not in "".join(said), f"{line!r}: {''.join(said)[-500:]}"
    assert code in range(256), f"{line!r} ended with {code}"


def _serve(body: bytes) -> Callable[[Any], Any]:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(65536)
        writer.write(body)
        writer.close()

    async def main(process: Any) -> None:
        await asyncio.start_server(answer, "", 80)
        process.ready()
        await asyncio.Event().wait()

    return main
