"""ip, ping, nc, lsof and what else tries the network, on two machines and a pod."""

import asyncio

import pytest

from cluster_engine.programs.network.ping import _milliseconds
from cluster_engine.shell.terminal import Terminal


@pytest.fixture
def typed(run):
    """Type lines on "one" 10.0.0.11; "two" 10.0.0.12 answers on port 80, a pod of its is 10.244.1.2."""

    def start(*lines, prepare=lambda world: None):
        async def story(world):
            one, two = world.add_host("one", "10.0.0.11"), world.add_host("two", "10.0.0.12")
            pod = world.network.add_namespace(two, "web.default", "10.244.1.2")

            async def server(process):
                async def answer(reader, writer):
                    writer.write((await reader.readline()).upper())
                    writer.close()

                await asyncio.start_server(answer, "0.0.0.0", 80)
                await asyncio.sleep(1e9)

            world.spawn(two, "server", server)
            world.spawn(pod, "nginx", server)
            prepare(world)
            await asyncio.sleep(1)
            terminal = Terminal(world, one, lambda work, _: world.loop.create_task(work))
            found = []
            for line in lines:
                out, err = [], []
                code = await terminal.run(line, lambda s, text, o=out, e=err: (o if s == "stdout" else e).append(text))
                found.append((code, "".join(out), "".join(err)))
            return found

        return run(story)

    return start


def test_ping_tells_what_each_echo_took_and_how_many_came_back(typed):
    ((code, out, _),) = typed("ping -c 2 two")
    assert (code, out) == (
        0,
        "PING two (10.0.0.12) 56(84) bytes of data.\n"
        "64 bytes from two (10.0.0.12): icmp_seq=1 ttl=64 time=0.500 ms\n"
        "64 bytes from two (10.0.0.12): icmp_seq=2 ttl=64 time=0.500 ms\n\n"
        "--- two ping statistics ---\n"
        "2 packets transmitted, 2 received, 0% packet loss, time 1000ms\n"
        "rtt min/avg/max/mdev = 0.500/0.500/0.500/0.000 ms\n",
    )


def test_ping_meets_what_is_broken(typed):
    def cut(world):
        world.network.partition("one", "two")

    ((code, out, _),) = typed("ping -c 2 -W 1 10.0.0.12", prepare=cut)
    assert (code, out.splitlines()[-1]) == (1, "2 packets transmitted, 0 received, 100% packet loss, time 1000ms")
    nobody, unknown = typed("ping -c 1 10.0.0.77", "ping nosuch")
    assert "From 10.0.0.11 icmp_seq=1 Destination Host Unreachable" in nobody[1]
    assert "1 packets transmitted, 0 received, +1 errors, 100% packet loss" in nobody[1]
    assert unknown == (2, "", "ping: nosuch: Name or service not known\n")


@pytest.mark.parametrize(
    ("line", "said", "code"),
    [
        ("ping", "ping: usage error: Destination address required", 1),
        ("ping -c x two", "ping: invalid argument: 'x'", 1),
        ("ping -c 0 two", "ping: invalid argument: '0': out of range: 1 <= value <= 9223372036854775807", 1),
        ("ping -c", "ping: option requires an argument -- 'c'", 2),
        ("ping -i nan two", "ping: bad timing interval: nan", 1),
        ("nc 10.0.0.12", "nc: missing port number", 1),
        ("nc -Q", "nc: invalid option -- 'Q'", 1),
        ("nc -z two 99999", "nc: port number too large: 99999", 1),
        ("nc -z two nosuch", 'nc: service "nosuch" unknown', 1),
        ("nc -zv nosuch 80", 'nc: getaddrinfo for host "nosuch" port 80: Name or service not known', 1),
        ("ip foo", 'Object "foo" is unknown, try "ip help".', 1),
        ("ip addr show dev nosuch", 'Device "nosuch" does not exist.', 1),
        ("ip route get nosuch", 'Error: any valid prefix is expected rather than "nosuch".', 1),
        ("ip route get", "need at least a destination address", 255),
        ("ip addr add 10.0.0.5/24 dev eth0", "RTNETLINK answers: Operation not permitted", 2),
        ("getent", "getent: wrong number of arguments", 1),
        ("lsof -i foo", "lsof: unknown protocol name (foo) in: -i foo", 1),
        ("arp nosuch", "nosuch: Unknown host", 255),
    ],
)
def test_usage_errors_are_the_tools_own(typed, line, said, code):
    ((found, _, err),) = typed(line)
    assert (found, err.splitlines()[0]) == (code, said)


