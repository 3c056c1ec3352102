"""The arithmetic behind every benchmark figure, and the page it is written to."""

from __future__ import annotations

import os
import subprocess
import sys
from itertools import islice
from pathlib import Path

import pytest

from tests.bench import page
from tests.bench.cpu import cpu_s, memory, tree
from tests.bench.proxy.bodies import ANSWER_BYTES, FLAGS, USERS, answer, requests, stream
from tests.bench.quartiles import Figure, figure, lower_quartile, ratio


@pytest.mark.parametrize(
    ("samples", "expected"),
    [([7.0], 7.0), ([4.0, 1.0, 3.0, 2.0, 5.0], 2.0), ([1.0, 2.0], 1.25), ([10.0, 0.0, 0.0, 0.0], 0.0)],
)
def test_lower_quartile_interpolates_between_the_two_nearest_samples(samples: list[float], expected: float) -> None:
    assert lower_quartile(samples) == expected


def test_figure_stands_between_its_extremes() -> None:
    assert figure([3.0, 1.0, 2.0, 5.0, 4.0]) == Figure(value=2.0, low=1.0, high=5.0)


def test_ratio_divides_the_quartiles_and_pairs_the_rounds_for_its_extremes() -> None:
    assert ratio([2.0, 8.0], [1.0, 2.0]) == Figure(value=3.5 / 1.25, low=2.0, high=4.0)


def test_ratio_refuses_rows_of_unequal_length() -> None:
    with pytest.raises(ValueError, match="longer"):
        ratio([1.0], [1.0, 2.0])


def test_answer_has_twenty_flags_in_5_3_kilobytes() -> None:
    body = answer()
    assert len(body) == ANSWER_BYTES
    assert body.count(b'"condition_index"') == FLAGS


def test_requests_are_of_distinct_users_and_about_300_bytes_of_body() -> None:
    stock = requests()
    assert len(set(stock)) == USERS
    assert all(250 <= len(request.partition(b"\r\n\r\n")[2]) <= 400 for request in stock)


def test_stamped_requests_differ_in_nothing_but_their_time_and_others_repeat() -> None:
    plain = [*islice(stream(stamped=False), USERS + 1)][::USERS]
    stamped = [*islice(stream(stamped=True), USERS + 1)][::USERS]
    assert plain[0] == plain[1] == requests()[0]
    assert stamped[0] != stamped[1]
    assert len({len(request) for request in (*stamped, *plain)}) == 1
    assert stamped[0].replace(b"000000+", b"123456+") == plain[0]


def test_cpu_and_memory_count_the_children_of_a_server() -> None:
    program = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'print(1, flush=True); input()'])"
    with subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as server:
        assert server.stdout is not None
        assert server.stdin is not None
        server.stdout.readline()
        assert len(tree(server.pid)) == 2
        assert [entry.pid for entry in memory(server.pid)] == tree(server.pid)
        assert all(0 < entry.pss_kb <= entry.rss_kb for entry in memory(server.pid))
        server.stdin.write(b"\n")
    assert server.pid not in tree(os.getpid())


def test_cpu_time_of_a_process_grows_with_its_work() -> None:
    before = cpu_s(os.getpid())
    while cpu_s(os.getpid()) < before + 0.02:
        sum(range(10_000))
    assert cpu_s(os.getpid()) >= before + 0.02


def test_table_aligns_its_columns() -> None:
    assert page.table(("row", "µs"), [("echo", "1.0"), ("a", "22.5")]).splitlines() == [
        "| row  |   µs |",
        "| ---- | ---: |",
        "| echo |  1.0 |",
        "| a    | 22.5 |",
    ]


def test_page_section_is_replaced_and_the_rest_is_kept(tmp_path: Path) -> None:
    target = tmp_path / "page.md"
    target.write_text("before\n<!-- one:begin -->\nold\n<!-- one:end -->\nafter\n")
    page.write("one", "new\n", target=target)
    assert target.read_text() == "before\n<!-- one:begin -->\nnew\n<!-- one:end -->\nafter\n"
    with pytest.raises(SystemExit, match="markers"):
        page.write("two", "new", target=target)


def test_machine_is_described_without_paths_or_names_of_hosts() -> None:
    described = page.machine("aiohttp")
    assert "cores" in described
    assert "/" not in described
    assert os.uname().nodename not in described.split()
