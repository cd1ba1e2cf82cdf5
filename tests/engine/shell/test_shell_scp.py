"""scp, by which files get from one host to another; and what else a shell knows of time and of its end."""

import asyncio

import pytest

from cluster_engine.faults.hosts import PowerOff
from cluster_engine.words.sentences import sentence


def test_files_and_directories_are_copied_from_host_to_host(workstation):
    async def story(sh):
        await sh.ok("mkdir -p m/deep; echo one > m/a.yaml; echo two > m/deep/b.yaml; chmod 600 m/a.yaml")
        await sh.ok("scp -qr m worker-1:/tmp")
        await sh.ok("scp worker-1:/tmp/m/*.yaml root@worker-1:/tmp/m/deep/b.yaml worker-2:")
        await sh.ok("scp worker-2:/root/b.yaml c.yaml")
        there = await sh.ok("ssh worker-2 'cat a.yaml b.yaml; ls -l a.yaml | cut -c1-10'")
        return there, await sh.ok("cat c.yaml; ssh worker-1 find /tmp/m -type f")

    there, here = workstation(story)
    assert there == "one\ntwo\n-rw-------\n"
    assert here == "two\n/tmp/m/a.yaml\n/tmp/m/deep/b.yaml\n"


@pytest.mark.parametrize(
    ("line", "code", "said"),
    [
        ("scp only-one", 1, "usage: scp [-346ABCOpqRrsTv]"),
        ("scp -Z a b", 1, "usage: scp [-346ABCOpqRrsTv]"),
        ("scp nosuch worker-1:/tmp", 1, 'scp: stat local "nosuch": No such file or directory\n'),
        ("scp worker-1:/nosuch .", 1, "scp: /nosuch: No such file or directory\n"),
        ("scp worker-1:/etc/kubernetes .", 1, 'scp: download "/etc/kubernetes": not a regular file\n'),
        ("scp config.yaml worker-1:/no/such", 1, 'scp: dest open "/no/such": No such file or directory\n'),
        ("scp config.yaml pod.yaml worker-1:/nosuch", 1, "scp: /nosuch: not a directory\n"),
        ("scp config.yaml nobody@worker-1:", 255, "nobody@worker-1: Permission denied (publickey).\nscp: Connection"),
        ("scp elsewhere:/x .", 255, "ssh: Could not resolve hostname elsewhere: Name or service not known\nscp: Conn"),
    ],
)
def test_what_cannot_be_copied_is_refused_in_scps_words(shared_workstation, line, code, said):
    async def story(sh):
        return await sh(line)

    done = shared_workstation(story)
    assert (done.code, done.out) == (code, "")
    assert done.err.startswith(said)


def test_a_host_without_power_takes_no_files(workstation):
    async def story(sh):
        sh.cluster.inject(PowerOff(target="worker-1"))
        await asyncio.sleep(1)
        return await sh("scp config.yaml worker-1:")

    done = workstation(story)
    assert (done.code, done.err) == (
        255,
        "ssh: connect to host worker-1 port 22: No route to host\nscp: Connection closed\n",
    )


def test_seconds_counts_from_the_shells_beginning_or_from_what_it_is_set_to(workstation):
    async def story(sh):
        before = int(await sh.ok("echo $SECONDS"))
        await asyncio.sleep(10)
        later = int(await sh.ok("echo $SECONDS"))
        return later - before, await sh.ok("SECONDS=0; sleep 3; echo $SECONDS; ssh worker-1 'echo $SECONDS'")

    passed, counted = workstation(story)
    assert passed == 10
    assert counted == "3\n0\n"


def test_a_program_that_ctrl_c_ends_is_interrupted_and_leaves_130(workstation):
    async def story(sh):
        done = await sh("kubectl get pods -w", interrupt_after=5)
        return done, sh.cluster.journal.since(0, 100_000)

    done, entries = workstation(story, capture=True)
    (ended,) = [one for one in entries if one["kind"] == "process.exited" and one["from"] == "workstation/kubectl"]
    assert (done.code, ended["fields"]["exitCode"]) == (130, 130)
    assert sentence(ended) == "kubectl was interrupted (exit code 130)"


def test_etcd_listens_at_its_hosts_address_and_at_localhost_and_a_kubelet_everywhere(shared_workstation):
    async def story(sh):
        etcd = await sh.ok("ssh control-plane ss -Htln")
        return etcd, await sh.ok("ssh worker-1 ss -Htln")

    etcd, kubelet = shared_workstation(story)
    listening = {line.split()[3] for line in etcd.splitlines()}
    assert {"127.0.0.1:2379", "10.0.0.1:2379", "10.0.0.1:2380", "127.0.0.1:2381"} <= listening
    assert "0.0.0.0:10250" in {line.split()[3] for line in kubelet.splitlines()}
