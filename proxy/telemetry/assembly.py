"""Puts one worker's telemetry together from its settings and from what the family shares."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from proxy.clock import Clock
from proxy.config.settings import Telemetry

from .metrics.meter import Meter
from .metrics.slate import Slate, private_slate
from .traces.draw import Draw
from .traces.post import Post
from .traces.tracer import Tracer
from .watch import Watch


def watch_of(
    settings: Telemetry,
    *,
    clock: Clock,
    slate: Slate | None = None,
    post: Post | None = None,
    generation: Callable[[str], int | None],
    rng: Random | None = None,
) -> Watch:
    """Return the watch over a line.

    Args:
        settings: What is traced, and whether there is anybody to send it to.
        clock: Time.
        slate: Where to count; None: on one that nobody reads.
        post: Where spans go; None: nothing is traced.
        generation: Which definitions a project has in force.
        rng: Draws and ids; never the one that decides answers.
    """
    tracer = None
    if post is not None:
        draws = rng or Random()  # noqa: S311 - ids of spans are no secrets
        draw = Draw(ratio=settings.trace_ratio, random=draws.random, clock=clock)
        tracer = Tracer(draw, post, clock=clock, rng=draws, generation=generation)
    watch = Watch(Meter(slate or private_slate()), tracer, clock=clock)
    watch.reconfigure(settings)
    return watch
