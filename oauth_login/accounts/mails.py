"""Mails to users about changes of their account, if MAIL_ON_LINK is on.

Receivers of `identity_linked` and `identity_unlinked`. A mail is sent after the
transaction is committed. If sending fails, the change stays.
"""

from __future__ import annotations

from typing import Any

from django.core.mail import send_mail
from django.db import transaction
from django.template.loader import render_to_string

from oauth_login.conf import get_config
from oauth_login.models import Identity


def mail_linked(*, user: Any, identity: Identity, **kwargs: Any) -> None:
    """Tell the user that a new identity can log in to their account."""
    _mail("linked", user, identity)


def mail_unlinked(*, user: Any, identity: Identity, **kwargs: Any) -> None:
    """Tell the user that an identity can no longer log in to their account."""
    _mail("unlinked", user, identity)


def _mail(name: str, user: Any, identity: Identity) -> None:
    config = get_config()
    address = getattr(user, user.get_email_field_name(), "")
    if not config.mail_on_link or not address:
        return
    context = {
        "person": user.get_username(),
        "provider": config.label(identity.provider),
        "site": config.site_name or (config.base_url or "").partition("://")[2],
    }
    subject = render_to_string(f"oauth_login/mail/{name}_subject.txt", context)
    body = render_to_string(f"oauth_login/mail/{name}.txt", context)

    def send() -> None:
        # One line: the names in it may come from a provider (T106).
        send_mail(" ".join(subject.split()), body, None, [address])

    # robust: Django logs an error of the mail server instead of raising it.
    transaction.on_commit(send, robust=True)
