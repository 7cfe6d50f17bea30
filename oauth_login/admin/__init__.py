"""The admin's pages of identities, sessions and login events: read-only (T125).

None of them shows secrets or claims.
"""

from __future__ import annotations

from django.contrib import admin

from oauth_login.admin.events import LoginEventAdmin
from oauth_login.admin.identities import IdentityAdmin
from oauth_login.admin.sessions import LoginSessionAdmin
from oauth_login.admin.users import (
    IdentityInline,
    OAuthLoginUserAdminMixin,
    install_user_admin,
)
from oauth_login.models import Identity, LoginEvent, LoginSession

__all__ = [
    "IdentityAdmin",
    "IdentityInline",
    "LoginEventAdmin",
    "LoginSessionAdmin",
    "OAuthLoginUserAdminMixin",
]

admin.site.register(Identity, IdentityAdmin)
admin.site.register(LoginSession, LoginSessionAdmin)
admin.site.register(LoginEvent, LoginEventAdmin)
install_user_admin(admin.site)
