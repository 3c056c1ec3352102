"""The command line: exit codes and what it says."""

import subprocess
import sys

import pytest

from harness.__main__ import UNAVAILABLE, USAGE, main


def test_an_unknown_subject_is_a_usage_error_that_lists_the_known_ones(capsys):
    assert main(["compare", "--subjects", "reference,posthog-cobol@1"]) == USAGE
    assert "posthog-python@VERSION" in capsys.readouterr().err


def test_a_missing_sdk_is_unavailable_with_the_remedy(capsys, tmp_path):
    assert main(["compare", "--subjects", "reference,posthog-node@0.0.1", "--lanes", str(tmp_path)]) == UNAVAILABLE
    assert "python -m tools.sdks posthog-node@0.0.1" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [[], ["compare", "--pairs", "0"], ["compare", "--subjects", "reference"], ["guess"]])
def test_a_wrong_command_line_is_exit_code_2(arguments, capsys):
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    assert stopped.value.code == USAGE
    assert "usage: flags-harness" in capsys.readouterr().err


def test_help_teaches_the_exit_codes_and_an_example():
    said = subprocess.run([sys.executable, "-m", "harness", "--help"], capture_output=True, text=True, check=True).stdout
    assert "exit codes: 0" in said
    assert "flags-harness compare" in said


def test_version_names_the_program():
    said = subprocess.run([sys.executable, "-m", "harness", "--version"], capture_output=True, text=True, check=True).stdout
    assert said.startswith("flags-harness ")


def test_a_server_whose_definitions_cannot_be_loaded_is_unavailable_with_both_remedies(capsys, monkeypatch):
    monkeypatch.delenv("FLAGS_HARNESS_DEFINITIONS", raising=False)
    assert main(["compare", "--subjects", "reference,http://127.0.0.1:1"]) == UNAVAILABLE
    said = capsys.readouterr().err
    assert "FLAGS_HARNESS_DEFINITIONS" in said
    assert "flags-harness check --server" in said


@pytest.mark.parametrize("address", ["http://key@127.0.0.1:1", "http://127.0.0.1:1?token=phc_x"])
def test_an_address_that_may_carry_a_secret_is_a_usage_error_that_does_not_repeat_it(capsys, address):
    assert main(["compare", "--subjects", f"reference,{address}"]) == USAGE
    assert address not in capsys.readouterr().err
