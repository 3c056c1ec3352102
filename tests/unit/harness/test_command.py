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
