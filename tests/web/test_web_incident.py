"""The page of the incident of the day: what it is, which one, and that looking starts nothing."""

import re

import pytest
from django.test import AsyncClient
from django.utils import timezone

from visualizer.database import in_database
from visualizer.lessons.incidents import case_of
from visualizer.models import Cluster

pytestmark = [pytest.mark.asyncio, pytest.mark.django_db(transaction=True)]


async def page(path: str, language: str = "en") -> str:
    response = await AsyncClient().get(path, headers={"accept-language": language})
    assert response.status_code == 200, path
    return response.content.decode()


@pytest.mark.parametrize(("language", "title"), [("en", "Incident of the day"), ("de", "Störung des Tages")])
async def test_today_has_an_incident_and_looking_at_it_starts_nothing(language: str, title: str) -> None:
    before = timezone.now().date()
    shown = await page("/incident/", language)
    days = {before, timezone.now().date()}  # midnight may have been in between
    assert f"<h1>{title}</h1>" in shown
    assert any(f'name="lesson" value="incidents/{day.isoformat()}"' in shown for day in days)
    assert await in_database(Cluster.objects.count)() == 0


async def test_another_one_has_a_number_and_leads_back_to_today() -> None:
    shown = await page("/incident/?seed=4711")
    assert 'name="lesson" value="incidents/4711"' in shown
    assert 'href="/incident/"' in shown
    (another,) = re.findall(r'href="/incident/\?seed=(\d+)"', shown)
    assert case_of(another) is not None
    assert await page("/incidents/4711/") != ""


async def test_the_page_does_not_tell_what_will_break() -> None:
    plain = re.sub(r"csrfmiddlewaretoken[^>]*|seed=\d+", "", await page("/incident/?seed=1"))
    for seed in (2, 3, 4):
        other = re.sub(r"csrfmiddlewaretoken[^>]*|seed=\d+", "", await page(f"/incident/?seed={seed}"))
        assert other.replace(f"incidents/{seed}", "incidents/1").replace(f"Number {seed}:", "Number 1:") == plain


@pytest.mark.parametrize("seed", ["x", "2026-02-30", "-1", "../1", "99999999999"])
async def test_what_is_no_seed_is_a_404(seed: str) -> None:
    assert (await AsyncClient().get("/incident/", {"seed": seed})).status_code == 404
