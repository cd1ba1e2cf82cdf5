"""The figures of `make bench`, one function each: it measures once and gives a dict of numbers."""

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cluster_engine.cluster import Cluster, ClusterSpec
from cluster_engine.collecting import collect_seldom
from cluster_engine.world.clock import Clock
from cluster_engine.world.loop import ClusterLoop

Numbers = dict[str, Any]
IDLE_SECONDS = 3600
ROOT = Path(__file__).parent.parent.parent


@dataclass(frozen=True)
class Figure:
    """What is measured and against which target. A row is (key, unit, target)."""

    measure: Callable[[], Numbers]
    rows: list[tuple[str, str, str]]
    runs: int = 5

    def title(self, key: str) -> str:
        """Name a row for the table."""
        return key.replace("_", " ")


def in_cluster(story: Callable[[Cluster], Any], *, make: Callable[..., Cluster] = Cluster, **spec: Any) -> Any:
    """Run a story in a leaping cluster; `story` is an async function of it."""
    loop = ClusterLoop(Clock())

    async def tell() -> Any:
        async with make(ClusterSpec(**{"pace": None, **spec}), loop) as cluster:
            return await story(cluster)

    try:
        return loop.run_until_complete(tell())
    finally:
        loop.close()


def cold_start() -> Numbers:
    """CPU of a whole process from its start to all components synced."""
    numbers: Numbers = {}
    for key, extra in (("cold_start_cpu_without_capture", []), ("cold_start_cpu_with_lens", ["--journal", os.devnull])):
        command = [sys.executable, "-m", "cluster_engine", "up", "--gateway", "127.0.0.1:0", *extra]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            told = json.loads(process.stdout.readline())
            process.terminate()
        numbers[key] = told["cpuSeconds"]
    in_cluster(_nothing)  # programs are loaded as they start
    before = time.process_time()
    in_cluster(_nothing)
    numbers["cluster_start_cpu_imports_done"] = time.process_time() - before
    return numbers


async def _nothing(_: Cluster) -> None:
    """The cluster is up; that was all."""


def memory() -> Numbers:
    """Resident memory of a worker with one cluster, and what each further one adds, captures on."""
    import psutil

    from cluster_engine.thread import ClusterThread

    def resident() -> float:
        return float(psutil.Process().memory_info().rss) / 2**20

    def add() -> ClusterThread:
        thread = ClusterThread(ClusterSpec(pace=1.0))
        thread.start().result()
        thread.command("kubectl create deployment web --image=nginx --replicas=3", lambda *_: None).result()
        return thread

    threads = [add()]
    first = resident()
    threads += [add() for _ in range(5)]
    each = (resident() - first) / 5
    for thread in threads:
        thread.stop().result()
    return {"resident_with_first_cluster": first, "resident_each_further_cluster": each}


def deployment() -> Numbers:
    """CPU from typing `kubectl create deployment` with three replicas to all of them running, lens on and off."""
    numbers: Numbers = {}

    async def story(cluster: Cluster) -> None:
        await cluster.command("kubectl get nodes", lambda *_: None)
        await asyncio.sleep(5)
        head = cluster.journal.head if cluster.journal else 0
        before, began = time.process_time(), cluster.loop.time()
        await cluster.command("kubectl create deployment web --image=nginx --replicas=3", lambda *_: None)
        await cluster.command("kubectl rollout status deployment/web", lambda *_: None)
        key = "with_lens" if cluster.journal else "without_capture"
        numbers[f"deployment_of_three_cpu_{key}"] = time.process_time() - before
        numbers["deployment_of_three_virtual_time"] = cluster.loop.time() - began
        if cluster.journal:
            numbers["deployment_of_three_entries"] = cluster.journal.head - head

    in_cluster(story)
    in_cluster(story, capture=False)
    return numbers


def first_bytes() -> Numbers:
    """CPU from typing a program to its first byte, the first time in a process and again."""
    from tests.bench.first_bytes import measure

    return dict(measure())


def _first_bytes_rows() -> list[tuple[str, str, str]]:
    names = ("kubectl", "curl", "openssl", "wget", "dig", "ss", "jq", "awk", "tcpdump")
    return [(f"first_byte_of_{name}{end}", "ms", "≤ 20 ms") for name in names for end in ("", "_again")]


def pod_to_pod() -> Numbers:
    """CPU of an HTTP request from a pod by a Service to a pod, lens on and off."""
    from tests.bench.pod_to_pod import measure

    return dict(measure())


