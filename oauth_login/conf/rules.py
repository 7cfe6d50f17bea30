"""The rules of a provider's entry in PROVIDERS, read into a RuleSet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from oauth_login.conf.validation import Section
from oauth_login.policy.claim_paths import EMAIL_DOMAIN, Scalar, split_text
from oauth_login.policy.email_address import plain_address
from oauth_login.policy.rules import GroupsRule, Rule, Rules, RuleSet

RULE_KEYS = ("ALLOW_IF", "DENY_IF", "STAFF_IF", "SUPERUSER_IF", "GROUPS", "SPLIT")
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

    read = RuleSet(
        allow_if=rules("ALLOW_IF"),
        deny_if=rules("DENY_IF"),
        staff_if=rules("STAFF_IF"),
        superuser_if=rules("SUPERUSER_IF"),
        groups=_groups(section),
    )
    read = replace(read, split=_split(section, read))
    _warn_of_values_that_never_match(section, read)
    return read


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
    return GroupsRule(claim, mapping, mode, groups.text("OVERAGE"))


def _warn_of_values_that_never_match(section: Section, rules: RuleSet) -> None:
    """W051: a value that the claim cannot have, whatever the provider sends."""
    never = []
    for path in sorted(rules.claims_needed()):
        for value in sorted(rules.values_asked_for(path) or ()):
            separator = rules.split.get(path)
            if (separator and split_text(value, separator) != [value]) or (
                path == EMAIL_DOMAIN and plain_address(f"x@{value}") != f"x@{value}"
            ):
                never.append(f"{path}={value!r}")
    if never:
        text = f"{section.where} has rules with values that never match: "
        section.problem(
            "W051",
            f"{text}{', '.join(never)}.",
            "A claim that is split has no separator and no outer spaces in a value; "
            "email_domain is a domain in lower case.",
        )


def _split(section: Section, rules: RuleSet) -> dict[str, str]:
    """Path → separator: from SPLIT, and from GROUPS["SPLIT"] for the groups' claim.

    SPLIT is one separator for all claims that rules name, or a dict from paths to
    separators.
    """
    setting, split = section.value("SPLIT"), {}
    if isinstance(setting, str) and setting:
        split = dict.fromkeys(rules.claims_needed() - {EMAIL_DOMAIN}, setting)
    elif isinstance(setting, Mapping):
        split = dict(setting)
    if not (setting is None or setting == {} or split) or not all(
        isinstance(text, str) and text for pair in split.items() for text in pair
    ):
        section.problem(
            "E003",
            f"{section.where}['SPLIT'] must be a separator, or a dict from claims to "
            "separators.",
        )
        return {}
    if rules.groups and section.value("GROUPS") is not None:
        separator = section.within("GROUPS", GROUPS_KEYS).text("SPLIT")
        if separator:
            split[rules.groups.claim] = separator
    return split
