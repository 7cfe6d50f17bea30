"""What a site can listen to.

Receivers get a VerifiedIdentity and never a token (T134). One that raises is logged,
and the login goes on.
"""

from __future__ import annotations

from django.dispatch import Signal

# request, user, identity (a VerifiedIdentity)
login_succeeded = Signal()
# request, error (an OAuthLoginError), reference (the one on the page)
login_failed = Signal()
# user, identity (a VerifiedIdentity): at the first login of somebody new
user_created = Signal()
# user, added and removed (lists of "staff", "superuser" and group names)
rights_changed = Signal()
# user, identity (a row of Identity), how ("account", "email", "hook", "operator")
identity_linked = Signal()
# user, identity (a row of Identity, about to be deleted)
identity_unlinked = Signal()
# request, user
logged_out = Signal()
