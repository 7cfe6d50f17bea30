"""Identities, the rights they granted, sessions, login events and emergency links."""

from __future__ import annotations

import hashlib

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import pgettext_lazy

from oauth_login.user_agents import shown_user_agent


class Identity(models.Model):
    """A person at an issuer, and the user whom they log in as.

    It is found by `key` alone, a hash of issuer and subject: a collation cannot make
    two subjects equal (T89). The provider's name in the settings is not part of it, so
    a new issuer under an old name does not inherit its users (T88).
    """

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=pgettext_lazy("oauth_login field", "user"),
        on_delete=models.CASCADE,
        related_name="oauth_login_identities",
    )
    key = models.CharField(max_length=64, unique=True, editable=False)
    issuer = models.TextField(pgettext_lazy("oauth_login field", "issuer"))
    subject = models.CharField(
        pgettext_lazy("oauth_login field", "subject"), max_length=255
    )
    provider = models.CharField(
        pgettext_lazy("oauth_login field", "provider"), max_length=40
    )
    # The address that the provider verified at the last login, in lower case.
    verified_email = models.CharField(
        pgettext_lazy("oauth_login field", "verified email address"),
        max_length=254,
        blank=True,
    )
    created_at = models.DateTimeField(
        pgettext_lazy("oauth_login field", "created at"), auto_now_add=True
    )
    last_login_at = models.DateTimeField(
        pgettext_lazy("oauth_login field", "last sign-in"), auto_now_add=True
    )
    # Claim path → its values, or null if the claim was absent. Unknown claims are left
    # out. Only with KEEP_CLAIMS, and only the claims that rules name.
    claims = models.JSONField(null=True, editable=False)
    claims_at = models.DateTimeField(null=True, editable=False)
    claim_names = models.JSONField(null=True, editable=False)
    # The first login of this identity created the user: see link_by_email.py (T135).
    made_user = models.BooleanField(default=False, db_default=False)
    # The user has a placeholder as username, because the claims could not be fetched.
    provisional_username = models.BooleanField(default=False, db_default=False)
    # The first login since the last decision at which rules could not decide (T148).
    unconfirmed_since = models.DateTimeField(null=True, editable=False)

    class Meta:
        verbose_name = pgettext_lazy("oauth_login model", "identity")
        verbose_name_plural = pgettext_lazy("oauth_login model", "identities")

    def __str__(self) -> str:
        return f"{self.verified_email or self.subject} ({self.provider})"

    @staticmethod
    def key_of(issuer: str, subject: str) -> str:
        """SHA-256 in hex. Issuers are URLs and contain no NUL, so it is unambiguous."""
        return hashlib.sha256(f"{issuer}\0{subject}".encode()).hexdigest()


class GrantedRight(models.Model):
    """A right that a rule granted to a user, and may revoke.

    `identity` is the one that logged in. It is empty if the identity is gone and the
    user still has the right, as the last active superuser does (T150).
    """

    class Kind(models.TextChoices):
        STAFF = "staff", pgettext_lazy("oauth_login right", "staff")
        SUPERUSER = "superuser", pgettext_lazy("oauth_login right", "superuser")
        GROUP = "group", pgettext_lazy("oauth_login right", "group")

    # NULL only in rows that an earlier version added: then it is the identity's user.
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.CASCADE,
        related_name="oauth_login_rights",
    )
    identity = models.ForeignKey(
        Identity, null=True, on_delete=models.SET_NULL, related_name="rights"
    )
    kind = models.CharField(max_length=9, choices=Kind.choices)
    # The group, whatever its name is now; NULL for the flags.
    django_group = models.ForeignKey(
        "auth.Group", null=True, on_delete=models.CASCADE, related_name="+"
    )
    # Its name. Empty for the flags, not NULL: then the constraint always holds.
    group = models.CharField(max_length=150, blank=True)
    reason = models.CharField(max_length=500)
    granted_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = pgettext_lazy("oauth_login model", "granted access right")
        verbose_name_plural = pgettext_lazy(
            "oauth_login model", "granted access rights"
        )
        constraints = [
            models.UniqueConstraint(
                fields=["identity", "kind", "group"], name="oauth_login_right_once"
            )
        ]

    def __str__(self) -> str:
        return self.group or str(self.get_kind_display())


class LoginSession(models.Model):
    """One browser in which a user is signed in, until the session ends or expires.

    Its `id` is stored in the Django session and stays when Django changes the session
    key (T114). The session key is not stored here: a copy of this table must not let
    its reader take over sessions.
    """

    id = models.CharField(primary_key=True, max_length=43, editable=False)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=pgettext_lazy("oauth_login field", "user"),
        on_delete=models.CASCADE,
        related_name="oauth_login_sessions",
    )
    # Empty if the user signed in with a password.
    identity = models.ForeignKey(
        Identity,
        verbose_name=pgettext_lazy("oauth_login model", "identity"),
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="sessions",
    )
    provider = models.CharField(
        pgettext_lazy("oauth_login field", "provider"), max_length=40, blank=True
    )
    # Who issued the ID token, and to which client of theirs.
    issuer = models.TextField(
        pgettext_lazy("oauth_login field", "issuer"),
        blank=True,
        default="",
        db_default="",
    )
    client_id = models.TextField(blank=True, default="", db_default="", editable=False)
    # The provider's ID of its session (Front-Channel Logout 1.0, section 3).
    sid = models.CharField(max_length=255, blank=True)
    client = models.CharField(
        pgettext_lazy("oauth_login field", "browser"), max_length=60, blank=True
    )
    created_at = models.DateTimeField(
        pgettext_lazy("oauth_login field", "signed in at"), auto_now_add=True
    )
    last_seen_at = models.DateTimeField(
        pgettext_lazy("oauth_login field", "last active at"), auto_now_add=True
    )
    expires_at = models.DateTimeField(
        pgettext_lazy("oauth_login field", "expires at"), db_index=True
    )
    # The absolute end, in seconds since 1970; NULL if the session has none. Without
    # one, `expires_at` moves with `last_seen_at`.
    ends_at = models.BigIntegerField(null=True, blank=True, editable=False)
    ended_at = models.DateTimeField(
        pgettext_lazy("oauth_login field", "ended at"), null=True, blank=True
    )

    class Meta:
        verbose_name = pgettext_lazy("oauth_login model", "session")
        verbose_name_plural = pgettext_lazy("oauth_login model", "sessions")
        ordering = ["-last_seen_at", "-created_at"]

    def __str__(self) -> str:
        return shown_user_agent(self.client)


