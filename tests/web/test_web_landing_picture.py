"""The landing page's picture is of a run that really happens so."""

import re

import landing_picture
from django.conf import settings

PICTURE = settings.ROOT / "templates" / "_picture.html"


def without_times(picture: str) -> str:
    """A time may differ a little from release to release; who said what to whom, and in which order, may not."""
    return re.sub(r'(<text class="time"[^>]*>)[^<]*', r"\1", picture)


def test_the_picture_shows_what_a_real_run_says():
    """Otherwise: `python tests/web/landing_picture.py > templates/_picture.html`."""
    drawn = landing_picture.rows(landing_picture.chain())
    assert {row.label for row in drawn} == set(landing_picture.SHOWN)
    assert without_times(landing_picture.svg(drawn)) == without_times(PICTURE.read_text())
