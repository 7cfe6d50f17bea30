"""`manage.py oauth_login_breakglass USER`: print an emergency link into the admin."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.urls import reverse
from django.utils import timezone

from oauth_login.conf import get_config
from oauth_login.login import breakglass
from oauth_login.protocol.urls import is_site_url, origin


class Command(BaseCommand):
    """Only the link goes to stdout. For ten minutes it is as secret as a password."""

    help = "Print a link that logs USER in once, without a provider."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("user", metavar="USER", help="the username")
        parser.add_argument(
            "--base-url",
            help="such as https://app.example.com; required without BASE_URL",
        )

    def handle(self, *, user: str, base_url: str | None, **options: Any) -> None:
        config = get_config()
        if base_url is not None and (
            not is_site_url(base_url, allow_http_loopback=True)
            or origin(base_url) != base_url
        ):
            raise CommandError("--base-url must be https with a host, without a path.")
        base = base_url or config.base_url
        if base is None:
            raise CommandError("OAUTH_LOGIN has no BASE_URL: give --base-url.")
        person = self._find(user)
        token = breakglass.new_token(person, now=timezone.now())
        path = reverse("oauth_login:breakglass", kwargs={"token": token})
        self.stderr.write(
            f"This link logs its user into the admin as {person.get_username()}. It "
            "works once, within 10 minutes, for a session of at most one hour. Its use "
            "is recorded as a login event."
        )
        self.stdout.write(f"{base}{path}")

    def _find(self, name: str) -> Any:
        user_model: Any = get_user_model()
        try:
            person = user_model._default_manager.get_by_natural_key(name)
        except user_model.DoesNotExist:
            raise CommandError(f"There is no user {name!r}.") from None
        if not person.is_active:
            raise CommandError(f"{name!r} is not active and cannot log in.")
        if not getattr(person, "is_staff", False):
            raise CommandError(f"{name!r} is not staff and cannot use the admin.")
        return person