class LoginEvent(models.Model):
    """One event: a login, a refused login and its reason, a link or a change."""

    class Outcome(models.TextChoices):
        LOGIN = "login", pgettext_lazy("oauth_login event", "signed in")
        FAILED = "failed", pgettext_lazy("oauth_login event", "failed")
        DENIED = "denied", pgettext_lazy("oauth_login event", "refused")
        LOGGED_OUT = "logged_out", pgettext_lazy("oauth_login event", "signed out")
        LOGGED_OUT_BY_PROVIDER = (
            "logged_out_by_provider",
            pgettext_lazy("oauth_login event", "signed out by provider"),
        )
        LINKED = "linked", pgettext_lazy("oauth_login event", "account connected")
        UNLINKED = (
            "unlinked",
            pgettext_lazy("oauth_login event", "account disconnected"),
        )
        RIGHTS_CHANGED = (
            "rights_changed",
            pgettext_lazy("oauth_login event", "access rights changed"),
        )
        WITHDRAWN = "withdrawn", pgettext_lazy("oauth_login event", "access withdrawn")
        BREAKGLASS = (
            "breakglass",
            pgettext_lazy("oauth_login event", "emergency access"),
        )

    outcome = models.CharField(
        pgettext_lazy("oauth_login field", "outcome"),
        max_length=30,
        choices=Outcome.choices,
    )
    code = models.CharField(
        pgettext_lazy("oauth_login field", "code"), max_length=100, blank=True
    )
    provider = models.CharField(
        pgettext_lazy("oauth_login field", "provider"), max_length=40, blank=True
    )
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=pgettext_lazy("oauth_login field", "user"),
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
    )
    # The user's primary key as text: it stays when the user is deleted.
    user_key = models.CharField(
        pgettext_lazy("oauth_login field", "user ID"), max_length=255, blank=True
    )
    reference = models.CharField(
        pgettext_lazy("oauth_login field", "reference"), max_length=9, db_index=True
    )
    client = models.CharField(
        pgettext_lazy("oauth_login field", "browser"), max_length=60, blank=True
    )
    created_at = models.DateTimeField(
        pgettext_lazy("oauth_login field", "time"), default=timezone.now, db_index=True
    )
    # How many equal events this row stands for. See audit/repetitions.py.
    count = models.PositiveIntegerField(
        pgettext_lazy("oauth_login field", "count"), default=1, db_default=1
    )
    # The place in the chain; NULL without EVENT_LOG_KEY. See audit/chain.py.
    sequence = models.BigIntegerField(
        pgettext_lazy("oauth_login field", "sequence number"),
        null=True,
        unique=True,
        editable=False,
    )
    mac = models.CharField(max_length=64, blank=True, editable=False)

    class Meta:
        verbose_name = pgettext_lazy("oauth_login model", "sign-in event")
        verbose_name_plural = pgettext_lazy("oauth_login model", "sign-in events")
        ordering = ["-created_at", "-pk"]

    def __str__(self) -> str:
        return f"{self.get_outcome_display()} {self.reference}"


class EventChainHead(models.Model):
    """The end of the chain of login events, and its anchor: the last pruned event.

    One row, with id 1. Writers lock it, one after the other.
    """

    sequence = models.BigIntegerField(default=0)
    mac = models.CharField(max_length=64, blank=True)
    anchor_sequence = models.BigIntegerField(default=0)
    anchor_mac = models.CharField(max_length=64, blank=True)
    started_at = models.DateTimeField(default=timezone.now)
    seal = models.CharField(max_length=64)
    # Carries no data. Updating it takes the row lock that serialises writers.
    lock = models.BooleanField(default=False)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.sequence}:{self.mac}"


class ClaimedState(models.Model):
    """A state that a callback has claimed. The key is an HMAC of it, and unique."""

    key = models.CharField(primary_key=True, max_length=64)
    claimed_at = models.DateTimeField(db_index=True)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return self.key


class BreakGlassLink(models.Model):
    """A link into the admin for when no provider answers. Only its hash is stored."""

    token_hash = models.CharField(max_length=64, unique=True)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+"
    )
    # A hash of the user's last login and password: either change voids the link.
    fingerprint = models.CharField(max_length=64)
    expires_at = models.DateTimeField(db_index=True)
    used_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = pgettext_lazy("oauth_login model", "emergency link")
        verbose_name_plural = pgettext_lazy("oauth_login model", "emergency links")
        default_permissions = ()

    def __str__(self) -> str:
        return str(self.pk)
