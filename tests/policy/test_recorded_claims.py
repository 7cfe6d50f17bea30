"""What is kept of claims, and what rules make of it afterwards."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oauth_login.conf.rules import parse_rules
from oauth_login.errors import LoginRefused
from oauth_login.policy.claim_paths import ClaimValues
from oauth_login.policy.recorded_claims import (
    RuleVerdict,
    judge,
    known_claims,
    recalled_claims,
)
from oauth_login.policy.rules import GroupsRule, RuleSet, check_admission, decide

RULES = RuleSet(
    allow_if=parse_rules({"email_domain": ["example.com"]}),
    deny_if=parse_rules({"flags": ["blocked"]}),
    staff_if=parse_rules([{"groups": ["ops"]}, {"realm_access.roles": ["lead"]}]),
    superuser_if=parse_rules({"groups": ["admins"], "mfa": [True]}),
    groups=GroupsRule("groups", {"editors": "Editors"}, "managed"),
    split={"groups": " "},
)
PATHS = RULES.claims_needed()


@pytest.mark.parametrize(
    ("claims", "known"),
    [
        (
            {"groups": ["ops"], "name": "Alice", "address": {"street": "x"}},
            {
                "groups": ["ops"],
                "flags": None,
                "mfa": None,
                "realm_access.roles": None,
                "email_domain": None,
            },
        ),
        (
            {"email": "alice@Example.com", "email_verified": True, "groups": "a b"},
            {
                "groups": ["a", "b"],
                "flags": None,
                "mfa": None,
                "realm_access.roles": None,
                "email_domain": ["example.com"],
            },
        ),
        # Too many for the token: not known, and not absent either.
        (
            {"_claim_names": {"groups": "src1"}},
            {"flags": None, "mfa": None, "realm_access.roles": None}
            | {"email_domain": None},
        ),
    ],
)
def test_nothing_is_kept_but_what_rules_name(
    claims: dict[str, Any], known: dict[str, Any]
) -> None:
    assert known_claims(RULES.read(claims, complete=True), RULES) == known


def test_what_could_not_be_had_is_not_kept_as_absent() -> None:
    values = RULES.read({"groups": []}, complete=False)
    assert known_claims(values, RULES) == {"groups": []}


@pytest.mark.parametrize(
    "claim", [["x"] * 0, [f"x{n}" for n in range(600)], ["y" * 256]]
)
def test_a_record_is_bounded_and_says_what_it_leaves_out(claim: list[str]) -> None:
    # T144: the record is cut, and never the decision.
    values = RULES.read({"groups": [*claim, "ops"]}, complete=True)
    known = known_claims(values, RULES)
    groups = known["groups"] or []

    assert "ops" in groups
    assert len(groups) <= 500
    assert all(len(str(value)) <= 255 for value in groups)
    other = RuleSet(staff_if=parse_rules({"groups": "not recorded"}))
    decision = decide(other, recalled_claims(known, {"groups"}))
    assert decision.staff is (False if not claim else None)
    assert decide(RULES, recalled_claims(known, PATHS)).staff is True


values = st.sampled_from(["ops", "lead", "admins", "editors", "ops editors", True, 1])
claim_sets = st.fixed_dictionaries(
    {},
    optional={
        "groups": st.lists(values, max_size=3) | values,
        "mfa": values,
        "flags": st.lists(st.sampled_from(["blocked", "x"]), max_size=2),
        "realm_access": st.fixed_dictionaries(
            {}, optional={"roles": st.lists(values, max_size=2)}
        ),
        "email": st.sampled_from(["a@example.com", "a@b@c", "a@EXAMPLE.com", 5, ""]),
        "email_verified": st.sampled_from([True, False, "true"]),
        "_claim_names": st.sampled_from([{}, {"groups": "s"}, {"mfa": "s"}]),
        "hasgroups": st.just(True),
    },
)


def admission(values: ClaimValues) -> str:
    try:
        check_admission(RULES, values)
    except LoginRefused as error:
        return error.code
    return ""


@given(claim_sets, st.booleans())
def test_rules_judge_what_was_kept_as_they_judged_the_claims(
    claims: dict[str, Any], complete: bool
) -> None:
    values = RULES.read(claims, complete=complete)
    recalled = recalled_claims(known_claims(values, RULES), PATHS)

    assert decide(RULES, recalled) == decide(RULES, values)
    assert admission(recalled) == admission(values)


def test_a_rule_that_came_later_cannot_be_told() -> None:
    known: dict[str, Any] = {"groups": ["ops"]}
    rules = RuleSet(staff_if=parse_rules({"roles": "x"}))

    decision = decide(rules, recalled_claims(known, {"roles"}), complete=True)

    assert (decision.staff, decision.unknown) == (None, {"roles"})


@pytest.mark.parametrize("later", ["email", "email_verified"])
def test_an_address_is_not_invented_for_a_rule_that_looks_at_it(later: str) -> None:
    known: dict[str, list[Any]] = {"email_domain": ["example.com"]}
    rules = RuleSet(
        staff_if=parse_rules({later: ["x@example.com", True]}),
        superuser_if=parse_rules({"email_domain": "example.com"}),
    )

    claims = recalled_claims(known, rules.claims_needed())
    decision = decide(rules, claims, complete=True)

    assert (decision.staff, decision.superuser) == (None, None)


def test_a_domain_that_is_kept_beside_the_address_is_the_addresss() -> None:
    paths = {"email", "email_domain"}
    both = RuleSet(allow_if=parse_rules({"email": "x", "email_domain": "x"}))
    claims = {"email": "a@example.com", "email_verified": True}
    known = known_claims(both.read(claims, complete=True), both)
    rules = RuleSet(staff_if=parse_rules({"email": "a@example.com"}))

    assert decide(rules, recalled_claims(known, paths), complete=True).staff is True
    rules = RuleSet(staff_if=parse_rules({"email_domain": "example.com"}))
    assert decide(rules, recalled_claims(known, paths), complete=True).staff is True


@pytest.mark.parametrize(
    ("known", "verdict"),
    [
        ({"groups": ["ops", "x"]}, RuleVerdict("matched", reason="groups=ops")),
        ({"groups": ["x"]}, RuleVerdict("no_match", ("groups",))),
        ({"groups": []}, RuleVerdict("no_match", ("groups",))),
        ({"groups": None}, RuleVerdict("absent", ("groups",))),
        ({}, RuleVerdict("unknown", ("groups",))),
    ],
)
def test_a_verdict_says_why_and_tells_only_what_matched(
    known: dict[str, Any], verdict: RuleVerdict
) -> None:
    rules = parse_rules({"groups": ["ops"]})
    assert judge(rules, recalled_claims(known, {"groups"})) == verdict
