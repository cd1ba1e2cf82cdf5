"""Two runs side by side: the door that compares them, and the page that shows it.

`GET /clusters/<id>/compare/<other>/`   the document of `cluster_engine.comparing.reporting`, its words in the reader's
                                        language. `layer` (story, http, tls, tcp), `heartbeats=1`, `rows=all`: what is
                                        compared, and which rows are listed. 400, 404, 429, 503 with {"message"}
`GET /clusters/<id>/beside/<other>/`    `beside.html`: a, b {"id", "url", "name"}; compare_url; swapped_url;
                                        lower: the altitudes below the story

Both runs must be the reader's to see. What is recorded is read; no run is woken by being looked at, so of one that does
not run cannot be asked how its objects have ended, nor what was written to those that end differently. Comparing is
computing: it is done in a thread, for one reader at a time, while so many in all are served or wait (`Comparer`).
"""

import asyncio
import contextlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec
from asgiref.sync import sync_to_async
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_noop as _
from django.views.decorators.http import require_GET, require_safe

from cluster_engine.words.languages import document
from visualizer import rate_limits, selectors
from visualizer.access import Action
from visualizer.callers import allowed, owner_of
from visualizer.database import in_database
from visualizer.error_pages import BadForm, json_errors, page_errors
from visualizer.hosting import web_process
from visualizer.hosting.batches import Batch, array
from visualizer.hosting.clusters import NotRunning
from visualizer.hosting.messages import StateAt
from visualizer.hosting.refused import Refused
from visualizer.models import Cluster

if TYPE_CHECKING:
    from cluster_engine.comparing import Run  # pages do without the engine

T = TypeVar("T")
READ_MAX = 20_000
"""Entries of each run that are read, of all altitudes."""
READ_AT_ONCE = 5_000
LAYERS = ("story", "http", "tls", "tcp")
BUSY = _("Many runs are being compared just now; please try again in a moment.")


class Comparer:
    """A thread that compares, for one after the other; at most `readers_max` have or await their turn."""

    def __init__(self, readers_max: int = 4) -> None:
        self._thread = ThreadPoolExecutor(1, "comparing")
        self._left = readers_max

    @contextlib.contextmanager
    def place(self) -> Iterator[None]:
        """Have a place among the readers. Raise `Refused` where there is none."""
        if not self._left:
            raise Refused(BUSY)
        self._left -= 1
        try:
            yield
        finally:
            self._left += 1

    async def do(self, compute: Callable[..., T], *args: Any) -> T:
        """Compute something, in turn."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, compute, *args)


comparer = Comparer()


class Recorded(msgspec.Struct):
    """What is known of a run: entries from the first one on, whether there are `more`, and what its etcd held then."""

    batches: list[Batch]
    more: bool
    objects: bytes | None


@require_GET
@json_errors
async def compare(request: HttpRequest, cluster: str, other: str) -> HttpResponseBase:
    """Compare two runs."""
    runs = [(await allowed(request, one, Action.SEE)).cluster for one in (cluster, other)]
    layer = request.GET.get("layer", "story")
    if layer not in LAYERS:
        raise BadForm(gettext("There is no such layer; there are %(known)s.") % {"known": ", ".join(LAYERS)})
    rate_limits.COMPARISONS.take(cluster)
    chosen = {
        "layer": layer,
        "heartbeats": request.GET.get("heartbeats") == "1",
        "everything": request.GET.get("rows") == "all",
    }
    with comparer.place():
        read = [await comparer.do(_run, await _recorded(run)) for run in runs]
        asked = await comparer.do(_unlike, *read)
        wanted = zip(*asked, strict=True)
        histories = await asyncio.gather(*(_histories(*one) for one in zip(runs, wanted, strict=False)))
        answer = await comparer.do(_compared, read, histories, get_language() or "en", chosen)
    return HttpResponse(answer, content_type="application/json")


@require_safe
@page_errors
async def beside(request: HttpRequest, cluster: str, other: str) -> HttpResponseBase:
    """The page on which two runs stand side by side."""
    a, b = [(await allowed(request, one, Action.SEE)).cluster for one in (cluster, other)]
    tree = await in_database(selectors.runs_beside)(await owner_of(request), a)
    common = tree if b in tree else []
    context = {
        "a": _named(a, common),
        "b": _named(b, common),
        "compare_url": reverse("compare", args=[a.pk, b.pk]),
        "lower": LAYERS[1:],
        "swapped_url": reverse("clusters-beside", args=[b.pk, a.pk]),
    }
    return await sync_to_async(render)(request, "beside.html", context)


def _named(cluster: Cluster, tree: Sequence[Cluster]) -> dict[str, Any]:
    """Return a run as the template takes it, called as in the tree that both are in (`static/js/branches`)."""
    return {
        "id": cluster.pk,
        "url": reverse("cluster", args=[cluster.pk]),
        "name": cluster.name or _unnamed(cluster, tree),
    }


def _unnamed(cluster: Cluster, tree: Sequence[Cluster]) -> str:
    if not tree:
        return gettext("run %(id)s") % {"id": cluster.pk[:8]}
    words = document(get_language() or "en")
    branches = [one for one in tree if one.left_at is not None]
    if cluster not in branches:
        return words["branches.original"]
    return words["branches.unnamed"].format(count=branches.index(cluster) + 1)


async def _recorded(cluster: Cluster) -> Recorded:
    """Read a journal from its beginning, as far as it goes now, and ask what stood then."""
    host = web_process.current()
    head = max(cluster.recorded, host.hub.head(cluster.pk))
    batches: list[Batch] = []
    while (last := batches[-1].last if batches else 0) < min(head, READ_MAX):
        try:
            found = await host.entries(cluster.pk, last, min(READ_AT_ONCE, READ_MAX - last))
        except NotRunning:
            break
        if not found:
            break
        batches += found
    try:
        objects = await host.clusters.ask(cluster.pk, StateAt("objects", last))
    except Refused:
        objects = None
    return Recorded(batches, more=head > READ_MAX, objects=objects)


async def _histories(cluster: Cluster, subjects: Iterable[tuple[str, str, str]]) -> list[Any]:
    """Ask a cluster what was written to some objects; [] of one that cannot say."""
    found = []
    for resource, namespace, name in subjects:
        args = {"resource": resource, "namespace": namespace, "name": name}
        try:
            answer = await web_process.current().clusters.ask(cluster.pk, StateAt("object", READ_MAX, args))
        except Refused:
            return []
        found.append(msgspec.json.decode(answer))
    return found


def _run(recorded: Recorded) -> "Run":
    from cluster_engine.comparing import Run

    entries = msgspec.json.decode(array(recorded.batches))
    objects = None if recorded.objects is None else msgspec.json.decode(recorded.objects)
    return Run(entries, objects, recorded.more)


def _unlike(a: "Run", b: "Run") -> list[tuple[tuple[str, str, str], tuple[str, str, str]]]:
    from cluster_engine.comparing import unlike

    return unlike(a, b)


def _compared(runs: list["Run"], histories: Sequence[list[Any]], language: str, chosen: dict[str, Any]) -> bytes:
    from cluster_engine.comparing import report

    if len(histories) == 2 and all(histories):
        runs = [run._replace(histories=history) for run, history in zip(runs, histories, strict=True)]
    a, b = runs
    return msgspec.json.encode(report(a, b, language, **chosen))
