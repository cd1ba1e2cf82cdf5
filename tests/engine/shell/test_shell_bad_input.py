"""Whatever is typed: a clear error, no trace, and the cluster goes on."""

import contextlib
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cluster_engine.programs.kubectl import about
from cluster_engine.programs.kubectl.main import COMMANDS
from cluster_engine.shell.budget import TooDeepError
from cluster_engine.shell.syntax import SyntaxFailure, parse
from cluster_engine.world.bugs import APOLOGY

ARGUMENT_WORDS = (
    "pods pod deploy/web web nodes worker-1 node/worker-1 svc all pods,svc x/y/z / , a=b a- = nginx=nginx:1.27 - -- '' "
    "pods/web cm greeting secrets create nope deployments.apps deployment.v1.apps pods.v1. pod.spec.containers nginx "
    "http://x * system:basic-user ns default"
)
VALUE_WORDS = (
    "x 1 -1 a=b { {.items[*] yaml json name wide jsonpath={.a[9]} jsonpath={.metadata 5s web.yaml broken.yaml odd.yaml "
    "nope.yaml custom-columns=A custom-columns=A:.b client server [1,2 app% % condition=Ready delete"
)
ARGUMENTS, VALUES = ARGUMENT_WORDS.split(), VALUE_WORDS.split()
BROKEN = b"a: b: c\n"
ODD = b"kind: Pod\napiVersion: v1\nmetadata: null\n---\n[1, 2]\n"
LINES = 250


def _line(rng):
    words = ["kubectl", rng.choice([*COMMANDS, "frobnicate"])]
    words += rng.choices(ARGUMENTS, k=rng.randrange(4))
    command = COMMANDS.get(words[1])
    for flag in rng.choices(command.flags, k=rng.randrange(3)) if command and command.flags else ():
        if flag.name in ("watch", "watch-only", "follow"):
            continue
        words.append(f"--{flag.name}" if flag.kind == "bool" else f"--{flag.name}='{rng.choice(VALUES)}'")
    return " ".join(words)


@pytest.mark.bears_bugs
def test_no_line_is_too_odd_for_kubectl(workstation):
    rng = random.Random(20261121)

    async def story(sh):
        sh.host.files.write("/root/broken.yaml", BROKEN)
        sh.host.files.write("/root/odd.yaml", ODD)
        await sh.ok("kubectl apply -f web.yaml -f config.yaml")
        bugs = []
        for _ in range(LINES):
            line = _line(rng)
            done = await sh(line, interrupt_after=120)
            if APOLOGY in done.err or (done.code != 0 and not done.err + done.out):
                bugs.append((line, done))
        return bugs, await sh("kubectl get nodes --no-headers")

    bugs, after = workstation(story)
    assert not bugs
    assert after.out.count(" Ready ") + after.out.count("Ready,SchedulingDisabled") == 2, "the cluster goes on"


@given(st.text(alphabet="ab '\"\\;&|<>#$-=\n(){}`!*?[]", max_size=40))
def test_any_line_is_read_or_refused(line):
    with contextlib.suppress(SyntaxFailure, TooDeepError):
        parse(line)


@pytest.mark.bears_bugs
def test_a_bug_of_ours_is_told_and_the_cluster_goes_on(workstation, monkeypatch):
    async def broken(session, arguments):
        raise KeyError("oh")

    monkeypatch.setattr(about, "version", broken)

    async def story(sh):
        return await sh("kubectl version"), await sh("kubectl get nodes")

    failed, after = workstation(story)
    assert (failed.code, failed.err) == (70, f"kubectl: {APOLOGY}: KeyError: 'oh'\n")
    assert after.code == 0
