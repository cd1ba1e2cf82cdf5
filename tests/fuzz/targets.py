"""What is fuzzed, and which answers to it are right: nothing, or one of the errors a target names.

A target makes a case from a `random.Random` and takes it. Whatever else is raised is a bug of ours.
"""

import contextlib
import os
import random
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.fuzz import (
    clusters,
    dissectors,
    files,
    joining,
    making,
    names,
    policies,
    programs,
    recordings,
    scripts,
    streams,
)

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "visualizer.settings")  # refusals of sockets can be translated


@dataclass(frozen=True, slots=True)
class Target:
    """`cpu_seconds_max` bounds one case, on a busy machine.

    `prepare` makes once, for all cases, what is dear and the same for each; it returns what takes one case there. Each
    is then taken in a fork of the process that has prepared, and finds everything as it was.
    """

    make: Callable[[random.Random], Any]
    take: Callable[[Any], None]
    cpu_seconds_max: float = 10.0
    prepare: Callable[[], Callable[[Any], None]] | None = None


# -- documents ---------------------------------------------------------------------------------------------------------

MANIFEST = """apiVersion: apps/v1
kind: Deployment
metadata: {name: web, labels: &l {app: web}}
spec:
  replicas: 3
  selector: {matchLabels: *l}
  template:
    metadata:
      labels: {<<: *l, tier: "front"}
    spec:
      containers:
      - name: nginx
        image: nginx:1.27
        resources: {limits: {cpu: 100m, memory: 64Mi}}
        command: ['sh', "-c", |-
          sleep 1
          ]
---
apiVersion: v1
kind: List
items:
- {apiVersion: v1, kind: ConfigMap, metadata: {name: a}, data: {a: "1", when: 2026-01-01}}
"""
YAML_PIECES = ("&a", "*a", "*l", "<<: *l", "- ", ": ", "\n", "\n  ", "? ", "|", ">-", "!!binary ", "!!int ",
               "%YAML 1.1\n",
               "---\n", "...\n", "#", "{", "}", "[", "]", ",", "'", '"', "\t", "y", "0x1", ".inf", "~")  # fmt: skip


def make_yaml(rng: random.Random) -> str:
    return making.spoiled_text(rng, MANIFEST if rng.random() < 0.6 else making.text(rng, YAML_PIECES), YAML_PIECES)


def take_yaml(case: str) -> None:
    from cluster_engine.api import kinds, strict
    from cluster_engine.api.status import BadRequest
    from cluster_engine.programs.kubectl import documents

    try:
        found = list(documents.read_all(case))
    except documents.ManifestError:
        return
    for document in found:
        documents.to_yaml(document)
        documents.to_json(document)
        kind = kinds.BUILT_IN.by_kind(str(document.get("apiVersion")), str(document.get("kind")))
        if kind is not None:
            with contextlib.suppress(BadRequest):
                strict.check(kind, document)


def take_body(case: str) -> None:
    """A body on its way: the lens sees it first, then the API server reads it."""
    from cluster_engine.api import documents, strict
    from cluster_engine.lens import objects, rest

    raw = case.encode("utf-8", "surrogatepass")
    objects.read(raw)
    objects.read_watch_event(raw)
    rest._only_heartbeats(raw)
    try:
        documents.read_json(case)
        strict.duplicate_fields(case)
    except documents.Unreadable:
        return


BODY_KEYS = (
    "metadata",
    "name",
    "kind",
    "status",
    "conditions",
    "spec",
    "type",
    "object",
    "items",
    "ownerReferences",
    "a",
)


def make_body(rng: random.Random) -> str:
    return making.as_json(rng, making.value(rng, BODY_KEYS, 5))


APPLIED = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {
        "name": "web",
        "labels": {"a": "b"},
        "finalizers": ["x/y"],
        "annotations": {"kubectl.kubernetes.io/last-applied-configuration": "{}"},
    },
    "spec": {
        "replicas": 2,
        "selector": {"matchLabels": {"a": "b"}},
        "template": {"spec": {"containers": [{"name": "a", "ports": [{"containerPort": 80}], "env": [{"name": "E"}]}]}},
    },
}
OWNED = {
    "f:metadata": {"f:labels": {".": {}, "f:a": {}}, "f:finalizers": {'v:"x/y"': {}}},
    "f:spec": {"f:replicas": {}, "f:template": {"f:spec": {"f:containers": {'k:{"name":"a"}': {".": {}}}}}},
}
APPLY_KEYS = (*BODY_KEYS, "name", "f:spec", "f:a", ".", 'k:{"name":"a"}', 'v:"x/y"', "containers", "replicas", "ports")


