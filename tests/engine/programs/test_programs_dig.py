"""dig, nslookup and host against a name server of the world's, in the words that BIND 9.18 has for the same answers."""

import asyncio
import re

import dns.flags
import dns.message
import dns.rcode
import dns.rrset
import pytest

from cluster_engine.programs.network.dig import DigError, _columned, read
from cluster_engine.shell.terminal import Terminal

WEB = "web.default.svc.cluster.local."
ANSWERS = {
    (WEB, "A"): [(WEB, 5, "IN", "A", "10.96.0.7")],
    (WEB, "AAAA"): [],
    ("db.cluster.local.", "A"): [("db.cluster.local.", 30, "IN", "A", "10.96.0.7")],
    ("db.cluster.local.", "AAAA"): [],
    ("_https._tcp." + WEB, "SRV"): [("_https._tcp." + WEB, 30, "IN", "SRV", f"0 100 443 {WEB}")],
    ("7.0.96.10.in-addr.arpa.", "PTR"): [("7.0.96.10.in-addr.arpa.", 5, "IN", "PTR", WEB)],
    (WEB, "MX"): [],
}
SOA = ("cluster.local.", 5, "IN", "SOA", "ns.dns.cluster.local. hostmaster.cluster.local. 1 7200 1800 86400 5")


class NameServer(asyncio.DatagramProtocol):
    def connection_made(self, transport):
        self.transport = transport

    def datagram_received(self, data, addr):
        query = dns.message.from_wire(data)
        response = dns.message.make_response(query)
        response.flags |= dns.flags.AA
        (question,) = query.question
        found = ANSWERS.get((str(question.name), dns.rdatatype.to_text(question.rdtype)))
        if found is None:
            response.set_rcode(dns.rcode.NXDOMAIN)
            response.authority.append(dns.rrset.from_text(*SOA))
        for one in found or ():
            response.answer.append(dns.rrset.from_text(*one))
        self.transport.sendto(response.to_wire(), addr)


@pytest.fixture
def typed(run):
    """Type lines on a host whose resolv.conf names a server at 10.0.0.53."""

    def start(*lines):
        async def story(world):
            here, there = world.add_host("here", "10.0.0.1"), world.add_host("there", "10.0.0.53")
            here.files.write(
                "/etc/resolv.conf",
                b"nameserver 10.0.0.53\nsearch default.svc.cluster.local svc.cluster.local\noptions ndots:5\n",
            )

            async def server(process):
                await asyncio.get_running_loop().create_datagram_endpoint(NameServer, local_addr=("0.0.0.0", 53))
                await asyncio.sleep(1e9)

            world.spawn(there, "coredns", server)
            await asyncio.sleep(1)
            terminal = Terminal(world, here, lambda work, _: world.loop.create_task(work))
            found = []
            for line in lines:
                out, err = [], []
                code = await terminal.run(line, lambda s, text, o=out, e=err: (o if s == "stdout" else e).append(text))
                found.append((code, "".join(out), "".join(err)))
            return found

        return run(story)

    return start


def test_dig_prints_the_whole_answer_in_its_columns(typed):
    ((code, out, _),) = typed(f"dig {WEB[:-1]}")
    out = re.sub(r"id: \d+", "id: 25520", out)
    assert (code, out) == (
        0,
        "\n; <<>> DiG 9.18.49-1~deb12u3-Debian <<>> web.default.svc.cluster.local\n"
        ";; global options: +cmd\n"
        ";; Got answer:\n"
        ";; WARNING: .local is reserved for Multicast DNS\n"
        ";; You are currently testing what happens when an mDNS query is leaked to DNS\n"
        ";; ->>HEADER<<- opcode: QUERY, status: NOERROR, id: 25520\n"
        ";; flags: qr aa rd; QUERY: 1, ANSWER: 1, AUTHORITY: 0, ADDITIONAL: 1\n"
        ";; WARNING: recursion requested but not available\n\n"
        ";; OPT PSEUDOSECTION:\n"
        "; EDNS: version: 0, flags:; udp: 8192\n"
        ";; QUESTION SECTION:\n"
        ";web.default.svc.cluster.local.\tIN\tA\n\n"
        ";; ANSWER SECTION:\n"
        "web.default.svc.cluster.local. 5 IN\tA\t10.96.0.7\n\n"
        ";; Query time: 0 msec\n"
        ";; SERVER: 10.0.0.53#53(10.0.0.53) (UDP)\n"
        ";; WHEN: Thu Jan 01 00:00:01 UTC 2026\n"
        ";; MSG SIZE  rcvd: 74\n\n",
    )


