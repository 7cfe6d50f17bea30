"""What error pages say: to strangers, and to readers who change their own account."""

from __future__ import annotations

import pytest
from django.utils import translation

from oauth_login.conf import get_config
from oauth_login.errors import (
    ConfigurationError,
    InvalidCallback,
    InvalidProviderResponse,
    LoginRefused,
    OAuthLoginError,
    ProviderRefused,
    ProviderUnavailable,
)
from oauth_login.views.error_texts import ErrorTexts, error_texts

ONE_OF_EACH = [
    ConfigurationError("config.unexpected"),
    ProviderUnavailable("transport.timeout"),
    InvalidProviderResponse("id_token.signature"),
    ProviderRefused("callback.access_denied"),
    InvalidCallback("callback.expired"),
    LoginRefused("account.not_allowed"),
    LoginRefused("account.exists"),
    LoginRefused("account.refused_by_site"),
    LoginRefused("account.identity_taken"),
    LoginRefused("account.last_way_in"),
    LoginRefused("account.password_off"),
    LoginRefused("account.no_provider"),
    LoginRefused("account.breakglass_invalid", message="Expired."),
    LoginRefused("shop.closed", message="Come back tomorrow."),
    InvalidProviderResponse("id_token.acr_mismatch"),
    InvalidProviderResponse("id_token.auth_time_too_old"),
]


def texts(
    error: OAuthLoginError, *, named: bool = True, connecting: bool = False
) -> ErrorTexts:
    entry = get_config().providers["corp"] if named else None
    return error_texts(error, entry, connecting=connecting)


@pytest.mark.parametrize("error", ONE_OF_EACH, ids=lambda error: error.code)
@pytest.mark.parametrize("named", [True, False])
@pytest.mark.parametrize("connecting", [True, False])
def test_a_page_says_what_happened_and_what_to_do(
    error: OAuthLoginError, *, named: bool, connecting: bool
) -> None:
    shown = texts(error, named=named, connecting=connecting)

    assert shown.title
    assert not shown.title.endswith(".")
    assert shown.what.endswith(".")
    assert shown.advice
    assert all(line.endswith(".") for line in shown.advice)
    assert "%(" not in "".join([shown.title, shown.what, *shown.advice])


@pytest.mark.parametrize("error", ONE_OF_EACH, ids=lambda error: error.code)
def test_readers_who_are_signed_in_are_not_told_that_they_are_not(
    error: OAuthLoginError,
) -> None:
    shown = texts(error, connecting=True)

    assert "sign you in" not in shown.title
    assert "Sign-in" not in shown.title
    # The page has no button for it: it leads back to the account page.
    assert "Or use a different account." not in shown.advice


@pytest.mark.parametrize(
    ("error", "title"),
    [
        (ConfigurationError("config.unexpected"), "We couldn’t sign you in"),
        (InvalidCallback("callback.expired"), "We couldn’t sign you in"),
        (ProviderUnavailable("transport.timeout"), "We couldn’t sign you in"),
        (ProviderRefused("callback.access_denied"), "Sign-in not completed"),
        (LoginRefused("account.not_allowed"), "No access"),
    ],
    ids=lambda value: getattr(value, "code", ""),
)
def test_a_sign_in_that_fails_has_a_title_of_its_own(
    error: OAuthLoginError, title: str
) -> None:
    assert texts(error).title == title
    assert texts(error, connecting=True).title == "Account not connected"


def test_a_stranger_is_told_the_same_for_every_cause() -> None:
    # T123: whether an account exists, is inactive or is taken is not theirs to know.
    causes = ["account.not_allowed", "account.inactive", "account.identity_taken"]
    shown = {texts(LoginRefused(code)) for code in causes}

    assert len(shown) == 1
    assert shown.pop().what == (
        "Your account at Corp SSO does not have access to this site."
    )


def test_a_reader_is_told_that_the_account_belongs_to_another_user() -> None:
    shown = texts(LoginRefused("account.identity_taken"), connecting=True)

    assert shown.what == (
        "This account at Corp SSO is already connected to another user."
    )


def test_the_only_way_in_is_named_as_such() -> None:
    shown = texts(LoginRefused("account.last_way_in"), named=False, connecting=True)

    assert shown.title == "Account not disconnected"
    assert "your only way to sign in" in shown.what
    assert shown.advice == ("Connect another account first.",)


def test_a_password_that_is_turned_off_is_named() -> None:
    shown = texts(LoginRefused("account.password_off"), named=False)

    assert shown.what == "Signing in with a password is turned off here."
    assert shown.advice == ("Sign in through an identity provider.",)


def test_a_page_that_needs_a_provider_says_so() -> None:
    shown = texts(LoginRefused("account.no_provider"), named=False)

    assert shown.what.startswith("This page needs a sign-in through an identity")


def test_a_link_that_is_used_up_sends_the_reader_to_who_gave_it() -> None:
    error = LoginRefused("account.breakglass_invalid", message="Expired.")
    shown = texts(error, named=False)

    assert shown.what == "Expired."
    assert shown.advice == (
        "Ask the person who gave you this link for a new one.",
        "Administrators can create one with manage.py oauth_login_breakglass.",
    )


@pytest.mark.parametrize("connecting", [True, False])
@pytest.mark.parametrize(
    ("code", "title", "what"),
    [
        (
            "id_token.acr_mismatch",
            "A stronger sign-in is needed",
            "This page needs a stronger sign-in than the one you used at Corp SSO.",
        ),
        (
            "id_token.auth_time_too_old",
            "A more recent sign-in is needed",
            "This page needs a more recent sign-in, and Corp SSO did not ask you for "
            "one.",
        ),
    ],
)
def test_a_sign_in_that_is_too_weak_is_no_fault_of_the_site(
    code: str, title: str, what: str, *, connecting: bool
) -> None:
    shown = texts(InvalidProviderResponse(code), connecting=connecting)

    assert (shown.title, shown.what) == (title, what)


@pytest.mark.parametrize("connecting", [True, False])
def test_the_message_of_a_hook_is_shown_as_it_is(*, connecting: bool) -> None:
    error = LoginRefused("shop.closed", message="Come back tomorrow.")

    assert texts(error, connecting=connecting).what == "Come back tomorrow."


def test_texts_are_translated_when_they_are_shown() -> None:
    with translation.override("de"):
        shown = texts(LoginRefused("account.not_allowed"))

    assert shown.title == "Kein Zugang"
    assert shown.what == "Ihr Konto bei Corp SSO hat keinen Zugang zu dieser Website."


def test_a_person_whose_address_has_a_user_is_told_how_to_connect() -> None:
    advice = (
        "If you already have an account here, sign in the way you did before, then "
        "connect Corp SSO on your account page."
    )
    shown = texts(LoginRefused("account.exists"))

    assert shown.advice[0] == advice
    assert shown.what == texts(LoginRefused("account.not_allowed")).what
    assert advice not in texts(LoginRefused("account.exists"), connecting=True).advice
    # T123: whether LINK_BY_EMAIL or CREATE_USERS stood in the way is not told.
    for code in ("account.not_linkable", "account.creation_disabled"):
        assert texts(LoginRefused(code)) == texts(LoginRefused("account.not_allowed"))


def test_a_person_who_is_locked_out_is_told_to_wait() -> None:
    shown = texts(LoginRefused("account.refused_by_site"))

    assert shown.advice[0] == "Wait a while, then try again."