def test_nc_says_which_ports_answer(typed):
    good, bad, ports = typed("nc -zv two 80", "nc -zv 10.0.0.12 81", "nc -zv 10.0.0.12 79-80")
    assert good == (0, "", "Connection to two (10.0.0.12) 80 port [tcp/http] succeeded!\n")
    assert bad == (1, "", "nc: connect to 10.0.0.12 port 81 (tcp) failed: Connection refused\n")
    assert ports[0] == 0
    assert ports[2].count("\n") == 2


def test_nc_passes_on_what_is_typed_and_what_is_answered(typed):
    ((code, out, _),) = typed("echo hello | nc 10.0.0.12 80")
    assert (code, out) == (0, "HELLO\n")


def test_nc_listens_for_one_caller(typed):
    line = "nc -lv -p 9000 & sleep 1; echo hello | nc -N 127.0.0.1 9000; sleep 1"
    taken, (code, out, err) = typed("nc -l 80 & sleep 1; nc -l 80", line)
    assert taken[2].endswith("nc: Address already in use\n")
    assert "hello\n" in out
    assert "Listening on 0.0.0.0 9000\nConnection received on localhost " in err + out
    assert code == 0


def test_nc_speaks_udp(typed):
    _, sockets, closed = typed(
        "nc -lu 9000 > got & sleep 1; echo hello | nc -uq 1 127.0.0.1 9000; cat got", "ss -uanp", "nc -zvu two 9"
    )
    assert 'UNCONN 0      0            0.0.0.0:9000      0.0.0.0:*    users:(("nc",' in sockets[1]
    assert closed == (1, "", "nc: connect to two (10.0.0.12) port 9 (udp) failed: Connection refused\n")


def test_nc_sends_what_was_written_at_once_in_one_datagram(typed):
    ((_, out, _),) = typed("tcpdump -i eth0 -nn -t -c 2 udp & sleep 1; seq 5000 | nc -uq 1 two 9; sleep 1")
    assert [int(line.split()[-1]) for line in out.splitlines() if ": UDP, length" in line] == [1940, 2073]


def test_ip_shows_interfaces_routes_and_neighbours(typed):
    addresses, brief, routes, way, neighbours, arp = typed(
        "ip -4 addr show eth0",
        "ip -br link",
        "ip route",
        "ip route get 10.244.1.2",
        "nc -z 10.0.0.12 80; ip neigh",
        "arp -n",
    )
    assert addresses[1] == (
        "2: eth0: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 qdisc fq_codel state UP group default qlen 1000\n"
        "    inet 10.0.0.11/24 brd 10.0.0.255 scope global eth0\n"
        "       valid_lft forever preferred_lft forever\n"
    )
    assert brief[1].splitlines()[1] == f"{'eth0':<16} {'UP':<14} 02:42:0a:00:00:0b <BROADCAST,MULTICAST,UP,LOWER_UP> "
    assert routes[1] == (
        "default via 10.0.0.254 dev eth0 \n"
        "10.0.0.0/24 dev eth0 proto kernel scope link src 10.0.0.11 \n"
        "10.244.1.0/24 via 10.0.0.12 dev eth0 \n"
    )
    assert way[1] == "10.244.1.2 via 10.0.0.12 dev eth0 src 10.0.0.11 uid 0 \n    cache \n"
    assert neighbours[1] in ("", "10.0.0.12 dev eth0 lladdr 02:42:0a:00:00:0c REACHABLE \n")
    assert arp[0] == 0


