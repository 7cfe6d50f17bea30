"""Claims in the shapes that providers send them, and what follows."""

from __future__ import annotations

from typing import Any

import pytest

from oauth_login.conf.rules import parse_rules
from oauth_login.errors import LoginRefused
from oauth_login.policy.claim_paths import (
    claim_values,
    first_text,
    is_unknown,
    lacks,
)
from oauth_login.policy.email_address import trusted_claims
from oauth_login.policy.recorded_claims import known_claims, recalled_claims
from oauth_login.policy.rules import (
    GroupsRule,
    RuleSet,
    check_admission,
    claim_names,
    decide,
    matched,
)


@pytest.mark.parametrize(
    ("claims", "path", "values"),
    [
        # pains 9
        ({"groups": ["a", "b"]}, "groups", ("a", "b")),
        ({"groups": "a b"}, "groups", ("a b",)),
        ({"realm_access": {"roles": ["a"]}}, "realm_access.roles", ("a",)),
        ({"https://app/roles": ["a"]}, "https://app/roles", ("a",)),
        ({"cognito:groups": ["a"]}, "cognito:groups", ("a",)),
        ({"a.b": "literal"}, "a.b", ("literal",)),
        ({"a": {"b": "path"}}, "a.b", ("path",)),
        ({"a.b": "same", "a": {"b": "same"}}, "a.b", ("same",)),
        ({"a.b": None, "a": {"b": "path"}}, "a.b", ("path",)),
        # The name of a client may contain dots.
        (
            {"r": {"app.example.com": {"roles": ["x"]}}},
            "r.app.example.com.roles",
            ("x",),
        ),
        ({"r": {"app": {"example": 1}, "app.example": 2}}, "r.app.example", None),
        # Objects in a list.
        ({"g": [{"id": 1, "name": "a"}, {"name": "b"}, {}, 5]}, "g.name", ("a", "b")),
        ({"g": [{"n": ["a", "b"]}, {"n": "c"}]}, "g.n", ("a", "b", "c")),
        ({"g": [{"x.y": 1}, {"x": {"y": 2}}]}, "g.x.y", (1, 2)),
        ({"g": [{"x.y": 1, "x": {"y": 2}}]}, "g.x.y", None),
        ({"g": [{"id": 1}]}, "g.name", None),
        ({"roles": {"admin": True, "ops": False, "dev": None}}, "roles", ("admin",)),
        ({"roles": {"ops": False}}, "roles", ()),
        ({"roles": {"admin": {"org": "x"}}}, "roles", ("admin",)),
        ({"groups": []}, "groups", ()),
        ({"groups": None}, "groups", None),
        ({}, "groups", None),
        ({"a": "x"}, "a.b", None),
        ({"groups": ["a", {"b": 1}, None, "c" * 417]}, "groups", ("a", "c" * 417)),
        ({"n": 5}, "n", (5,)),
    ],
)
def test_values_are_found_where_providers_put_them(
    claims: dict[str, Any], path: str, values: tuple[Any, ...] | None
) -> None:
    assert claim_values(claims, path) == values


@pytest.mark.parametrize("others", [0, 499, 500, 501, 20_000])
@pytest.mark.parametrize("name", ["barred", "cn=" + "b" * 417])
def test_no_number_and_no_length_hides_a_value(others: int, name: str) -> None:
    # T144
    claims = {"groups": [*map(str, range(others)), name]}
    rule = parse_rules({"groups": [name]})

    assert len(claim_values(claims, "groups") or ()) == others + 1
    with pytest.raises(LoginRefused, match="account.denied"):
        check_admission(RuleSet(deny_if=rule), claims)
    check_admission(RuleSet(allow_if=rule), claims)
    mapping = GroupsRule("groups", {name: "Group"})
    decision = decide(RuleSet(staff_if=rule, groups=mapping), claims)
    assert (decision.staff, decision.groups) == (True, {"Group"})


def test_a_rule_is_looked_up_however_many_values_there_are() -> None:
    # T144. Comparing each with each would take hours.
    names = [f"group-{n}" for n in range(100_000)]
    rules = parse_rules([{"groups": [f"other-{n}"]} for n in range(10_000)])

    assert matched(rules, {"groups": names}) == ""


