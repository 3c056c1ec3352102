"""The pytest entry point: inert until asked, then tests that fail with the explained finding."""

import json
import sys
import textwrap
import xml.etree.ElementTree as ET
from importlib.metadata import entry_points
from pathlib import Path

import pytest

from harness.search import corpus
from harness.search.structures import flag

pytest_plugins = "pytester"

CONTRARY = """\
    #!{python}
    import json, subprocess, sys

    reference = subprocess.Popen(
        [sys.executable, "-m", "reference", "jsonlines"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    for line in sys.stdin:
        reference.stdin.write(line)
        reference.stdin.flush()
        reply = json.loads(reference.stdout.readline())
        for verdict in (reply.get("flags") or {{}}).values():
            if isinstance(verdict.get("value"), bool):
                verdict["value"] = not verdict["value"]
        print(json.dumps(reply), flush=True)
"""
"""A driver that is the reference with every boolean turned round."""
CONTRARY_NAME = "posthog-go@9.9.9"
SEARCH = "--holdfast-subjects=reference,{} --holdfast-batches=1 --holdfast-seconds=60 --holdfast-corpus-folder=none"


@pytest.fixture
def ours(pytester):
    """A project with an installed SDK that contradicts the reference."""
    lane = pytester.path / "lanes" / "posthog-go-9.9.9"
    lane.mkdir(parents=True)
    (lane / ".ready").touch()
    driver = lane / "driver"
    driver.write_text(textwrap.dedent(CONTRARY.format(python=sys.executable)))
    driver.chmod(0o755)
    pytester.makeini("[pytest]\nasyncio_default_fixture_loop_scope = function\n")
    return pytester


def run(pytester, *arguments):
    lanes = f"--holdfast-lanes={pytester.path / 'lanes'}"
    return pytester.runpytest_inprocess("-p", "no:cacheprovider", "-p", "no:randomly", lanes, *arguments)


def test_it_is_an_entry_point_that_pytest_finds():
    [found] = [one for one in entry_points(group="pytest11") if one.name == "holdfast"]
    assert found.value == "harness.testing.plugin"


def test_unused_it_loads_nothing_but_itself(pytester):
    pytester.makepyfile(
        """
        import sys

        def test_nothing_else_is_here():
            loaded = {name for name in sys.modules if name.partition(".")[0] in {"harness", "reference", "msgspec", "rich"}}
            assert loaded == {"harness", "harness.testing", "harness.testing.plugin"}
        """
    )
    pytester.runpytest_subprocess("-p", "no:cacheprovider", timeout=100).assert_outcomes(passed=1)


def test_the_fixture_passes_where_subjects_agree_and_returns_what_was_compared(ours):
    ours.makepyfile(
        """
        def test_agreement(flags_harness):
            outcome = flags_harness.agree("reference", "reference", batches=1, seconds=60, corpus="none")
            assert (outcome.batches, outcome.new) == (1, [])
            assert outcome.pairs > 0
        """
    )
    run(ours).assert_outcomes(passed=1)


def test_a_divergence_fails_with_its_explanation_and_is_a_property_and_a_section_each(ours):
    ours.makepyfile(
        """
        def test_agreement(flags_harness):
            flags_harness.agree("reference", "posthog-go@9.9.9", batches=1, seconds=60, corpus="none", known=())
        """
    )
    result = run(ours, "--junitxml=junit.xml")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "*divergences that nobody knows*",
            "posthog-go@9.9.9: value*",
            "*reference says *, posthog-go@9.9.9 says *",
            "*definitions {*",
            "*person *{*",
            "*[[[]divergence]]*",
            "*subjects = *posthog-go@9.9.9*",
            "repeat: flags-harness run --subjects reference,posthog-go@9.9.9 *",
            "*divergence: posthog-go@9.9.9: value*",
        ]
    )
    assert "harness/testing" not in result.stdout.str()  # No traceback of ours.
    properties = ET.parse(ours.path / "junit.xml").findall(".//property")
    kinds = [one.get("name") for one in properties]
    assert kinds.count("flags-harness.finding") >= 1
    assert kinds.count("flags-harness.subject") == 2


