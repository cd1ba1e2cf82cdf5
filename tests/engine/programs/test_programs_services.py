"""systemctl, journalctl, ps and kill: a machine's services as their supervisor keeps them, and what they log."""

import asyncio
import json
import subprocess

from recent import EPOCH

PKI = "/etc/kubernetes/pki/etcd"


def test_a_stopped_service_stays_down_until_it_is_started(workstation):
    async def story(sh):
        await sh.ok("ssh worker-1")
        assert await sh.ok("systemctl is-active kubelet; systemctl stop kubelet") == "active\n"
        stopped = await sh("sleep 60; systemctl status kubelet")
        assert stopped.code == 3
        assert stopped.lines[0] == "○ kubelet.service - kubelet: The Kubernetes Node Agent"
        assert stopped.lines[2].startswith(f"     Active: inactive (dead) since {EPOCH:%a %F} 10:00:00 UTC; 1min ")
        assert (await sh("kubectl get node worker-1; pidof kubelet")).code == 1
        await sh.ok("systemctl start kubelet; sleep 30")
        started = await sh.ok("systemctl status kubelet")
        assert f"Active: active (running) since {EPOCH:%a %F} 10:01:00 UTC; 30s ago" in started

    workstation(story)


def test_what_is_killed_is_started_again_and_the_log_says_so(workstation):
    async def story(sh):
        await sh.ok("ssh worker-1")
        before = await sh.ok("pidof kubelet")
        await sh.ok(f"kill -9 {before}")
        assert "activating (auto-restart) (Result: signal)" in (await sh("systemctl status kubelet")).out
        await sh.ok("sleep 11; systemctl is-active kubelet")
        assert int(await sh.ok("pgrep kubelet")) > int(before)
        log = (await sh.ok("journalctl -u kubelet --no-pager -o cat -n 4")).splitlines()
        assert log == [
            "kubelet.service: Main process exited, code=killed, status=9/KILL",
            "kubelet.service: Failed with result 'signal'.",
            "kubelet.service: Scheduled restart job, restart counter is at 1.",
            "Started kubelet.service - kubelet: The Kubernetes Node Agent.",
        ]

    workstation(story)


def test_a_service_that_a_fault_holds_down_can_be_started_by_hand(workstation):
    from cluster_engine.faults.components import Stop

    async def story(sh):
        fault = sh.cluster.inject(Stop(target="worker-1/kubelet"))
        await sh.ok("ssh worker-1; sleep 5")
        assert (await sh("systemctl is-active kubelet")).code == 3
        await sh.ok("systemctl start kubelet; systemctl is-active kubelet")
        await sh.cluster.heal(fault)
        await sh.ok("systemctl is-active kubelet")

    workstation(story)


def test_components_log_in_the_forms_of_the_real_ones(workstation):
    async def story(sh):
        kubelet = await sh.ok("ssh worker-1 journalctl -u kubelet")
        (line,) = [line for line in kubelet.splitlines() if "registered" in line]
        head, _, text = line.partition("] ")
        assert head.startswith(f"{EPOCH:%b} 01 10:00:00 worker-1 kubelet[102]: I{EPOCH:%m}01 10:00:00.")
        assert head.rpartition(" ")[2].startswith("kubelet/node.py:")
        assert text == '"successfully registered node worker-1"'
        containerd = await sh.ok("ssh worker-1 journalctl -u containerd -o cat -n 1")
        assert containerd.startswith(f'time="{EPOCH:%F}T10:00:00.')
        assert "level=info msg=" in containerd
        revision = json.loads(await sh.ok("kubectl get ns default -o json"))["metadata"]["resourceVersion"]
        files = f"--cacert {PKI}/ca.crt --cert {PKI}/peer.crt --key {PKI}/peer.key"
        await sh.ok(f"ssh control-plane etcdctl {files} compact {revision}")
        zap = json.loads(await sh.ok("ssh control-plane journalctl -u etcd -o cat -n 1"))
        assert list(zap)[:4] == ["level", "ts", "caller", "msg"]
        assert zap["revision"] == int(revision)

    workstation(story)


def test_a_log_is_followed_as_it_grows(workstation):
    async def story(sh):
        await sh.ok("ssh worker-1")
        followed = await sh(
            "journalctl -fu kubelet -n 0 & sleep 1; systemctl restart kubelet; sleep 2", interrupt_after=30
        )
        assert [line.partition(": ")[2].split(" ")[0] for line in followed.lines][:3] == [
            "Stopping",
            "kubelet.service:",
            "Stopped",
        ]
        quiet = await sh(f"journalctl -u kubelet --since '{EPOCH:%F} 11:00'")
        assert quiet.out == "-- No entries --\n"

    workstation(story)


def test_a_log_outlives_the_power_and_a_boot_is_told_from_another(workstation):
    from cluster_engine.faults.hosts import PowerOff

    async def story(sh):
        fault = sh.cluster.inject(PowerOff(target="worker-1"))
        await sh.ok("sleep 5")
        await sh.cluster.heal(fault)
        await sh.ok("sleep 5")
        log = await sh.ok("ssh worker-1 journalctl -u kubelet")
        assert log.count("Started kubelet.service") == 2
        assert log.count("-- Boot ") == 1
        assert (await sh.ok("ssh worker-1 journalctl -u kubelet -b")).count("Started kubelet.service") == 1

    workstation(story)