def new_node() -> Numbers:
    """CPU of a machine that joins, lens on and off."""
    from tests.bench.new_node import measure

    return dict(measure())


def idle() -> Numbers:
    """CPU of an hour of idle cluster time, lens on and off."""
    numbers: Numbers = {}

    async def story(cluster: Cluster) -> None:
        await asyncio.sleep(60)
        before = time.process_time()
        await asyncio.sleep(IDLE_SECONDS)
        numbers[f"idle_hour_cpu_{'with_lens' if cluster.journal else 'without_capture'}"] = time.process_time() - before

    in_cluster(story)
    in_cluster(story, capture=False)
    return numbers


def growing() -> Numbers:
    """Memory over two hours of steady work."""
    from tests.bench import growing

    return dict(in_cluster(growing.growing))


def watch_event() -> Numbers:
    """CPU of one watch event, from the API server's write to the parsed object in one more client."""
    from tests.bench.watching import cost_of_an_event, update_to_a_thousand

    return {
        "watch_event_server_to_client_cpu": in_cluster(cost_of_an_event, capture=False) * 1e6,
        "update_to_a_thousand_watchers_cpu": in_cluster(update_to_a_thousand),
    }


def exporting() -> Numbers:
    """What it takes to write a run down (`exporting`)."""
    from tests.bench import exporting

    return exporting.measure()


def state_at() -> Numbers:
    """What the state at a position of a journal costs (`state_at`)."""
    from tests.bench import state_at

    return state_at.measure()


def branching() -> Numbers:
    """How long until a branch stands at entry 5,000 (`branching`)."""
    from tests.bench import branching

    return branching.measure()


def comparing() -> Numbers:
    """What it costs to compare two runs (`comparing`)."""
    from tests.bench import comparing

    return comparing.measure()


def auditing() -> Numbers:
    """What an audit log adds to a write (`auditing`)."""
    from tests.bench import auditing

    return auditing.measure()


def lens() -> Numbers:
    """CPU of the lens for an entry, from a capture replayed without the world."""
    from tests.bench.replaying import cost_of_an_entry

    return {"lens_cpu_an_entry": cost_of_an_entry() * 1e6}


def walkthroughs() -> Numbers:
    """CPU of every walkthrough, played whole in leaping time, judged to how fast the machine is now."""
    from tests.bench.calibration import around
    from tests.bench.walking import cost_of_each

    costs, slowness = around(cost_of_each)
    return {_walkthrough(slug): cost / slowness for slug, cost in costs.items()}


def lessons_check() -> Numbers:
    """Real time of `manage.py lessons check`: every lesson, in both languages, in every way it is played."""
    from tests.bench.calibration import around

    command = [sys.executable, "manage.py", "lessons", "check"]

    def checked() -> float:
        began = time.perf_counter()
        subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
        return time.perf_counter() - began

    seconds, slowness = around(checked)
    return {"lessons_check": seconds / slowness}


def _walkthrough(slug: str) -> str:
    return f"walkthrough_{slug}_cpu"


def _walkthrough_rows() -> list[tuple[str, str, str]]:
    """Name the rows without importing lessons: what other figures measure is not to grow by them."""
    folders = (ROOT / "visualizer/lessons/walkthroughs").glob("*/lesson.yaml")
    return [(_walkthrough(file.parent.name), "s", "≤ 2 s") for file in sorted(folders)]


def serving() -> Numbers:
    """The way to the browser, through a whole server with one worker: ages of entries at pages, landing."""
    from tests.bench.serving import measure

    return measure()


def classroom() -> Numbers:
    """A class of forty whose clusters are broken at once, and 200 viewers who follow an instructor's steps."""
    from tests.bench.classroom import measure

    return measure()


def drawing() -> Numbers:
    """The diagram in real Chromium at four lengths of the journal, and Mermaid with the same messages."""
    from tests.browser.figures import figures

    numbers: Numbers = {"why": "no Chromium here"}
    for told in figures():
        numbers["why"] = "no Mermaid in node_modules"
        count, paint = told["entries"], told["firstPaint"]
        numbers |= {f"first_paint_of_{count}": paint["ms"], f"bare_svg_of_{count}": told["bare"]}
        numbers |= {f"first_paint_of_{count}_{part}": paint[part] for part in PAINTED}
        numbers |= {f"{name}_{share}_{count}": told[key][share] for name, key in DRAWN for share in ("p50", "p99")}
        numbers |= {f"{name}_frames_{count}": told[name]["perSecond"] for name in ("scroll", "scrub")}
        numbers[f"elements_of_the_diagram_{count}"] = told["elements"]
        if drawn := told.get("mermaid"):
            numbers |= {f"mermaid_of_{count}": drawn["ms"], "times_mermaid": drawn["ms"] / paint["ms"]}
    return numbers


