"""What a machine is and how it is, and small things about files: formats of the real programs, facts of this world."""

import json
import shutil
import subprocess

import pytest

HOG = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "hog"},
    "spec": {
        "restartPolicy": "Never",
        "nodeName": "worker-1",
        "containers": [
            {
                "name": "hog",
                "image": "polinux/stress",
                "command": ["stress", "--vm", "1", "--vm-bytes", "250M"],
                "resources": {"limits": {"memory": "100Mi"}},
            }
        ],
    },
}


def test_a_container_that_is_killed_for_want_of_memory_stands_in_the_kernels_log(workstation):
    async def story(sh):
        await sh.ok(f"echo '{json.dumps(HOG)}' | kubectl apply -f -; sleep 10; ssh worker-1")
        said = await sh.ok("dmesg | tail -1")
        assert "Memory cgroup out of memory: Killed process " in said
        assert " (stress) " in said
        assert said.split("] ", 1)[1] in await sh.ok("journalctl -k --no-pager")

    workstation(story)


def test_memory_and_disk_are_those_that_the_kubelet_tells_of(workstation):
    async def story(sh):
        capacity = json.loads(await sh.ok("kubectl get node worker-1 -o jsonpath={.status.capacity}"))
        await sh.ok("ssh worker-1")
        free = (await sh.ok("free")).splitlines()
        assert free[0].split() == ["total", "used", "free", "shared", "buff/cache", "available"]
        total, used, left = map(int, free[1].split()[1:4])
        assert (f"{total}Ki", used + left) == (capacity["memory"], total)
        disk = (await sh.ok("df /")).splitlines()[1].split()
        assert f"{disk[1]}Ki" == capacity["ephemeral-storage"]
        before = int(disk[2])
        await sh.ok("seq 500000 > /var/big")
        assert int((await sh.ok("df / | tail -1")).split()[2]) > before + 500_000
        assert "/dev/vda1 on / type ext4" in await sh.ok("mount")

    workstation(story)


def test_uptime_counts_from_the_last_boot(workstation):
    async def story(sh):
        await sh.ok("sleep 400; ssh worker-1")
        assert (await sh.ok("uptime -p")) == "up 6 minutes\n"
        assert " up 6 min,  1 user,  load average: " in await sh.ok("uptime")
        await sh.ok("exit")
        sh.cluster.world.host("worker-1").power_off()
        sh.cluster.world.host("worker-1").power_on()
        assert " up 0 min, " in await sh.ok("ssh worker-1 uptime")

    workstation(story)


def test_top_shows_the_processes_that_ps_shows(workstation):
    async def story(sh):
        await sh.ok("ssh worker-1")
        shown = (await sh.ok("top -b -n1")).splitlines()
        assert shown[6].split() == [
            "PID",
            "USER",
            "PR",
            "NI",
            "VIRT",
            "RES",
            "SHR",
            "S",
            "%CPU",
            "%MEM",
            "TIME+",
            "COMMAND",
        ]
        assert {"kubelet", "containerd", "top"} <= {line.split()[-1] for line in shown[7:]}
        twice = await sh.ok("top -b -n 2 -d 1 -p 1")
        assert twice.count("Tasks:") == 2
        assert (await sh("top -n x")).err == "top: failed to parse count argument: 'x'\n"

    workstation(story)


def test_a_machine_is_what_its_node_says(workstation):
    async def story(sh):
        info = json.loads(await sh.ok("kubectl get node worker-1 -o jsonpath={.status.nodeInfo}"))
        assert await sh.ok("uname -r") == f"{info['kernelVersion']}\n"
        assert await sh.ok("lsb_release -ds 2>/dev/null") == f"{info['osImage']}\n"
        assert await sh.ok("ssh worker-1 uname -n") == "worker-1\n"
        assert await sh.ok("uname; uname -sm; nproc") == "Linux\nLinux x86_64\n4\n"
        assert (await sh("uname -x")).err.startswith("uname: invalid option -- 'x'\n")

    workstation(story)


def test_files_are_called_by_what_is_in_them(workstation):
    async def story(sh):
        await sh.ok("ssh control-plane")
        told = await sh.ok("file /etc/kubernetes/pki/ca.crt /etc/kubernetes nothing")
        assert told.splitlines() == [
            "/etc/kubernetes/pki/ca.crt: PEM certificate",
            "/etc/kubernetes:            directory",
            "nothing:                    cannot open `nothing' (No such file or directory)",
        ]
        await sh.ok("echo '#!/bin/sh' > s; printf '{}' > j; : > e; printf x > n; tar cf t s; gzip -kc s > g")
        kinds = (await sh.ok("file -b s j e n t; file -bi j")).splitlines()
        assert kinds == [
            "POSIX shell script, ASCII text executable", "JSON text data", "empty",
            "ASCII text, with no line terminators", "POSIX tar archive", "application/json; charset=us-ascii",
        ]  # fmt: skip
        assert (await sh.ok("file -b g")).startswith('gzip compressed data, was "s", last modified: ')

    workstation(story)