def test_processes_stand_with_their_command_lines(workstation):
    async def story(sh):
        shown = await sh.ok("ssh worker-1 ps -C kubelet -o pid,args --no-headers")
        assert "/usr/bin/kubelet --bootstrap-kubeconfig=" in shown
        names = (await sh.ok("ssh worker-1 ps -eo comm=")).split()
        assert names == ["systemd", "containerd", "kubelet", "kube-proxy", "ps"]
        assert "ps aux" in await sh.ok("ps aux | grep pts/0")
        assert (await sh("ps -C nothing")).code == 1

    workstation(story)


PS = ("aux", "-ef", "", "-o pid,ppid,user,comm,args", "axo pid,etime,stat,tty,cmd", "-eo pid=,comm",
      "-o pid,lstart,start,pcpu,pmem,vsz,rss,time,stime", "-o user,pid,ni,pri,nlwp,etimes")  # fmt: skip


def test_the_real_ps_has_the_same_columns(workstation):
    """How wide PID is depends on the kernel's pid_max."""

    def real(flags):
        return subprocess.run(["ps", *flags.split()], capture_output=True, text=True, check=False).stdout.splitlines()

    heads = {flags: real(flags)[0].split() for flags in PS}

    async def story(sh):
        for flags, head in heads.items():
            assert (await sh.ok(f"ps {flags} | head -1")).split() == head, flags

    workstation(story)


REFUSED = (
    ("systemctl status nothing", 4, "Unit nothing.service could not be found.\n"),
    ("systemctl start nothing", 5, "Failed to start nothing.service: Unit nothing.service not found.\n"),
    ("systemctl stop nothing", 5, "Failed to stop nothing.service: Unit nothing.service not loaded.\n"),
    ("systemctl frobnicate", 1, "Unknown command verb frobnicate.\n"),
    ("journalctl --since whenever", 1, "Failed to parse timestamp: whenever\n"),
    ("journalctl -o xml", 1, "Unknown output format 'xml'.\n"),
    ("kill 99999", 1, "sh: kill: (99999) - No such process\n"),
    ("kill -NOPE 1", 1, "sh: kill: NOPE: invalid signal specification\n"),
    ("pgrep '('", 2, "pgrep: (: Invalid regular expression\n"),
    ("pkill '('", 2, "pkill: (: Invalid regular expression\n"),
    ("pkill -9", 2, "pkill: no matching criteria specified\nTry `pkill --help' for more information.\n"),
    ("ps -o nothing", 1, 'error: unknown user-defined format specifier "nothing"\n\nUsage:\n ps [options]\n'),
)


def test_what_makes_no_sense_is_refused_in_the_real_ones_words(workstation):
    async def story(sh):
        for line, code, says in REFUSED:
            done = await sh(line)
            assert (done.code, done.err) == (code, says), line

    workstation(story)


def test_the_shell_of_a_loop_in_the_background_is_found_on_its_machine_and_killed(workstation):
    async def story(sh):
        loop = "while true; do date >> /root/beats; sleep 5; done"
        await sh.ok(f"ssh worker-1 '{loop} &'")
        await sh.ok("ssh worker-1 'sleep 900 &'")
        assert await sh.ok("ssh worker-1 pgrep -a bash") == f"{await pid_of(sh)} bash -c {loop} &\n"
        await sh.ok(f"ssh worker-1 kill {await pid_of(sh)}")
        await asyncio.sleep(1)
        assert (await sh("ssh worker-1 pgrep bash")).code == 1
        beats = await sh.ok("ssh worker-1 cat beats")
        await asyncio.sleep(30)
        assert await sh.ok("ssh worker-1 cat beats") == beats
        assert await sh.ok("ssh worker-1 pgrep -a sleep") == f"{await pid_of(sh, 'sleep')} sleep 900\n"

    async def pid_of(sh, name="bash"):
        return (await sh.ok(f"ssh worker-1 pidof {name}")).strip()

    workstation(story)


def test_what_pgrep_finds_pkill_signals_and_nothing_else(workstation):
    async def story(sh):
        await sh.ok("ssh worker-1 'sleep 700 &'; ssh worker-1 'sleep 800 &'")
        pid = (await sh.ok("ssh worker-1 pgrep -f 700")).strip()
        assert await sh.ok("ssh worker-1 pkill -KILL -e -f 'sleep.7'") == f"sleep killed (pid {pid})\n"
        assert "700" not in await sh.ok("ssh worker-1 pgrep -a sleep")
        assert (await sh("ssh worker-1 pkill -f 'sleep.7'")).code == 1
        await sh.ok("ssh worker-1 pkill sleep")
        assert (await sh("ssh worker-1 pgrep sleep")).code == 1

    workstation(story)


def test_the_shell_of_a_list_in_the_background_is_there_as_long_as_the_list_runs(workstation):
    async def story(sh):
        begun = await sh("(sleep 3; false) & echo $!; sleep 1; pidof bash; wait $!; echo $?; pidof bash")
        said, found, code = begun.out.splitlines()
        assert (said, code) == (found, "1")

    workstation(story)