@pytest.mark.parametrize(("number", "refused"), [(1_000, False), (1_001, True)])
@pytest.mark.parametrize("mode", ["mirror", "managed"])
def test_a_thousand_groups_are_mirrored_at_most(
    mode: str, number: int, refused: bool
) -> None:
    # T144
    names = [f"group-{n}" for n in range(number)]
    rules = RuleSet(groups=GroupsRule("g", {"group-1": "One"}, mode))
    if refused and mode == "mirror":
        with pytest.raises(LoginRefused) as caught:
            decide(rules, {"g": names})
        assert (caught.value.code, caught.value.detail) == (
            "account.too_many_groups",
            {"received": number},
        )
    else:
        groups = decide(rules, {"g": names}).groups or ()
        assert len(groups) == (number if mode == "mirror" else 1)


@pytest.mark.parametrize(
    "claims",
    [
        {"realm_access.roles": ["admin"], "realm_access": {"roles": ["user"]}},
        {"realm_access.roles": ["user"], "realm_access": {"roles": ["admin"]}},
        {"realm_access": {"roles": ["user"]}, "realm_access.roles": []},
        {"realm_access.roles": True, "realm_access": {"roles": 1}},
    ],
)
def test_a_path_that_can_be_read_in_two_ways_is_unknown(claims: dict[str, Any]) -> None:
    # T147
    rule = parse_rules({"realm_access.roles": ["admin", True, 1]})
    decision = decide(RuleSet(staff_if=rule), claims)

    assert (decision.staff, decision.unknown) == (None, {"realm_access.roles"})
    for rules in (RuleSet(allow_if=rule), RuleSet(deny_if=rule)):
        with pytest.raises(LoginRefused, match="account.claims_unknown"):
            check_admission(rules, claims)


@pytest.mark.parametrize(
    ("denied", "value"),
    [
        ("suspended", "Suspended"),
        ("Suspended", " suspended "),
        (True, "true"),
        (True, "True"),
        ("true", True),
        (1, "1"),
        ("1", 1),
        ("barred", ["x", "BARRED"]),
        ("barred", {"Barred": True}),
        ("barred", [["x"], ["barred"]]),
        ("barred", ["x", [["barred"]]]),
        ("barred", "\uff42arred"),
        ("ge\u00e4ndert", "gea\u0308ndert"),
        ("gea\u0308ndert", "ge\u00e4ndert"),
        ("barred", '"barred"'),
        (1, 1.0),
        ("1", 1.0),
        (10**20, 1e20),
    ],
)
def test_what_is_similar_to_a_denied_value_is_denied(
    denied: Any, value: object
) -> None:
    # T176
    with pytest.raises(LoginRefused, match="account.denied"):
        check_admission(
            RuleSet(deny_if=parse_rules({"status": denied})), {"status": value}
        )


@pytest.mark.parametrize(
    ("denied", "value"),
    [
        *(
            ("barred", "barred2"),
            (True, "yes"),
            (1, True),
            ("barred", {"barred": False}),
        ),
        *((1, 1.5), (1, "1.0"), ("", [[]]), ("barred", [[{"barred": True}]])),
    ],
)
def test_what_is_not_similar_to_a_denied_value_is_not_denied(
    denied: Any, value: object
) -> None:
    check_admission(RuleSet(deny_if=parse_rules({"status": denied})), {"status": value})


def test_parts_in_quotes_are_denied_as_well() -> None:
    # T176: a JSON list that is written into one string
    rules = RuleSet(deny_if=parse_rules({"groups": "barred"}), split={"groups": ","})
    with pytest.raises(LoginRefused, match="account.denied"):
        check_admission(rules, {"groups": '["x","barred"]'})


@pytest.mark.parametrize(
    ("verified", "matches"),
    [(True, True), (None, True), (False, False), ("true", False), (1, False)],
)
def test_an_address_that_is_not_verified_gives_nothing(
    verified: object, matches: bool
) -> None:
    # T181
    claims = trusted_claims(
        {"email": "boss@corp.example", "email_verified": verified}, trust="verified"
    )
    rule = parse_rules({"email": "boss@corp.example"})

    decision = decide(RuleSet(staff_if=rule, superuser_if=rule), claims)
    assert (decision.staff, decision.superuser) == (matches, matches)
    if not matches:
        with pytest.raises(LoginRefused, match="account.not_allowed"):
            check_admission(RuleSet(allow_if=rule), claims)
    with pytest.raises(LoginRefused, match="account.denied"):
        check_admission(RuleSet(deny_if=rule), claims)

    # And the record of it decides in the same way.
    rules = RuleSet(staff_if=rule)
    known = known_claims(rules.read(claims, complete=True), rules)
    recalled = recalled_claims(known, rules.claims_needed())
    assert decide(rules, recalled).staff is matches