def test_what_is_known_passes(ours):
    claim = {"id": "all", "subjects": [CONTRARY_NAME], "features": ["*"], "kinds": ["*"], "deviates": CONTRARY_NAME}
    lines = [f"{name} = {json.dumps(value)}" for name, value in claim.items()]
    text = "\n".join(["[[divergence]]", *lines, 'why = "It contradicts."', 'evidence = "here"', "expires = 2999-01-01"])
    ours.path.joinpath("known.toml").write_text(text)
    ours.makepyfile(
        """
        def test_agreement(flags_harness):
            outcome = flags_harness.agree(
                "reference", "posthog-go@9.9.9", batches=1, seconds=60, corpus="none", known="known.toml")
            assert outcome.seen
        """
    )
    run(ours).assert_outcomes(passed=1)


@pytest.mark.parametrize(
    ("call", "word"),
    [
        ('"reference", "posthog-cobol@1"', "unknown subject"),
        ('"reference", "posthog-node@0.0.1"', "python -m tools.sdks"),
        ('"reference", "reference", known="nowhere.toml"', "known divergences: nowhere.toml"),
        ('"reference", "reference", zone="Mars/Olympus"', "is no time zone"),
    ],
)
def test_what_cannot_be_asked_fails_with_the_remedy_and_is_not_skipped(ours, call, word):
    ours.makepyfile(f"def test_agreement(flags_harness):\n    flags_harness.agree({call}, lanes='none')\n")
    result = run(ours)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines([f"*{word}*"])


def test_the_switch_adds_one_test_beside_the_users_own(ours):
    ours.makepyfile("def test_own(): pass")
    run(ours, "--holdfast", *SEARCH.format("reference").split()).assert_outcomes(passed=2)
    run(ours, "--holdfast", "-m", "holdfast", *SEARCH.format(CONTRARY_NAME).split()).assert_outcomes(failed=1, deselected=1)


def test_switches_without_subjects_are_a_usage_error(ours):
    result = run(ours, "--holdfast", "--holdfast-subjects=reference")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*need --holdfast-subjects*"])


def test_kept_reproducers_are_tests_of_their_own_with_shared_subjects(ours):
    folder = kept(ours.path)
    options = ["--holdfast-corpus", f"--holdfast-corpus-folder={folder}"]
    run(ours, *options, "--holdfast-subjects=reference,reference").assert_outcomes(passed=2)
    result = run(ours, *options, "--holdfast-subjects=reference,posthog-go@9.9.9", "-k", "order", "--junitxml=junit.xml")
    result.assert_outcomes(failed=1, deselected=1)
    result.stdout.fnmatch_lines(["*corpus[[]posthog-go@9.9.9-002-value order[]]*", "*posthog-go@9.9.9 says*"])
    [case] = ET.parse(ours.path / "junit.xml").findall(".//testcase")
    assert (case.get("classname"), case.get("name")) == ("holdfast", "corpus[posthog-go@9.9.9-002-value order]")


def test_a_spread_run_collects_the_same_tests_everywhere(ours):
    folder = kept(ours.path)
    options = ["--holdfast-corpus", f"--holdfast-corpus-folder={folder}", "--holdfast-subjects=reference,reference"]
    run(ours, "-n", "2", *options).assert_outcomes(passed=2)


def kept(path: Path) -> Path:
    """Write two reproducers of somebody's."""
    folder = path / "kept" / "posthog-x"
    folder.mkdir(parents=True)
    findings = []
    for feature in ("equality", "order"):
        flags = [flag(0, feature, {"groups": [{"properties": [], "rollout_percentage": 100}]})]
        cause = {
            "base": "reference",
            "subject": "posthog-x@1",
            "kind": "value",
            "feature": feature,
            "filter": "",
            "property": "",
        }
        definitions = {"flags": flags, "group_type_mapping": {}, "cohorts": {}}
        specimen = {"definitions": definitions, "person": {"distinct_id": "a"}, "flag_key": feature}
        findings.append({"cause": cause, "specimen": specimen})
    folder.joinpath("01-both.json").write_text(json.dumps({"topic": "both", "findings": findings}))
    assert len(corpus.read(folder.parent)) == 2
    return folder.parent
