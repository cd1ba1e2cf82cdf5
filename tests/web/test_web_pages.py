"""The real templates, given what the views give them."""

import re

import pytest
from django.test import AsyncClient

from visualizer import selectors
from visualizer.hosting.bus import EmbeddedBus

pytestmark = [pytest.mark.asyncio, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def bus() -> EmbeddedBus:
    return EmbeddedBus()


@pytest.fixture
def client() -> AsyncClient:
    return AsyncClient(raise_request_exception=False)


@pytest.mark.parametrize("language", ["en", "de"])
async def test_the_playground_is_drawn_with_its_cluster_and_nothing_that_the_policy_forbids(client, host, language):
    response = await client.get("/sandbox/", headers={"accept-language": language})
    page = response.content.decode()
    assert response.status_code == 200
    assert f'<html lang="{language}"' in page
    assert re.search(r'data-cluster="[\w-]{22}"', page)
    nonce = re.search(r"'nonce-([^']+)'", response["Content-Security-Policy"])[1]
    for script in re.findall(r"<script[^>]*>", page):
        runs = 'type="application/json"' not in script
        assert not runs or " src=" in script or f'nonce="{nonce}"' in script, script
    assert not re.search(r"<style|\sstyle=|\son\w+=|javascript:", page)
    assert "{{" not in page
    assert "{%" not in page


@pytest.mark.parametrize("language", ["en", "de"])
async def test_every_error_is_a_page_of_ours(client, host, monkeypatch, language):
    german = {"accept-language": language}
    missing = await client.get("/nothing/here", headers=german)
    bad = await client.post("/clusters/", {"nodes": "no"}, headers=german)

    def broken(*args):
        raise RuntimeError("a secret detail")

    monkeypatch.setattr(selectors, "current_cluster", broken)
    ours = await client.get("/sandbox/", headers=german)
    for response, status in ((missing, 404), (bad, 400), (ours, 500)):
        assert response.status_code == status
        page = response.content.decode()
        assert "<title>" in page
        assert str(status) in page
        assert "secret" not in page
        assert response["Content-Type"].startswith("text/html")


async def test_a_page_asks_for_nothing_that_is_not_there(client, host):
    """Every static file that the page names exists."""
    from django.conf import settings

    page = (await client.get("/sandbox/")).content.decode()
    named = set(re.findall(r'"(/static/[^"]+)"', page))
    assert named
    missing = [name for name in named if not (settings.ROOT / name.lstrip("/")).exists()]
    assert missing == []
