"""Orders things that need one another, without recursion and in linear time: flags, cohorts.

What cannot be ordered, because it stands on a cycle or needs something that does, is told apart and never ordered.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable, Iterable, Mapping
from typing import TypeVar

Node = TypeVar("Node", bound=Hashable)


def arrange(needs: Mapping[Node, Iterable[Node]]) -> tuple[list[Node], frozenset[Node]]:
    """Order nodes so that each comes after what it needs; the given order decides between equals.

    Args:
        needs: Node → the nodes it needs. Needed nodes that are no keys are ignored.

    Returns:
        The ordered nodes, and those that are on a cycle or need one that is.
    """
    open_needs = {node: {need for need in wanted if need in needs} for node, wanted in needs.items()}
    waiting: dict[Node, list[Node]] = {node: [] for node in needs}
    for node, wanted in open_needs.items():
        for need in wanted:
            waiting[need].append(node)
    missing = {node: len(wanted) for node, wanted in open_needs.items()}
    ready = deque(node for node, count in missing.items() if count == 0)
    ordered: list[Node] = []
    while ready:
        node = ready.popleft()
        ordered.append(node)
        for dependent in waiting[node]:
            missing[dependent] -= 1
            if missing[dependent] == 0:
                ready.append(dependent)
    return ordered, frozenset(needs) - frozenset(ordered)


def closure(starts: Iterable[Node], edges: Mapping[Node, Iterable[Node]]) -> set[Node]:
    """Collect everything that can be reached from the starts, themselves included; nodes without edges may be absent."""
    reached = set(starts)
    pending = list(reached)
    while pending:
        for node in edges.get(pending.pop(), ()):
            if node not in reached:
                reached.add(node)
                pending.append(node)
    return reached
