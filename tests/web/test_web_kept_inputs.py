"""Inputs that an older version kept are read as deeds, once the database is migrated."""

import importlib
from typing import Any

import pytest
from django.apps import apps

from cluster_engine import deeds
from cluster_engine.deeds import Act
from visualizer import selectors
from visualizer.models import Cluster, Input

MIGRATION = importlib.import_module("visualizer.migrations.0005_deeds")
POWER_OFF = {"name": "power-off", "target": "worker-1", "start": 0.0, "end": None}
WHEN = {"entry": {"kind": "http.request"}}

KEPT: list[tuple[dict[str, Any], Act]] = [
    ({"command": {"id": "k1", "line": "kubectl get pods"}}, deeds.Command("k1", "kubectl get pods")),
    ({"interrupt": "k1"}, deeds.Interrupt("k1")),
    ({"fault": POWER_OFF}, deeds.Inject(POWER_OFF)),
    ({"fault": POWER_OFF, "when": WHEN, "sealed": True}, deeds.Inject(POWER_OFF, WHEN, sealed=True)),
    ({"fault": POWER_OFF, "incident": 3, "sealed": True}, deeds.Incident(3, POWER_OFF, sealed=True)),
    ({"fault": POWER_OFF, "when": WHEN, "incident": 4}, deeds.Incident(4, POWER_OFF, WHEN)),
    ({"heal": None}, deeds.Heal()),
    ({"heal": "fault-1"}, deeds.Heal("fault-1")),
    ({"healIncident": 3}, deeds.HealIncident(3)),
    ({"advance": "client-hello"}, deeds.Advance("client-hello")),
    ({"answer": {"question": "q", "answer": ["a", None, 3]}}, deeds.Answer("q", ["a", None, 3])),
    ({"hint": True}, deeds.Hint()),
]
NEVER_SPELLED_OTHERWISE = [
    deeds.Keys("k1", "ls\n", end=True),
    deeds.Resize("k1", 80, 24),
    deeds.Edited("k1", None),
    deeds.Complete("k1", "kubectl g"),
    deeds.FromOutside("said", 1, b"PRI * HTTP/2.0\r\n\xff", "h2", admin=True),
]


@pytest.fixture
def cluster() -> Cluster:
    return Cluster.objects.create(visitor="ann")


def keep(cluster: Cluster, documents: list[Any]) -> None:
    Input.objects.bulk_create(Input(cluster=cluster, n=n, at=n / 8, document=one) for n, one in enumerate(documents, 1))


@pytest.mark.django_db
def test_every_kind_of_input_that_was_ever_kept_is_read_as_a_deed(cluster, monkeypatch):
    monkeypatch.setattr(MIGRATION, "AT_ONCE", 5)
    keep(cluster, [old for old, _ in KEPT])
    MIGRATION.spell(apps, None)
    expected = [deeds.Input(n, n / 8, act) for n, (_, act) in enumerate(KEPT, 1)]
    assert selectors.inputs(cluster.pk) == expected
    MIGRATION.spell(apps, None)  # who was interrupted begins again
    assert selectors.inputs(cluster.pk) == expected


@pytest.mark.django_db
def test_an_input_that_is_not_understood_is_left_as_it_is(cluster):
    keep(cluster, [{"dance": True}, {"command": "ls"}, {"hint": False}])
    MIGRATION.spell(apps, None)
    documents = list(Input.objects.order_by("n").values_list("document", flat=True))
    assert documents == [{"dance": True}, {"command": "ls"}, {"hint": False}]
    with pytest.raises(ValueError, match="type"):
        selectors.inputs(cluster.pk)


def test_every_act_is_kept_as_it_is_read():
    acts = [act for _, act in KEPT] + NEVER_SPELLED_OTHERWISE
    assert {type(one) for one in acts} == set(Act.__args__)
    assert [deeds.read(deeds.write(one)) for one in acts] == acts
