"""Questions put to a cluster, in its own process, and their answers on the way back.

Putting and answering are two steps: questions reach the cluster in the order in which they came, answers go back when
there are any. Some questions are answered at once and go on (`heal`); a step is answered when time has moved.
"""

import asyncio
import logging
from collections.abc import Awaitable
from concurrent.futures import Future
from typing import Any

import msgspec

from cluster_engine import deeds
from visualizer.hosting import messages
from visualizer.hosting.hosted_cluster import HostedCluster
from visualizer.hosting.messages import Ask, Reply
from visualizer.hosting.refused import Refused

logger = logging.getLogger(__name__)

ANSWER_SECONDS = 20.0
BEGIN_SECONDS = 1.0


def put(cluster: HostedCluster, question: messages.Question, gateway_host: str = "") -> Awaitable[Any]:
    """Put a question now; what is returned gives the answer. Raise `Refused`."""
    thread = cluster.thread
    cluster.refuse_while_resuming()
    match question:
        case messages.Detail(seq):
            return _found(thread.detail(seq), "There is no such entry any more.")
        case messages.Entries(since, limit):
            return _later(thread.entries(since, limit))
        case messages.Export():
            return _later(thread.export(question, cluster.said() if question.prints else ()))
        case messages.StateAt(view, at, args):
            return _later(thread.state(view, at, args))
        case messages.Search(texts, since):
            return _later(thread.search(texts, since))
        case messages.Inputs(since):
            return _now(cluster.inputs(since))
        case messages.Recap():
            return _now(cluster.recap())
        case messages.Kubeconfig(name):
            return _later(thread.kubeconfig(gateway_host or name))
        case messages.Workers():
            return _later(thread.workers())
        case messages.Create() | messages.Stop():
            raise AssertionError("the process begins and ends otherwise")
        case deeds.Heal() | deeds.HealIncident() | deeds.Advance():
            return _begun(thread.put(question))
        case deed:
            return _later(thread.put(deed))


async def answered(cluster: str, ask: Ask, answer: Awaitable[Any]) -> Reply:
    """Wait for an answer, and write it, or why there is none."""
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            return Reply(ask.id, msgspec.json.encode(await answer))
    except TimeoutError:
        return Reply(ask.id, refusal="The cluster is busy and gave no answer in time.")
    except Refused as refusal:
        return Reply(ask.id, refusal=str(refusal))
    except (LookupError, ValueError) as problem:  # the engine's words for "no such entry" and "that cannot be"
        words = str(problem.args[0] if problem.args else problem)
        return Reply(ask.id, refusal=words, missing=isinstance(problem, LookupError))
    except Exception:  # the cluster's outermost edge
        logger.exception("cluster %s: %s broke", cluster, type(ask.question).__name__)
        return Reply(ask.id, refusal="This broke inside Glassplane; that is our mistake.")


async def _now(answer: Any) -> Any:
    return answer


async def _later(future: "Future[Any]") -> Any:
    return await asyncio.wrap_future(future)


async def _begun(future: "Future[Any]") -> Any:
    """Answer for what may take its time, or for ever while time stands: once it is under way, or at once refused."""
    waiting = asyncio.ensure_future(asyncio.wrap_future(future))
    waiting.add_done_callback(lambda done: done.cancelled() or done.exception())  # it may have nobody left to hear it
    await asyncio.wait([waiting], timeout=BEGIN_SECONDS)
    return waiting.result() if waiting.done() else {}


async def _found(future: "Future[Any]", otherwise: str) -> Any:
    try:
        return await asyncio.wrap_future(future)
    except LookupError as problem:
        raise LookupError(otherwise) from problem