def test_a_pod_and_its_machine_have_the_two_ends_of_a_wire(run):
    async def story(world):
        two = world.add_host("two", "10.0.0.12")
        pod = world.network.add_namespace(two, "web.default", "10.244.1.2")
        found = []
        for host in (two, pod):
            terminal = Terminal(world, host, lambda work, _: world.loop.create_task(work))
            out = []
            await terminal.run("ip -br addr; ip route", lambda _, text, out=out: out.append(text))
            found.append("".join(out).splitlines())
        return found

    machine, pod = run(story)
    veth = next(line.split("@")[0] for line in machine if line.startswith("veth"))
    assert f"10.244.1.2 dev {veth} scope host " in machine
    assert pod == [
        f"{'lo':<16} {'UNKNOWN':<14} 127.0.0.1/8 ",
        f"{'eth0@if3':<16} {'UP':<14} 10.244.1.2/24 ",
        "default via 10.244.1.1 dev eth0 ",
        "10.244.1.0/24 via 10.244.1.1 dev eth0 src 10.244.1.2 ",
        "10.244.1.1 dev eth0 scope link src 10.244.1.2 ",
    ]


def test_traceroute_names_the_machine_on_the_way_to_a_pod(typed):
    near, far, nobody = typed("traceroute two", "traceroute -n 10.244.1.2", "traceroute -n 10.0.0.77")
    assert near[1].splitlines()[1] == " 1  two (10.0.0.12)  0.500 ms  0.500 ms  0.500 ms"
    assert [line.split()[:2] for line in far[1].splitlines()[1:]] == [["1", "10.0.0.12"], ["2", "10.244.1.2"]]
    assert nobody[1].splitlines()[1] == " 1  10.0.0.11  !H  !H  !H"


def test_lsof_and_getent_say_who_has_which_socket_and_which_address(typed):
    listed, pids, names, reverse, nobody = typed(
        "nc -l 9000 & sleep 1; lsof -i :9000 -nP", "lsof -ti :9000", "getent hosts two", "getent hosts 10.0.0.12",
        "lsof -i :9",
    )  # fmt: skip
    head, row = listed[1].splitlines()[-2:]
    assert head.split() == ["COMMAND", "PID", "USER", "FD", "TYPE", "DEVICE", "SIZE/OFF", "NODE", "NAME"]
    assert row.split()[0:1] + row.split()[2:5] + row.split()[6:] == [
        "nc",
        "root",
        "3u",
        "IPv4",
        "0t0",
        "TCP",
        "*:9000",
        "(LISTEN)",
    ]
    assert pids[1].strip().isdigit()
    assert names[1] == reverse[1] == f"{'10.0.0.12':<15} two\n"
    assert nobody == (1, "", "")


def test_hostname_says_the_address_too(typed):
    said = typed("hostname", "hostname -I", "hostname -i", "hostname -s", "hostname new")
    assert [(code, out or err) for code, out, err in said] == [
        (0, "one\n"), (0, "10.0.0.11 \n"), (0, "10.0.0.11\n"), (0, "one\n"),
        (1, "hostname: you must be root to change the host name\n"),
    ]  # fmt: skip


@pytest.mark.parametrize(("seconds", "text"), [(0.0005, "0.500"), (0.00123, "1.23"), (0.0123, "12.3"), (0.2, "200")])
def test_ping_prints_three_digits_that_count(seconds, text):
    assert _milliseconds(seconds) == text


def test_tcpdump_hears_echoes_and_datagrams(typed):
    line = "tcpdump -i eth0 -nn -t -c 4 & sleep 1; ping -q -c 1 two > /dev/null; echo hi | nc -uq 1 two 9; sleep 1"
    ((_, out, _),) = typed(line)
    shown = [line for line in out.splitlines() if line.startswith("IP ")]
    assert [line.split(", id")[0] for line in shown[:2]] == [
        "IP 10.0.0.11 > 10.0.0.12: ICMP echo request",
        "IP 10.0.0.12 > 10.0.0.11: ICMP echo reply",
    ]
    assert shown[2].endswith(" > 10.0.0.12.9: UDP, length 3")
    assert shown[3] == "IP 10.0.0.12 > 10.0.0.11: ICMP 10.0.0.12 udp port 9 unreachable, length 36"
