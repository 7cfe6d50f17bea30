"""The entry in a user's history in the admin, for rights that changed."""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.conf import settings
from django.utils import translation
from django.utils.translation import pgettext

from oauth_login.models import GrantedRight
from oauth_login.rights.plan import GROUP, Plan, Right


def write_history(user: Any, provider: str, change: Plan) -> None:
    """Add the entry, where the admin is installed. Without a provider, orphans went."""
    if not apps.is_installed("django.contrib.admin"):
        return
    # One history for all readers, so in the language of the site.
    with translation.override(settings.LANGUAGE_CODE):
        text = _history(
            provider,
            granted=", ".join(map(_label, change.granted)),
            removed=", ".join(map(_label, change.revoked)),
        )
    _write_log_entry(user, text)


def _label(right: Right) -> str:
    if right.kind == GROUP:
        return right.group
    return str(GrantedRight.Kind(right.kind).label)


def _history(provider: str, *, granted: str, removed: str) -> str:
    if not provider:
        text = pgettext(
            "oauth_login message",
            "Access rights removed because no connected account grants them any more: "
            "%(removed)s.",
        )
    elif not removed:
        text = pgettext(
            "oauth_login message", "Access rights granted by %(provider)s: %(granted)s."
        )
    elif not granted:
        text = pgettext(
            "oauth_login message", "Access rights removed by %(provider)s: %(removed)s."
        )
    else:
        text = pgettext(
            "oauth_login message",
            "Access rights changed by %(provider)s. Granted: %(granted)s. "
            "Removed: %(removed)s.",
        )
    return text % {"provider": provider, "granted": granted, "removed": removed}


def _write_log_entry(user: Any, message: str) -> None:
    # The admin's models can be imported only where the admin is installed.
    from django.contrib.admin.models import CHANGE, LogEntry
    from django.contrib.contenttypes.models import ContentType

    LogEntry.objects.create(
        user_id=user.pk,
        content_type=ContentType.objects.get_for_model(user),
        object_id=str(user.pk),
        object_repr=str(user)[:200],
        action_flag=CHANGE,
        change_message=message,
    )
