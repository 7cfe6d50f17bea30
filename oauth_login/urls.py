"""`path("auth/", include("oauth_login.urls"))`."""

from __future__ import annotations

from django.urls import path

from oauth_login.views.login import begin, callback, login
from oauth_login.views.logout import logged_out, logout

app_name = "oauth_login"

urlpatterns = [
    path("login/", login, name="login"),
    path("logout/", logout, name="logout"),
    path("logged-out/", logged_out, name="logged_out"),
    path("<slug:provider>/login/", begin, name="begin"),
    path("<slug:provider>/callback/", callback, name="callback"),
]
