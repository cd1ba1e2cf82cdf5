"""Plays incidents as a learner who knows would: noticed, a wrong diagnosis, the right one, the remedy, repaired.

report = check(CASES[0])
report.errors          ()
"""

import asyncio
import time
from pathlib import Path

from cluster_engine.cluster import Cluster
from visualizer.lessons.check import Report
from visualizer.lessons.check_play import Story, Trial
from visualizer.lessons.incidents.cases import MINE, Case
from visualizer.lessons.incidents.made import BEGINS_SECONDS, make
from visualizer.lessons.player import Player

SEED = "7"
SHOWS_SECONDS = 180.0  # within which it can be seen
WORKS_SECONDS = 400.0  # within which the cluster works again
LEFT_ALONE_SECONDS = 100.0
WRONG = {"fault": "latency", "target": "control-plane"}


def check(case: Case, journals: Path | None = None) -> Report:
    """Play one case; what does not come is an error."""
    began = time.process_time()
    lesson = make(SEED, case)
    assert lesson is not None
    trial = Trial(lesson, journals)
    trial.play(_story(trial, case))
    seconds, errors = time.process_time() - began, tuple(trial.errors)
    return Report(
        path=f"incidents: {case.id}", errors=errors, seconds=seconds, entries=trial.entries, counts=case.remedy
    )


def _story(trial: Trial, case: Case) -> Story:
    fault, target = case.place

    async def story(cluster: Cluster, player: Player) -> None:
        async def comes(name: str, seconds: float) -> bool:
            try:
                await cluster.world.until(lambda: name in player.lookout.held, within_seconds=seconds)
            except TimeoutError:
                trial.wrong(0, f"{case.id}: {name} does not hold within {seconds:g} s", "mend the case")
                return False
            return True

        if not await comes("began", BEGINS_SECONDS[1] + 1.0) or not await comes("seen", SHOWS_SECONDS):
            return
        player.answer("noticed", True)
        player.answer("diagnosis", WRONG)
        player.answer("diagnosis", {"fault": fault, "target": target})
        await asyncio.sleep(LEFT_ALONE_SECONDS)
        if player.state()["solved"]:
            trial.wrong(0, f"{case.id}: it works again without a remedy", "ask for more in works")
        player.answer("remedy", str(case.remedy))
        if case.remedy in MINE and cluster.faults:
            for line in case.by_hand:
                if await cluster.command(line, lambda *_: None):
                    trial.wrong(0, f"{case.id}: `{line}` fails", "mend by_hand")
        if await comes("repaired", WORKS_SECONDS):
            await asyncio.sleep(LEFT_ALONE_SECONDS)
            if cluster.faults or not player.state()["solved"]:
                trial.wrong(0, f"{case.id}: something is left of it", "mend what ends it")

    return story


__all__ = ["check"]
