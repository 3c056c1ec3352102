"""A document that a subject refuses as a whole is asked about in portions: one odd flag hides nothing."""

import pytest

from harness.search.panel import BOTH_REFUSED, Divergence
from harness.search.portions import differences

PEOPLE = [{"distinct_id": "a"}, {"distinct_id": "b"}]


class Strict:
    """Refuses every document with a flag called odd; about others it differs in flag `wrong`."""

    def __init__(self, kind="refused"):
        self.asked = []
        self.kind = kind

    def only(self, subject):
        assert subject == "strict"
        return self

    async def differences(self, definitions, people):
        keys = [flag["key"] for flag in definitions["flags"]]
        self.asked.append(keys)
        if "odd" in keys:
            return [Divergence("base", "strict", self.kind, n) for n in range(len(people))]
        return [Divergence("base", "strict", "value", n, "wrong") for n in range(len(people)) if "wrong" in keys]


def document(*keys, **filters):
    return {"flags": [{"key": key, "filters": {"groups": [], **filters}} for key in keys], "cohorts": {}}


async def test_the_odd_flag_is_found_alone_and_the_others_are_compared_without_it():
    found = await differences(Strict(), document("a", "odd", "wrong", "b", "c"), PEOPLE)
    assert {(one.kind, *(flag["key"] for flag in where["flags"])) for where, one in found} == {
        ("refused", "odd"),
        ("value", "wrong", "b", "c"),
    }
    assert len(found) == 2 * len(PEOPLE)


@pytest.mark.parametrize(("kind", "told"), [("base refused", {"base refused", "value"}), (BOTH_REFUSED, {"value"})])
async def test_who_else_refuses_hides_nothing_either_and_refusing_alike_is_no_difference(kind, told):
    found = await differences(Strict(kind), document("a", "odd", "wrong", "b", "c"), PEOPLE)
    assert {one.kind for _, one in found} == told


async def test_a_document_that_nobody_refuses_is_asked_about_once():
    panel = Strict()
    (first, _) = await differences(panel, document("a", "wrong"), PEOPLE)
    assert (first[0], panel.asked) == (document("a", "wrong"), [["a", "wrong"]])


async def test_flags_that_depend_on_each_other_stay_together():
    panel = Strict()
    leaf = {"type": "flag", "key": "a"}
    found = await differences(panel, document("a", "odd", groups=[{"properties": [leaf]}]), PEOPLE)
    assert [one.kind for _, one in found] == ["refused", "refused"]
    assert len(panel.asked) == 1


async def test_a_person_who_cannot_be_asked_about_is_no_reason_to_take_a_document_apart():
    class Choosy(Strict):
        async def differences(self, definitions, people):
            self.asked.append(definitions)
            return [Divergence("base", "strict", "refused", 1)]

    panel = Choosy()
    assert len(await differences(panel, document("a", "b"), PEOPLE)) == 1
    assert len(panel.asked) == 1
