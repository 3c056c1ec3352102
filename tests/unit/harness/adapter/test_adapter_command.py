"""`flags-harness adapter`: what it becomes, and what it refuses."""

import pytest

from harness.__main__ import UNAVAILABLE, USAGE, main
from harness.adapter import command


@pytest.fixture
def lanes(tmp_path):
    lane = tmp_path / "posthog-python-9.9.9"
    (lane / "bin").mkdir(parents=True)
    (lane / ".ready").touch()
    return tmp_path


def test_it_becomes_the_lanes_interpreter_in_isolated_mode_on_this_machine_only(lanes):
    line = command.launch("posthog-python@9.9.9", lanes, "127.0.0.1", 0)
    assert line[:2] == [str(lanes / "posthog-python-9.9.9" / "bin" / "python"), "-I"]
    assert line[-2:] == ["127.0.0.1", "0"]


def test_the_process_is_replaced_and_asks_no_proxy(lanes):
    became = []
    options = command_options(["--sdk", "posthog-python@9.9.9", "--lanes", str(lanes)])
    assert command.perform(options, lambda *what: became.append(what)) == 0
    [(program, line, environment)] = became
    assert (program, line[-2:], environment["NO_PROXY"]) == (line[0], ["127.0.0.1", "8080"], "*")


@pytest.mark.parametrize(
    ("sdk", "code", "word"),
    [("posthog-node@5.70.0", USAGE, "posthog-python"), ("posthog-python@0.0.1", UNAVAILABLE, "python -m tools.sdks")],
)
def test_another_sdk_is_a_usage_error_and_an_absent_one_is_unavailable(sdk, code, word, tmp_path, capsys):
    assert main(["adapter", "--sdk", sdk, "--lanes", str(tmp_path)]) == code
    assert word in capsys.readouterr().err


@pytest.mark.parametrize("port", ["-1", "65536", "http"])
def test_a_port_is_a_number_of_sixteen_bits(port):
    with pytest.raises(SystemExit) as stopped:
        main(["adapter", "--port", port])
    assert stopped.value.code == USAGE


def command_options(arguments):
    import argparse
    from pathlib import Path

    parser = argparse.ArgumentParser()
    command.add(parser, Path(".lanes"))
    return parser.parse_args(arguments)
