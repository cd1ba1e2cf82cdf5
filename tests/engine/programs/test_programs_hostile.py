"""Lines made to take for ever, to break what reads them or to fill memory: each ends soon, with a word."""

import time

import pytest

from cluster_engine.api.durations import go_seconds
from cluster_engine.programs.kubectl import jsonpath
from cluster_engine.programs.kubectl.errors import CommandError
from cluster_engine.world.bugs import APOLOGY

CPU_SECONDS_MAX = 10.0
PODS = {"items": [{"metadata": {"name": f"p{n}", "labels": {"a": "b"}}, "spec": {"n": n}} for n in range(30)]}


@pytest.mark.parametrize(
    ("template", "words"),
    [
        (f"{{.items[?(@{' ' * 30_000}!)]}}", "unrecognized identifier in filter"),
        (f"{{.items[?(@.a{' ' * 30_000}x)]}}", None),
        ("{" + ".." * 30 + "}", "too large"),
        ("{.items[0].metadata" + "." * 600 + "name}", "too large"),  # few values, but at each of so many steps
        ("{range .items[*]}" * 10 + "{.metadata.name}" + "{end}" * 10, None),
        ("{range $.items[*]}" * 10 + "x" + "{end}" * 10, "too large"),
        ("{range $.items[*]}" * 2 + "{$}" + "{end}" * 2, None),
        ("{range $.items[*]}" * 3 + "{$}" + "{end}" * 3, "too large"),
        ("{range .items[*]}" * 5000 + "{end}" * 5000, "ranges in one another"),
        (f"{{.items[{'9' * 5000}]}}", "invalid array index"),
        (f"{{.items[{'9' * 5000}:1]}}", "invalid array index"),
        ("{" + "[?(" * 10_000 + "}", "unterminated filter"),
        ("{'" + "\\" * 30_000 + "}", "unclosed action"),
    ],
    ids=lambda text: str(text)[:24],
)
def test_no_jsonpath_takes_long_or_much(template, words):
    began = time.process_time()
    if words is None:
        jsonpath.render(template, PODS)
    else:
        with pytest.raises(CommandError, match=words):
            jsonpath.render(template, PODS)
    assert time.process_time() - began < CPU_SECONDS_MAX


@pytest.mark.parametrize(
    ("condition", "names"),
    [
        ("@.spec.n==3", ["p3"]),
        ("@.spec.n < 2", ["p0", "p1"]),
        ("@.metadata.name=='p7'", ["p7"]),
        (" @.spec.n >= 29 ", ["p29"]),
        ("@.spec.missing", []),
        ('@.metadata.name!="p0"', [f"p{n}" for n in range(1, 30)]),
    ],
)
def test_filters_are_read_at_their_first_operator(condition, names):
    assert jsonpath.find(f".items[?({condition})].metadata.name", PODS) == names


@pytest.mark.parametrize("text", ["1" * 30_000, "9" * 30 + "h", "1h1", "٣s", "h", ""])
def test_what_is_no_duration_of_go_is_none(text):
    with pytest.raises(ValueError, match="invalid duration"):
        go_seconds(text)


NESTED = '{"a":' * 8_000 + "1" + "}" * 8_000
LAUGHS = b"".join(b"b%d: &b%d [%s]\n" % (n, n, b",".join([b"*b%d" % (n - 1)] * 9)) for n in range(1, 10))
FILES = {
    "deep": b"[" * 30_000,
    "maps": b"{a: " * 30_000,
    "laughs": b"b0: &b0 [x,x,x,x,x,x,x,x,x]\n" + LAUGHS,
    "long": b"kind: ConfigMap\napiVersion: v1\nmetadata: {name: a}\ndata: {n: " + b"9" * 30_000 + b"}\n",
    "items": b"kind: List\napiVersion: v1\nitems: 5\n",
    "cpu": b"kind: Pod\napiVersion: v1\nmetadata: {name: a}\n"
    b"spec: {containers: [{name: a, image: nginx, resources: {limits: {cpu: '1e99999999', memory: 9E}}}]}\n",
    "inf": b"kind: ConfigMap\napiVersion: v1\nmetadata: {name: a}\ndata: {n: .inf}\n",
}  # fmt: skip
LINES = [
    ("kubectl apply -f deep", "yaml: exceeded max depth"),
    ("kubectl apply -f maps", "yaml: exceeded max depth"),
    ("kubectl apply -f laughs", "yaml: document contains excessive aliasing"),
    ("kubectl create -f long", "created"),
    ("kubectl apply -f items", "json: cannot unmarshal number into Go struct field List.items"),
    ("kubectl apply -f inf", "json: unsupported value: +Inf"),
    ("kubectl create -f cpu", "created"),
    ("kubectl --kubeconfig=deep get nodes", 'error loading config file "/root/deep": yaml: exceeded max depth'),
    ("kubectl --kubeconfig=laughs get nodes", "document contains excessive aliasing"),
    ("kubectl --kubeconfig=items get nodes", 'context "" does not exist'),
    ("kubectl config view --kubeconfig=deep", "exceeded max depth"),
    (f"kubectl patch node worker-1 -p '{'[' * 8_000}'", "yaml: exceeded max depth"),
    (f"kubectl patch node worker-1 -p '{NESTED}'", "exceeded max depth"),
    ("kubectl patch node worker-1 -p 'a: b: c'", 'error: unable to parse "a: b: c": yaml: mapping values'),
    (f"kubectl taint node worker-1 {'a' * 30_000}::", "invalid taint spec"),
    ("kubectl taint node worker-1 a=b=c:NoSchedule", "invalid taint spec: a=b=c:NoSchedule"),
    ("kubectl taint node worker-1 a=b:Nope", "invalid taint effect: Nope, unsupported taint effect"),
    ("kubectl taint node worker-1 a=b", "invalid taint spec: a=b"),
    ("kubectl taint node worker-1 -- -a:NoSchedule", "name part must consist of"),
    (f"kubectl get nodes -o jsonpath='{{.items[?(@{' ' * 3_000}!)]}}'", "unrecognized identifier in filter"),
    (f"kubectl get pods -l '{' ' * 30_000}!!'", "found '!', expected: identifier"),
    (f"kubectl get pods --chunk-size={'9' * 5_000}", "value out of range"),
    (f"kubectl scale deploy web --replicas={'9' * 5_000}", "value out of range"),
    ("kubectl get --raw '/api/v1/pods?limit=99999999999999999999'", "value out of range"),
]  # fmt: skip


@pytest.mark.bears_bugs
def test_hostile_lines_end_soon_with_a_word_and_the_cluster_goes_on(workstation):
    async def story(sh):
        for name, content in FILES.items():
            sh.host.files.write(f"/root/{name}", content)
        told = []
        for line, words in LINES:
            began = time.process_time()
            done = await sh(line)
            took = time.process_time() - began
            if words not in done.out + done.err or APOLOGY in done.err or took > CPU_SECONDS_MAX:
                told.append((line[:60], (done.out + done.err)[:200], took))
        return told, await sh.ok("kubectl get nodes --no-headers")

    told, after = workstation(story, capture=True)
    assert told == []
    assert after.count(" Ready ") == 2