def make_apply(rng: random.Random) -> tuple[list[str], list[str]]:
    """Configurations applied one after the other, and what is said to be owned before each."""
    configs = [making.as_json(rng, making.spoiled_value(rng, APPLIED, APPLY_KEYS)) for _ in range(3)]
    return configs, [making.as_json(rng, making.spoiled_value(rng, OWNED, APPLY_KEYS)) for _ in configs]


def take_apply(case: tuple[list[str], list[str]]) -> None:
    from datetime import UTC, datetime

    from cluster_engine.api import documents, kinds, strict
    from cluster_engine.api.status import Refusal
    from cluster_engine.apiserver.registry import managed_fields, server_side_apply

    live = None
    for number, (text, owned) in enumerate(zip(*case, strict=True)):
        manager = ("kubectl", "ci")[number % 2]
        writer = managed_fields.Writer(manager, "Apply", "apps/v1", "", datetime(2026, 1, 1, tzinfo=UTC))
        try:
            config, fields = documents.read_json(text.encode("utf-8", "replace")), documents.read_json(owned.encode())
            if not isinstance(config, dict):
                continue
            server_side_apply.check(kinds.DEPLOYMENT, config)
            new = server_side_apply.applied(kinds.DEPLOYMENT, live, config, writer, force=bool(number % 2))
            _, live = strict.check(kinds.DEPLOYMENT, new)
        except (documents.Unreadable, Refusal, UnicodeEncodeError):
            continue
        entry = {"manager": "x", "operation": "Update", "apiVersion": "apps/v1", "fieldsType": "FieldsV1"}
        entries = [{**entry, "fieldsV1": fields}]
        if managed_fields.is_valid(entries):
            live["metadata"]["managedFields"] = entries + live["metadata"].get("managedFields", [])


KUBECONFIG = """apiVersion: v1
kind: Config
current-context: me
clusters: [{name: k, cluster: {server: "https://10.0.0.1:6443", certificate-authority-data: TUU=}}]
users:
- name: u
  user: {client-certificate-data: TUU=, client-key: /key, token: t}
contexts: [{name: me, context: {cluster: k, user: u, namespace: default}}]
"""


def make_kubeconfig(rng: random.Random) -> bytes:
    spoiled = making.spoiled_text(rng, KUBECONFIG, (*YAML_PIECES, "https://[", ":99999", "server: ", "name: "))
    raw = spoiled.encode("utf-8", "surrogatepass")
    return making.spoiled_bytes(rng, raw) if rng.random() < 0.2 else raw


def take_kubeconfig(case: bytes) -> None:
    from cluster_engine.client import kubeconfig
    from cluster_engine.world.files import FileSystem

    files = FileSystem()
    files.write("/config", case)
    try:
        kubeconfig.pem_problem(kubeconfig.load(files, "/config"))
    except (kubeconfig.KubeConfigError, FileNotFoundError):
        return


# -- expressions -------------------------------------------------------------------------------------------------------

PODS: dict[str, Any] = {
    "kind": "List",
    "items": [
        {"metadata": {"name": f"p{n}", "labels": {"a.b/c": "d"}}, "spec": {"n": n, "nodeName": "w", "list": [[1], {}]}}
        for n in range(5)
    ],
}
JSONPATHS = (
    "{.items[*].metadata.name}", "{range .items[*]}{.metadata.name}{'\\n'}{end}", "{..name}", "{.items[0:2].spec}",
    "{.items[?(@.spec.n>2)].metadata.name}", "{$.items[-1]['metadata']}", "{.items[*]['spec.n','x']}", '{"a\\tb"}',
)  # fmt: skip
JSONPATH_PIECES = ("{", "}", "[", "]", "(", ")", "?", "@", ".", "..", "*", "$", "'", '"', "\\", ":", ",", "==",
                   "!=", "<", " ",
                   "range", "end", "items", "{range .items[*]}", "{end}", "[?(@.a)]", "[*]", "-1",
                   "99999999999999999999")  # fmt: skip


def make_jsonpath(rng: random.Random) -> str:
    return making.spoiled_text(rng, rng.choice(JSONPATHS), JSONPATH_PIECES)