@pytest.mark.parametrize(
    ("email", "verified", "domain"),
    [
        # T93, T94, T95
        ("a@Example.com", True, ("example.com",)),
        ("a@example.com", "true", ()),
        ("a@example.com", 1, ()),
        ("a@example.com", False, ()),
        ("a@example.com", "false", ()),
        ("a@evil.com@example.com", True, ()),
        ("a@example.com\n", True, ()),
        ("a@exämple.com", True, ()),
        ("@example.com", True, ()),
        # T95: the Kelvin sign, whose lower case is an ASCII k.
        ("a@\N{KELVIN SIGN}ey.example", True, ()),
        (f"{'a' * 64}@example.com", True, ("example.com",)),
        (f"{'a' * 65}@example.com", True, ()),
        (f"a@{'b' * 248}.com", True, (f"{'b' * 248}.com",)),
        (f"a@{'b' * 249}.com", True, ()),
        (["a@example.com"], True, ()),
        ("a@example.com", None, None),
        (None, True, None),
    ],
)
def test_a_domain_is_that_of_a_verified_address(
    email: object, verified: object, domain: tuple[str, ...] | None
) -> None:
    claims = {"email": email, "email_verified": verified}
    assert claim_values(claims, "email_domain") == domain


@pytest.mark.parametrize(
    ("setting", "claims", "reason"),
    [
        ({"groups": ["ops"]}, {"groups": ["dev", "ops"]}, "groups=ops"),
        ({"groups": "ops"}, {"groups": "ops"}, "groups=ops"),
        ({"groups": ["ops"]}, {"groups": ["Ops Trainees", "OPS"]}, ""),
        ({"a": ["1"], "b": ["2"]}, {"a": "1"}, ""),
        ({"a": ["1"], "b": ["2"]}, {"a": "1", "b": "2"}, "a=1, b=2"),
        ([{"a": ["1"]}, {"b": ["2"]}], {"b": "2"}, "b=2"),
        ({"admin": [True]}, {"admin": True}, "admin=True"),
        ({"admin": [True]}, {"admin": 1}, ""),
        ({"admin": [True]}, {"admin": "true"}, ""),
        ([], {"a": "1"}, ""),
    ],
)
def test_a_rule_matches_whole_values_of_the_same_type(
    setting: Any, claims: dict[str, Any], reason: str
) -> None:
    assert matched(parse_rules(setting), claims) == reason


@pytest.mark.parametrize(
    "setting", ["ops", {}, {"": ["a"]}, {1: ["a"]}, {"a": []}, {"a": [{}]}, [5]]
)
def test_a_rule_that_cannot_be_read_is_an_error(setting: object) -> None:
    with pytest.raises(ValueError, match="."):
        parse_rules(setting)


RULES = RuleSet(
    staff_if=parse_rules({"groups": ["staff"]}),
    superuser_if=parse_rules({"groups": ["admins"]}),
    groups=GroupsRule("groups", {"editors": "Editors"}),
)


def test_a_claim_that_is_absent_gives_nothing() -> None:
    # T98; pains 10
    decision = decide(RULES, {}, complete=True)
    assert (decision.staff, decision.superuser) == (False, False)
    assert decision.groups == frozenset()


@pytest.mark.parametrize(
    ("claims", "complete"),
    [
        ({}, False),
        ({"_claim_names": {"groups": "src1"}}, True),
        ({"hasgroups": True}, True),
        ({"hasgroups": "true"}, True),
    ],
)
def test_a_claim_that_is_unknown_changes_nothing(
    claims: dict[str, Any], complete: bool
) -> None:
    # T98, T50; pains 10, 39
    decision = decide(RULES, claims, complete=complete)
    assert (decision.staff, decision.superuser, decision.groups) == (None, None, None)
    assert decision.unknown == {"groups"}


