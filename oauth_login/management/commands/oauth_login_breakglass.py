"""`manage.py oauth_login_breakglass USER`: a link into the admin for an emergency."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.urls import reverse
from django.utils import timezone

from oauth_login.conf import get_config
from oauth_login.login import breakglass
from oauth_login.protocol.urls import is_allowed_url, origin


class Command(BaseCommand):
    """The link alone goes to stdout. It is as good as a password for ten minutes."""

    help = "Print a link that logs USER in once, without a provider."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("user", metavar="USER", help="the login name")
        parser.add_argument(
            "--base-url", help="https://app.example.com, if there is no BASE_URL"
        )

    def handle(self, *, user: str, base_url: str | None, **options: Any) -> None:
        config = get_config()
        if base_url is not None and (
            not is_allowed_url(base_url, allow_http_loopback=True)
            or origin(base_url) != base_url
        ):
            raise CommandError("--base-url must be https, a host, and nothing else.")
        base = base_url or config.base_url
        if base is None:
            raise CommandError("OAUTH_LOGIN has no BASE_URL: give --base-url.")
        person = self._find(user)
        token = breakglass.new_token(person, now=timezone.now())
        path = reverse("oauth_login:breakglass", kwargs={"token": token})
        self.stderr.write(
            f"Whoever opens this link within 10 minutes is {person.get_username()} in "
            "the admin, for an hour at most. It works once, and it is in the log."
        )
        self.stdout.write(f"{base}{path}")

    def _find(self, name: str) -> Any:
        user_model: Any = get_user_model()
        try:
            person = user_model._default_manager.get_by_natural_key(name)
        except user_model.DoesNotExist:
            raise CommandError(f"There is no user {name!r}.") from None
        if not person.is_active:
            raise CommandError(f"{name!r} is not active, and stays out.")
        if not getattr(person, "is_staff", False):
            raise CommandError(f"{name!r} is not staff: the admin would stay shut.")
        return person