@pytest.mark.parametrize(
    ("line", "code", "said"),
    [
        (f"dig +short {WEB}", 0, "10.96.0.7\n"),
        ("dig +short web", 0, ""),
        ("dig +short +search web", 0, "10.96.0.7\n"),
        ("dig -x 10.96.0.7 +short", 0, f"{WEB}\n"),
        (f"dig @10.0.0.53 SRV _https._tcp.{WEB} +short", 0, f"0 100 443 {WEB}\n"),
        ("dig @there +short db.cluster.local", 0, "10.96.0.7\n"),
        ("dig +noall +answer db.cluster.local | head -1", 0, "db.cluster.local.\t30\tIN\tA\t10.96.0.7\n"),
        ("dig nosuch.cluster.local | grep -A1 SOA", 0,
         "cluster.local.\t\t5\tIN\tSOA\tns.dns.cluster.local. hostmaster.cluster.local. 1 7200 1800 86400 5\n\n"),
        ("dig nosuch.cluster.local | grep status | grep -o NXDOMAIN", 0, "NXDOMAIN\n"),
        ("dig @10.0.0.1 +tries=1 +short web", 9,
         ";; communications error to 10.0.0.1#53: connection refused\n;; no servers could be reached\n"),
        (f"host {WEB[:-1]}", 0, "web.default.svc.cluster.local has address 10.96.0.7\n"),
        ("host web", 0, "web.default.svc.cluster.local has address 10.96.0.7\n"),
        ("host nosuch", 1, "Host nosuch not found: 3(NXDOMAIN)\n"),
        ("host 10.96.0.7", 0, f"7.0.96.10.in-addr.arpa domain name pointer {WEB}\n"),
        ("host 10.9.9.9", 1, "Host 9.9.9.10.in-addr.arpa. not found: 3(NXDOMAIN)\n"),
        ("nslookup db.cluster.local 10.0.0.53", 0,
         "Server:\t\t10.0.0.53\nAddress:\t10.0.0.53#53\n\nName:\tdb.cluster.local\nAddress: 10.96.0.7\n\n"),
        ("nslookup web", 0,
         ";; Got recursion not available from 10.0.0.53\nServer:\t\t10.0.0.53\nAddress:\t10.0.0.53#53\n\n"
         "Name:\tweb.default.svc.cluster.local\nAddress: 10.96.0.7\n"
         ";; Got recursion not available from 10.0.0.53\n\n"),
        ("nslookup nosuch 10.0.0.53", 1,
         "Server:\t\t10.0.0.53\nAddress:\t10.0.0.53#53\n\n** server can't find nosuch: NXDOMAIN\n\n"),
        ("nslookup 10.96.0.7 10.0.0.53", 0, f"7.0.96.10.in-addr.arpa\tname = {WEB}\n\n"),
        (f"nslookup -type=SRV _https._tcp.{WEB} 10.0.0.53", 0,
         "Server:\t\t10.0.0.53\nAddress:\t10.0.0.53#53\n\n"
         f"_https._tcp.web.default.svc.cluster.local\tservice = 0 100 443 {WEB}\n\n"),
        ("nslookup web 10.0.0.1", 1,
         ";; communications error to 10.0.0.1#53: connection refused\n" * 3 + ";; no servers could be reached\n\n"),
    ],
)  # fmt: skip
def test_answers_are_told_in_the_tools_own_words(typed, line, code, said):
    ((found, out, err),) = typed(line)
    assert (found, out, err) == (code, said, "")


def test_a_server_that_is_cut_off_is_waited_for_and_tried_again(run):
    async def story(world):
        here = world.add_host("here", "10.0.0.1")
        world.add_host("there", "10.0.0.53")
        world.network.partition("here", "there")
        terminal = Terminal(world, here, lambda work, _: world.loop.create_task(work))
        out = []
        code = await terminal.run("dig @10.0.0.53 +short web", lambda _, text: out.append(text))
        return code, "".join(out), world.loop.time()

    code, out, seconds = run(story)
    assert code == 9
    assert out == ";; communications error to 10.0.0.53#53: timed out\n" * 3 + ";; no servers could be reached\n"
    assert seconds == pytest.approx(15, abs=0.1)


@pytest.mark.parametrize("words", [["-x", "x"], ["+nosuch"], ["-Q"], ["-p", "x"], ["+time=x"]])
def test_dig_refuses_what_it_does_not_know(words):
    with pytest.raises(DigError):
        read(words)


def test_columns_are_reached_by_tabs_or_passed_with_a_blank():
    assert _columned([(0, ";web."), (32, "IN"), (40, "A")]) == ";web.\t\t\t\tIN\tA"
    assert _columned([(0, "x" * 40), (24, "5"), (32, "IN"), (40, "A")]) == f"{'x' * 40} 5 IN A"
