"""USER_FIELDS: which claims fill which fields of a user, and when. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

WHEN = ("always", "if_empty", "create")
SOURCES = ("CLAIM", "VALUE", "CALL")

# T97: fields with security meaning. Only rules grant rights, no login sets a password,
# and the key of a user never changes.
FORBIDDEN = frozenset(
    {
        *("pk", "id", "password", "is_superuser", "is_staff", "is_active"),
        *("last_login", "date_joined", "groups", "user_permissions"),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldRule:
    """One field: filled by a claim, a constant or a function, and when.

    `call` is the dotted path of a function that is called with the VerifiedIdentity.
    `field` is a name of the user model; "email" means its EMAIL_FIELD.
    """

    field: str
    claim: str | None = None
    value: object = None
    call: str | None = None
    when: str = "always"


def parse_field_rules(setting: Mapping[str, object]) -> tuple[FieldRule, ...]:
    """The rules in a setting; ValueError for the first one that is not valid."""
    return tuple(_parse(field, source) for field, source in setting.items())


def _parse(field: object, source: object) -> FieldRule:
    if not isinstance(field, str) or not field:
        raise ValueError(f"{field!r} is not a valid name of a field")
    if field in FORBIDDEN:
        raise ValueError(f"no claim may fill {field!r}")
    if isinstance(source, str) and source:
        return FieldRule(field=field, claim=source)
    if not isinstance(source, Mapping):
        raise ValueError(f"{field!r} needs the name of a claim, or a dict")
    if unknown := sorted(str(key) for key in source if key not in (*SOURCES, "WHEN")):
        raise ValueError(f"{field!r} has no key {unknown[0]!r}")
    if len(source.keys() & set(SOURCES)) != 1:
        raise ValueError(f"{field!r} needs one of {', '.join(SOURCES)}")
    when = source.get("WHEN", "always")
    if when not in WHEN:
        raise ValueError(f"WHEN of {field!r} must be one of {', '.join(WHEN)}")
    for key in ("CLAIM", "CALL"):
        if key in source and not (isinstance(source[key], str) and source[key]):
            raise ValueError(f"{key} of {field!r} must be a string")
    if "VALUE" in source and not isinstance(source["VALUE"], str | int | float):
        raise ValueError(f"VALUE of {field!r} must be a string, a number or a boolean")
    return FieldRule(
        field=field,
        claim=source.get("CLAIM"),
        value=source.get("VALUE"),
        call=source.get("CALL"),
        when=str(when),
    )
