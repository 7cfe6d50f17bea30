"""What an error page says: a title, what happened, and what the reader can do."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import pgettext

from oauth_login.conf.schema import ProviderConfig
from oauth_login.errors import (
    InvalidCallback,
    LoginRefused,
    OAuthLoginError,
    ProviderRefused,
    ProviderUnavailable,
)


@dataclass(frozen=True, slots=True)
class ErrorTexts:
    """The texts of one error page. Nothing in them comes from outside (T39)."""

    title: str
    what: str
    advice: tuple[str, ...]


def error_texts(
    error: OAuthLoginError, entry: ProviderConfig | None, *, connecting: bool
) -> ErrorTexts:
    """The texts for `error` at the provider `entry`.

    `connecting`: the reader is signed in and changes the connected accounts, so a page
    that says "We couldn’t sign you in" would be wrong.
    """
    if isinstance(error, LoginRefused):
        return _refused(error, entry, connecting=connecting)
    title = (
        _not_connected()
        if connecting
        else pgettext("oauth_login heading", "We couldn’t sign you in")
    )
    if isinstance(error, ProviderRefused):
        return _refused_by_provider(entry, title, connecting=connecting)
    if error.code in _WEAKER:
        return _weaker(error, entry)
    if isinstance(error, InvalidCallback):
        what = pgettext(
            "oauth_login page",
            "This sign-in attempt has already been used, took too long, or was started "
            "in another browser. It was stopped for your security.",
        )
        again = pgettext("oauth_login page", "Try again – this usually works.")
        cookies = pgettext(
            "oauth_login page",
            "If it happens every time, allow cookies for this site.",
        )
        return ErrorTexts(title, what, (again, cookies))
    if isinstance(error, ProviderUnavailable):
        what = (
            pgettext("oauth_login page", "%(name)s is not answering at the moment.")
            % {"name": entry.label}
            if entry
            else pgettext(
                "oauth_login page",
                "The identity provider is not answering at the moment.",
            )
        )
        wait = pgettext("oauth_login page", "Wait a minute, and try again.")
        return ErrorTexts(title, what, (wait,))
    return _misconfigured(entry, title)


# The provider signed the person in, but not as this site asked it to.
_TOO_OLD = {"id_token.auth_time_too_old", "id_token.auth_time_invalid"}
_WEAKER = {"id_token.acr_mismatch", *_TOO_OLD}


def _weaker(error: OAuthLoginError, entry: ProviderConfig | None) -> ErrorTexts:
    """Sign-ins that are not strong or recent enough. The reader may be signed in."""
    name = {"name": entry.label if entry else ""}
    if error.code in _TOO_OLD:
        title = pgettext("oauth_login heading", "A more recent sign-in is needed")
        what, advice = (
            (
                pgettext(
                    "oauth_login page",
                    "This page needs a more recent sign-in, and %(name)s did not ask "
                    "you for one.",
                ),
                pgettext("oauth_login page", "Sign out at %(name)s, then try again."),
            )
            if entry
            else (
                pgettext("oauth_login page", "This page needs a more recent sign-in."),
                pgettext(
                    "oauth_login page",
                    "Sign out at your identity provider, then try again.",
                ),
            )
        )
    else:
        title = pgettext("oauth_login heading", "A stronger sign-in is needed")
        what, advice = (
            (
                pgettext(
                    "oauth_login page",
                    "This page needs a stronger sign-in than the one you used at "
                    "%(name)s.",
                ),
                pgettext(
                    "oauth_login page",
                    "Try again with a stronger method, such as a second factor at "
                    "%(name)s.",
                ),
            )
            if entry
            else (
                pgettext("oauth_login page", "This page needs a stronger sign-in."),
                pgettext(
                    "oauth_login page",
                    "Try again with a stronger method, such as a second factor.",
                ),
            )
        )
    return ErrorTexts(title, what % name, (advice % name,))


def _refused_by_provider(
    entry: ProviderConfig | None, title: str, *, connecting: bool
) -> ErrorTexts:
    what = (
        pgettext(
            "oauth_login page",
            "The sign-in at %(name)s was cancelled or refused. Nothing was changed.",
        )
        % {"name": entry.label}
        if entry
        else pgettext(
            "oauth_login page",
            "The sign-in at the identity provider was cancelled or refused. "
            "Nothing was changed.",
        )
    )
    if connecting:
        return ErrorTexts(title, what, (_connect_again(),))
    title = pgettext("oauth_login heading", "Sign-in not completed")
    advice = pgettext(
        "oauth_login page", "Use a different account, or sign in another way."
    )
    return ErrorTexts(title, what, (advice,))


def _refused(
    error: LoginRefused, entry: ProviderConfig | None, *, connecting: bool
) -> ErrorTexts:
    """A decision of this site.

    At a sign-in one text stands for all causes, so that a page tells strangers nothing
    about an account (T123). Readers who are signed in and change their own account
    are told the cause.
    """
    no_access = pgettext("oauth_login heading", "No access")
    contact = pgettext(
        "oauth_login page",
        "If you think you should have access, contact the administrators of this site.",
    )
    if error.message and error.code != "account.breakglass_invalid":
        title = _not_connected() if connecting else no_access
        return ErrorTexts(title, error.message, (contact,))
    match error.code:
        case "account.breakglass_invalid":
            ask = pgettext(
                "oauth_login page",
                "Ask the person who gave you this link for a new one.",
            )
            make = pgettext(
                "oauth_login page", "Administrators can create one with %(command)s."
            ) % {"command": "manage.py oauth_login_breakglass"}
            return ErrorTexts(no_access, error.message, (ask, make))
        case "account.last_way_in":
            title = pgettext("oauth_login heading", "Account not disconnected")
            what = pgettext(
                "oauth_login page",
                "You can’t disconnect this account because it is your only way to "
                "sign in.",
            )
            first = pgettext("oauth_login page", "Connect another account first.")
            return ErrorTexts(title, what, (first,))
        case "account.identity_taken" if connecting and entry:
            what = pgettext(
                "oauth_login page",
                "This account at %(name)s is already connected to another user.",
            ) % {"name": entry.label}
            return ErrorTexts(_not_connected(), what, (_connect_other(),))
        case "account.password_off":
            what = pgettext(
                "oauth_login page", "Signing in with a password is turned off here."
            )
            through = pgettext(
                "oauth_login page", "Sign in through an identity provider."
            )
            return ErrorTexts(no_access, what, (through,))
        case "account.no_provider":
            what = pgettext(
                "oauth_login page",
                "This page needs a sign-in through an identity provider, and none is "
                "connected to your account.",
            )
            connect = pgettext(
                "oauth_login page",
                "If you have an account at one of this site’s identity providers, "
                "connect it on your account page first, then return to this page.",
            )
            needed = pgettext(
                "oauth_login heading",
                "One more step: sign in with your identity provider",
            )
            return ErrorTexts(needed, what, (connect, contact))
    what = (
        pgettext(
            "oauth_login page",
            "Your account at %(name)s does not have access to this site.",
        )
        % {"name": entry.label}
        if entry
        else pgettext(
            "oauth_login page", "Your account does not have access to this site."
        )
    )
    if connecting:
        return ErrorTexts(_not_connected(), what, (contact, _connect_other()))
    other = pgettext("oauth_login page", "Or use a different account.")
    return ErrorTexts(no_access, what, (*_first_advice(error, entry), contact, other))


def _first_advice(error: LoginRefused, entry: ProviderConfig | None) -> tuple[str, ...]:
    """The way on that two causes have, in front of what all refusals advise."""
    if error.code == "account.exists" and entry:
        # No secret (T123): the same person with an address that has no user here would
        # have got one.
        connect = pgettext(
            "oauth_login page",
            "If you already have an account here, sign in the way you did before, "
            "then connect %(name)s on your account page.",
        )
        return (connect % {"name": entry.label},)
    if error.code == "account.refused_by_site":
        return (pgettext("oauth_login page", "Wait a while, then try again."),)
    return ()


def _misconfigured(entry: ProviderConfig | None, title: str) -> ErrorTexts:
    what = (
        pgettext(
            "oauth_login page",
            "The connection between this site and %(name)s is not configured "
            "correctly.",
        )
        % {"name": entry.label}
        if entry
        else pgettext("oauth_login page", "This site is not configured correctly.")
    )
    later = pgettext(
        "oauth_login page",
        "Try again later. The administrators of this site can see the cause in its "
        "logs.",
    )
    return ErrorTexts(title, what, (later,))


def _not_connected() -> str:
    return pgettext("oauth_login heading", "Account not connected")


def _connect_again() -> str:
    return pgettext(
        "oauth_login page", "You can connect the account again from your account page."
    )


def _connect_other() -> str:
    return pgettext("oauth_login page", "Connect a different account.")
