"""The landing page's picture, made from a real run: `python tests/web/landing_picture.py > templates/_picture.html`.

A cluster of one node is told `kubectl create deployment web --image=nginx`. From the message that starts the container
the causes are followed back to the command; of that chain the messages named in `SHOWN` are drawn, and between them it
says how many were left out. A test makes the chain again and holds the picture to it.
"""

import re
from dataclasses import dataclass
from html import escape
from typing import Any

from cluster_engine.cluster import Cluster, ClusterSpec
from cluster_engine.world.clock import Clock
from cluster_engine.world.loop import ClusterLoop
from cluster_engine.world.work import REAL_EFFORT
from tests.recent import EPOCH

Entry = dict[str, Any]

COMMAND = "kubectl create deployment web --image=nginx"
LANES = {
    "workstation/kubectl": ("you",),
    "control-plane/kube-apiserver": ("kube-", "apiserver"),
    "control-plane/etcd": ("etcd",),
    "control-plane/kube-controller-manager": ("controller-", "manager"),
    "control-plane/kube-scheduler": ("kube-", "scheduler"),
    "worker-1/kubelet": ("kubelet",),
    "worker-1/containerd": ("containerd",),
}
FAMILIES = {"http.request": "request", "watch.event": "watch", "grpc.request": "call", "etcd.event": "stored"}
SHOWN = (
    "POST deployments",
    "Txn create deployments/default/web",
    "PUT deployments/default/web",
    "ADDED deployment web",
    "POST replicasets",
    "POST pods",
    "ADDED pod web-*",
    "POST pods/web-*/binding",
    "RunPodSandbox web-*",
    "StartContainer web-*",
)
TITLE = (
    "A sequence diagram: kubectl posts a deployment to the API server, which stores it in etcd; controller-manager,"
    " scheduler and kubelet each hear of it by their watch and go on, until containerd starts the container."
)
AXIS, LANE, TOP, ROW, FOLD = 54, 64, 58, 26, 14
LETTER = 6.8


@dataclass(frozen=True)
class Row:
    """One arrow, or how many messages of the chain were left out before it."""

    seconds: float
    source: str
    target: str
    family: str
    label: str
    left_out: int


def chain() -> list[Entry]:
    """The messages that led from the command to the container's start, first to last, and the command before them."""
    loop = ClusterLoop(Clock())

    async def story() -> list[Entry]:
        spec = ClusterSpec(nodes=1, seed=1, pace=None, effort=REAL_EFFORT, epoch=EPOCH)
        async with Cluster(spec, loop) as cluster:
            await cluster.command(COMMAND, lambda *_: None)
            everything = lambda: cluster.journal.since(0, 10**6)  # noqa: E731
            starts = lambda: [one for one in everything() if one["label"].startswith("StartContainer web")]  # noqa: E731
            await cluster.world.until(lambda: bool(starts()), within_seconds=60)
            return _causes(starts()[0], {one["seq"]: one for one in everything()})

    try:
        return loop.run_until_complete(story())
    finally:
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()


def _causes(entry: Entry | None, by_seq: dict[int, Entry]) -> list[Entry]:
    found: list[Entry] = []
    while entry is not None:
        found.insert(0, entry)
        entry = by_seq.get(entry["cause"])
    return found


def short(label: str) -> str:
    """A label without what differs from run to run."""
    return re.sub(r"web-[a-z0-9]+(-[a-z0-9]+)?(/nginx)?", "web-*", label)


def rows(entries: list[Entry]) -> list[Row]:
    """What is drawn of a chain."""
    command, *messages = entries
    drawn: list[Row] = []
    left_out = 0
    for entry in messages:
        family = FAMILIES.get(entry["kind"])
        if family is None or short(entry["label"]) not in SHOWN:
            left_out += 1
            continue
        at = entry["at"] - command["at"]
        drawn.append(Row(at, entry["from"], entry["to"], family, short(entry["label"]), left_out))
        left_out = 0
    return drawn


def told(seconds: float) -> str:
    """A time since the command."""
    return f"{seconds * 1000:.1f} ms" if seconds < 1 else f"{seconds:.2f} s"


