"""A user's page: the identities, and which rule granted which right."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.loader import select_template

from oauth_login.admin.read_only import AnyModelAdmin
from oauth_login.models import Identity
from oauth_login.rights.explain import Explanation, explain

if TYPE_CHECKING:
    AnyInline = admin.TabularInline[Any, Any]
    AnyUserAdmin = UserAdmin[Any]
else:  # generic in the stubs alone
    AnyInline = admin.TabularInline
    AnyUserAdmin = UserAdmin


class IdentityInline(AnyInline):
    """For the `inlines` of a site's UserAdmin: read-only.

    Its formset is empty, so that no request can change an identity. It is shown to
    users with the permission to view identities.
    """

    model = Identity
    template = "oauth_login/admin/identities.html"
    extra = max_num = 0
    can_delete = False
    explanation: Explanation | None = None
    shows_sessions = False

    class Media:
        css = {"all": ["oauth_login/admin.css"]}

    def get_formset(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> Any:
        """Also computes the explanation: Django makes an inline object per request."""
        self.explanation = None if obj is None else explain(obj)
        self.shows_sessions = request.user.has_perm("oauth_login.view_loginsession")
        return super().get_formset(request, obj, **kwargs)

    def take_explanation(self) -> Explanation | None:
        """For the first template that asks; None for the others, which show nothing."""
        explanation, self.explanation = self.explanation, None
        return explanation

    def get_queryset(self, request: HttpRequest) -> QuerySet[Identity]:
        return super().get_queryset(request).none()

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return obj is not None and request.user.has_perm("oauth_login.view_identity")


class OAuthLoginUserAdminMixin(AnyModelAdmin):
    """For a site's own UserAdmin: `class Mine(OAuthLoginUserAdminMixin, UserAdmin)`."""

    change_form_template = "oauth_login/admin/user.html"

    def get_inlines(self, request: HttpRequest, obj: Any) -> list[Any]:
        """The inlines of the class, then the identities."""
        inlines = list(super().get_inlines(request, obj))
        return inlines if IdentityInline in inlines else [*inlines, IdentityInline]

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Django's own view; our template extends the one that Django would take."""
        name = f"{self.opts.app_label}/{self.opts.model_name}"
        names = (
            f"admin/{name}/change_form.html",
            f"admin/{self.opts.app_label}/change_form.html",
            "admin/change_form.html",
        )
        context = {"oauth_login_parent": select_template(names).template}
        return super().change_view(
            request, object_id, form_url, {**context, **(extra_context or {})}
        )


class OAuthLoginUserAdmin(OAuthLoginUserAdminMixin, AnyUserAdmin):
    """Django's UserAdmin with the identities."""


def install_user_admin(site: admin.AdminSite) -> None:
    """Show identities on the pages of Django's users, if Django's UserAdmin has them.

    A site with its own admin class or user model is left alone; it can use the mixin.
    """
    if site.is_registered(User) and type(site.get_model_admin(User)) is UserAdmin:
        site.unregister(User)
        site.register(User, OAuthLoginUserAdmin)
