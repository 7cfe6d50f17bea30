"""Section: reads one dict of a setting, and notes every problem in it."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Problem:
    """A problem in the setting, to be shown as a system check.

    `provider` is the alias of the entry that it concerns; None for the whole setting.
    """

    id: str
    message: str
    hint: str = ""
    provider: str | None = None

    @property
    def is_error(self) -> bool:
        return self.id.startswith("E")


class Section:
    """One dict of the setting. Each method that reads a value notes its problems."""

    def __init__(
        self,
        values: object,
        keys: Mapping[str, object],
        note: Callable[[Problem], None],
        where: str,
        provider: str | None = None,
    ) -> None:
        self._keys = keys
        self.note = note
        self.where = where
        self.provider = provider
        self._values: Mapping[str, Any] = {}
        if not isinstance(values, Mapping):
            self.problem("E001", f"{where} must be a dict.")
            return
        self._values = values
        for key in values:
            if key not in keys:
                close = difflib.get_close_matches(str(key).upper(), keys, n=1)
                hint = f"Did you mean {close[0]!r}?" if close else ""
                self.problem("E002", f"{where} has no key {key!r}.", hint)

    def problem(self, id: str, message: str, hint: str = "") -> None:  # noqa: A002
        self.note(Problem(id, message, hint, self.provider))

    def within(self, key: str, keys: Mapping[str, object]) -> Section:
        """The dict at `key`, as another section."""
        where = f"{self.where}[{key!r}]"
        return Section(self.value(key), keys, self.note, where, self.provider)

    def value(self, key: str) -> Any:
        return self._values.get(key, self._keys[key])

    def is_set(self, key: str) -> bool:
        return key in self._values

    def of_type(self, key: str, kind: type[T], *, default: T) -> T:
        """The value; if it has another type, note a problem and return the default."""
        value = self.value(key)
        if isinstance(value, str) and not is_text(value):
            text = f"{self.where}[{key!r}] contains bytes that are not UTF-8."
            self.problem("E003", text, "Check the encoding of the environment.")
            return default
        if isinstance(value, kind) and not (kind is int and isinstance(value, bool)):
            return value
        if value is not None or self.is_set(key):
            self.problem("E003", f"{self.where}[{key!r}] must be {_KINDS[kind]}.")
        return default

    def text(self, key: str) -> str | None:
        if self.value(key) is None:
            return None
        return self.of_type(key, str, default="") or None

    def choice(self, key: str, choices: tuple[str, ...]) -> str:
        value = self.value(key)
        if value in choices:
            return str(value)
        names = ", ".join(repr(choice) for choice in choices)
        self.problem("E004", f"{self.where}[{key!r}] must be one of {names}.")
        return choices[0]

    def number(self, key: str, low: int, high: int) -> int:
        value = self.of_type(key, int, default=low)
        if not low <= value <= high:
            text = f"{self.where}[{key!r}] must be between {low} and {high}."
            self.problem("E005", text)
        return value

    def strings(self, key: str) -> tuple[str, ...]:
        value = self.value(key)
        if isinstance(value, list | tuple) and all(
            item and is_text(item) for item in value
        ):
            return tuple(value)
        self.problem("E003", f"{self.where}[{key!r}] must be a list of strings.")
        return ()


def is_text(value: object) -> bool:
    """Whether it is a string that can be encoded as UTF-8.

    Python turns bytes of the environment that are not UTF-8 into lone surrogates.
    """
    try:
        return isinstance(value, str) and value.encode() is not None
    except UnicodeEncodeError:
        return False


_KINDS: Mapping[type, str] = {
    str: "a string",
    bool: "True or False",
    int: "a whole number",
    dict: "a dict",
}
