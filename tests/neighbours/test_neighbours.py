"""The login, the admin and the logout beside what other people wrote.

Each neighbour is installed for real in an environment of its own, and served; the
people of the test provider log in, open the admin and log out. neighbours.toml says
what must come of it: one test is one cell.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import Future

import pytest

from tests.neighbours.table import Neighbour, neighbours
from tests.neighbours.walks import DATABASE_URL, Seen

# For one neighbour, with an installation from an empty cache.
TIMEOUT = 900


def _cells() -> Iterator[object]:
    for neighbour in neighbours():
        for visit in neighbour.visits:
            for person, expected in visit.expected.items():
                yield pytest.param(
                    *(neighbour.name, visit.name, person, expected),
                    id=f"{neighbour.name}-{visit.name}-{person}",
                    marks=_why_not(neighbour),
                )


def _why_not(neighbour: Neighbour) -> list[pytest.MarkDecorator]:
    if neighbour.database == "postgresql" and not os.environ.get(
        DATABASE_URL, ""
    ).startswith("postgres"):
        return [pytest.mark.skip(f"NOT RUN: needs PostgreSQL by {DATABASE_URL}")]
    return []


@pytest.mark.parametrize(("neighbour", "visit", "person", "expected"), [*_cells()])
def test_what_comes_of_a_visit(
    walks: dict[str, Future[Seen]],
    neighbour: str,
    visit: str,
    person: str,
    expected: str,
) -> None:
    seen = walks[neighbour].result(timeout=TIMEOUT)[visit, person]

    assert seen == expected, f"\nseen      {seen}\nexpected  {expected}"
