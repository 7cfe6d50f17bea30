"""Step-up in the admin: what a ModelAdmin does only after a sufficient login (T139)."""

from __future__ import annotations

import copy
import functools
import inspect
from collections.abc import Callable, Iterable, Mapping
from typing import Any, ClassVar

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.urls import URLPattern, URLResolver

from oauth_login.login.step_up import Requirement, requirement
from oauth_login.views.step_up import is_sufficient, request_step_up

View = Callable[..., Any]
# What `require_login` of an admin may name, in the order in which it is asked for.
ADMIN_ACTIONS = ("view", "add", "change", "delete")
SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
# The URLs whose views RequireLoginAdminMixin guards by their own methods.
ADMIN_VIEWS = ("changelist", "add", "history", "delete", "change")


class StepUpRequired(PermissionDenied):
    """The login of this session is not sufficient for what the admin is about to do.

    Raised within Django's own methods. The views of RequireLoginAdminMixin answer with
    a login; in any other view it is Django's 403.
    """

    def __init__(self, required: Requirement) -> None:
        super().__init__("a more recent or a stronger login is required")
        self.required = required


class RequireLoginAdminMixin:
    """For a ModelAdmin: `require_login` holds the arguments for each action.

    The actions are "view", "add", "change" and "delete", as in Django's permissions.
    Opening a change form is "view"; submitting it is "change", or "add" for "Save as
    new". "delete" includes the confirmation page. An action of the change list needs
    what its `permissions` name; without them, or with others, "change" and "delete".
    A form that is sent to a view of the site's own in `get_urls` needs all four.

    Guarded are the views and, beneath them, Django's own decisions (`response_action`,
    `save_model`, `delete_model`, `delete_queryset`), whatever led to them (T139).
    """

    require_login: ClassVar[Mapping[str, Mapping[str, Any]]] = {}

    @property
    def urls(self) -> list[Any]:
        """The URLs of `get_urls`, with those guarded that the site has added."""
        parent: Any = super()
        return [self._guarded_pattern(pattern) for pattern in parent.urls]

    def changelist_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        # Django runs an action only if the list itself is not saved: response_action().
        saves = request.method == "POST" and (
            "_save" in request.POST or "action" not in request.POST
        )
        actions = ("view", "change") if saves else ("view",)
        return self._guarded(actions, "changelist_view", request, *args, **kwargs)

    def add_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        return self._guarded(("add",), "add_view", request, *args, **kwargs)

    def change_view(
        self, request: HttpRequest, object_id: str, *args: Any, **kwargs: Any
    ) -> Any:
        actions = self._of_form(request, object_id)
        return self._guarded(
            actions, "change_view", request, object_id, *args, **kwargs
        )

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        *args: Any,
        **kwargs: Any,
    ) -> Any:
        actions = self._of_form(request, object_id)
        return self._guarded(
            actions, "changeform_view", request, object_id, *args, **kwargs
        )

    def delete_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        actions = ("view", "delete")
        return self._guarded(actions, "delete_view", request, *args, **kwargs)

    def history_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        return self._guarded(("view",), "history_view", request, *args, **kwargs)

    def response_action(
        self, request: HttpRequest, queryset: Any, *args: Any, **where: Any
    ) -> Any:
        """`where` is Django's `action_location`, since 6.1."""
        parent: Any = super()
        known = self._known_actions(request, **where)
        # Each action that the form names, not only the one whose button was pushed.
        for field, names in request.POST.lists():
            for name in names if field.endswith("action") else ():
                if name in known:
                    found = known[name]
                    action = found[0] if isinstance(found, tuple) else found.func
                    self._demand(request, _of_action(name, action))
        return parent.response_action(request, queryset, *args, **where)

    def save_model(
        self, request: HttpRequest, obj: Any, form: Any, change: bool
    ) -> None:
        self._demand(request, ["change" if change else "add"])
        parent: Any = super()
        parent.save_model(request, obj, form, change)

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        self._demand(request, ["delete"])
        parent: Any = super()
        parent.delete_model(request, obj)

    def delete_queryset(self, request: HttpRequest, queryset: Any) -> None:
        self._demand(request, ["delete"])
        parent: Any = super()
        parent.delete_queryset(request, queryset)

    def get_search_results(self, request: HttpRequest, *args: Any) -> Any:
        """Also what the fields of other models complete: a 403 there."""
        self._demand(request, ["view"])
        parent: Any = super()
        return parent.get_search_results(request, *args)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        parent: Any = super()
        return bool(parent.has_view_permission(request, obj)) and (
            _url_name(request) != "autocomplete" or self._has_login_for(request, "view")
        )

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Also for objects that are deleted with one of another model, on its pages."""
        parent: Any = super()
        return bool(parent.has_delete_permission(request, obj)) and (
            self._is_own_page(request) or self._has_login_for(request, "delete")
        )

    def _known_actions(self, request: HttpRequest, **where: Any) -> Mapping[str, Any]:
        admin: Any = self
        # Django's own, while it supports a `get_actions` without the argument.
        djangos = getattr(admin, "_get_actions_with_action_location", None)
        get_actions = djangos if where and djangos else admin.get_actions
        actions: Mapping[str, Any] = get_actions(request, **where)
        return actions

    def _of_form(self, request: HttpRequest, object_id: str | None) -> tuple[str, ...]:
        """What a change form needs; `object_id` is None if it adds an object."""
        admin: Any = self
        is_post = request.method == "POST"
        if object_id is None or (
            is_post and admin.save_as and "_saveasnew" in request.POST
        ):
            return ("add",)
        return ("view", "change") if is_post else ("view",)

    def _guarded(
        self,
        actions: Iterable[str],
        name: str,
        request: HttpRequest,
        *args: Any,
        **kwargs: Any,
    ) -> Any:
        return self._or_step_up(actions, getattr(super(), name), request, args, kwargs)

    def _or_step_up(
        self,
        actions: Iterable[str],
        view: View,
        request: HttpRequest,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
    ) -> Any:
        try:
            self._demand(request, actions)
            return view(request, *args, **kwargs)
        except StepUpRequired as refusal:
            return request_step_up(request, refusal.required)

    def _demand(self, request: HttpRequest, actions: Iterable[str]) -> None:
        wanted = set(actions)
        for action in ADMIN_ACTIONS:
            options = self.require_login.get(action)
            if action in wanted and options is not None:
                required = requirement(**options)
                if not is_sufficient(request, required):
                    raise StepUpRequired(required)

    def _has_login_for(self, request: HttpRequest, action: str) -> bool:
        try:
            self._demand(request, [action])
        except StepUpRequired:
            return False
        return True

    @property
    def _url_prefix(self) -> str:
        admin: Any = self
        return f"{admin.opts.app_label}_{admin.opts.model_name}_"

    def _is_own_page(self, request: HttpRequest) -> bool:
        # A request without a match did not come through a URL.
        return _url_name(request).startswith(self._url_prefix) or (
            getattr(request, "resolver_match", None) is None
        )

    def _guarded_pattern(self, pattern: Any) -> Any:
        if self._guards_itself(pattern):
            return pattern
        guarded = copy.copy(pattern)
        if isinstance(pattern, URLResolver):  # an include()
            patterns = [self._guarded_pattern(inner) for inner in pattern.url_patterns]
            vars(guarded)["url_patterns"] = patterns  # a cached property
        elif isinstance(pattern, URLPattern):
            guarded.callback = self._guarded_view(pattern.callback)
        return guarded

    def _guards_itself(self, pattern: Any) -> bool:
        """Whether it leads to a method above. The site's own view may have its name."""
        name = str(getattr(pattern, "name", None) or "").removeprefix(self._url_prefix)
        method = getattr(self, f"{name}_view", None) if name in ADMIN_VIEWS else None
        view = getattr(pattern, "callback", None)
        if method is None or view is None:
            return False
        return bool(inspect.unwrap(view) == inspect.unwrap(method))

    def _guarded_view(self, view: View) -> View:
        admin: Any = self

        @functools.wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
            actions: Iterable[str] = ("view",)
            if not admin.admin_site.has_permission(request):
                actions = ()  # the admin's login comes first
            elif request.method not in SAFE_METHODS:
                actions = ADMIN_ACTIONS
            return self._or_step_up(actions, view, request, args, kwargs)

        return guarded


def _of_action(name: str, action: View) -> set[str]:
    """What an action of the change list needs: see RequireLoginAdminMixin."""
    declared = set(getattr(action, "allowed_permissions", None) or ())
    if not declared or not declared <= set(ADMIN_ACTIONS):
        return {"change", "delete"}
    return declared | ({"delete"} if "delete" in name.lower() else set())


def _url_name(request: HttpRequest) -> str:
    match = getattr(request, "resolver_match", None)
    return (match.url_name if match else None) or ""
