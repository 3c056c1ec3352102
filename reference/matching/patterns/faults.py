"""The two ways a pattern can fail to be ours."""

from __future__ import annotations


class Outside(Exception):  # noqa: N818 - a verdict, not an error
    """The pattern lies outside the subset whose meaning is certain."""


class Broken(Exception):  # noqa: N818
    """The service's engine certainly refuses the pattern."""
