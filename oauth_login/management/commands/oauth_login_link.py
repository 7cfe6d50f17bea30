"""`manage.py oauth_login_link`: link existing users to their identities at a provider.

For sites that migrate from another library, which knows the users' subjects.
"""

from __future__ import annotations

import csv
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.base_user import AbstractBaseUser
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from oauth_login.accounts.identities import (
    announce_link,
    create_identity,
    find_identity,
)
from oauth_login.errors import OAuthLoginError
from oauth_login.models import Identity
from oauth_login.protocol.claims import is_subject
from oauth_login.registry import get_provider

COLUMNS = {"provider", "subject", "user"}


@dataclass(frozen=True, slots=True)
class Line:
    """One identity for one user. `where` names the line of the input in messages."""

    where: str
    provider: str
    subject: str
    user: str
    issuer: str = ""


class Command(BaseCommand):
    """Links all lines or none: one conflict undoes everything."""

    help = (
        "Link users to their identities: one, or a CSV file with the columns "
        "provider, subject, user and, optionally, issuer."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--provider", help="the provider's name in the settings")
        parser.add_argument("--subject", help="the user's `sub` at the provider")
        parser.add_argument("--user", help="the username on this site")
        parser.add_argument(
            "--issuer", default="", help="by default, the provider's own issuer"
        )
        parser.add_argument(
            "--csv", type=Path, help="a file with one identity per line"
        )
        parser.add_argument(
            "--dry-run",
            action="store_true",
            help="print what would happen, and change nothing",
        )

    def handle(self, *, dry_run: bool, **options: Any) -> None:
        self._issuers: dict[str, str] = {}
        lines = self._lines(**options)
        problems: list[str] = []
        linked = already = 0
        with transaction.atomic():
            for line in lines:
                try:
                    done = self._link(line)
                except CommandError as error:
                    problems.append(f"{line.where}: {error}")
                else:
                    linked, already = linked + done, already + (not done)
            transaction.set_rollback(bool(problems) or dry_run)
        for problem in problems:
            self.stderr.write(problem)
        if problems:
            raise CommandError(
                f"nothing was linked: {len(problems)} of {len(lines)} lines have errors"
            )
        verb = "would link" if dry_run else "linked"
        self.stdout.write(f"{verb} {linked}; {already} were linked already")

    def _lines(
        self,
        *,
        csv: Path | None,  # noqa: A002 - the option's name
        provider: str | None,
        subject: str | None,
        user: str | None,
        issuer: str,
        **options: Any,
    ) -> list[Line]:
        single = (provider, subject, user)
        if csv is not None and not any(single):
            return _read(csv)
        if csv is not None or not (provider and subject and user):
            raise CommandError("give --provider, --subject and --user, or --csv")
        return [Line("the command line", provider, subject, user, issuer)]

    def _link(self, line: Line) -> bool:
        """Link one line; False if it was linked already, CommandError on a conflict."""
        if not is_subject(line.subject):
            raise CommandError(
                "a subject is 1 to 255 printable ASCII characters, "
                "with no space at either end"
            )
        issuer, user = self._issuer(line), _user(line.user)
        identity = find_identity(issuer, line.subject)
        if identity is not None and identity.user_id != user.pk:
            raise CommandError(f"{line.subject!r} is linked to {identity.user!s}")
        if identity is not None:
            return False
        theirs = Identity.objects.filter(user_id=user.pk)
        if any(other.issuer == issuer for other in theirs):
            raise CommandError(f"{line.user!r} has another identity at {issuer}")
        identity = create_identity(
            user, provider=line.provider, issuer=issuer, subject=line.subject
        )
        self.stdout.write(f"{line.provider} {line.subject} → {line.user}")
        # Inside the transaction: rolled back with it, and mails are sent on commit.
        announce_link(user, identity, how="operator")
        return True

    def _issuer(self, line: Line) -> str:
        """The issuer from the provider's metadata: it must equal `iss` of tokens."""
        try:
            provider = get_provider(line.provider)
            if line.issuer:
                return line.issuer
            if provider.client.deviations.issuer_template is not None:
                raise CommandError("each tenant has its own issuer: give the issuer")
            if line.provider not in self._issuers:
                metadata = provider.metadata(now=time.time())
                self._issuers[line.provider] = metadata.issuer
        except OAuthLoginError as error:
            hint = "" if line.issuer else "; you can give the issuer instead"
            raise CommandError(f"{line.provider!r}: {error.code}{hint}") from None
        return self._issuers[line.provider]


def _read(path: Path) -> list[Line]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            if not set(reader.fieldnames or ()) >= COLUMNS:
                names = ", ".join(sorted(COLUMNS))
                raise CommandError(f"{path} has no header with {names}")
            return [
                Line(
                    f"line {reader.line_num}",
                    provider=(row["provider"] or "").strip(),
                    subject=row["subject"]
                    or "",  # as it is: a space would be part of it
                    user=(row["user"] or "").strip(),
                    issuer=(row.get("issuer") or "").strip(),
                )
                for row in reader
            ]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise CommandError(f"{path} cannot be read: {error}") from None


def _user(name: str) -> AbstractBaseUser:
    user_model = get_user_model()
    try:
        return user_model._default_manager.get_by_natural_key(name)
    except user_model.DoesNotExist:
        raise CommandError(f"there is no user {name!r}") from None
