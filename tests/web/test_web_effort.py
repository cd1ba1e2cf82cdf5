"""How a cluster was made is kept with it: what was made before work took time comes back without, for one."""

from importlib import import_module

import msgspec
import pytest

from visualizer import services
from visualizer.hosting.messages import Create
from visualizer.hosting.revival import create_of
from visualizer.models import Cluster
from visualizer.services import Owner


@pytest.mark.django_db
def test_clusters_kept_from_before_have_no_effort_and_new_ones_have():
    added = import_module("visualizer.migrations.0004_effort").Migration.operations[0]
    old = Cluster(visitor="ann", **{added.name: added.field.get_default()})  # what the migration writes into rows
    old.save()
    assert create_of(Cluster.objects.get(pk=old.pk)).effort == 0.0
    assert create_of(services.create_cluster(Owner("bob"))).effort == 1.0


@pytest.mark.django_db
def test_a_successor_goes_as_the_cluster_whose_place_it_takes():
    old = services.create_cluster(Owner("ann"))
    Cluster.objects.filter(pk=old.pk).update(effort=0.0)
    new, _ = services.make_successor(old.pk, [], 0.0)
    assert new.effort == 0.0


def test_what_was_said_before_work_took_time_is_understood():
    assert msgspec.json.decode(b'{"type": "Create", "nodes": 1, "seed": 2}', type=Create).effort == 0.0


@pytest.mark.django_db
def test_a_cluster_comes_back_as_kubeadm_made_it_and_so_does_its_successor():
    made = services.create_cluster(Owner("ann"), system_pods=True, etcd_members=3, audit=True, key_lab=True)
    new, _ = services.make_successor(made.pk, [], 0.0)
    assert create_of(made).system_pods and create_of(new).system_pods
    assert create_of(made).etcd_members == create_of(new).etcd_members == 3
    assert create_of(made).audit and create_of(new).audit and create_of(new).key_lab
    plain = create_of(services.create_cluster(Owner("bob")))
    assert not plain.system_pods and not plain.audit


@pytest.mark.django_db
def test_the_lives_and_successors_of_a_cluster_share_its_secret_and_nobody_elses():
    made, other = services.create_cluster(Owner("ann")), services.create_cluster(Owner("ann"))
    new, _ = services.make_successor(made.pk, [], 0.0)
    again = Cluster.objects.get(pk=made.pk)
    assert create_of(made).secret == create_of(again).secret == create_of(new).secret
    assert create_of(made).secret != create_of(other).secret
