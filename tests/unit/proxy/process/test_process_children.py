"""Who is started when, and who accepts for whom: pure rules."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.process.children import SETTLED_S, Slot, due, next_due_s, slots
from proxy.process.supervisor.assignment import assigned


def dying(slot: Slot, times: int, *, lived_s: float = 0.0, draw: float = 0.999) -> list[float]:
    """Let a child be started and die so often; return the pauses."""
    now, pauses = 0.0, []
    for pid in range(times):
        slot.filled(pid, now)
        now += lived_s
        pauses.append(slot.emptied(now, longest_s=2.0, draw=lambda: draw))
        now += pauses[-1]
    return pauses


def test_a_first_death_is_made_good_at_once() -> None:
    assert dying(Slot("worker-0"), 1) == [0.0]


def test_a_child_that_keeps_dying_waits_longer_each_time_up_to_the_longest() -> None:
    pauses = dying(Slot("worker-0"), 12)
    assert pauses == sorted(pauses)
    assert pauses[1] == pytest.approx(0.2, rel=0.01)
    assert pauses[-1] == pytest.approx(2.0, rel=0.01)


def test_jitter_halves_a_pause_at_most() -> None:
    for low, high in zip(dying(Slot("a"), 8, draw=0.0), dying(Slot("b"), 8, draw=0.999), strict=True):
        assert high / 2 <= low <= high


def test_a_child_that_lived_long_enough_is_forgiven() -> None:
    slot = Slot("worker-0")
    dying(slot, 5)
    assert dying(slot, 3, lived_s=SETTLED_S) == [0.0, 0.0, 0.0]


def test_only_empty_slots_whose_pause_is_over_are_due() -> None:
    family = slots(2)
    assert [slot.role for slot in due(family, 0.0)] == ["worker-0", "worker-1", "supervisor"]
    for pid, slot in enumerate(family):
        slot.filled(pid, 0.0)
    assert (due(family, 0.0), next_due_s(family, 0.0)) == ([], None)
    family[0].emptied(0.0, longest_s=2.0, draw=lambda: 0.0)
    family[0].filled(9, 0.0)
    pause = family[0].emptied(0.0, longest_s=2.0, draw=lambda: 0.0)
    assert (due(family, 0.0), next_due_s(family, 0.0)) == ([], pause)
    assert due(family, pause) == [family[0]]
    assert next_due_s(family, pause + 1) == 0.0


@given(st.data(), st.integers(1, 12))
def test_every_listener_has_exactly_one_worker_as_long_as_one_is_there(data: st.DataObject, workers: int) -> None:
    present = data.draw(st.sets(st.integers(0, workers - 1), min_size=1))
    shares = assigned(present, workers=workers)
    assert sorted(listener for listeners in shares.values() for listener in listeners) == list(range(workers))
    assert shares.keys() == present
    assert all(index in listeners for index, listeners in shares.items())
    assert max(map(len, shares.values())) - min(map(len, shares.values())) <= 1


def test_with_nobody_there_nobody_is_told() -> None:
    assert assigned([], workers=3) == {}
