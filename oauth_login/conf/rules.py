"""The rules of a provider's entry in PROVIDERS, read into a RuleSet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from oauth_login.conf.validation import Section
from oauth_login.policy.claim_paths import Scalar
from oauth_login.policy.rules import GroupsRule, Rule, Rules, RuleSet

RULE_KEYS = ("ALLOW_IF", "DENY_IF", "STAFF_IF", "SUPERUSER_IF", "GROUPS")
GROUP_MODES = ("managed", "add", "mirror")
GROUPS_KEYS: Mapping[str, object] = {
    "CLAIM": None,
    "MAP": {},
    "MODE": "managed",
    "SPLIT": None,
    "OVERAGE": None,
}


def read_rules(section: Section) -> RuleSet:
    """The rules of an entry. One that cannot be read is noted and left out."""

    def rules(key: str) -> Rules:
        try:
            return parse_rules(section.value(key))
        except ValueError as error:
            section.problem("E019", f"{section.where}[{key!r}]: {error}.")
            return ()

    return RuleSet(
        allow_if=rules("ALLOW_IF"),
        deny_if=rules("DENY_IF"),
        staff_if=rules("STAFF_IF"),
        superuser_if=rules("SUPERUSER_IF"),
        groups=_groups(section),
    )


def parse_rules(setting: object) -> Rules:
    """The rules of a setting: one mapping or a list of them; ValueError if neither."""
    rules = setting if isinstance(setting, list | tuple) else [setting]
    return tuple(_parse_rule(rule) for rule in rules)


def _parse_rule(rule: object) -> Rule:
    if not isinstance(rule, Mapping) or not rule:
        raise ValueError("a rule must be a dict from claims to accepted values")
    parsed = {}
    for path, accepted in rule.items():
        if not isinstance(path, str) or not path:
            raise ValueError(f"{path!r} is not a valid name of a claim")
        values: Sequence[object] = (
            list(accepted)
            if isinstance(accepted, list | tuple | set | frozenset)
            else [accepted]
        )
        if not values or not all(isinstance(value, Scalar) for value in values):
            raise ValueError(f"{path!r} needs a value, or a list of values")
        parsed[path] = tuple(v for v in values if isinstance(v, Scalar))
    return parsed


def _groups(section: Section) -> GroupsRule | None:
    if section.value("GROUPS") is None:
        return None
    groups = section.within("GROUPS", GROUPS_KEYS)
    claim, mode = groups.text("CLAIM"), groups.choice("MODE", GROUP_MODES)
    mapping = groups.of_type("MAP", dict, default={})
    if not claim or (mode != "mirror" and not mapping):
        text = f"{groups.where} needs a CLAIM, and a MAP unless MODE is 'mirror'."
        groups.problem("E020", text)
        return None
    if not all(isinstance(x, str) and x for x in (*mapping, *mapping.values())):
        groups.problem(
            "E020",
            f"{groups.where}['MAP'] must map values of the claim to names of groups.",
        )
        return None
    return GroupsRule(
        claim, mapping, mode, groups.text("SPLIT"), groups.text("OVERAGE")
    )
