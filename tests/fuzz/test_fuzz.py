"""A few cases of every target, what was found once, and the judge itself."""

import random

import pytest

from tests.fuzz import spoiled
from tests.fuzz.__main__ import main
from tests.fuzz.judge import judge, take
from tests.fuzz.targets import TARGETS

CASES = {"shell": 10, "etcd": 30, "lessons": 15}


@pytest.mark.parametrize("name", TARGETS)
@pytest.mark.long
def test_a_few_cases_of_every_target_are_answered_rightly(name):
    verdict = judge(name, seed=20261121, seconds=600, cases=CASES.get(name, 150))
    assert verdict.findings == []
    assert verdict.cases == CASES.get(name, 150)


@pytest.mark.parametrize("name", TARGETS)
def test_a_case_is_its_seed(name):
    first, again, other = (repr(TARGETS[name].make(random.Random(f"{name}:1:{case}"))) for case in (7, 7, 8))
    assert first == again != other


@pytest.mark.parametrize(
    ("name", "case"),
    [
        ("dissectors", ("certificate", bytes.fromhex("3009 3000 3000 0303003000"), 0)),
        ("etcd", [("/etcdserverpb.Lease/LeaseKeepAlive", b"\xf4")]),
        ("json", f"[{'9' * 400}]"),
        ("yaml", "kind: List\nitems: [null]\n"),
        ("parameters", ("query", "resourceVersion=7²")),
        ("programs", (b"a", ["uniq odd /", "ps --sort=zz", "arp 'a\0'", "curl -X 中 http://10.0.0.11"])),
        ("shell", ("", ["kubectl attach '?'", "kubectl cordon '?'", "kubectl cp 'b?:/c' a"])),
        ("shell", ("", ["kubectl config view -o name"])),
        ("shell", ("", ["kubectl patch node worker-1 -p '" + '{"a":' * 8_000 + "'"])),
    ],
)
def test_what_was_found_once_is_mended(name, case):
    TARGETS[name].take(case)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("raises", "KeyError: 'oh'"),
        ("loops", "SIGXCPU"),
        ("swells", "MemoryError"),
        ("dies", "SIGSEGV"),
        ("raises in a fork", "KeyError: 'oh'"),
        ("dies in a fork", "SIGSEGV"),
    ],
)
@pytest.mark.long
def test_the_judge_finds_what_is_wrong_and_goes_on_behind_it(name, words):
    verdict = judge(name, seed=1, seconds=600, cases=2 * spoiled.WRONG_CASE, module="tests.fuzz.spoiled")
    assert verdict.findings[0].case == spoiled.WRONG_CASE
    assert words in verdict.findings[0].what
    assert verdict.cases == 2 * spoiled.WRONG_CASE


def test_a_case_that_is_slow_but_ends_is_found(monkeypatch):
    target = TARGETS["json"]
    slow = type(target)(lambda rng: None, lambda case: sum(range(30_000_000)), cpu_seconds_max=0.01)
    monkeypatch.setattr("tests.fuzz.judge.resource.setrlimit", lambda *_: None)
    assert "s of CPU" in take(slow, "slow", 1, 0)


def test_one_case_can_be_taken_again_by_hand(capsys, monkeypatch):
    monkeypatch.setattr("tests.fuzz.judge.resource.setrlimit", lambda *_: None)
    assert main(["json", "--seed", "1", "--case", "3"]) == 0
    assert "nothing is wrong with it" in capsys.readouterr().out
    with pytest.raises(SystemExit):
        main(["nonsense"])
