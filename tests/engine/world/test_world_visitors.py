"""How many may come in from outside: bounds for one address and for all, and who makes room."""

import pytest

from cluster_engine.world.visitors import (
    CONNECTIONS_MAX,
    CONNECTIONS_PER_ADDRESS_MAX,
    REFUSALS_AT_A_TIME_MAX,
    Visitors,
)


class Someone:
    def __init__(self, since=0.0):
        self.since = since
        self.gone = False

    def show_out(self):
        self.gone = True


def come(visitors, address, count, *, now=0.0, speak=True):
    """Let some come from an address; give those who were let in, and what the others were told."""
    let_in, told = [], []
    for _ in range(count):
        someone = Someone(now)
        answer = visitors.admit(someone, address, now)
        if answer == "":
            let_in.append(someone)
            if speak:
                visitors.spoke(someone)
        else:
            told.append(answer)
    return let_in, told


def test_a_thousand_watchers_of_one_machine_fit_beside_others():
    assert 1000 < CONNECTIONS_PER_ADDRESS_MAX < CONNECTIONS_MAX
    visitors = Visitors()
    let_in, told = come(visitors, "10.1.1.1", 1000)
    assert (len(let_in), told) == (1000, [])


def test_who_is_one_too_many_from_an_address_is_told_so_and_others_are_not_concerned():
    visitors = Visitors()
    let_in, told = come(visitors, "10.1.1.1", CONNECTIONS_PER_ADDRESS_MAX + 1)
    assert len(let_in) == CONNECTIONS_PER_ADDRESS_MAX
    expected = f"too many connections from 10.1.1.1: it has {CONNECTIONS_PER_ADDRESS_MAX} open"
    assert told[0].startswith(expected)
    assert come(visitors, "10.1.1.2", 10)[1] == []


def test_all_addresses_together_have_a_bound_too_where_descriptors_are_few():
    visitors = Visitors(most=100)
    for number in range(100):
        assert come(visitors, f"10.1.1.{number}", 1)[1] == []
    (refusal,) = come(visitors, "10.1.2.1", 1)[1]
    assert refusal.startswith("too many connections: 100 are open")


def test_five_thousand_that_never_say_a_word_stop_nobody():
    visitors = Visitors()
    for second in range(5):
        come(visitors, "10.1.1.1", 1000, now=second * 2.0, speak=False)
    assert len(visitors) <= CONNECTIONS_PER_ADDRESS_MAX
    for address in ("10.1.1.1", "10.1.1.2"):
        let_in, told = come(visitors, address, 100, now=20.0)
        assert (len(let_in), told) == (100, [])
        assert not any(someone.gone for someone in let_in)


def test_whoever_has_spoken_is_never_shown_out_for_a_newcomer():
    visitors = Visitors(most=10)
    spoken, _ = come(visitors, "10.1.1.1", 9)
    (silent,), _ = come(visitors, "10.1.1.1", 1, speak=False)
    assert come(visitors, "10.1.1.1", 1, now=5.0)[1] == []
    assert silent.gone
    assert not any(someone.gone for someone in spoken)
    assert len(come(visitors, "10.1.1.1", 1, now=5.0)[1]) == 1


def test_who_has_just_come_may_be_about_to_speak():
    visitors = Visitors(most=1)
    (first,), _ = come(visitors, "10.1.1.1", 1, now=5.0, speak=False)
    assert len(come(visitors, "10.1.1.1", 1, now=5.5)[1]) == 1
    assert not first.gone


def test_only_so_many_are_refused_in_words_at_a_time():
    visitors = Visitors(most=1)
    come(visitors, "10.1.1.1", 1)
    told = come(visitors, "10.1.1.1", REFUSALS_AT_A_TIME_MAX + 1)[1]
    assert all(told[:-1])
    assert told[-1] is None


@pytest.mark.parametrize("speak", [True, False])
def test_who_leaves_makes_room(speak):
    visitors = Visitors(most=2)
    (one, _), _ = come(visitors, "10.1.1.1", 2, speak=speak)
    visitors.left(one)
    visitors.left(one)
    assert len(visitors) == 1
    assert come(visitors, "10.1.1.1", 1)[1] == []
    assert len(come(visitors, "10.1.1.1", 1)[1]) == 1