def svg(drawn: list[Row]) -> str:
    """The picture as a template."""
    height = TOP + 32 + sum(ROW + (FOLD if row.left_out else 0) for row in drawn) + 8
    width = AXIS + LANE * len(LANES)
    y = TOP + 32
    body: list[str] = []
    for row in drawn:
        if row.left_out:
            body.append(_left_out(row.left_out, y))
            y += FOLD
        body.append(_arrow(row, y, width))
        y += ROW
    return "\n".join(
        [
            "{% load i18n %}{# Made by tests/web/landing_picture.py from a real run; not by hand. #}",
            f'<svg class="picture" viewBox="0 0 {width} {height}" role="img" aria-labelledby="picture-title">',
            '<title id="picture-title">{% blocktrans trimmed %}' + TITLE + "{% endblocktrans %}</title>",
            *_heads(height),
            _command(),
            *body,
            "</svg>",
            "",
        ]
    )


def _x(lane: str) -> float:
    return AXIS + LANE * (list(LANES).index(lane) + 0.5)


def _heads(height: int) -> list[str]:
    hosts: dict[str, list[int]] = {}
    for number, lane in enumerate(LANES):
        hosts.setdefault(lane.split("/")[0], []).append(number)
    made = []
    for host, numbers in hosts.items():
        x, width = AXIS + LANE * numbers[0] + 1, LANE * len(numbers) - 2
        made.append(f'<rect class="host" x="{x}" y="2" width="{width}" height="17" rx="5"/>')
        made.append(f'<text class="host-name" x="{x + width / 2:g}" y="14">{host}</text>')
    for lane, words in LANES.items():
        x = _x(lane)
        made.append(f'<path class="lifeline" d="M{x:g} {TOP - 8}V{height}"/>')
        first = 42 if len(words) == 1 else 36
        for number, word in enumerate(words):
            shown = '{% trans "you" %}' if word == "you" else word
            made.append(f'<text class="lane" x="{x:g}" y="{first + 12 * number}">{shown}</text>')
    return made


def _command() -> str:
    width = len(COMMAND) * 6.7 + 22
    return (
        f'<g class="step command"><text class="time" x="{AXIS - 8}" y="{TOP + 17}">0</text>'
        f'<rect x="{AXIS + 4}" y="{TOP + 3}" width="{width:g}" height="22" rx="6"/>'
        f'<text class="typed" x="{AXIS + 12}" y="{TOP + 18}">$ {COMMAND}</text></g>'
    )


def _left_out(count: int, y: int) -> str:
    x = _x("control-plane/kube-apiserver")
    words = (
        "{% blocktrans trimmed count n=" + str(count) + " %}{{ n }} message between{% plural %}{{ n }} messages between"
        "{% endblocktrans %}"
    )
    line = f'<path d="M{AXIS} {y + 7}h{LANE * len(LANES)}"/>'
    return f'<g class="step fold">{line}<text x="{x:g}" y="{y + 10}">{words}</text></g>'


def _arrow(row: Row, y: int, width: int) -> str:
    start, end = _x(row.source), _x(row.target)
    way = 1 if end > start else -1
    tail, tip = y + 17, y + 21
    label = escape(row.label.replace("web-*", "web-…").replace("/default/", "/"))
    half = len(label) * LETTER / 2
    middle = min(max((start + end) / 2, AXIS + half), width - 3 - half)
    parts = [
        f'<text class="time" x="{AXIS - 8}" y="{tip}">{told(row.seconds)}</text>',
        f'<path class="line" d="M{start:g} {tail}L{end - 7 * way:g} {tip}"/>',
    ]
    if row.family in {"call", "stored"}:
        parts.append(f'<path class="core" d="M{start:g} {tail}L{end - 7 * way:g} {tip}"/>')
    if row.family in {"watch", "stored"}:
        parts.append(f'<circle class="tail" cx="{start:g}" cy="{tail}" r="3"/>')
    parts.append(f'<path class="head" d="M{end:g} {tip}l{-8 * way} -4.2v8z"/>')
    parts.append(f'<text class="label" x="{middle:g}" y="{y + 11}">{label}</text>')
    return f'<g class="step {row.family}">{"".join(parts)}</g>'


if __name__ == "__main__":
    print(svg(rows(chain())), end="")