def test_modes_owners_and_temporary_files(workstation):
    async def story(sh):
        assert await sh.ok("touch a; chmod 600 a; stat -c %a a; chmod u+x,go=r a; stat -c %a a") == "600\n744\n"
        assert await sh.ok("mkdir -p d/e; touch d/e/f; chmod -R go-r d; stat -c %a d d/e/f") == "711\n600\n"
        assert (await sh("chmod 9 a")).err.startswith("chmod: invalid mode: '9'\n")
        assert (await sh("chown bob a")).err == "chown: invalid user: 'bob'\n"
        assert await sh.ok("chown 1000:2000 a; stat -c '%u %g' a") == "1000 2000\n"
        assert await sh.ok('t=$(mktemp -d); test -d "$t" && echo yes') == "yes\n"
        assert (await sh("mktemp xx")).err == "mktemp: too few X's in template 'xx'\n"
        assert await sh.ok("cd d; realpath ../a; readlink -f e") == "/root/a\n/root/d/e\n"

    workstation(story)


def test_what_was_made_smaller_comes_back_as_it_was(workstation):
    async def story(sh):
        await sh.ok("seq 1000 > s; cp s t; gzip s")
        assert await sh.ok("zcat s.gz | cmp - t; gunzip s.gz; cmp s t; ls s t") == "s\nt\n"
        assert (await sh("gunzip s")).err == "gzip: s: unknown suffix -- ignored\n"
        assert (await sh("gzip nope")).err == "gzip: nope: No such file or directory\n"
        broken = await sh("gzip -c s | head -c 100 | gunzip")
        assert (broken.code, broken.err) == (1, "gzip: stdin: unexpected end of file\n")
        assert (
            await sh.ok("printf abcdef | head -c 2; printf abcdef | tail -c 2; printf abcdef | tail -c +5") == "abefef"
        )

    workstation(story)


def test_directories_are_counted_and_drawn(workstation):
    async def story(sh):
        await sh.ok("mkdir -p p/a/b; seq 2000 > p/a/x; touch p/a/.h")
        assert await sh.ok("tree p") == "p\n└── a\n    ├── b\n    └── x\n\n3 directories, 1 file\n"
        assert (await sh("tree nope")).out == "nope  [error opening dir]\n\n0 directories, 0 files\n"
        assert await sh.ok("du -s p/a/x; du -h p/a/x") == "12\tp/a/x\n12K\tp/a/x\n"
        assert (await sh.ok("du -s p")).split() == ["20", "p"]

    workstation(story)


@pytest.mark.skipif(shutil.which("tree") is None, reason="there is no tree to compare with")
@pytest.mark.parametrize(
    "line",
    [
        "tree a; tree -d a; tree -L 1 a", "cmp a/x a/y; cmp -l a/x a/y; cmp a/x a/z; cmp -s a/x a/y; echo $?",
        "chmod a/x; chmod zz a/x", "realpath -e nope; readlink a/x; echo $?", "file a/x a/z a/e; file -b a",
        "gzip -c a/x | gunzip; gunzip a/x; echo $?", "head -c 3 a/x; tail -c 3 a/x; tail -c +3 a/x; head -c -3 a/x",
        "uname -s -m -o; nproc >/dev/null", "cmp a/x; mktemp zz", "du a/nope; du -b a/x; df a/nope",
    ],
)  # fmt: skip
def test_the_real_ones_say_the_same(shared_workstation, tmp_path, line):
    made = "mkdir a a/d; printf 'one\\ntwo\\n' > a/x; printf 'one\\ntwe\\n' > a/y; printf one > a/z; : > a/e"
    real = subprocess.run(
        ["bash", "-c", f"{made}; {line}"], cwd=tmp_path, capture_output=True, text=True, check=False,
        env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"},
    )  # fmt: skip

    async def story(sh):
        done = await sh(f"rm -rf /w; mkdir /w; cd /w; {made}; {line}")
        plain = real.stderr.replace("‘", "'").replace("’", "'")
        assert (done.out, done.err) == (real.stdout, plain)

    shared_workstation(story)
