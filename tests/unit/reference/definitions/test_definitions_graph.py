"""Ordering what needs one another, and what cannot be ordered."""

from __future__ import annotations

from reference.definitions.graph import arrange, closure


def test_each_comes_after_what_it_needs_and_equals_keep_their_order():
    assert arrange({"c": ["a", "b"], "b": [], "a": ["b"], "d": []}) == (["b", "d", "a", "c"], frozenset())


def test_a_cycle_and_everything_that_needs_it_is_told_apart():
    ordered, unordered = arrange({"a": ["b"], "b": ["a"], "behind": ["a"], "before": [], "self": ["self"]})
    assert (ordered, unordered) == (["before"], {"a", "b", "behind", "self"})


def test_needs_that_are_no_nodes_and_needs_said_twice_do_not_count():
    assert arrange({"a": ["nowhere", "b", "b"], "b": []}) == (["b", "a"], frozenset())


def test_nothing_orders_to_nothing():
    assert arrange({}) == ([], frozenset())


def test_a_long_chain_costs_no_recursion():
    count = 50_000
    ordered, unordered = arrange({number: [number + 1] for number in range(count)})
    assert ordered == list(range(count - 1, -1, -1))
    assert unordered == frozenset()


def test_closure_reaches_what_is_reachable_and_nothing_else():
    edges = {"a": ["b"], "b": ["c", "a"], "d": ["e"]}
    assert closure(["a"], edges) == {"a", "b", "c"}
    assert closure([], edges) == set()
    assert closure(["nowhere"], edges) == {"nowhere"}
