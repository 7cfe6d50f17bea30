"""Who is who, which rights came from where, and what happened."""

from __future__ import annotations

import hashlib

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class Identity(models.Model):
    """A person at an issuer, and the user that this is here.

    Found by `key` alone, which is made of issuer and subject: no collation makes two
    subjects one (T89), and the name of a provider in the settings plays no part, so
    that another issuer under an old name inherits nobody (T88).
    """

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("user"),
        on_delete=models.CASCADE,
        related_name="oauth_login_identities",
    )
    key = models.CharField(max_length=64, unique=True, editable=False)
    issuer = models.TextField(_("issuer"))
    subject = models.CharField(_("subject"), max_length=255)
    provider = models.CharField(_("provider"), max_length=40)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    last_login_at = models.DateTimeField(_("last login at"), auto_now_add=True)

    class Meta:
        verbose_name = _("identity")
        verbose_name_plural = _("identities")

    def __str__(self) -> str:
        return f"{self.subject} ({self.provider})"

    @staticmethod
    def key_of(issuer: str, subject: str) -> str:
        """SHA-256 in hex; issuers are URLs and hold no NUL."""
        return hashlib.sha256(f"{issuer}\0{subject}".encode()).hexdigest()


class GrantedRight(models.Model):
    """A right that a user has because of an identity: ours to take away again."""

    class Kind(models.TextChoices):
        STAFF = "staff", _("staff")
        SUPERUSER = "superuser", _("superuser")
        GROUP = "group", _("group")

    identity = models.ForeignKey(
        Identity, on_delete=models.CASCADE, related_name="rights"
    )
    kind = models.CharField(max_length=9, choices=Kind.choices)
    # Empty for the two flags, so that the three together can be unique everywhere.
    group = models.CharField(max_length=150, blank=True)
    reason = models.CharField(max_length=500)
    granted_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("granted right")
        verbose_name_plural = _("granted rights")
        constraints = [
            models.UniqueConstraint(
                fields=["identity", "kind", "group"], name="oauth_login_right_once"
            )
        ]

    def __str__(self) -> str:
        return self.group or self.kind


class LoginSession(models.Model):
    """One browser in which a user is signed in, until it ends or expires.

    Its `id` is kept inside the Django session, so that it is found whatever key that
    session has (T114); the key itself is not stored here, where a copy of the
    database would give it away.
    """

    id = models.CharField(primary_key=True, max_length=43, editable=False)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("user"),
        on_delete=models.CASCADE,
        related_name="oauth_login_sessions",
    )
    # Empty for whoever signed in with a password.
    identity = models.ForeignKey(
        Identity,
        verbose_name=_("identity"),
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="sessions",
    )
    provider = models.CharField(_("provider"), max_length=40, blank=True)
    # The provider's own name for its session (Front-Channel Logout 1.0, 3).
    sid = models.CharField(max_length=255, blank=True)
    client = models.CharField(_("client"), max_length=60, blank=True)
    created_at = models.DateTimeField(_("signed in at"), auto_now_add=True)
    last_seen_at = models.DateTimeField(_("last seen at"), auto_now_add=True)
    expires_at = models.DateTimeField(_("expires at"), db_index=True)
    ended_at = models.DateTimeField(_("ended at"), null=True, blank=True)

    class Meta:
        verbose_name = _("session")
        verbose_name_plural = _("sessions")
        ordering = ["-last_seen_at", "-created_at"]

    def __str__(self) -> str:
        return self.client or self.provider or "password"


class LoginEvent(models.Model):
    """One outcome: who logged in, who did not and why."""

    class Outcome(models.TextChoices):
        LOGIN = "login", _("signed in")
        FAILED = "failed", _("failed")
        DENIED = "denied", _("denied")
        LOGGED_OUT = "logged_out", _("signed out")

    outcome = models.CharField(_("outcome"), max_length=20, choices=Outcome.choices)
    code = models.CharField(_("code"), max_length=100, blank=True)
    provider = models.CharField(_("provider"), max_length=40, blank=True)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("user"),
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
    )
    reference = models.CharField(_("reference"), max_length=9, db_index=True)
    created_at = models.DateTimeField(_("time"), auto_now_add=True, db_index=True)

    class Meta:
        verbose_name = _("login event")
        verbose_name_plural = _("login events")
        ordering = ["-created_at", "-pk"]

    def __str__(self) -> str:
        return f"{self.outcome} {self.reference}"
