"""Known divergences: what they claim, until when, and what is said about those that are gone."""

from datetime import date, timedelta

import pytest

from harness import known
from harness.search import corpus
from harness.search.cause import Cause

TODAY = date(2026, 11, 23)
CAUSE = Cause("reference", "sdk@1", "value", "order", "number", "text")
ENTRY = known.Known(
    id="texts", subjects=("sdk@1",), features=("order",), deviates="sdk@1", why="…", evidence="§7.3", expires=TODAY
)  # fmt: skip


def register(**changes):
    return known.Register([known.Known(**{**{n: getattr(ENTRY, n) for n in ENTRY.__struct_fields__}, **changes})], TODAY)


def test_an_entry_claims_what_its_predicate_matches_and_nothing_else():
    assert register(properties=("te*",)).claimant(CAUSE)
    others = [
        {"properties": ("null",)},
        {"kinds": ("payload",)},
        {"subjects": ("sdk@2",)},
        {"base": "x"},
        {"features": ("date",)},
    ]
    for change in others:
        assert register(**change).claimant(CAUSE) is None


def test_an_entry_warns_for_two_weeks_and_claims_nothing_after_its_day():
    assert register().expiring()
    assert not register(expires=TODAY + timedelta(days=14)).expiring()
    past = register(expires=TODAY - timedelta(days=1))
    assert past.claimant(CAUSE) is None
    assert past.expired()


def test_a_divergence_is_vanished_when_its_reproducer_was_replayed_and_nothing_of_it_was_met():
    held = register()
    assert [subject for _, subject in held.vanished(["sdk@1"], [], [CAUSE])] == ["sdk@1"]
    assert held.vanished(["sdk@1"], [CAUSE], [CAUSE]) == []
    assert held.vanished(["sdk@1"], [], []) == []
    assert held.vanished(["sdk@2"], [], [CAUSE]) == []


@pytest.mark.parametrize("text", ["divergence = 3", "[[divergence]]\nid = 'x'", "not toml", "[[divergence]]\nwhat = 1"])
def test_a_file_that_is_not_as_it_must_be_is_refused(tmp_path, text):
    file = tmp_path / "known.toml"
    file.write_text(text)
    with pytest.raises(known.Mistake, match=r"known\.toml"):
        known.read(file, TODAY)


def written(identity):
    lists = "subjects = ['sdk@1']\nfeatures = ['order']"
    return f"[[divergence]]\nid = '{identity}'\n{lists}\ndeviates = 'sdk@1'\nwhy = 'x'\nevidence = 'x'\nexpires = 2026-11-23\n"


def test_files_and_folders_are_read_together_and_an_id_stands_once_in_all_of_them(tmp_path):
    file, folder = tmp_path / "one.toml", tmp_path / "more"
    folder.mkdir()
    file.write_text(written("a"))
    (folder / "sdk.toml").write_text(written("b"))
    assert [one.id for one in known.read((file, folder), TODAY).entries] == ["a", "b"]
    assert [one.id for one in known.read(folder, TODAY).entries] == ["b"]
    (folder / "other.toml").write_text(written("a"))
    with pytest.raises(known.Mistake, match=r"a stands twice \(one\.toml, other\.toml\)"):
        known.read((file, folder), TODAY)


def test_the_files_we_keep_can_be_read_and_every_entry_has_a_reproducer_that_it_claims():
    entries = known.read(known.OURS, TODAY).entries
    causes = [finding.cause for finding in corpus.read(corpus.FOLDER)]
    assert entries
    assert [
        (one.id, who) for one in entries for who in one.subjects if not any(one.claims(c) and c.subject == who for c in causes)
    ] == []


def test_every_reproducer_is_claimed_and_stands_in_the_folder_of_its_sdk():
    register = known.read(known.OURS, TODAY)
    for folder in corpus.FOLDER.iterdir():
        for finding in corpus.read(folder):
            assert register.claimant(finding.cause), finding.cause
            assert finding.cause.subject.partition("@")[0] == folder.name


def test_reproducers_are_small():
    for finding in corpus.read(corpus.FOLDER):
        definitions = finding.specimen.definitions
        conditions = [one for flag in definitions["flags"] for one in flag["filters"].get("groups") or ()]
        has_dependency = finding.cause.feature.startswith("flag dependency")
        assert len(definitions["flags"]) == 1 or has_dependency, finding.cause
        assert len(conditions) <= (4 if has_dependency else 2), finding.cause
        assert sum(len(one.get("properties") or ()) for one in conditions) <= 2, finding.cause