PAINTED = ("cpu", "script", "style", "layout")
DRAWN = (
    ("append", "append"),
    ("step_forward", "stepForward"),
    ("step_back", "stepBack"),
    ("step_forward_with_board", "stepForwardWithBoard"),
    ("step_back_with_board", "stepBackWithBoard"),
)


def _drawing_rows() -> list[tuple[str, str, str]]:
    rows = [("mermaid_of_1000", "ms", ""), ("times_mermaid", "", "≥ 75")]
    for count in (1_000, 5_000, 10_000, 100_000):
        rows += [(f"first_paint_of_{count}", "ms", "≤ 33 ms"), (f"bare_svg_of_{count}", "ms", "")]
        rows += [(f"first_paint_of_{count}_{part}", "ms", "") for part in PAINTED]
        rows += [(f"append_p99_{count}", "ms", "≤ 8 ms")]
        rows += [
            (f"{name}_{share}_{count}", "ms", "≤ 10 ms" if share == "p99" else "")
            for name, _ in DRAWN[1:]
            for share in ("p50", "p99")
        ]
        rows += [(f"{name}_frames_{count}", "/s", "60") for name in ("scroll", "scrub")]
        rows += [(f"elements_of_the_diagram_{count}", "", "")]
    return rows


def page_elements() -> Numbers:
    """The elements of the whole page of a sandbox, with what a reader opens one after another."""
    from tests.bench.page_elements import measure

    return {"why": "no Chromium here"} | measure()


ELEMENTS = ("after_a_deployment", "with_the_state", "with_details", "with_bytes")


def page_memory() -> Numbers:
    """The page's heap with 100,000 entries of a cluster in which Deployments come and go, after a collection."""
    from tests.bench.growing_page import batches
    from tests.browser.figures import held

    told = held(batches(100_000))
    return {"why": "no Chromium here"} if told is None else {"heap_of_100000_entries": told}


def visiting() -> Numbers:
    """A first and a second visit to the sandbox in real Chromium: what is fetched, and how soon it can be used."""
    from tests.browser.visits import figures as visits

    numbers: Numbers = {"why": "no Chromium here"}
    for name, visit in zip(("first", "second"), visits() or (), strict=False):
        numbers[f"{name}_visit_requests"] = visit.requests
        numbers[f"{name}_visit_weight"] = visit.kib
        numbers[f"{name}_visit_usable"] = visit.usable_ms
    return numbers


def joining() -> Numbers:
    """How long pages take that all open their socket in one moment, and how many are turned away."""
    from tests.bench.joining import measure

    return measure()


def coming_back() -> Numbers:
    """How long thirty clusters and their pages take after their server was killed."""
    from tests.bench.coming_back import measure

    return measure()


def keeping_time() -> Numbers:
    """How far behind real time a cluster's clock is on a machine whose cores all burn, for two minutes."""
    from tests.bench.keeping_time import measure

    return measure()


def many_clusters() -> Numbers:
    """One, ten, forty, a hundred clusters, each in a process of its own: memory and processor time, idle and busy."""
    from tests.bench.many_clusters import measure

    return measure()


def _many_rows() -> list[tuple[str, str, str]]:
    names = ["1_idle", "1_busy", "10_idle", "10_busy", "40_idle", "100_idle"]
    each = [("private_mib", "MiB"), ("share_mib", "MiB"), ("cpu_share_of_a_core", "%")]
    targets = {"private_mib_40_idle": "≤ 24 MiB", "cpu_share_of_a_core_40_idle": "≤ 36 %"}
    rows = [(f"{key}_{name}", unit) for name in names for key, unit in each]
    first = [("first_cluster_up", "s", "≤ 1 s"), ("start_cpu", "s", "")]
    return [*first, *((key, unit, targets.get(key, "")) for key, unit in rows)]


def through_the_gateway() -> Numbers:
    """Real clients on HTTP/1.1 with TLS, beside what etcd and kube-apiserver reach; nothing is captured."""
    from tests.bench.through_the_gateway import measure

    return measure()


