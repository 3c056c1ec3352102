"""What a run says, and the command line."""

import subprocess
import sys

import pytest

from load.__main__ import USAGE, main
from load.outcome import Outcome, text

FINE = Outcome(requests=100, failures={}, latency_ms={50.0: 1.5, 99.0: 20.25}, took_s=10.0, generator_cpu=0.2)


def test_the_text_has_requests_failures_and_percentiles():
    assert text(FINE).splitlines() == ["requests  100 in 10.0 s (10.0/s)", "failures  0", "latency   p50 1.5 ms  p99 20.2 ms"]


def test_each_kind_of_failure_is_counted_apart():
    outcome = Outcome(
        requests=3, failures={"503": 2, "ConnectionRefusedError": 1}, latency_ms={}, took_s=1.0, generator_cpu=0.0
    )
    assert outcome.failed == 3
    assert "failures  3\n  2 × 503\n  1 × ConnectionRefusedError" in text(outcome)


def test_a_busy_generator_is_a_warning():
    busy = Outcome(requests=1, failures={}, latency_ms={}, took_s=1.0, generator_cpu=0.95)
    assert "warning: the generator was busy for 95%" in text(busy)


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["run"],
        ["run", "--url", "x", "--rate", "0"],
        ["run", "--url", "x", "--users", "0"],
        ["run", "--url", "x", "--rate", "nan"],
    ],
)
def test_a_wrong_command_line_is_exit_code_2(arguments, capsys):
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    assert stopped.value.code == USAGE
    assert "usage: flags-load" in capsys.readouterr().err


def test_help_teaches_and_version_names_the_program():
    def said(option):
        return subprocess.run([sys.executable, "-m", "load", option], capture_output=True, text=True, check=True).stdout

    assert "exit codes: 0" in said("--help")
    assert said("--version").startswith("flags-load ")


def test_asking_for_load_does_not_import_locust():
    code = "import sys, load.__main__; sys.exit('locust' in sys.modules or 'gevent' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
