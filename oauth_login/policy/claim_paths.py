"""Claim paths: how rules and settings name a claim, and its values. Pure.

Nothing here has a limit of its own: the document that the claims come from was bounded
in bytes when it was received, and a value that is not looked at could be the one that
DENY_IF names (T144). All work is linear in the size of the claims.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

from oauth_login.policy.email_address import plain_address

Claims: TypeAlias = Mapping[str, Any]
Scalar: TypeAlias = str | int | float | bool

# Not a claim, but derived: the domain of `email` if `email_verified` is true.
EMAIL_DOMAIN = "email_domain"
EMAIL = "email"
# In recorded claims: the paths of which only some values were recorded.
RECORDED_IN_PART = "_recorded_in_part"


class AmbiguousClaim(ValueError):
    """A path leads to several different values: which of them is meant is unknown."""


def find_claim(claims: Claims, path: str) -> Any:
    """The value at a path, unchanged; None if there is none.

    A path is the name of a claim ("https://app/roles"), or names of nested objects
    separated by dots ("realm_access.roles"). A name may itself contain dots: the
    longest name is tried first ("resource_access.app.example.com.roles"). Of a list of
    objects, the path leads to the list of what it finds in each ("groups.name").

    Raises AmbiguousClaim if two ways of reading the path lead to different values: a
    person who may choose the name of an attribute could otherwise hide one claim
    behind another (T147).
    """
    found = list(_readings(claims, path.split(".")))
    if any(not _same(value, found[0]) for value in found[1:]):
        raise AmbiguousClaim(path)
    return found[0] if found else None


def first_text(claims: Claims, path: str) -> Any:
    """The value at a path where one value is expected: of a list, the first text.

    None if there is none, or if it is ambiguous.
    """
    try:
        value = find_claim(claims, path)
    except AmbiguousClaim:
        return None
    if isinstance(value, list):
        return value[0] if value and isinstance(value[0], str) else None
    return value


def _readings(node: Any, steps: Sequence[str]) -> Iterator[Any]:
    """The values to which the steps lead, the longest name first; none for null.

    Each node of the claims is reached in one way only, so the work is linear.
    """
    if not steps:
        if node is not None:
            yield node
    elif isinstance(node, list):
        found = [_in_object(item, steps) for item in node if isinstance(item, Mapping)]
        values = [value for values in found for value in values]
        if values:
            yield values
    elif isinstance(node, Mapping):
        for count in range(len(steps), 0, -1):
            name = ".".join(steps[:count])
            if name in node:
                yield from _readings(node[name], steps[count:])


def _in_object(item: Mapping[str, Any], steps: Sequence[str]) -> list[Any]:
    """What the steps find in one object of a list."""
    found = list(_readings(item, steps))
    if any(not _same(value, found[0]) for value in found[1:]):
        raise AmbiguousClaim(".".join(steps))
    value = found[0] if found else []
    return value if isinstance(value, list) else [value]


def _same(value: Any, other: Any) -> bool:
    # In Python, 1 == True; as texts they differ.
    return value == other and repr(value) == repr(other)


class ClaimValues:
    """The values of the claims of one person, at the paths that rules name.

    Each path is read once. `complete` is False if a missing claim may exist at the
    provider: userinfo could not be fetched, say. `split` has the separators of claims
    that hold several values in one string.
    """

    def __init__(
        self,
        claims: Claims,
        *,
        complete: bool,
        split: Mapping[str, str] | None = None,
    ) -> None:
        self.claims = claims
        self._complete = complete
        self._split = split or {}
        self._read: dict[str, _Values] = {}

    def at(self, path: str) -> tuple[Scalar, ...] | None:
        """The values, in the order of the claim; None if the claim is absent.

        The values are the items of a list, the names of an object, or the single
        value. Names of which the value is false or null do not count.
        """
        return self._at(path).values

    def match(self, path: str, accepted: Iterable[Scalar]) -> Scalar | None:
        """The first of the accepted values that the claim has; None if it has none.

        The types must be equal as well: in Python, 1 == True. An address that the
        provider says is not verified matches nothing: it may be anyone's (T181).
        """
        exact = self._at(path).exact
        return next((v for v in accepted if (type(v), v) in exact), None)

    def match_loosely(self, path: str, denied: Iterable[Scalar]) -> Scalar | None:
        """As `match`, for rules that keep people out: what is similar matches, too.

        Upper and lower case, and the ways to write a character, are the same; a number
        or boolean is the same as its text; lists within lists are looked into, and
        quotes around a part of a text do not count. Of two ways to be wrong, letting
        someone in is the worse (T176).
        """
        loose = self._at(path).loose
        return next((v for v in denied if _folded(v) in loose), None)

    def is_unknown(self, path: str) -> bool:
        """Whether the claim may have values at the provider that are not known here.

        So it is if the claims are not complete, if two readings of the path differ, or
        if the provider left the claim out because it would have made the token too
        large (Entra ID's group overage). References to other sources (OpenID Connect
        Core 5.6.2) are not followed.
        """
        read = self._at(path)
        if read.ambiguous:
            return True
        if read.values is not None:
            return False
        first = path.partition(".")[0]
        return (
            not self._complete
            or self._is_in("_claim_names", {path, first})
            or (first == "groups" and self.claims.get("hasgroups") in (True, "true"))
        )

    def may_have_more(self, path: str) -> bool:
        """Whether a value that is not here may exist: unknown, or recorded in part."""
        return self.is_unknown(path) or self._is_in(RECORDED_IN_PART, {path})

    def _is_in(self, name: str, paths: set[str]) -> bool:
        names = self.claims.get(name)
        return isinstance(names, Mapping | list) and any(
            path in names for path in paths
        )

    def _at(self, path: str) -> _Values:
        if path not in self._read:
            self._read[path] = _Values(self.claims, path, self._split.get(path))
        return self._read[path]


class _Values:
    """The values at one path, and two sets to look them up in."""

    def __init__(self, claims: Claims, path: str, separator: str | None) -> None:
        self.ambiguous = False
        self.values: tuple[Scalar, ...] | None
        value: Any = None
        if path == EMAIL_DOMAIN:
            self.values = _email_domain(claims)
        else:
            try:
                value = find_claim(claims, path)
            except AmbiguousClaim:
                self.ambiguous, value = True, None
            if isinstance(value, Mapping):
                value = [n for n, v in value.items() if not (v is False or v is None)]
            self.values = None if value is None else _scalars(value, separator)
        self.exact = {(type(value), value) for value in self.values or ()}
        if path == EMAIL and claims.get("email_verified") not in (None, True):
            self.exact = set()
        # What is nested is no value of the claim, but it may keep a person out.
        nested = _nested(value) if isinstance(value, list) else ()
        self.loose = {
            _folded(value)
            for value in (*(self.values or ()), *_scalars(list(nested), separator))
        }


def claim_values(claims: Claims, path: str) -> tuple[Scalar, ...] | None:
    """The values at one path; None if the claim is absent. See ClaimValues.at."""
    return ClaimValues(claims, complete=True).at(path)


def is_unknown(claims: Claims, path: str, *, complete: bool) -> bool:
    """Whether the claim at one path is unknown. See ClaimValues.is_unknown."""
    return ClaimValues(claims, complete=complete).is_unknown(path)


def lacks(claims: Claims, paths: Iterable[str]) -> bool:
    """Whether any of the claims at these paths is missing."""
    return any(claim_values(claims, path) is None for path in paths)


def split_text(text: str, separator: str) -> list[str]:
    """The values in one string, without the spaces around them, and no empty ones.

    Amazon Cognito writes a list into one string as "[a, b]".
    """
    text = text.strip()
    if text.startswith("[") and text.endswith("]"):
        text = text[1:-1]
    return [part for value in text.split(separator) if (part := value.strip())]


def _scalars(value: Any, separator: str | None) -> tuple[Scalar, ...]:
    values = value if isinstance(value, list) else [value]
    scalars = [value for value in values if isinstance(value, Scalar)]
    if separator is None:
        return tuple(scalars)
    return tuple(
        part
        for value in scalars
        for part in (
            split_text(value, separator) if isinstance(value, str) else [value]
        )
    )


def _nested(values: list[Any]) -> Iterator[Any]:
    """What is in the lists of a list, at any depth. The JSON parser has bounded it."""
    for value in values:
        if isinstance(value, list):
            yield from (v for v in value if not isinstance(v, list))
            yield from _nested(value)


def _folded(value: Scalar) -> str:
    if isinstance(value, float) and value.is_integer():
        value = int(value)  # JSON has one kind of number: 1.0 is 1
    text = unicodedata.normalize("NFKC", str(value)).casefold()
    return unicodedata.normalize("NFKC", text).strip(" \t\r\n\"'")


def _email_domain(claims: Claims) -> tuple[Scalar, ...] | None:
    email, verified = claims.get("email"), claims.get("email_verified")
    if email is None or verified is None:
        return None
    # T94: only the boolean True counts. T95: only plain addresses have a domain.
    address = plain_address(email)
    if address is None or verified is not True:
        return ()
    return (address.rpartition("@")[2],)
