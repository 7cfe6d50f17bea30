"""What null and empty members mean."""

from __future__ import annotations

from typing import Any

import pytest

from oauth_login.protocol.members import (
    without_empty,
    without_empty_claims,
    without_empty_types,
)

FULL: dict[str, Any] = {
    "a": 0,
    "b": False,
    "c": 0.0,
    "d": " ",
    "e": [None],
    "f": {1: 2},
}


def test_a_member_that_says_nothing_is_left_out() -> None:
    assert without_empty({**FULL, "g": None, "h": "", "i": [], "j": {}}) == FULL


NOTHING: list[Any] = [[], {}, 0, False]


@pytest.mark.parametrize("name", ["sub", "azp", "at_hash", "email", "name", "locale"])
def test_a_claim_may_be_null_and_a_text_empty(name: str) -> None:
    assert without_empty_claims({**FULL, name: None}) == FULL
    assert without_empty_claims({**FULL, name: ""}) == FULL
    for value in (*NOTHING, " "):
        assert without_empty_claims({name: value}) == {name: value}


@pytest.mark.parametrize("name", ["groups", "roles", "events", "nonce", "nbf", "x"])
def test_an_empty_claim_says_that_there_is_none(name: str) -> None:
    # T77: and an empty list of groups is not an unknown one.
    for value in (*NOTHING, ""):
        assert without_empty_claims({name: value}) == {name: value}
    assert without_empty_claims({name: None}) == {}


def test_of_a_header_only_types_and_the_kid_may_be_empty() -> None:
    # T73, T74
    strict = {"crit": None, "b64": "", "zip": None, "alg": None, "enc": ""}
    empty = {"typ": None, "cty": "", "kid": None}
    assert without_empty_types({**strict, **empty}) == strict
    kept = {"typ": [], "cty": {}, "kid": 0}
    assert without_empty_types(kept) == kept
