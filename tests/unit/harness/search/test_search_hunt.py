"""The search over a scripted panel: one cause is one finding, shrunk, repeatable, resumable."""

import msgspec

from harness.case import Case
from harness.compare import Kind
from harness.search.cause import Specimen
from harness.search.corpus import keep, read
from harness.search.hunt import Hunt
from harness.search.panel import Divergence, Tally, related
from harness.search.pools import Level
from harness.search.shrink import shrunk
from harness.search.state import State
from harness.search.write import THEMES, batch
from harness.subjects.protocol import Status, Verdict

YES, NO = Verdict(Status.VALUE, value=True), Verdict(Status.VALUE, value=False)
UNKNOWN, FAILED = Verdict(Status.INCONCLUSIVE), Verdict(Status.FAILED)


class Panel:
    """Differs on every flag that has an order filter, for people whose `p` is a text."""

    def __init__(self):
        self.tally = Tally()
        self.asked = []

    def only(self, _subject):
        return self

    def of_those_who(self, _needs):
        return None

    async def differences(self, definitions, people):
        self.asked.append(len(definitions["flags"]))
        return [
            Divergence("base", "subject", "value", n, flag["key"], NO, YES)
            for n, person in enumerate(people)
            if isinstance(person["person_properties"].get("p"), str)
            for flag in definitions["flags"]
            if any(leaf.get("operator") == "gt" for one in flag["filters"]["groups"] for leaf in one["properties"])
        ]


async def hunted(state, claimant=lambda _: None):
    hunt = Hunt(Panel(), state, claimant)
    await hunt.run(lambda: state.batches < len(THEMES))
    return hunt


async def test_a_search_that_is_out_of_time_with_differences_in_hand_does_not_end_as_if_there_were_none():
    state = State(1)
    hunt = Hunt(Panel(), state)
    for theme in THEMES:
        before = len(state.findings)
        case = batch(theme, state.level, "1")
        met = await hunt.panel.differences(case.definitions, case.people)
        specimens = [(one, Specimen(case.definitions, case.people[one.person], one.flag_key)) for one in met]
        await hunt.keep(specimens, lambda: False)
        assert (len(state.findings) == 1) is (bool(met) or bool(before))
    assert len(state.findings) == 1


async def test_what_is_found_is_one_flag_one_condition_one_filter_and_one_property():
    found = (await hunted(State(1))).state.findings
    assert found
    for finding in found:
        (flag,) = finding.specimen.definitions["flags"]
        (condition,) = flag["filters"]["groups"]
        (leaf,) = condition["properties"]
        assert (leaf["operator"], list(finding.specimen.person["person_properties"])) == ("gt", ["p"])


async def test_every_cause_is_found_once_however_often_it_is_met():
    found = (await hunted(State(1))).state.findings
    assert len({finding.cause for finding in found}) == len(found)
    assert sum(finding.count for finding in found) > len(found)


async def test_shapes_that_one_known_divergence_claims_are_one_finding():
    found = (await hunted(State(1), lambda cause: "texts" if cause.feature == "order" else None)).state.findings
    assert [finding.cause.feature for finding in found] == ["order"]


async def test_the_same_seed_finds_the_same_and_a_state_survives_its_file():
    one, two = (await hunted(State(3))).state, (await hunted(State(3))).state
    assert one == two
    again = msgspec.json.decode(msgspec.json.encode(one), type=State)
    assert again == one
    before = len(again.findings)
    assert len((await hunted(again)).state.findings) == before


async def test_shrinking_stops_after_its_trials():
    case = batch("order", Level.PLAUSIBLE, "x")
    asked = []

    async def never(candidate):
        asked.append(candidate)
        return False

    whole = Specimen(case.definitions, case.people[0], case.flag_keys[0])
    assert await shrunk(whole, never, trials=7) is whole
    assert len(asked) == 7


def test_a_batch_is_the_same_every_time_and_hostile_ones_are_opt_in():
    for theme in THEMES:
        plausible = batch(theme, Level.PLAUSIBLE, "7:1")
        assert plausible == batch(theme, Level.PLAUSIBLE, "7:1")
        assert isinstance(plausible, Case)
    kinds = {
        type(leaf.get("value"))
        for flag in batch("order", Level.PLAUSIBLE, "7:1").definitions["flags"]
        for one in flag["filters"]["groups"]
        for leaf in one["properties"]
        if leaf["key"] == "p"
    }
    assert kinds <= {int, float, str}


def test_deciding_what_cannot_be_known_is_rash_only_where_the_service_would_say_otherwise():
    assert related(UNKNOWN, NO, YES) is Kind.RASH
    assert related(UNKNOWN, YES, YES) is Kind.BASE_DECLINES
    assert related(UNKNOWN, YES, UNKNOWN) is Kind.BOTH_DECLINE
    assert related(FAILED, FAILED, UNKNOWN) is Kind.BOTH_DECLINE
    assert related(YES, YES, UNKNOWN) is Kind.SUBJECT_DECLINES
    assert related(None, None, NO) is Kind.PRESENCE


async def test_a_corpus_gives_back_what_was_kept_and_replaces_the_same_cause(tmp_path):
    found = (await hunted(State(1))).state.findings
    keep(tmp_path, found)
    assert sorted(read(tmp_path), key=lambda one: one.cause) == sorted(found, key=lambda one: one.cause)
    assert keep(tmp_path, found) == []
    assert [str(file.relative_to(tmp_path)) for file in tmp_path.rglob("*.json")] == ["subject/01-order.json"]