def take_jsonpath(case: str) -> None:
    from cluster_engine.programs.kubectl import jsonpath
    from cluster_engine.programs.kubectl.errors import CommandError

    for use in (lambda: jsonpath.render(case, PODS), lambda: jsonpath.find(jsonpath.relaxed(case), PODS)):
        with contextlib.suppress(CommandError):
            use()


GREP_PIECES = ("\\(", "\\)", "(", ")", "a", "b", "*", "+", "?", "\\+", "|", "\\|", "{1,2}", "\\{2\\}", "{,", "[",
               "]", "[^", "[:alpha:]",
               "[[:digit:]]", "^", "$", ".", "\\w", "\\1", "\\", "a-z", "(a+)+", "{1000}", "é")  # fmt: skip
GREP_FLAGS = (
    "-E",
    "-F",
    "-i",
    "-v",
    "-c",
    "-n",
    "-o",
    "-w",
    "-x",
    "-q",
    "-A2",
    "-B",
    "-C1",
    "-m1",
    "-e",
    "--",
    "-P",
    "--count",
)


def make_grep(rng: random.Random) -> tuple[list[str], list[str]]:
    pattern = (
        making.text(rng, GREP_PIECES) if rng.random() < 0.5 else "".join(rng.choices(GREP_PIECES, k=rng.randrange(9)))
    )
    lines = [making.text(rng, ("a", "ab", "aaaa")) for _ in range(rng.randrange(6))]
    return [*rng.choices(GREP_FLAGS, k=rng.randrange(3)), pattern], lines


def take_grep(case: tuple[list[str], list[str]]) -> None:
    from cluster_engine.programs.grep import Grep, GrepError

    words, lines = case
    try:
        search = Grep(words)
        for line in lines:
            search.line(line)
        search.end()
    except GrepError:
        return


FILTERS = (
    "host 10.0.0.1 and (port 6443 or 2379) and not tcp[tcpflags] & (tcp-syn|tcp-fin) != 0",
    "src net 10.0.0.0/8 or portrange 1-1024", "ip[0] & 0xf = 5 and tcp[0:2] / 2 > 1000 || less 60",
    "( sport = :6443 or dport = :6443 ) and not src 127.0.0.0/8", "dst 10.0.0.1:443 sport >= :1024",
    'tcp.port == 6443 && !(ip.src != 10.0.0.0/8 or tcp.flags == 0x0002) and http2.headers.path contains "pods"',
)  # fmt: skip
FILTER_PIECES = ("(", ")", "[", "]", ":", " and ", " or ", " not ", "!", "&", "|", "<<", ">>", "=", "!=", "tcp", "udp",
                 "ip",
                 "host ", "port ", "net ", "src ", "dst ", "len", "0x", "/33", "1-", "10.0.0.1", "-", "*", "/", " = :",
                 "tcp[13]", "99999999999", "tcp.port", "ip.src", "\"", " contains ", " == ")  # fmt: skip


def make_filter(rng: random.Random) -> str:
    return making.spoiled_text(rng, rng.choice(FILTERS), FILTER_PIECES)


def take_filter(case: str) -> None:
    """A filter of tcpdump's, over packets, and the same words as one of ss's."""
    from cluster_engine.programs.capture import display_filter, expressions, packets
    from cluster_engine.programs.network import sockets, ss_filter
    from cluster_engine.world.tap import Endpoint
    from cluster_engine.world.tcp_states import State

    def resolve(name: str) -> str:
        raise OSError(name)

    one, other = Endpoint("10.0.0.1", 6443), Endpoint("10.0.0.11", 40000)
    raw = packets.ethernet(one, other, packets.ipv4(one, other, packets.TCP, bytes(range(60))), is_loopback=False)
    packet = packets.packet_of(raw, len(raw), packets.ETHERNET)
    with contextlib.suppress(expressions.ExpressionError):
        condition = expressions.condition_of(case, resolve)
        assert packet is None or condition(packet) in (True, False)
    with contextlib.suppress(display_filter.DisplayFilterError):
        shows = display_filter.condition_of(case)
        assert shows({"tcp.port": [1], "ip.src": ["10.0.0.1"], "tcp.flags": ["0x0002"]}) in (True, False)
    with contextlib.suppress(ss_filter.FilterSyntaxError, ss_filter.AddressError):
        holds = ss_filter.Filter(case.split(), resolve).condition()
        assert holds(sockets.Socket("tcp", State.ESTABLISHED, one, other)) in (True, False)


