"""The corpus: what living providers send, one file for each provider and oddity.

A file in `cases/` changes single members of what the provider for tests, or a preset's
fixture, sends otherwise. CONTRIBUTING.md describes the format.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

CASES = Path(__file__).parent / "cases"
FIXTURES = Path(__file__).parent.parent / "conf" / "presets" / "fixtures"
# What a file may change, and in `without` leave out.
PLACES = ("discovery", "jwks", "callback", "token", "header", "claims", "userinfo")
KEYS = {
    *("about", "preset", "settings", "alg", "claims_in", "lengths", "without"),
    *("outcome", "stays_here", "user", "identity"),
    *PLACES,
}


@dataclass(frozen=True, slots=True)
class Case:
    """One file, as it is."""

    name: str
    document: Mapping[str, Any]

    @property
    def outcome(self) -> str:
        """ "login", or the code of the error that the login ends with."""
        return str(self.document["outcome"])

    @property
    def settings(self) -> dict[str, Any]:
        return dict(self.document.get("settings", {}))

    def changed(self, place: str, document: Mapping[str, Any]) -> dict[str, Any]:
        """What the provider sends in the place of `document`."""
        left_out = self.document.get("without", {}).get(place, ())
        changes = {**document, **self.document.get(place, {})}
        return {name: value for name, value in changes.items() if name not in left_out}

    def changes(self, place: str) -> bool:
        return place in self.document or place in self.document.get("without", {})


@cache
def cases() -> tuple[Case, ...]:
    """All files, in the order of their names."""
    return tuple(
        Case(path.stem, json.loads(path.read_text()))
        for path in sorted(CASES.glob("*"))
    )


def documents(place: str, good: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Where fuzzing starts: `good`, and what cases and presets' fixtures make of it.

    Without the cases about lone surrogates, which are not read as they were written.
    """
    found = [dict(good)]
    for case in cases():
        if "preset" not in case.document:
            found.append(case.changed(place, good))
    for path in sorted(FIXTURES.glob("*.json")):
        for members in _of_fixture(place, json.loads(path.read_text())):
            kept = {"issuer": good["issuer"]} if place == "discovery" else good
            found.append({**members, **kept})
    return [
        document
        for number, document in enumerate(found)
        if document not in found[:number] and _is_text(document)
    ]


def _of_fixture(place: str, fixture: Mapping[str, Any]) -> list[dict[str, Any]]:
    if place == "jwks":
        return [
            {name: value for name, value in key.items() if name != "_signs"}
            for key in fixture.get("keys", ())
        ]
    name = {"token": "token_response", "claims": "id_token"}.get(place, place)
    return [fixture[name]] if fixture.get(name) else []


def _is_text(document: Mapping[str, Any]) -> bool:
    try:
        json.dumps(document, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True
