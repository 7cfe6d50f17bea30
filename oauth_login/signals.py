"""The signals that a site can connect to.

Receivers get a VerifiedIdentity and never a token (T134). An exception in a receiver
is logged, and the login continues.
"""

from __future__ import annotations

from django.dispatch import Signal

# request, user, identity (a VerifiedIdentity)
login_succeeded = Signal()
# request, error (an OAuthLoginError), reference (the one on the page)
login_failed = Signal()
# user, identity (a VerifiedIdentity): sent when a login creates a user
user_created = Signal()
# user, added and removed (lists of "staff", "superuser" and group names)
rights_changed = Signal()
# user, identity (a row of Identity), how ("account", "email", "hook", "operator")
identity_linked = Signal()
# user, identity (a row of Identity, about to be deleted)
identity_unlinked = Signal()
# request, user
logged_out = Signal()
