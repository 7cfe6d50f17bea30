"""The sealed state: what was sealed comes out, and nothing else opens it."""

from __future__ import annotations

import base64

import pytest
from pytest_django import Settings

from oauth_login.login.state import (
    LOGIN,
    LOGOUT,
    MAX_PLAINTEXT,
    SealedState,
    new_state,
    unseal_state,
)
from oauth_login.sealing import seal_text, unseal_text

NOW = 1_900_000_000.7


def state(kind: int = LOGIN, **options: object) -> str:
    given = {"provider": "corp", "next": "/home/", "now": NOW}
    return new_state(kind, **{**given, **options})  # type: ignore[arg-type]


def test_what_was_sealed_comes_out() -> None:
    assert unseal_state(state(restarts=1), LOGIN) == SealedState(
        LOGIN, "corp", "/home/", 1, int(NOW)
    )


def test_no_state_is_like_another_and_each_fits() -> None:
    # T01; pains 60
    assert len({state() for _ in range(50)}) == 50
    for path in ("", "/" * 119, "/" * 120, "/" * 2048, "/é" * 60):
        made = state(provider="p" * 40, next=path)
        assert 64 <= len(made) <= 255
        opened = unseal_state(made, LOGIN)
        assert opened is not None
        assert opened.next in (path, "")


def test_a_path_that_fits_is_kept_and_a_longer_one_is_not() -> None:
    room = MAX_PLAINTEXT - 31 - len("corp")
    for length, kept in ((room, True), (room + 1, False)):
        path = "/" * length
        opened = unseal_state(state(next=path), LOGIN)
        assert opened is not None
        assert opened.next == (path if kept else "")


@pytest.mark.parametrize("position", [0, 15, 40, -1])
def test_a_bit_that_is_another_opens_nothing(position: int) -> None:
    # T01
    raw = bytearray(base64.urlsafe_b64decode(state() + "=="))
    raw[position] ^= 1
    forged = base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
    assert unseal_state(forged, LOGIN) is None


@pytest.mark.parametrize(
    "forged",
    ["", "a" * 63, "a" * 64, "a" * 65, "a" * 255, "a" * 256, "é" * 64, "+" * 64],
)
def test_what_we_did_not_make_is_nothing(forged: str) -> None:
    assert unseal_state(forged, LOGIN) is None
    assert unseal_text(forged, purpose="x") is None


def test_a_login_is_no_logout() -> None:
    # T111
    assert unseal_state(state(), LOGOUT) is None
    assert unseal_state(state(LOGOUT), LOGIN) is None


@pytest.mark.parametrize("text", ["", "é\n", "a" * 1024])
def test_a_text_comes_out_as_it_was(text: str) -> None:
    sealed = seal_text(text, purpose="x")
    assert unseal_text(sealed, purpose="x") == text
    assert unseal_text(sealed, purpose="y") is None


def test_a_text_that_is_none_is_made_one() -> None:
    sealed = seal_text("a\ud800", purpose="x")
    assert unseal_text(sealed, purpose="x") == "a?"


@pytest.mark.parametrize(
    "text",
    [
        "",
        # A state has behind its random bytes: date, kind, restarts, a name's length.
        "date\x01\x00\x04corp/evil/",
        "\x00" * 24 + "date\x01\x00\x04corp/evil/",
        "a" * 31,
    ],
)
def test_nobody_can_make_a_state_out_of_a_text(text: str) -> None:
    # T01: who posts a form chooses the text, and gets it back sealed
    sealed = seal_text(text, purpose="x")
    assert unseal_state(sealed, LOGIN) is None
    assert unseal_state(sealed, LOGOUT) is None


def test_nobody_can_read_a_text_out_of_a_state() -> None:
    assert unseal_text(state(), purpose="x") is None


def test_an_old_key_still_opens_and_another_does_not(settings: Settings) -> None:
    made, text = state(), seal_text("a", purpose="x")
    old = settings.SECRET_KEY
    settings.SECRET_KEY = "another" * 10
    assert unseal_state(made, LOGIN) is None
    settings.SECRET_KEY_FALLBACKS = [old]
    assert unseal_state(made, LOGIN) is not None
    assert unseal_text(text, purpose="x") == "a"