def test_a_claim_that_is_there_is_known() -> None:
    assert not is_unknown({"groups": []}, "groups", complete=False)
    assert not is_unknown({"_claim_names": "x"}, "groups", complete=True)


def test_rights_come_with_their_reasons() -> None:
    decision = decide(RULES, {"groups": ["staff", "editors", "x"]}, complete=True)
    assert (decision.staff, decision.superuser) == (True, False)
    assert decision.groups == {"Editors"}
    assert decision.reasons == {"staff": "groups=staff", "Editors": "groups=editors"}


def test_without_rules_nothing_is_touched() -> None:
    # T96
    claims = {"is_superuser": True, "is_staff": "1", "groups": ["admin"]}
    decision = decide(RuleSet(), claims, complete=True)
    given = (decision.staff, decision.superuser, decision.groups)
    assert given == (False, False, frozenset())


@pytest.mark.parametrize(
    ("rule", "claim", "groups"),
    [
        (GroupsRule("g", {"a": "A"}, "mirror"), ["a", "b"], {"A", "b"}),
        (GroupsRule("g", {}, "mirror"), ["x" * 151, 5], set()),
        (GroupsRule("g", {"a": "A"}), "a b", set()),
    ],
)
def test_groups_are_mapped(rule: GroupsRule, claim: object, groups: set[str]) -> None:
    decision = decide(RuleSet(groups=rule), {"g": claim}, complete=True)
    assert decision.groups == groups


@pytest.mark.parametrize(
    ("allow", "deny", "claims", "complete", "code"),
    [
        ([], [], {}, True, None),
        ({"d": "a"}, [], {"d": "a"}, True, None),
        ({"d": "a"}, [], {"d": "b"}, True, "account.not_allowed"),
        ({"d": "a"}, [], {}, True, "account.not_allowed"),
        ({"d": "a"}, [], {}, False, "account.claims_unknown"),
        ([], {"d": "a"}, {"d": "a"}, True, "account.denied"),
        ([], {"d": "a"}, {}, True, None),
        ([], {"d": "a"}, {}, False, "account.claims_unknown"),
        ({"d": "a"}, {"e": "b"}, {"d": "a", "e": "b"}, True, "account.denied"),
    ],
)
def test_who_may_enter(
    allow: Any, deny: Any, claims: dict[str, Any], complete: bool, code: str | None
) -> None:
    # T95, T105; pains 44
    rules = RuleSet(allow_if=parse_rules(allow), deny_if=parse_rules(deny))
    if code is None:
        check_admission(rules, claims, complete=complete)
    else:
        with pytest.raises(LoginRefused) as caught:
            check_admission(rules, claims, complete=complete)
        assert caught.value.code == code
        assert caught.value.public_code == "account.refused"  # T123


def test_what_rules_need_is_known_beforehand() -> None:
    assert RULES.claims_needed() == {"groups"}
    assert RuleSet(deny_if=parse_rules({"a.b": "c"})).claims_needed() == {"a.b"}
    assert lacks({"a": 1}, ["a", "b"])
    assert not lacks({"a": 1}, ["a"])


@pytest.mark.parametrize(
    ("mode", "path", "values"),
    [
        ("managed", "groups", {"ops", "dev", "3", "editors"}),
        ("mirror", "groups", None),
        ("mirror", "roles", {"lead"}),
        ("add", "nothing", set()),
    ],
)
def test_what_rules_ask_for_at_a_path_is_known(
    mode: str, path: str, values: set[str] | None
) -> None:
    rules = RuleSet(
        allow_if=parse_rules({"groups": ["ops", 3]}),
        staff_if=parse_rules([{"groups": "dev", "roles": "lead"}]),
        groups=GroupsRule("groups", {"editors": "Editors"}, mode),
    )
    asked_for = rules.values_asked_for(path)
    assert asked_for == (None if values is None else frozenset(values))
    assert RuleSet().values_asked_for(path) == frozenset()


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


@pytest.mark.parametrize(("length", "names"), [(150, 1), (151, 0)])
def test_the_name_of_a_group_has_150_characters_at_most(
    length: int, names: int
) -> None:
    rules = RuleSet(groups=GroupsRule("a", {}, mode="mirror"))
    decision = decide(rules, {"a": ["g" * length]}, complete=True)
    assert len(decision.groups or ()) == names