def make_capture(rng: random.Random) -> bytes:
    from cluster_engine.programs.capture import packets, pcap
    from cluster_engine.world.captures import Frame
    from cluster_engine.world.tap import Endpoint
    from tests.engine.lens import tls_recordings

    if rng.random() < 0.4:
        return making.spoiled_bytes(rng, tls_recordings.kinds()[rng.choice(("rsa", "resumed", "ecdhe", "tls13"))].file)
    file = pcap.header(rng.choice((packets.ETHERNET, packets.COOKED, 101)), 262_144)
    for _ in range(rng.randrange(6)):
        way = (Endpoint("10.0.0.1", rng.choice((53, 80, 6443))), Endpoint("10.0.0.11", 40000))
        payload = rng.choice((b"", b"GET / HTTP/1.1\r\n\r\n", rng.randbytes(40)))
        about = (rng.choice(("tcp", "udp")), *way) if rng.random() < 0.2 else None
        protocol = rng.choice(("tcp", "udp", "icmp"))
        for packet in packets.packets_of(
            Frame(protocol, None, None, way, way, True, "PA", 1, 1, 9, payload, about), way
        ):  # type: ignore[arg-type]
            raw = making.spoiled_bytes(rng, packets.ethernet(*way, packet, is_loopback=False))
            file += pcap.record(pcap.Record(rng.choice((0, 2**50, 1)), raw, rng.choice((len(raw), 0))))
    return making.spoiled_bytes(rng, file) if rng.random() < 0.3 else file


def take_capture(case: bytes) -> None:
    """A capture file that somebody has brought, read and printed in every style."""
    from cluster_engine.programs.capture import packets, pcap
    from cluster_engine.programs.capture.dissection import Dissection
    from cluster_engine.programs.capture.keys import explained
    from cluster_engine.programs.capture.lines import Printer, Style
    from tests.engine.lens import tls_recordings

    dissection = Dissection(["CLIENT_RANDOM x y", "\x00"], [tls_recordings.rsa_key()])
    printers = [Printer(Style(verbose=verbose, hexadecimal=2, with_text=1, shows_link=True)) for verbose in (0, 1, 3)]
    printers += [Printer(Style(ascii=2, times=times)) for times in (0, 2, 3, 4)]
    with contextlib.suppress(pcap.PcapError):
        reader = pcap.Reader(case)
        link = packets.COOKED if reader.link == packets.COOKED else packets.ETHERNET
        for one in reader.records():
            dissection.row(one, packets.packet_of(one.data, one.size, link))
            for printer in printers:
                printer.text(one.at, packets.packet_of(one.data, one.size, link), one.data, link)
    assert all(explained(dissection.trial, dissection.recordings()))


SELECTORS = (
    "app=web,tier in (front, back),!canary",
    "a!=b,c notin (d)",
    "metadata.name=web",
    "status.phase!=Running,spec.x=1",
)
SELECTOR_PIECES = (
    "=",
    "==",
    "!=",
    "!",
    "(",
    ")",
    ",",
    " in ",
    " notin ",
    "<",
    ">",
    " ",
    "\\",
    "\\,",
    "a",
    "metadata.name",
)
QUANTITIES = ("100m", "1.5Gi", "1e3", "-5", "12E", "0.5", "1n")
TOKENS = ("eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJ4In0.c2ln", "eyJ2IjoibWV0YS5rOHMuaW8vdjEiLCJydiI6NSwic3RhcnQiOiJhIn0")


def make_parameter(rng: random.Random) -> tuple[str, str]:
    of, right = rng.choice((
        ("label", rng.choice(SELECTORS)), ("field", rng.choice(SELECTORS)), ("quantity", rng.choice(QUANTITIES)),
        ("query", "watch=1&limit=5&resourceVersion=7&timeoutSeconds=9&continue=x"), ("continue", TOKENS[1]),
        ("accept", "application/json;as=Table;v=v1;g=meta.k8s.io,application/yaml;q=0.5,*/*"), ("duration", "1h2m3.5s"),
        ("path", 'status.conditions[type=Ready]["a.b"][0].status'), ("shell",
        "kubectl get pods | grep -v 'x' > f && echo \"a\""),
        ("url", "/apis/apps/v1/namespaces/default/deployments/web/scale"),
    ))  # fmt: skip
    return of, making.spoiled_text(rng, right, SELECTOR_PIECES)


