"""Rules over any claims: they decide, and only as they say."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from oauth_login.conf.rules import parse_rules
from oauth_login.policy.claim_paths import claim_values, is_unknown, lacks
from oauth_login.policy.rules import GroupsRule, Rules, RuleSet, check_admission, decide
from tests.properties.strategies import any_text, json_objects, json_values, judged

paths = st.sampled_from(
    ["groups", "roles", "realm_access.roles", "https://app/roles", "email_domain"]
    + ["a", "a.b", "a.b.c", "", "."]
) | st.text("ab.", min_size=1, max_size=5)
members = st.sampled_from(["ops", "dev", "Ops", "ops trainees", "1", "true"])
values = members | st.sampled_from([1, 1.0, True, False, 0, "", "x" * 255, "x" * 256])
claims = st.dictionaries(
    st.sampled_from(["groups", "roles", "a", "https://app/roles", "a.b", "hasgroups"]),
    st.lists(values | json_values, max_size=4)
    | values
    | json_values
    | st.dictionaries(st.sampled_from(["b", "roles", "ops"]), json_values | values),
    max_size=5,
) | st.fixed_dictionaries(
    {
        "email": st.sampled_from(
            ["a@Example.com", "a@b@c.com", "a@example.com\n", "@x", "a@\u00e9.com"]
        )
        | any_text,
        "email_verified": st.sampled_from([True, "true", 1, False, None]),
        "_claim_names": st.dictionaries(st.sampled_from(["groups", "a"]), st.text())
        | json_values,
    }
)
accepted = st.lists(values, min_size=1, max_size=3).map(tuple)
rules = st.lists(
    st.dictionaries(paths.filter(bool), accepted, min_size=1, max_size=2), max_size=2
).map(tuple)


def exact(value: Any) -> Any:
    return type(value), value


def loose(value: Any) -> Any:
    return str(value).casefold().strip()


def matches(
    rules: Rules, claims: Mapping[str, Any], *, form: Callable[[Any], Any] = exact
) -> bool:
    """What a rule says, said once more: any value of each path, of any rule."""
    return any(
        all(
            {form(v) for v in claim_values(claims, path) or ()}
            & {form(v) for v in accepted}
            for path, accepted in rule.items()
        )
        for rule in rules
    )


@given(claims, paths)
def test_the_values_of_a_claim_are_plain(claims: dict[str, Any], path: str) -> None:
    # T106
    found = claim_values(claims, path)
    assert lacks(claims, [path]) == (found is None)
    for value in found or ():
        assert isinstance(value, str | int | float | bool)
    if path == "email_domain" and found:
        assert claims["email_verified"] is True  # T94, T95
        assert claims["email"].lower().endswith(f"@{found[0]}")
        assert claims["email"].count("@") == 1


@given(rules, rules, claims, st.booleans())
def test_whom_the_rules_let_in_the_rules_name(
    allow_if: Rules, deny_if: Rules, claims: dict[str, Any], complete: bool
) -> None:
    # T95, T99
    rule_set = RuleSet(allow_if=allow_if, deny_if=deny_if)

    def admit() -> bool:
        check_admission(rule_set, claims, complete=complete)
        return True

    admitted = judged(admit)
    unknown = any(
        is_unknown(claims, path, complete=complete) for path in rule_set.claims_needed()
    )
    enters = (
        not unknown
        and not matches(deny_if, claims, form=loose)
        and (not allow_if or matches(allow_if, claims))
    )
    assert (admitted is True) == enters


@given(rules, rules, claims, st.booleans())
def test_a_right_is_given_by_a_rule_that_matches_and_taken_by_one_that_knows(
    staff_if: Rules, superuser_if: Rules, claims: dict[str, Any], complete: bool
) -> None:
    # T96, T98
    rule_set = RuleSet(staff_if=staff_if, superuser_if=superuser_if)
    decision = decide(rule_set, claims, complete=complete)

    for name, flag, of in (
        ("staff", decision.staff, staff_if),
        ("superuser", decision.superuser, superuser_if),
    ):
        unknown = {
            path
            for rule in of
            for path in rule
            if is_unknown(claims, path, complete=complete)
        }
        assert (flag is True) == matches(of, claims) == (name in decision.reasons)
        assert (flag is None) == (not matches(of, claims) and bool(unknown))
        if flag is None:
            assert unknown <= decision.unknown
    assert decision.groups == frozenset()


@given(
    claims,
    st.dictionaries(members, st.sampled_from(["Operators", "Developers", "g" * 151])),
    st.sampled_from(["managed", "add", "mirror"]),
    st.sampled_from([None, " ", ","]),
    st.booleans(),
)
def test_groups_are_those_of_the_map_or_of_the_claim_itself(
    claims: dict[str, Any],
    mapping: dict[str, str],
    mode: str,
    separator: str | None,
    complete: bool,
) -> None:
    # T98
    split = {"groups": separator} if separator else {}
    rule_set = RuleSet(groups=GroupsRule("groups", mapping, mode), split=split)
    groups = decide(rule_set, claims, complete=complete).groups

    assert (groups is None) == is_unknown(claims, "groups", complete=complete)
    for name in groups or ():
        assert 1 <= len(name) <= 150
        read = rule_set.read(claims, complete=complete)
        parts = [part for part in read.at("groups") or () if isinstance(part, str)]
        assert any(
            mapping.get(part, part if mode == "mirror" else None) == name
            for part in parts
        )


settings = st.recursive(
    any_text | values | st.none() | st.binary(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.tuples(inner, inner)
        | st.dictionaries(any_text | st.integers() | st.none(), inner, max_size=3)
    ),
    max_leaves=6,
)


@given(settings | rules, json_objects)
def test_a_setting_is_a_list_of_rules_or_a_value_error(
    setting: object, claims: dict[str, Any]
) -> None:
    # T131
    try:
        parsed = parse_rules(setting)
    except ValueError:
        return
    assert parse_rules(parsed) == parsed
    for rule in parsed:
        assert rule
        for path, accepted in rule.items():
            assert isinstance(path, str)
            assert path
            assert accepted
    decide(RuleSet(staff_if=parsed), claims, complete=True)
