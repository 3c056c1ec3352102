"""Stored persons and groups, and who is in which cohort (contract §5.10, §8, §9). Read-only; the file is the source."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

from reference.json import Json, JsonObject
from reference.matching.text import text_form

from .file import PersonRow, ServiceSection

CREATED_AT: Final = "__posthog_person_metadata__created_at"


class Person(msgspec.Struct, frozen=True):
    """One stored person; `id` is the first of their distinct ids."""

    id: str
    properties: JsonObject


class Membership(msgspec.Struct, frozen=True):
    """The cohorts one person is in, of those that exist: whoever asks about another asks about nothing (contract §8)."""

    cohorts: frozenset[int]
    existing: frozenset[int]

    def is_member(self, cohort_id: int) -> bool | None:
        """Say whether the person is in the cohort; of an unknown person: never. None: there is no such cohort."""
        return cohort_id in self.cohorts if cohort_id in self.existing else None


class People:
    """Persons by distinct id, groups by type and key."""

    def __init__(self, section: ServiceSection, *, listed: Iterable[int] = ()) -> None:
        """Take what is stored.

        Args:
            section: Persons, groups, and who is in which cohort; a cohort that is named there exists.
            listed: Ids of the cohorts that the definitions hold.
        """
        self._persons = {name: _person(row) for row in section.persons for name in row.distinct_ids}
        self._groups = section.groups
        self._cohorts = _cohorts_by_person(section.cohort_members, self._persons)
        self._existing = frozenset((*listed, *(int(cohort) for cohort in section.cohort_members if cohort.isdecimal())))

    def person(self, distinct_id: str) -> Person | None:
        """Find the person that a distinct id belongs to."""
        return self._persons.get(distinct_id)

    def membership(self, distinct_id: str) -> Membership:
        """Tell which static and behavioural cohorts a person is in; an unknown person is in none."""
        person = self._persons.get(distinct_id)
        cohorts = frozenset[int]() if person is None else self._cohorts.get(person.id, frozenset())
        return Membership(cohorts, self._existing)

    def group_properties(self, group_type: str, key: Json) -> Mapping[str, Json]:
        """Give a group's stored properties; a group without a row has none."""
        stored = self._groups.get(group_type, {})
        return stored.get(text_form(key), {})


def _person(row: PersonRow) -> Person:
    created = {} if row.created_at is None else {CREATED_AT: row.created_at}
    return Person(row.distinct_ids[0], {**row.properties, **created})


def _cohorts_by_person(members: Mapping[str, list[str]], persons: Mapping[str, Person]) -> dict[str, frozenset[int]]:
    found: dict[str, set[int]] = {}
    for cohort_id, names in members.items():
        for name in names:
            if name in persons and cohort_id.isdecimal():
                found.setdefault(persons[name].id, set()).add(int(cohort_id))
    return {person: frozenset(cohorts) for person, cohorts in found.items()}