def take_parameter(case: tuple[str, str]) -> None:
    from cluster_engine.api import durations, quantity, selectors
    from cluster_engine.api.kinds import POD
    from cluster_engine.api.status import Refusal
    from cluster_engine.apiserver import request_info
    from cluster_engine.apiserver.handlers import negotiation, options
    from cluster_engine.predicates import paths
    from cluster_engine.shell import budget, syntax

    of, text = case
    uses: dict[str, Callable[[str], Any]] = {
        "label": lambda text: selectors.parse_label(text).matches({"app": "web"}),
        "field": lambda text: selectors.parse_field(POD, text),
        "quantity": quantity.canonical,
        "query": lambda text: options.list_options(POD, request_info.parse_query(text), watch=False),
        "continue": lambda text: options.decode_continue(text, ""),
        "accept": negotiation.negotiate,
        "duration": durations.go_seconds,
        "path": paths.parse,
        "shell": syntax.parse,
        "url": lambda text: request_info.request_info("GET", text, text),
    }
    refusals: tuple[type[Exception], ...] = (Refusal,)
    if of in ("quantity", "path", "duration"):
        refusals = (ValueError,)
    elif of == "shell":
        refusals = (syntax.SyntaxFailure, budget.TooDeepError)
    try:
        uses[of](text)
    except refusals:
        return


# -- what pages send ---------------------------------------------------------------------------------------------------

PREDICATES: tuple[dict[str, Any], ...] = (
    {
        "entry": {
            "kind": "http.request",
            "from": "kubelet@*",
            "fields": {"path": "*a?b*", "status": {"least": 200}},
            "nth": 2,
        }
    },
    {"all": [{"objects": {"resource": "pods", "where": {"status.phase": ["Running", None]}, "count": {"most": 3}}}]},
    {"any": [{"not": {"answered": {"question": "q", "right": True}}}, {"passed": {"since": "x", "seconds": 5}}]},
)
FAULT: dict[str, Any] = {"name": "partition", "target": "worker-1", "other": "control-plane", "seconds": 30}
KEYS = ("entry", "objects", "all", "any", "not", "kind", "from", "fields", "count", "least", "most", "path", "nth",
        "name", "target",
        "type", "id", "line", "fault", "when", "answer", "question")  # fmt: skip
MESSAGES: tuple[dict[str, Any], ...] = (
    {"type": "watch", "after": 5},
    {"type": "command", "id": "c1", "line": "kubectl get pods"},
    {"type": "command", "id": "c2", "line": "cat", "keyboard": True},
    {"type": "keys", "id": "c2", "text": "a", "end": True},
    {"type": "resize", "id": "c2", "columns": 80, "rows": 24},
    {"type": "edited", "id": "c2", "text": "a: b"},
    {"type": "complete", "id": "t1", "line": "kubectl get po"},
    {"type": "interrupt"},
    {"type": "pace", "pace": 2.0},
    {"type": "inject", "id": "i1", "fault": FAULT, "when": PREDICATES[0], "sealed": True},
    {"type": "heal", "id": "h1", "fault": "f1"},
    {"type": "incident", "incident": 1, "fault": FAULT},
    {"type": "healIncident", "incident": 1},
    {"type": "advance", "beat": "b"},
    {"type": "answer", "question": "q", "answer": ["a", 3]},
    {"type": "break", "id": "b1", "fault": FAULT, "targets": {"all": True}, "when": "entry: {kind: x}"},
    {"type": "position", "seq": 7, "participants": ["a"], "text": "x"},
)


def make_predicate(rng: random.Random) -> Any:
    return making.spoiled_value(rng, rng.choice(PREDICATES), KEYS)


def take_predicate(case: Any) -> None:
    from cluster_engine import predicates

    try:
        predicates.read(case)
    except predicates.PredicateError:
        return


def make_message(rng: random.Random) -> str:
    document = making.spoiled_value(rng, rng.choice(MESSAGES), KEYS)
    return making.as_json(rng, document)[:200_000]