LONG = " ".join([*(f"group-{n}" for n in range(40)), "editors"])


@pytest.mark.parametrize(
    ("separator", "value", "names"),
    [
        (None, "a b,c", {"a b,c"}),
        (",", "a b,c", {"a b", "c"}),
        (" ", "a b,c", {"a", "b,c"}),
        (",", "ops, editors", {"ops", "editors"}),
        (",", "[ops, editors]", {"ops", "editors"}),
        (",", " [ops] ", {"ops"}),
        (",", "[]", set()),
        (",", " , ,", set()),
        (" ", "  a   b ", {"a", "b"}),
        (",", ["a,b", "c, d"], {"a", "b", "c", "d"}),
        (" ", LONG, set(LONG.split())),
        (",", "[ops", {"[ops"}),
    ],
)
def test_a_claim_is_separated_where_the_setting_says_for_every_rule(
    separator: str | None, value: object, names: set[str]
) -> None:
    split = {"g": separator} if separator else {}
    mirror = RuleSet(groups=GroupsRule("g", {}, mode="mirror"), split=split)
    assert decide(mirror, {"g": value}).groups == names
    for name in names:
        rule = parse_rules({"g": name})
        rules = RuleSet(allow_if=rule, staff_if=rule, superuser_if=rule, split=split)
        check_admission(rules, {"g": value})
        decision = decide(rules, {"g": value})
        assert (decision.staff, decision.superuser) == (True, True)
        with pytest.raises(LoginRefused, match="account.denied"):
            check_admission(RuleSet(deny_if=rule, split=split), {"g": value})


@pytest.mark.parametrize("elsewhere", ["realm_access", "realm_access.roles"])
def test_a_claim_that_is_kept_elsewhere_is_unknown(elsewhere: str) -> None:
    # T98; OpenID Connect Core 5.6.2
    claims = {"_claim_names": {elsewhere: "src1"}}
    assert is_unknown(claims, "realm_access.roles", complete=True)
    assert not is_unknown(claims, "realm", complete=True)
    assert not is_unknown(claims, "other.roles", complete=True)


@pytest.mark.parametrize(
    ("rules", "complete", "code", "detail"),
    [
        ({"allow_if": {"groups": "ops"}}, False, "claims_unknown", {"claim": "groups"}),
        (
            {"allow_if": [{"roles": "ops"}, {"a.b": 1}]},
            True,
            "not_allowed",
            {"wanted": ["a.b", "roles"]},
        ),
        ({"deny_if": {"email": "x"}}, True, "denied", {"wanted": ["email"]}),
    ],
)
def test_the_log_names_the_claims_that_were_wanted_and_those_that_came(
    rules: dict[str, Any], complete: bool, code: str, detail: dict[str, Any]
) -> None:
    parsed: dict[str, Any] = {n: parse_rules(rule) for n, rule in rules.items()}
    rule_set = RuleSet(**parsed)
    with pytest.raises(LoginRefused) as caught:
        check_admission(
            rule_set, {"sub": "1", "email": "x", "null": None}, complete=complete
        )
    received = {"received": ["email", "sub"]}
    assert (caught.value.code, caught.value.detail) == (
        f"account.{code}",
        detail | received,
    )


def test_the_names_of_claims_are_bounded_and_printable() -> None:
    claims = {f"{n:03}": n for n in range(60)} | {"a\nb": 1, "x" * 61: 1}
    names = claim_names(claims)

    assert len(names) == 50
    assert claim_names({"a\nb": 1, "x" * 61: 1}) == ["x" * 60]


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


@pytest.mark.parametrize(
    ("claims", "text"),
    [
        ({"a": {"b": "x"}}, "x"),
        ({"a.b": ["x", "y"]}, "x"),
        ({"a.b": []}, None),
        ({"a.b": [1]}, None),
        ({"a.b": 5}, 5),
        ({}, None),
        # T147: which of the two is meant?
        ({"a.b": "x", "a": {"b": "y"}}, None),
    ],
)
def test_one_text_is_found_where_one_is_expected(
    claims: dict[str, Any], text: object
) -> None:
    assert first_text(claims, "a.b") == text
