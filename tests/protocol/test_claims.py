"""Claims of a provider with names and types of its own, and the switches for them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from oauth_login.protocol.claims import standard_claims, unsigned_names
from oauth_login.protocol.deviations import Deviations


@pytest.mark.parametrize(
    ("claims", "standard"),
    [
        ({"mail": "a@a.example"}, {"mail": "a@a.example", "email": "a@a.example"}),
        ({"mail": "a", "email": None}, {"mail": "a", "email": "a"}),
        # The standard's own name wins, whatever it holds.
        ({"mail": "a", "email": "b"}, {"mail": "a", "email": "b"}),
        ({"mail": "a", "email": ""}, {"mail": "a", "email": ""}),
        ({"mail": "a", "email": False}, {"mail": "a", "email": False}),
        ({"x": "a"}, {"x": "a"}),
        # An alias of an alias is none.
        ({"post": "a"}, {"post": "a", "mail": "a"}),
    ],
)
def test_an_alias_fills_what_is_not_there(
    claims: dict[str, Any], standard: dict[str, Any]
) -> None:
    aliases = {"email": "mail", "mail": "post"}
    assert standard_claims(claims, Deviations(claim_aliases=aliases)) == standard
    assert standard_claims(claims, Deviations()) == claims


@pytest.mark.parametrize(
    ("value", "standard"),
    [
        ("true", True),
        ("false", False),
        (True, True),
        (False, False),
        ("True", "True"),
        ("1", "1"),
        (1, 1),
        ("yes", "yes"),
        ("", ""),
        (["true"], ["true"]),
        (None, None),
    ],
)
@pytest.mark.parametrize(
    "name", ["email_verified", "phone_number_verified", "is_private_email"]
)
def test_two_words_are_booleans_where_a_switch_says_so(
    name: str, value: object, standard: object
) -> None:
    # T94
    switch = Deviations(string_booleans=True)
    assert standard_claims({name: value}, switch) == {name: standard}
    assert standard_claims({name: value}, Deviations()) == {name: value}
    assert standard_claims({"other": "true"}, switch) == {"other": "true"}


def test_an_alias_may_be_a_boolean_in_words() -> None:
    switches = Deviations(
        string_booleans=True, claim_aliases={"email_verified": "verified"}
    )
    assert standard_claims({"verified": "true"}, switches)["email_verified"] is True


@pytest.mark.parametrize(
    ("user", "names"),
    [
        (
            {"name": {"firstName": "Alice", "lastName": "A"}},
            {"given_name": "Alice", "family_name": "A"},
        ),
        ({"name": {"firstName": "Alice"}}, {"given_name": "Alice"}),
        ({"name": {"firstName": "", "lastName": 5}}, {}),
        ({"name": {"firstName": ["Alice"]}}, {}),
        ({"name": {"firstName": "a" * 151}}, {"given_name": "a" * 150}),
        ({"name": "Alice"}, {}),
        ({"name": None}, {}),
        ({"email": "evil@example.com"}, {}),
        ([], {}),
    ],
)
def test_a_name_by_way_of_the_browser_is_a_name_or_nothing(
    user: object, names: dict[str, str]
) -> None:
    # T97, T106: it is not signed, and nothing else is taken from it
    assert unsigned_names(json.dumps(user)) == names


@pytest.mark.parametrize(
    "text", ["", "x", '{"name": 1, "name": 2}', "\ud800", "[" * 99]
)
def test_what_is_no_document_has_no_name(text: str) -> None:
    assert unsigned_names(text) == {}


@pytest.mark.parametrize(
    ("value", "standard"),
    [
        *(("1", True), (1, True), ("0", False), (0, False)),
        *((True, True), (False, False), (None, None)),
        # Words are another switch's.
        *(("true", "true"), ("false", "false")),
        *((1.0, 1.0), (0.0, 0.0), (2, 2), (-1, -1), ("2", "2"), ("01", "01")),
        *((" 1", " 1"), ("1 ", "1 "), ("1.0", "1.0"), ("+1", "+1"), ("", "")),
        *((["1"], ["1"]), ([1], [1]), ({"1": 1}, {"1": 1}), ("yes", "yes")),
        ("\u0661", "\u0661"),  # an Arabic one
    ],
)
@pytest.mark.parametrize(
    "name", ["email_verified", "phone_number_verified", "is_private_email"]
)
def test_one_and_zero_are_booleans_where_a_switch_says_so(
    name: str, value: object, standard: object
) -> None:
    # T94
    for switch, expected in (
        (Deviations(numeric_booleans=True), standard),
        (Deviations(), value),
    ):
        found = standard_claims({name: value}, switch)[name]
        assert (type(found), found) == (type(expected), expected)
        # A claim that is no boolean stays what it is.
        assert standard_claims({"level": value}, switch) == {"level": value}


def test_an_alias_is_read_as_the_claim_that_it_stands_for() -> None:
    switches = Deviations(
        claim_aliases={"email_verified": "xms_edov"},
        string_booleans=True,
        numeric_booleans=True,
    )
    for yes in ("1", 1, "true", True):
        claims = standard_claims({"xms_edov": yes}, switches)
        assert claims == {"xms_edov": yes, "email_verified": True}
    for no in ("0", 0, "false", False):
        assert standard_claims({"xms_edov": no}, switches)["email_verified"] is False


@pytest.mark.parametrize(
    ("claims", "aliases", "email"),
    [
        (
            {"emails": ["a@b.example", "c@d.example"]},
            {"email": "emails"},
            "a@b.example",
        ),
        ({"email": ["a@b.example"]}, {}, "a@b.example"),
        ({"email": []}, {}, None),
        ({"email": [5, "a@b.example"]}, {}, None),
        ({"email": [["a@b.example"]]}, {}, None),
    ],
)
def test_where_one_text_is_expected_the_first_of_a_list_counts(
    claims: dict[str, Any], aliases: dict[str, str], email: str | None
) -> None:
    deviations = Deviations(claim_aliases=aliases)
    assert standard_claims(claims, deviations)["email"] == email
    # T94: what is verified is one address; the list does not say which.
    for verified, known in ((True, None), (False, False), ("true", None)):
        standard = standard_claims({**claims, "email_verified": verified}, deviations)
        assert standard["email_verified"] is known


@pytest.mark.parametrize(
    "name", ["sub", "iss", "email_verified", "acr", "amr", "groups", "is_private_email"]
)
def test_a_list_stays_a_list_where_a_text_would_identify_or_verify(name: str) -> None:
    every_switch = Deviations(string_booleans=True, numeric_booleans=True)
    assert standard_claims({name: ["true"]}, every_switch) == {name: ["true"]}