def take_message(case: str) -> None:
    """What a socket does with a text, down to what the engine reads."""
    import msgspec

    from cluster_engine import deeds, faults, predicates
    from visualizer import browser_protocol, json_bounds
    from visualizer.rooms import protocol

    raw = case.encode("utf-8", "surrogatepass")
    for decode, named in ((browser_protocol.decode, browser_protocol.command_of), (protocol.decode, protocol.break_of)):
        try:
            message: Any = decode(raw)
        except (msgspec.DecodeError, UnicodeError, json_bounds.OutOfBounds):
            named(case)
            continue
        assert not isinstance(message, deeds.Incident | deeds.HealIncident), "a page cannot do what an instructor does"
        try:
            if (fault := getattr(message, "fault", None)) is not None and isinstance(fault, dict):
                faults.write(faults.read(fault))
            if isinstance(getattr(message, "when", None), dict):
                predicates.read(message.when)
        except (faults.FaultError, predicates.PredicateError):
            pass


# -- lessons -----------------------------------------------------------------------------------------------------------

LESSON_PIECES = (
    *YAML_PIECES,
    "beats:",
    "id: ",
    "when:",
    "{entry: {kind: x}}",
    "question:",
    "run: kubectl get pods\n",
    "## beat x: y\n",
)


LESSONS = Path(__file__).parents[2] / "visualizer" / "lessons"


def make_lesson(rng: random.Random) -> tuple[str, str]:
    """A lesson.yaml and a page of prose; one of them is spoiled, often."""
    chosen = rng.choice(sorted(LESSONS.rglob("lesson.yaml")))
    said, words = chosen.read_text(), rng.choice(sorted(chosen.parent.glob("*.md"))).read_text()
    if rng.random() < 0.7:
        return making.spoiled_text(rng, said, LESSON_PIECES), words
    return said, making.spoiled_text(rng, words, LESSON_PIECES)


def take_lesson(case: tuple[str, str]) -> None:
    from visualizer.lessons import prose, reading
    from visualizer.lessons.source import InvalidLessonError

    said, words = (text.encode("utf-8", "replace") for text in case)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "exercises" / "x"
        folder.mkdir(parents=True)
        (folder / "lesson.yaml").write_bytes(said)
        with contextlib.suppress(InvalidLessonError):
            reading.read_lesson(folder)
    with contextlib.suppress(InvalidLessonError):
        prose.parse(words.decode(), "en.md")


TARGETS: dict[str, Target] = {
    "yaml": Target(make_yaml, take_yaml),
    "json": Target(make_body, take_body),
    "apply": Target(make_apply, take_apply),
    "kubeconfig": Target(make_kubeconfig, take_kubeconfig),
    "jsonpath": Target(make_jsonpath, take_jsonpath),
    "grep": Target(make_grep, take_grep, cpu_seconds_max=20.0),
    "sed": Target(scripts.make_sed, scripts.take_sed, cpu_seconds_max=20.0),
    "awk": Target(scripts.make_awk, scripts.take_awk, cpu_seconds_max=20.0),
    "jq": Target(scripts.make_jq, scripts.take_jq, cpu_seconds_max=20.0),
    "filters": Target(make_filter, take_filter),
    "captures": Target(make_capture, take_capture),
    "parameters": Target(make_parameter, take_parameter),
    "predicates": Target(make_predicate, take_predicate),
    "messages": Target(make_message, take_message),
    "lessons": Target(make_lesson, take_lesson),
    "policies": Target(policies.make_policy, policies.take_policy),
    "signing requests": Target(joining.make_request, joining.take_request),
    "bootstrap tokens": Target(joining.make_token, joining.take_token),
    "dns": Target(names.make_message, names.take_message),
    "corefiles": Target(names.make_corefile, names.take_corefile),
    "resolv.conf": Target(names.make_configuration, names.take_configuration),
    "databases": Target(files.make_database, files.take_database),
    "static pods": Target(files.make_manifest, files.take_manifest),
    "ssldump": Target(files.make_packets, files.take_packets),
    "der": Target(files.make_der, files.take_der),
    "gzip": Target(files.make_packed, files.take_packed),
    "dissectors": Target(dissectors.make, dissectors.take),
    "recordings": Target(recordings.make, recordings.take),
    "streams": Target(streams.make, streams.take),
    "programs": Target(programs.make, programs.take, cpu_seconds_max=20.0),
    "shell": Target(clusters.make_session, clusters.take_session, 60.0, lambda: clusters.Session().play),
    "etcd": Target(clusters.make_calls, clusters.take_calls, cpu_seconds_max=30.0),
}
