"""The flag service with the layer in front: the application that faults are played on."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from uuid import UUID, uuid4

from aiohttp import web

from reference.service.app import WORLD, build, utc_now
from reference.service.project.memory import Memory
from reference.service.project.project import Catalogue

from .layer import Exchange, Layer


def build_faulty(
    catalogue: Catalogue, layer: Layer, *, clock: Callable[[], datetime] = utc_now, new_id: Callable[[], UUID] = uuid4
) -> web.Application:
    """Build the service around a layer; `app[WORLD].catalogue = …` replaces the true definitions at any time."""
    memory = Memory()
    app = build(catalogue, clock=clock, new_id=new_id, memory=memory, has_test_face=True, around=layer.around)

    def freeze() -> Exchange:
        kept: list[Exchange] = []

        def keep(exchange: Exchange) -> Exchange:
            kept.append(exchange)
            return exchange

        build(app[WORLD].catalogue, clock=clock, new_id=new_id, memory=memory, around=keep)
        return kept[0]

    layer.bind(freeze)
    return app
