"""The definitions file: what is refused and where, and that the shipped sample is sound."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

import reference.service
from reference.context import Context, Runtime, Selection
from reference.outcome import Status
from reference.service.files import Grants, load_path
from reference.service.project.file import DefinitionsFileError, read_file
from reference.service.project.project import load_catalogue

SAMPLE = Path(reference.service.__file__).with_name("sample.json")


@pytest.mark.parametrize(
    ("text", "place"),
    [
        (b"", "not JSON"),
        (b"{", "not JSON"),
        (b"\xff", "not JSON"),
        (b"[]", "$: must be an object"),
        (b'{"flags": 3}', "$.flags"),
        (b"{}", "$.flags"),
        (b'{"flags": [], "service": {"tokenz": []}}', "$.service: Object contains unknown field `tokenz`"),
        (b'{"flags": [], "service": {"persons": [{"properties": {}}]}}', "$.persons[0]"),
        (b'{"flags": [], "service": {"projects": [{"flags": [], "service": 3}]}}', "$.service.projects[0].service"),
    ],
)
def test_unusable_file_says_where(text, place):
    with pytest.raises(DefinitionsFileError) as caught:
        load_catalogue(text)
    assert place in str(caught.value)


def test_sections_are_optional_and_projects_are_found_by_their_tokens():
    catalogue = load_catalogue(b'{"flags": [], "service": {"tokens": ["a", "b"], "projects": [{"flags": []}]}}')
    first, second = catalogue.projects
    assert catalogue.by_token("a") is catalogue.by_token("b") is first
    assert catalogue.by_token("phc_holdfast_sample") is second
    assert catalogue.by_token("c") is None


def test_keys_of_the_command_line_join_the_first_project(tmp_path):
    path = tmp_path / "flags.json"
    path.write_text('{"flags": [], "service": {"tokens": ["a"]}}')
    project = load_path(path, Grants(("phc_b",), ("phx_b",), ("phs_b",))).projects[0]
    assert project.section.tokens == ["a", "phc_b"]
    assert "phx_b" in project.section.personal_keys
    assert project.section.secret_keys == ["phs_b"]


def test_every_sample_flag_can_be_understood():
    for project in load_catalogue(SAMPLE.read_bytes()).projects:
        definitions = project.program.definitions
        assert [flag.key for flag in definitions.flags if flag.defect is not None] == []
        assert [cohort.id for cohort in definitions.cohorts.values() if cohort.defect is not None] == []
        assert definitions.unusable == ()


def test_every_sample_flag_is_decided_for_every_sample_person():
    project = load_catalogue(SAMPLE.read_bytes()).projects[0]
    everything = Selection(runtime=Runtime.ALL)
    for name in ("ada", "grace", "linus", "user-17", "nobody"):
        context = Context(distinct_id=name, properties_complete=True, memberships=project.people.membership(name))
        evaluation = project.program.evaluate(context, now=datetime(2025, 3, 1, tzinfo=UTC), selection=everything)
        assert {outcome.status for outcome in evaluation.outcomes.values()} == {Status.VALUE}
        assert len(evaluation.outcomes) >= 20


def test_sample_is_written_as_its_projects_are_read():
    first, second = read_file(SAMPLE.read_bytes())
    assert json.loads(SAMPLE.read_text())["service"]["tokens"] == first.section.tokens
    assert second.section.team_id == 2
