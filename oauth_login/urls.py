"""`path("auth/", include("oauth_login.urls"))`."""

from __future__ import annotations

from django.urls import path

from oauth_login.views.account import account, end_sessions
from oauth_login.views.begin import begin
from oauth_login.views.breakglass import breakglass
from oauth_login.views.callback import callback
from oauth_login.views.client_keys import client_keys
from oauth_login.views.connections import connect, disconnect
from oauth_login.views.initiate import initiate
from oauth_login.views.login import login
from oauth_login.views.logout import logged_out, logout
from oauth_login.views.step_up import resume

app_name = "oauth_login"

urlpatterns = [
    path("login/", login, name="login"),
    path("logout/", logout, name="logout"),
    path("logged-out/", logged_out, name="logged_out"),
    path("account/", account, name="account"),
    path("account/connect/<slug:provider>/", connect, name="connect"),
    path("account/disconnect/<int:identity>/", disconnect, name="disconnect"),
    path("account/sessions/end/", end_sessions, name="end_sessions"),
    path("resume/<str:name>/", resume, name="resume"),
    path("<slug:provider>/login/", begin, name="begin"),
    path("<slug:provider>/callback/", callback, name="callback"),
    path("<slug:provider>/initiate/", initiate, name="initiate"),
    path("<slug:provider>/jwks/", client_keys, name="client_keys"),
    # Last, because a provider may be named "breakglass".
    path("breakglass/<slug:token>/", breakglass, name="breakglass"),
]
