"""The faults that are active, and how they change the provider's answers."""

from __future__ import annotations

from typing import Any

from oauth_login.testing.answer import Answer, NoAnswer, SlowAnswer
from oauth_login.testing.faults.fault import Fault, Place
from oauth_login.testing.keys import SigningKey


class ActiveFaults:
    """Any number of faults, applied in the order in which they were added."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []

    def add(self, fault: Fault) -> None:
        self._faults.append(fault)

    def remove(self, fault: Fault) -> None:
        self._faults.remove(fault)

    @property
    def hide_claims(self) -> bool:
        """Whether claims are only at userinfo, so that a client requests it."""
        return any(fault.hides_claims for fault in self._faults)

    @property
    def sign_userinfo(self) -> bool:
        return any(fault.signs_userinfo for fault in self._faults)

    @property
    def rotate_key_when_signing(self) -> bool:
        return any(fault.rotates_key_when_signing for fault in self._faults)

    def answer_to(self, document: str) -> Answer | None:
        """The answer that replaces every answer; raises SlowAnswer or NoAnswer."""
        for fault in self._faults:
            if fault.slow == document:
                raise SlowAnswer
            if fault.hangs_up == document:
                raise NoAnswer
            if document in fault.answers:
                return fault.answers[document]
        return None

    def changed(self, place: Place, document: dict[str, Any]) -> dict[str, Any]:
        for fault in self._faults:
            if place in fault.changes:
                document = fault.changes[place](document)
        return document

    def token(self, place: Place, token: str) -> str:
        """The signed document as it is sent; `place` names its header."""
        for fault in self._faults:
            if place in fault.tokens:
                token = fault.tokens[place](token)
        return token

    def signing_key(self, key: SigningKey) -> SigningKey:
        """The key that signs in place of `key`."""
        for fault in self._faults:
            if fault.signing_key is not None:
                key = fault.signing_key(key)
        return key
