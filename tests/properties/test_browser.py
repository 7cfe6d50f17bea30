"""What a browser holds for us: the sealed state, sealed texts, and `next`."""

from __future__ import annotations

import re
from urllib.parse import unquote, urljoin, urlsplit

import pytest
from django.http import HttpRequest
from django.test import RequestFactory
from django.urls import Resolver404, resolve, set_script_prefix
from hypothesis import example, given
from hypothesis import strategies as st

from oauth_login.login.state import LINK, LOGIN, LOGOUT, new_state, unseal_state
from oauth_login.sealing import seal_text, unseal_text
from oauth_login.views.parameters import form_params
from oauth_login.views.redirects import path_on_this_site, safe_next
from tests.properties.strategies import any_text, judged, text

HOME = "https://app.example.com"
NOW = 1_900_000_000

KINDS = (LOGIN, LOGOUT, LINK)
kinds = st.sampled_from(KINDS)
names = st.text("abcdefghijklmnopqrstuvwxyz0123456789_-", min_size=1, max_size=40)


# --- sealed


@given(
    kinds, names, text | st.text(min_size=100), st.integers(0, 255), st.floats(0, 4e9)
)
def test_a_state_says_what_it_was_made_of(
    kind: int, provider: str, path: str, restarts: int, now: float
) -> None:
    state = new_state(kind, provider=provider, next=path, restarts=restarts, now=now)
    assert re.fullmatch(r"[A-Za-z0-9_-]{64,255}", state)

    said = unseal_state(state, kind)

    assert said is not None
    assert (said.kind, said.provider, said.restarts) == (kind, provider, restarts)
    assert said.issued_at == int(now)
    assert said.next in (path, "")
    assert said.next == path or len(path.encode()) > 60
    for other in {*KINDS} - {kind}:
        assert unseal_state(state, other) is None
    assert unseal_text(state, purpose="user") is None


@given(text | st.text(st.characters(max_codepoint=127), max_size=120))
@example("")
@example("\0\0\0\0\1\0\4corp/forged")
def test_a_sealed_text_is_read_as_a_text_and_never_as_a_state(said: str) -> None:
    # T07: an attacker whose text is sealed must not have made a state.
    sealed = seal_text(said, purpose="user")
    assert unseal_text(sealed, purpose="user") == said
    assert unseal_text(sealed, purpose="next") is None
    assert unseal_state(sealed, LOGIN) is None
    assert unseal_state(sealed, LOGOUT) is None


letters = st.sampled_from("ABCXYZabcxyz0123456789_-~.=+/ \u00e9\ud800")


@given(
    st.lists(st.tuples(st.integers(0, 254), letters), min_size=1, max_size=3),
    st.integers(0, 255),
)
def test_what_was_touched_opens_nothing(
    edits: list[tuple[int, str]], length: int
) -> None:
    # T01
    state = new_state(LOGIN, provider="corp", next="/a/", now=NOW)
    sealed = seal_text("Alice", purpose="user")
    for at, letter in edits:
        for good in (state, sealed):
            touched = good[: at % len(good)] + letter + good[at % len(good) + 1 :]
            if touched != good:
                assert unseal_state(touched, LOGIN) is None
                assert unseal_text(touched, purpose="user") is None
    assert unseal_state(state[:length], LOGIN) is None or length >= len(state)
    assert unseal_text(sealed[:length], purpose="user") is None or length >= len(sealed)


@given(any_text | st.text(letters, min_size=60, max_size=260))
def test_what_nobody_sealed_opens_nothing(noise: str) -> None:
    assert unseal_state(noise, LOGIN) is None
    assert unseal_text(noise, purpose="user") is None


# --- next

pieces = st.sampled_from(
    ["/", "//", "\\", "/\\", "..", ".", "%2e%2e", "%2F", "%5C", "%6C", "auth", "login"]
    + ["corp", "logout", "oauth", "evil.example", "@", ":", "https:", "javascript:"]
    + ["?", "#", "&next=", " ", "\t", "\n", "\0", "\u2028", "\u00a0", "a", "\u00e9"]
)
wanted = any_text | st.lists(pieces, max_size=9).map("".join)
wanted_here = wanted | wanted.map("/".__add__) | wanted.map("/auth/".__add__)


def as_a_browser_goes(path: str) -> str:
    """Where a browser ends that is redirected there (WHATWG URL)."""
    path = re.sub(r"[\t\n\r]", "", path).strip("".join(map(chr, range(33))))
    path = re.sub(r"(?i)%2e", ".", path.replace("\\", "/"))
    return urljoin(f"{HOME}/", path)


@given(wanted_here)
@example("/auth/corp/%6Cogin/")
@example("/a/../auth/corp/login/")
@example("/a/%2E%2e/auth/logout/")
@example("/auth/./login/")
def test_where_a_person_is_sent_is_on_this_site_and_no_page_of_ours(path: str) -> None:
    # T15, T16
    safe = safe_next(path)
    assert safe in (path, "")
    assert safe_next(safe) == safe
    if safe:
        there = urlsplit(as_a_browser_goes(safe))
        assert f"{there.scheme}://{there.netloc}" == HOME
        assert safe.isprintable() or "\u00ad" in safe or not safe.isascii()
        assert len(safe) <= 2048
        try:
            match = resolve(unquote(there.path))
        except Resolver404:
            return
        assert "oauth_login" not in match.app_names


@given(wanted_here, st.sampled_from(["", HOME, f"{HOME}:443", "https://evil.example"]))
def test_a_url_of_this_site_becomes_its_path_and_any_other_nothing(
    path: str, site: str
) -> None:
    # T25
    request = RequestFactory().get("/", secure=True, SERVER_NAME="app.example.com")
    request.META["HTTP_HOST"] = "app.example.com"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("django.conf.settings.ALLOWED_HOSTS", ["app.example.com"])
        there = path_on_this_site(request, site + path)
    if there:
        assert there == safe_next(there)
        # A path that begins like our address is still a path.
        assert site in ("", HOME)
        assert there in (path, path.removeprefix(HOME))


def test_below_another_path_our_pages_are_no_place_to_be_sent_to_either() -> None:
    # T16
    set_script_prefix("/site/")
    try:
        assert safe_next("/site/auth/login/") == ""
        assert safe_next("/site/home/") == "/site/home/"
        assert safe_next("/auth/login/") == "/auth/login/"  # of another app
    finally:
        set_script_prefix("/")


# --- forms


@given(
    st.binary(max_size=200) | st.text("abc=&%+;20", max_size=60).map(str.encode),
    st.sampled_from(
        ["application/x-www-form-urlencoded", "multipart/form-data", "text/plain"]
    ),
    st.sampled_from(["", "; charset=utf-8", "; charset=latin-1", "; charset=x\u00e9"]),
)
@example(b"code=1", "application/x-www-form-urlencoded", "; charset=latin-1")
def test_a_form_of_any_kind_has_parameters_or_is_refused(
    body: bytes, kind: str, charset: str
) -> None:
    # T12
    request: HttpRequest = RequestFactory().generic(
        "POST", "/auth/corp/callback/", body, content_type=kind + charset
    )
    params = judged(lambda: form_params(request))
    if kind != "application/x-www-form-urlencoded":
        assert params is None
    for name, value in params or ():
        assert isinstance(name, str)
        assert isinstance(value, str)
