"""What neighbours.toml says: who is installed, what is tried, what must come of it."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

TABLE = Path(__file__).parent / "neighbours.toml"
PEOPLE = ("nobody", "alice", "bob", "carol", "dave", "local")


@dataclass(frozen=True)
class Visit:
    """One action, and what it must lead to, for each person who takes it."""

    name: str
    action: str
    expected: dict[str, str]
    # A header of the answer that is told, too.
    header: str = ""


@dataclass(frozen=True)
class Neighbour:
    """Something that other people wrote, and the site it lives on beside us."""

    name: str
    requires: list[str]
    visits: list[Visit]
    hosts: list[str] = field(default_factory=lambda: ["localhost"])
    database: str = "sqlite"
    python: str = ""  # a version, where the newest is too new
    pinned: bool = True  # by this project's constraints
    big: bool = False


@cache
def neighbours() -> list[Neighbour]:
    """All of them, in the order of the table."""
    table = tomllib.loads(TABLE.read_text())
    common = table.pop("everywhere")
    return [_neighbour(name, entry, common) for name, entry in table.items()]


def _neighbour(name: str, entry: dict[str, Any], common: dict[str, Any]) -> Neighbour:
    instead, own = entry.pop("instead", {}), entry.pop("visits", {})
    if entry.pop("alone", False):  # with nothing of what all sites have
        common = {}
    visits = []
    for visit, row in _in_order(common, own):
        row = row | instead.pop(visit, {})
        action, header = row.pop("action"), row.pop("header", "")
        # An empty cell: this person does not come here.
        expected = {person: row.pop(person) for person in PEOPLE if row.get(person)}
        unknown = {key for key in row if key not in PEOPLE}
        if unknown:
            raise ValueError(f"{name}: {visit} has {unknown}")
        visits.append(Visit(visit, action, expected, header))
    if instead:
        raise ValueError(f"{name}: no visit {sorted(instead)}")
    return Neighbour(name=name, visits=visits, **entry)


def _in_order(common: dict[str, Any], own: dict[str, Any]) -> list[tuple[str, Any]]:
    """A neighbour's own visits are made before the logout that all end with."""
    first = {visit: row for visit, row in common.items() if not _is_end(visit)}
    last = {visit: row for visit, row in common.items() if _is_end(visit)}
    return [(v, dict(row)) for v, row in [*first.items(), *own.items(), *last.items()]]


def _is_end(visit: str) -> bool:
    return visit in ("logout", "after")
