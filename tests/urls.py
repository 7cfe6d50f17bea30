"""The suite's site: our URLs, the admin, a public page and one behind login."""

from __future__ import annotations

from django.contrib import admin
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.urls import include, path

from oauth_login.admin_site import OAuthLoginAdminMixin


def home(request: HttpRequest) -> HttpResponse:
    return HttpResponse("home")


@login_required
def private(request: HttpRequest) -> HttpResponse:
    return HttpResponse(f"private: {request.user.get_username()}")


class ShopAdmin(OAuthLoginAdminMixin):
    """A second admin site."""


shop = ShopAdmin(name="shop")

urlpatterns = [
    path("auth/", include("oauth_login.urls")),
    path("admin/", admin.site.urls),
    path("shop/", shop.urls),
    path("home/", home, name="home"),
    path("private/", private, name="private"),
]
