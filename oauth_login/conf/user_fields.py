"""USER_FIELDS: which claims fill which fields of a user, and when. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

WHEN = ("always", "if_empty", "create")
SOURCES = ("CLAIM", "VALUE", "CALL")

# T97: what makes a user more than a name. Rights come from rules and from nowhere
# else, a password from nobody, and who somebody is does not change.
FORBIDDEN = frozenset(
    {
        *("pk", "id", "password", "is_superuser", "is_staff", "is_active"),
        *("last_login", "date_joined", "groups", "user_permissions"),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldRule:
    """One field: filled by a claim, a constant or a function, and when.

    `call` is the dotted path of a function that gets the VerifiedIdentity. `field` is
    the model's name of it; "email" is whatever field the model has for addresses.
    """

    field: str
    claim: str | None = None
    value: object = None
    call: str | None = None
    when: str = "always"


def parse_field_rules(setting: Mapping[str, object]) -> tuple[FieldRule, ...]:
    """The rules of a setting; ValueError for the first that is none."""
    return tuple(_parse(field, wish) for field, wish in setting.items())


def _parse(field: object, wish: object) -> FieldRule:
    if not isinstance(field, str) or not field:
        raise ValueError(f"{field!r} is not the name of a field")
    if field in FORBIDDEN:
        raise ValueError(f"no claim may fill {field!r}")
    if isinstance(wish, str) and wish:
        return FieldRule(field=field, claim=wish)
    if not isinstance(wish, Mapping):
        raise ValueError(f"{field!r} needs the name of a claim, or a dict")
    if unknown := sorted(str(key) for key in wish if key not in (*SOURCES, "WHEN")):
        raise ValueError(f"{field!r} has no key {unknown[0]!r}")
    if len(wish.keys() & set(SOURCES)) != 1:
        raise ValueError(f"{field!r} needs one of {', '.join(SOURCES)}")
    when = wish.get("WHEN", "always")
    if when not in WHEN:
        raise ValueError(f"WHEN of {field!r} must be one of {', '.join(WHEN)}")
    for key in ("CLAIM", "CALL"):
        if key in wish and not (isinstance(wish[key], str) and wish[key]):
            raise ValueError(f"{key} of {field!r} must be a string")
    if "VALUE" in wish and not isinstance(wish["VALUE"], str | int | float):
        raise ValueError(f"VALUE of {field!r} must be a text, a number or a boolean")
    return FieldRule(
        field=field,
        claim=wish.get("CLAIM"),
        value=wish.get("VALUE"),
        call=wish.get("CALL"),
        when=str(when),
    )
