"""Rules at their limits, and what they say of themselves."""

from __future__ import annotations

import pytest

from oauth_login.conf.rules import parse_rules
from oauth_login.errors import LoginRefused
from oauth_login.policy.claim_paths import claim_values, is_unknown
from oauth_login.policy.rules import GroupsRule, RuleSet, check_admission, decide


def test_what_the_rules_need_is_every_path_of_every_rule() -> None:
    rules = RuleSet(
        allow_if=parse_rules([{"a": 1}, {"b": 1}]),
        deny_if=parse_rules({"c": 1}),
        staff_if=parse_rules({"d": 1, "a": 2}),
        superuser_if=parse_rules({"e": 1}),
        groups=GroupsRule("f", {"x": "X"}),
    )
    assert rules.claims_needed() == {*"abcdef"}
    assert RuleSet(groups=GroupsRule("f", {})).claims_needed() == {"f"}
    assert RuleSet().claims_needed() == set()


def test_the_values_that_a_path_is_asked_for_are_those_of_every_rule() -> None:
    rules = RuleSet(
        allow_if=parse_rules([{"a": 1}, {"b": "not asked"}]),
        deny_if=parse_rules({"a": ["x", "y"]}),
        staff_if=parse_rules({"a": "z"}),
        superuser_if=parse_rules({"a": "w"}),
        groups=GroupsRule("a", {"g": "Group"}),
    )
    assert rules.values_asked_for("a") == {"1", "x", "y", "z", "w", "g"}
    assert rules.values_asked_for("b") == {"not asked"}
    assert rules.values_asked_for("c") == frozenset()
    assert RuleSet().values_asked_for("a") == frozenset()
    # Where groups are mirrored, any value is a group's name.
    mirroring = RuleSet(groups=GroupsRule("a", {"g": "Group"}, mode="mirror"))
    assert mirroring.values_asked_for("a") is None
    assert mirroring.values_asked_for("b") == frozenset()


def test_the_reasons_are_named_after_the_rights_that_they_gave() -> None:
    rules = RuleSet(
        staff_if=parse_rules({"a": ["x", "y"], "b.c": True}),
        superuser_if=parse_rules([{"a": "z"}, {"a": "y"}]),
        groups=GroupsRule("a", {"y": "Group"}),
    )
    decision = decide(rules, {"a": ["y", "w"], "b": {"c": True}}, complete=True)
    assert decision.reasons == {
        "staff": "a=y, b.c=True",
        "superuser": "a=y",
        "Group": "a=y",
    }
    assert (decision.staff, decision.superuser) == (True, True)
    assert decision.groups == {"Group"}


@pytest.mark.parametrize(("length", "values"), [(255, 1), (256, 0)])
def test_a_value_has_255_characters_at_most(length: int, values: int) -> None:
    assert len(claim_values({"a": ["x" * length]}, "a") or ()) == values


@pytest.mark.parametrize(("length", "names"), [(150, 1), (151, 0)])
def test_the_name_of_a_group_has_150_characters_at_most(
    length: int, names: int
) -> None:
    rules = RuleSet(groups=GroupsRule("a", {}, mode="mirror"))
    decision = decide(rules, {"a": ["g" * length]}, complete=True)
    assert len(decision.groups or ()) == names


@pytest.mark.parametrize(
    ("separator", "names"),
    [(None, {"a b,c"}), (",", {"a b", "c"}), (" ", {"a", "b,c"})],
)
def test_a_claim_is_separated_where_the_setting_says(
    separator: str | None, names: set[str]
) -> None:
    rule = GroupsRule("g", {}, mode="mirror", separator=separator)
    assert decide(RuleSet(groups=rule), {"g": "a b,c"}, complete=True).groups == names


@pytest.mark.parametrize("elsewhere", ["realm_access", "realm_access.roles"])
def test_a_claim_that_is_kept_elsewhere_is_unknown(elsewhere: str) -> None:
    # T98; OpenID Connect Core 5.6.2
    claims = {"_claim_names": {elsewhere: "src1"}}
    assert is_unknown(claims, "realm_access.roles", complete=True)
    assert not is_unknown(claims, "realm", complete=True)
    assert not is_unknown(claims, "other.roles", complete=True)


def test_the_log_says_which_claim_could_not_be_had() -> None:
    rules = RuleSet(allow_if=parse_rules({"groups": "ops"}))
    with pytest.raises(LoginRefused) as caught:
        check_admission(rules, {}, complete=False)
    assert (caught.value.code, caught.value.detail) == (
        "account.claims_unknown",
        {"claim": "groups"},
    )


@pytest.mark.parametrize(
    ("setting", "why"),
    [
        ("ops", "a rule must be a dict from claims to accepted values"),
        ([{}], "a rule must be a dict from claims to accepted values"),
        ({1: "ops"}, "1 is not a valid name of a claim"),
        ({"": "ops"}, "'' is not a valid name of a claim"),
        ({"groups": []}, "'groups' needs a value, or a list of values"),
        ({"groups": None}, "'groups' needs a value, or a list of values"),
        ({"groups": ["ops", None]}, "'groups' needs a value, or a list of values"),
    ],
)
def test_a_setting_that_is_no_rule_is_told_why(setting: object, why: str) -> None:
    # T131
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the text is compared
        parse_rules(setting)
    assert str(caught.value) == why
