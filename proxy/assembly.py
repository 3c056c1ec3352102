"""How the parts of a worker's line fit together under some settings: from what is made once to what answers a request.

Nothing is decided here but who is given to whom; what outlives the settings is `Parts`, everything else is made anew with them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from random import Random
from typing import TypeAlias

import msgspec

from proxy.answer.assemble import Assembler
from proxy.answer.at_hand.choice import AtHand
from proxy.answer.at_hand.counting import Counting
from proxy.answer.at_hand.local_first import LocalFirst
from proxy.answer.at_hand.sample import Sample
from proxy.answer.flights.asking import Asking, Lasting
from proxy.answer.flights.flight import Flight
from proxy.answer.flights.pure import Observed, Pure
from proxy.answer.flights.race import Race
from proxy.answer.flights.renewal import Renewal
from proxy.answer.flights.trip import Flown, Trip
from proxy.answer.judgement.judgement import judgement
from proxy.answer.ladder import Ladder
from proxy.answer.partial.configured import ConfiguredRung
from proxy.answer.partial.merge import Merge
from proxy.answer.request import ProjectName, UpstreamName
from proxy.answer.rungs.local import LocalRung
from proxy.answer.rungs.rung import Rung
from proxy.answer.rungs.stale import StaleRung
from proxy.answer.rungs.walk import Walk
from proxy.answer.switches import Switches
from proxy.clock import Clock
from proxy.config.settings import Settings, Upstream
from proxy.definitions.held import Held
from proxy.edge.definitions.keys import Keys
from proxy.edge.flags.head import Heads
from proxy.edge.flags.tenants import Tenants
from proxy.edge.forwarded import TrustedProxies
from proxy.edge.handlers import Flags, Handler
from proxy.edge.wire import Decoder
from proxy.lastgood.memory import Memory
from proxy.lastgood.tiers.tiers import Tiers
from proxy.telemetry.logs import Logger
from proxy.telemetry.watch import Watch
from proxy.upstream.exchange import Transport
from proxy.upstream.origin import Origin, OriginSettings

TransportFactory: TypeAlias = Callable[[Upstream], Transport]


class Parts(msgspec.Struct, frozen=True):
    """What is made once, whatever the settings become; `transport` makes what talks to an upstream."""

    clock: Clock
    transport: TransportFactory
    rng: Random
    new_id: Callable[[], str]
    elsewhere: Handler | None
    memory: Memory
    held: Held
    keys: Keys
    sample: Sample
    lasting: Lasting
    switches: Switches
    observed: Observed
    watch: Watch
    tiers: Tiers


def lasting(memory: Memory, tiers: Tiers, held: Held, *, clock: Clock, log: Logger | None) -> Lasting:
    """Return what outlives every settings of the line, new."""
    flight: Flight[Flown] = Flight(clock=clock)
    trip = Trip(memory, held, judgement(clock=clock, log=log), clock=clock)
    merge = Merge(memory, trip.judgement.judge)
    race, renewal = Race(clock=clock), Renewal(flight, clock=clock)
    return Lasting(flight=flight, trip=trip, race=race, renewal=renewal, mending=merge, tiers=tiers)


def flags(
    settings: Settings,
    parts: Parts,
    *,
    tenants: Tenants,
    origins: Mapping[UpstreamName, Origin],
    local: LocalRung,
    elsewhere: Handler,
) -> Flags:
    """Return what answers the flag endpoints under some settings: bytes in, the line, bytes out."""
    clock, limits = parts.clock, settings.limits
    assembler, counting = Assembler(clock=clock, new_id=parts.new_id), Counting(parts.held)
    eager = frozenset(name for name, rules in local.rules.items() if rules.local_first)
    rungs: dict[str, Rung] = {
        "stale": StaleRung(parts.memory, parts.tiers, counting, clock=clock),
        "local": local,
        "configured": ConfiguredRung(parts.memory, parts.held, local, is_gone=parts.lasting.trip.judgement.judge.is_gone),
    }
    parts.lasting.trip.judgement.judge.lists = local.listed
    at_hand = AtHand(counting, LocalFirst(eager, local, assembler, clock=clock) if eager else None, clock=clock)
    walk = Walk(rungs, assembler, holds=lambda project: parts.held.get(project) is not None)
    asking = Asking(origins, parts.lasting, walk, clock=clock)
    ladder = Ladder(
        switches=parts.switches,
        memory=parts.memory,
        at_hand=at_hand,
        asking=asking,
        pure=Pure(origins, at_hand, asking, parts.lasting.trip, parts.observed),
        sample=parts.sample,
    )
    heads = Heads(trusted=TrustedProxies(settings.trusted_proxies))
    decoder = Decoder(tenants=tenants, limits=limits, clock=clock)
    return Flags(ladder=ladder, heads=heads, decoder=decoder, watch=parts.watch, limits=limits, elsewhere=elsewhere)


def local_rung(settings: Settings, parts: Parts) -> LocalRung:
    """Return what evaluates for the projects that keep definitions; what is held of others is dropped."""
    rules = {ProjectName(name): p.definitions for name, p in settings.projects.items() if p.definitions is not None}
    parts.sample.projects = frozenset(rules)
    parts.held.keep_only(frozenset(rules))
    return LocalRung(parts.held, rules, clock=parts.clock, inflated_bytes=settings.limits.inflated_bytes)


def new_origin(name: str, settings: OriginSettings, parts: Parts) -> Origin:
    """Return one upstream, watched and guarded."""
    transport = parts.watch.over(parts.transport(settings.upstream), name)
    return Origin(settings, transport=transport, clock=parts.clock, rng=parts.rng)