def through_the_gateway_captured() -> Numbers:
    """The same with the lens on, as pages have it."""
    from tests.bench.through_the_gateway import measure

    return {f"{key}_captured": value for key, value in measure(capture=True).items()}


def _gateway_rows(end: str = "") -> list[tuple[str, str, str]]:
    """Name the rows: each figure with the reference beside it, and ours over it, corrected by the machine's speed."""
    from tests.bench.references import REFERENCE, TIMES

    rows: list[tuple[str, str, str]] = []
    for key, reference in REFERENCE.items():
        rows.append((f"{key}{end}", "ms" if key in TIMES else "/s", f"real: {reference:g}"))
        rows.append((f"{key}_ratio{end}", "", "≥ 0.8" if key == "fan_out_to_500" else "≥ 1"))
    return rows


FIGURES = {
    "cold_start": Figure(
        cold_start,
        [
            ("cold_start_cpu_without_capture", "s", "≤ 0.8 s"),
            ("cold_start_cpu_with_lens", "s", "≤ 0.8 s"),
            ("cluster_start_cpu_imports_done", "s", ""),
        ],
    ),
    "memory": Figure(
        memory,
        [
            ("resident_with_first_cluster", "MiB", "≤ 120 MiB"),
            ("resident_each_further_cluster", "MiB", "≤ 15 MiB"),
        ],
        runs=3,
    ),
    "deployment": Figure(
        deployment,
        [
            ("deployment_of_three_cpu_with_lens", "s", "≤ 0.4 s"),
            ("deployment_of_three_cpu_without_capture", "s", ""),
            ("deployment_of_three_entries", "", ""),
            ("deployment_of_three_virtual_time", "s", ""),
        ],
    ),
    "first_bytes": Figure(first_bytes, _first_bytes_rows(), runs=3),
    "pod_to_pod": Figure(
        pod_to_pod,
        [
            ("http_pod_service_pod_cpu_with_lens", "ms", ""),
            ("http_pod_service_pod_cpu_without_capture", "ms", "≤ 5 ms"),
        ],
        runs=3,
    ),
    "new_node": Figure(
        new_node,
        [("join_cpu_with_lens", "s", "≤ 0.3 s"), ("join_cpu_without_capture", "s", "")],
        runs=3,
    ),
    "growing": Figure(
        growing,
        [
            ("private_after_10_minutes", "MiB", ""),
            ("private_after_60_minutes", "MiB", ""),
            ("private_after_90_minutes", "MiB", ""),
            ("private_after_120_minutes", "MiB", "as after 60"),
            ("entries_in_two_hours", "", ""),
            ("blocks_an_entry_in_the_last_half_hour", "", "0"),
            ("two_busy_hours_cpu", "s", ""),
        ],
        runs=1,
    ),
    "watch_event": Figure(
        watch_event,
        [
            ("watch_event_server_to_client_cpu", "µs", "≤ 100 µs"),
            ("update_to_a_thousand_watchers_cpu", "s", "≤ 0.1 s"),
        ],
    ),
    "exporting": Figure(
        exporting,
        [
            ("pcapng_of_10000_entries_cpu", "s", "≤ 2 s"),
            ("html_of_10000_entries_cpu", "s", ""),
            ("html_of_10000_entries_mib", "MiB", "≤ 64 MiB"),
            *((f"{form}_of_10000_entries_cpu", "s", "") for form in ("jsonl", "keylog", "mermaid", "otlp", "audit")),
            ("longest_slice_of_an_export", "ms", "≤ 50 ms"),
        ],
        runs=3,
    ),
    "branching": Figure(
        branching,
        [
            ("branch_at_5000", "s", "≤ 5 s"),
            ("branch_at_5000_cpu", "s", ""),
            ("branch_at_5000_virtual", "s", ""),
        ],
        runs=1,
    ),
    "state_at": Figure(
        state_at,
        [
            row
            for length in (1_000, 10_000, 100_000)
            for row in (
                (f"dearest_forwards_of_{length}", "ms", "≤ 50 ms"),
                (f"dearest_backwards_of_{length}", "ms", "≤ 50 ms"),
                (f"first_fold_of_{length}", "s", ""),
                (f"longest_slice_of_{length}", "ms", "≤ 50 ms"),
                (f"bytes_an_entry_of_{length}", "B", ""),
            )
        ],
        runs=1,
    ),
    "comparing": Figure(comparing, [("compare_story", "ms", ""), ("compare_all_at_tcp", "ms", "")], runs=1),
    "auditing": Figure(
        auditing,
        [
            ("audit_metadata_write_extra", "%", "≤ 10 %"),
            ("audit_metadata_write_extra_without_lens", "%", "≤ 10 %"),
        ],
        runs=1,
    ),
    "lens": Figure(lens, [("lens_cpu_an_entry", "µs", "≤ 150 µs")]),
    "walkthroughs": Figure(walkthroughs, _walkthrough_rows(), runs=3),
    "lessons_check": Figure(lessons_check, [("lessons_check", "s", "≤ 480 s")], runs=1),
    "serving": Figure(
        serving,
        [
            ("sandbox_page", "ms", ""),
            ("sandbox_to_cluster_running", "s", "≤ 1 s"),
            ("engine_to_browser_p50_1_page", "ms", ""),
            ("engine_to_browser_p99_1_page", "ms", "≤ 100 ms"),
            ("engine_to_browser_p50_50_pages", "ms", ""),
            ("engine_to_browser_p99_50_pages", "ms", "≤ 100 ms"),
        ],
        runs=3,
    ),
    "classroom": Figure(
        classroom,
        [
            ("fault_in_40_clusters_all", "s", "≤ 1 s"),
            ("fault_in_40_clusters_first", "s", ""),
            ("step_to_200_viewers_p50", "ms", ""),
            ("step_to_200_viewers_p95", "ms", "≤ 150 ms"),
            ("step_to_200_viewers_worst", "ms", ""),
            ("step_to_200_viewers_cpu_of_the_server", "ms", ""),
            ("step_to_200_viewers_cpu_of_the_viewers_here", "ms", ""),
        ],
        runs=3,
    ),
    "many_clusters": Figure(many_clusters, _many_rows(), runs=1),
    "joining": Figure(
        joining,
        [
            ("joining_400_pages", "s", "≤ 3 s"),
            ("joining_400_pages_turned_away", "", "0"),
            ("joining_400_pages_server_cpu_each", "ms", ""),
            ("joining_1000_pages", "s", ""),
            ("joining_1000_pages_turned_away", "", "0"),
            ("joining_1000_pages_server_cpu_each", "ms", ""),
        ],
        runs=3,
    ),
    "coming_back": Figure(
        coming_back,
        [
            ("thirty_clusters_after_a_kill_first", "s", ""),
            ("thirty_clusters_after_a_kill_half", "s", ""),
            ("thirty_clusters_after_a_kill_all", "s", ""),
            ("thirty_clusters_after_a_kill_entries_each", "", ""),
        ],
        runs=3,
    ),
    "keeping_time": Figure(
        keeping_time,
        [
            ("clock_behind_at_the_end_on_a_busy_machine", "ms", "≤ 250 ms"),
            ("clock_behind_at_most_on_a_busy_machine", "ms", ""),
            ("clock_left_out_on_a_busy_machine", "ms", "0 ms"),
            ("clock_cpu_of_the_cluster_on_a_busy_machine", "%", ""),
        ],
        runs=1,
    ),
    "drawing": Figure(drawing, _drawing_rows(), runs=3),
    "page_elements": Figure(page_elements, [(f"elements_{when}", "", "≤ 700") for when in ELEMENTS], runs=1),
    "page_memory": Figure(page_memory, [("heap_of_100000_entries", "MiB", "≤ 40 MiB")], runs=1),
    "visiting": Figure(
        visiting,
        [
            ("first_visit_requests", "", "< 73"),
            ("first_visit_weight", "KiB", "≤ 200 KiB"),
            ("first_visit_usable", "ms", "≤ 1000 ms"),
            ("second_visit_requests", "", "1"),
            ("second_visit_weight", "KiB", ""),
            ("second_visit_usable", "ms", "≤ 1000 ms"),
        ],
        runs=3,
    ),
    "through_the_gateway": Figure(through_the_gateway, _gateway_rows(), runs=3),
    "through_the_gateway_captured": Figure(through_the_gateway_captured, _gateway_rows("_captured"), runs=1),
    "idle": Figure(
        idle,
        [("idle_hour_cpu_with_lens", "s", "≤ 30 s"), ("idle_hour_cpu_without_capture", "s", "≤ 30 s")],
        runs=1,
    ),
}


if __name__ == "__main__":
    collect_seldom()  # as every program does that runs clusters
    print(json.dumps(FIGURES[sys.argv[1]].measure()))
