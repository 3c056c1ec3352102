from __future__ import annotations

from proxy.answer.answer import Whole
from proxy.lastgood.tiers.backlog import Backlog
from proxy.lastgood.tiers.outbox import Outbox, Waiting
from proxy.lastgood.tiers.record import RECORD_BYTES, Purge, Sealed, SealedPurge
from tests.fakes.requests import PROJECT, key
from tests.fakes.tier import whole


def record(name: str, size: int = 100, project: str = "default") -> Sealed:
    return Sealed(name.encode(), project, b"", 1.0, 2.0, b"x" * size)


def names(records: list[Sealed]) -> list[str]:
    return [each.key.decode() for each in records]


def test_a_backlog_gives_the_oldest_first_and_at_least_one() -> None:
    backlog = Backlog(max_bytes=10_000)
    backlog.add([record("a"), record("b", 5_000), record("c")])
    assert names(backlog.take(max_bytes=1_000)) == ["a"]
    assert names(backlog.take(max_bytes=1_000)) == ["b"]
    assert names(backlog.take(max_bytes=1_000)) == ["c"]
    assert backlog.take(max_bytes=1_000) == []
    assert backlog.bytes == 0


def test_a_backlog_holds_one_record_a_key_the_newest_and_last() -> None:
    backlog = Backlog(max_bytes=10_000)
    backlog.add([record("a", 10), record("b"), record("a", 20)])
    assert [(each.key, len(each.value)) for each in backlog.take(max_bytes=10_000)] == [(b"b", 100), (b"a", 20)]


def test_of_two_workers_answers_to_one_question_the_later_said_waits_whichever_comes_last() -> None:
    backlog = Backlog(max_bytes=10_000)
    later, earlier = Sealed(b"a", "default", b"", 2.0, 9.0, b"later"), Sealed(b"a", "default", b"", 1.0, 9.0, b"earlier")
    backlog.add([later])
    backlog.add([earlier])
    assert backlog.take(max_bytes=10_000) == [later]
    assert backlog.bytes == 0


def test_a_full_backlog_drops_the_oldest_and_counts() -> None:
    backlog = Backlog(max_bytes=2 * (100 + RECORD_BYTES))
    backlog.add([record("a"), record("b"), record("c")])
    assert backlog.dropped == 1
    assert backlog.bytes <= 2 * (100 + RECORD_BYTES)
    assert names(backlog.take(max_bytes=10_000)) == ["b", "c"]


def test_records_put_back_are_the_oldest_again_unless_newer_ones_came() -> None:
    backlog = Backlog(max_bytes=10_000)
    backlog.add([record("c"), record("b", 7)])
    backlog.put_back([record("a"), record("b", 5)])
    taken = backlog.take(max_bytes=10_000)
    assert names(taken) == ["a", "c", "b"]
    assert len(taken[-1].value) == 7
    assert backlog.bytes == 0


def test_a_backlog_forgets_what_a_purge_means() -> None:
    backlog = Backlog(max_bytes=10_000)
    backlog.add([record("a"), record("b", project="other")])
    assert backlog.purge(SealedPurge("other")) == 1
    assert names(backlog.take(max_bytes=10_000)) == ["a"]
    assert backlog.bytes == 0


def waiting(body: Whole, at: float = 100.0) -> Waiting:
    return Waiting(body, PROJECT, at, at + 1_000)


def test_an_answer_that_says_the_same_is_written_again_only_after_a_while() -> None:
    outbox = Outbox(rewrite_s=60)
    outbox.put(key(), waiting(whole(), 100))
    assert outbox.take() is not None
    outbox.put(key(), waiting(whole(), 159))
    assert outbox.take() is None
    assert outbox.unchanged == 1
    outbox.put(key(), waiting(whole(), 160))
    assert outbox.take() is not None


def test_what_differs_in_every_answer_is_no_change() -> None:
    outbox = Outbox(rewrite_s=60)
    first = b'{"flags":{},"requestId":"4c1e","evaluatedAt":1750000000001}'
    second = b'{"flags":{},"requestId": "ab09","evaluatedAt":1750000000999}'
    outbox.put(key(), waiting(Whole(200, "", first)))
    assert outbox.take() is not None
    outbox.put(key(), waiting(Whole(200, "", second)))
    assert outbox.take() is None


def test_a_flag_that_is_called_like_what_differs_is_still_seen_to_change() -> None:
    outbox = Outbox(rewrite_s=60)
    for value in (b"true", b"false"):
        body = b'{"flags":{"requestId":' + value + b'},"requestId":"4c1e","evaluatedAt":17}'
        outbox.put(key(), waiting(Whole(200, "", body)))
        assert outbox.take() is not None


def test_an_answer_cut_short_is_an_answer_like_any_other() -> None:
    outbox = Outbox(rewrite_s=60)
    outbox.put(key(), waiting(Whole(200, "", b'{"requestId":')))
    assert outbox.take() is not None


def test_a_changed_flag_is_written_at_once() -> None:
    outbox = Outbox(rewrite_s=60)
    outbox.put(key(), waiting(whole("on")))
    assert outbox.take() is not None
    outbox.put(key(), waiting(whole("off"), 100.1))
    assert outbox.take() is not None


def test_of_several_answers_to_one_question_the_last_is_written() -> None:
    outbox = Outbox(rewrite_s=60)
    outbox.put(key(), waiting(whole("first")))
    outbox.put(key(), waiting(whole("last")))
    taken = outbox.take()
    assert taken is not None
    assert taken[1].whole == whole("last")
    assert outbox.take() is None
    assert outbox.bytes == 0


def test_an_outbox_keeps_its_bytes_drops_the_oldest_and_counts() -> None:
    size = waiting(whole()).cost_bytes(key("user-0"))
    outbox = Outbox(rewrite_s=60, max_bytes=3 * size)
    for number in range(9):
        outbox.put(key(f"user-{number}"), waiting(whole()))
        assert outbox.bytes <= 3 * size
    assert outbox.dropped == 6
    taken = outbox.take()
    assert taken is not None
    assert taken[0] == key("user-6")


def test_what_was_purged_is_written_again_when_it_is_said_again() -> None:
    outbox = Outbox(rewrite_s=60)
    outbox.put(key(), waiting(whole()))
    assert outbox.take() is not None
    outbox.put(key("user-2"), waiting(whole()))
    outbox.purge(lambda _, project: project == PROJECT)
    assert outbox.take() is None
    assert outbox.bytes == 0
    outbox.put(key(), waiting(whole()))
    assert outbox.take() is not None


def test_a_purge_needs_no_more_than_one_of_its_two_words() -> None:
    assert Purge() == Purge(None, None)
