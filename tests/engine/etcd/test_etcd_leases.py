import pytest

from cluster_engine.etcd.errors import LeaseExistsError, LeaseNotFoundError, LeaseTTLTooLargeError
from cluster_engine.etcd.leases import TTL_SECONDS_MAX, Leases


@pytest.fixture
def leases():
    return Leases()


def test_a_lease_is_due_when_its_time_is_up_and_not_before(leases):
    lease = leases.grant(10, 0, now=5.0)
    assert (leases.due(14.999), leases.next_due()) == ([], 15.0)
    assert leases.due(15.0) == [lease.id]


def test_keep_alive_starts_the_time_anew(leases):
    lease = leases.grant(10, 0, now=0.0)
    leases.keep_alive(lease.id, now=8.0)
    assert leases.due(17.9) == []
    assert lease.remaining_seconds(9.0) == 9


def test_the_lease_that_was_due_first_goes_first(leases):
    leases.grant(20, 1, now=0.0)
    leases.grant(10, 2, now=0.0)
    leases.grant(10, 3, now=0.0)
    assert leases.due(100.0) == [2, 3, 1]


def test_no_lease_is_shorter_than_two_seconds(leases):
    assert leases.grant(0, 0, now=0.0).ttl == 2


def test_no_lease_is_longer_than_etcd_allows(leases):
    leases.grant(TTL_SECONDS_MAX, 0, now=0.0)
    with pytest.raises(LeaseTTLTooLargeError):
        leases.grant(TTL_SECONDS_MAX + 1, 0, now=0.0)


def test_an_id_is_given_once(leases):
    leases.grant(10, 5, now=0.0)
    with pytest.raises(LeaseExistsError):
        leases.grant(10, 5, now=0.0)
    chosen = leases.grant(10, 0, now=0.0).id
    leases.grant(10, chosen + 1, now=0.0)
    assert leases.grant(10, 0, now=0.0).id == chosen + 2


def test_a_lease_that_ended_is_unknown(leases):
    leases.grant(10, 5, now=0.0)
    leases.remove(5)
    assert list(leases) == []
    with pytest.raises(LeaseNotFoundError):
        leases.keep_alive(5, now=1.0)
    with pytest.raises(LeaseNotFoundError):
        leases.remove(5)


def test_after_a_restart_every_lease_has_its_full_time_again(leases):
    leases.grant(10, 1, now=0.0)
    leases.grant(20, 2, now=0.0)
    leases.renew_all(now=9.0)
    assert (leases.due(18.9), leases.due(19.0), leases.due(29.0)) == ([], [1], [1, 2])
