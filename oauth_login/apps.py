"""Start-up: connects the signals, registers the checks, sets up the admin's login."""

from __future__ import annotations

from django.apps import AppConfig, apps
from django.core import checks as django_checks
from django.utils.translation import pgettext_lazy


class OAuthLoginConfig(AppConfig):
    """Uses neither the network nor the database."""

    name = "oauth_login"
    verbose_name = pgettext_lazy("oauth_login admin", "Single sign-on")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        # These modules import models, which needs the complete app registry.
        from django.contrib.auth.signals import user_logged_in, user_logged_out
        from django.db.models.signals import pre_delete

        from oauth_login import checks, signals
        from oauth_login.accounts.identities import lock_owner, pass_mark_on
        from oauth_login.accounts.mails import mail_linked, mail_unlinked
        from oauth_login.login.markers import on_logout as note_logout
        from oauth_login.models import Identity
        from oauth_login.rights.apply import take_back, withdraw_orphans_at_login
        from oauth_login.sessions.begin import open_session
        from oauth_login.sessions.end import end_with_identity, on_logout

        user_logged_in.connect(open_session, dispatch_uid="oauth_login.sessions")
        user_logged_in.connect(
            withdraw_orphans_at_login, dispatch_uid="oauth_login.rights"
        )
        user_logged_out.connect(on_logout, dispatch_uid="oauth_login.sessions")
        user_logged_out.connect(note_logout, dispatch_uid="oauth_login.markers")
        signals.identity_linked.connect(mail_linked, dispatch_uid="oauth_login.notices")
        signals.identity_unlinked.connect(
            mail_unlinked, dispatch_uid="oauth_login.notices"
        )
        # In the order in which rows are locked; take_back() stores events (T149).
        for receiver, uid in (
            (lock_owner, "oauth_login.lock"),
            (pass_mark_on, "oauth_login.accounts"),
            (end_with_identity, "oauth_login.sessions"),
            (take_back, "oauth_login.rights"),
        ):
            pre_delete.connect(receiver, sender=Identity, dispatch_uid=uid)
        django_checks.register(checks.check_settings, "oauth_login")
        django_checks.register(checks.check_site, "oauth_login")
        django_checks.register(checks.check_urls, "oauth_login")
        django_checks.register(checks.check_deployment, "oauth_login", deploy=True)
        if apps.is_installed("django.contrib.admin"):
            from django.contrib import admin

            from oauth_login.admin_site import install_admin_login

            install_admin_login(admin.site)
