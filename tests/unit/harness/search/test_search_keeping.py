"""What a search keeps: a file that is whole at any moment, and memory that does not grow past its bytes."""

import msgspec

from harness.search.cause import Cause, Specimen
from harness.search.keeping import EVERY_S, Journal, Room
from harness.search.state import Finding, State


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


def cause(number):
    return Cause("reference", "sdk@1", "value", f"feature-{number}", "text", "text")


def finding(number, size=10):
    return Finding(cause(number), Specimen({"flags": [], "padding": "x" * size}, {"distinct_id": "a"}, None))


def read(file):
    return msgspec.json.decode(file.read_bytes(), type=State)


def test_a_finding_is_on_disk_at_the_end_of_its_batch_and_all_else_every_few_seconds(tmp_path):
    clock, state, file = Clock(), State(1), tmp_path / "state"
    journal = Journal(file, clock)
    state.batches = 1
    journal.note(state)
    assert not file.exists()
    state.findings.append(finding(1))
    journal.note(state)
    assert read(file) == state
    state.batches = 2
    journal.note(state)
    assert read(file).batches == 1
    clock.now += EVERY_S
    journal.note(state)
    assert read(file).batches == 2
    assert [one.name for one in tmp_path.iterdir()] == ["state"]


def test_the_oldest_rough_causes_go_when_their_bytes_are_full_and_the_newest_stays():
    state = State(1)
    room = Room(state, rough_bytes=10_500)
    for number in range(100):
        room.remember_rough(f"rough-{number}", cause(number))
        room.remember_rough(f"rough-{number}", cause(number))
    assert list(state.rough) == [f"rough-{number}" for number in range(90, 100)]


def test_findings_past_their_bytes_are_counted_and_not_kept():
    state = State(1)
    room = Room(state, findings_bytes=3_000)
    assert [room.keep(finding(number, 1_000)) for number in range(4)] == [True, True, False, False]
    assert (len(state.findings), state.crowded_out) == (2, 2)
    assert Room(state, findings_bytes=3_000).keep(finding(9, 1_000)) is False
