"""As docs/sites.md has it for the browsable API: its login and logout are ours."""

from __future__ import annotations

from django.urls import include, path
from rest_framework.decorators import api_view
from rest_framework.request import Request
from rest_framework.response import Response

from oauth_login.views.login import login
from oauth_login.views.logout import logout
from tests.neighbours.sites import urls


@api_view(["GET"])
def api(request: Request) -> Response:
    return Response({"rights": f"rights: {request.user.get_username()}."})


api_auth = [
    path("login/", login, name="login"),
    path("logout/", logout, name="logout"),
]
urlpatterns = [
    *urls.urlpatterns,
    path("api/", api),
    path("api-auth/", include((api_auth, "rest_framework"))),
]
