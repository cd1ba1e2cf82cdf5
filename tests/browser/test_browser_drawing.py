"""What a drawing has the browser do, counted by the browser itself: counts do not depend on how busy the machine is."""

import pytest
from figures import TIMES, Bench
from playwright.sync_api import Browser


@pytest.fixture(scope="module")
def bench(chromium: Browser) -> Bench:
    """A thousand entries, drawn."""
    bench = Bench(chromium.new_page(viewport={"width": 1280, "height": 800}))
    bench.do("begin", 1_000)
    bench.do("paint")
    return bench


@pytest.mark.parametrize("act", ["append", "stepBack", "stepForward"])
def test_a_message_more_and_a_step_are_laid_out_once(bench: Bench, act: str) -> None:
    before = bench.layouts()
    bench.do(act)
    assert bench.layouts() - before <= 1.2 * TIMES


def test_rows_are_read_out_in_their_order_wherever_they_came_from(bench: Bench) -> None:
    for act in ("scrub", "stepBack", "scroll"):
        bench.do(act)
        places = bench.do("places")
        assert len(places) > 10
        assert places == sorted(places)


def test_the_strip_is_painted_anew_when_it_has_grown_enough_to_see(chromium: Browser) -> None:
    bench = Bench(chromium.new_page(viewport={"width": 1280, "height": 800}))
    bench.do("begin", 10_300)  # of 200 messages more one makes it a step longer
    for act in ("paint", "settled"):
        bench.do(act)
    before = bench.do("strip")
    bench.do("append")
    after = bench.do("strip")
    assert after["pictures"] == before["pictures"] + 1
    assert after["painted"] > before["painted"]
