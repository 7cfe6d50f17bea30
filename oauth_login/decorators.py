"""Views that require more than any login: a more recent or a stronger one.

    @require_login(max_age=300)
    def transfer(request): …

    class Transfer(RequireLoginMixin, FormView):
        require_login = {"max_age": 300, "acr": "gold"}

    class InvoiceAdmin(RequireLoginAdminMixin, ModelAdmin):
        require_login = {"delete": {"max_age": 300}}

A user whose login does not satisfy this is sent to the provider, with `max_age` and
`acr_values`, and comes back to the same page. The ID token that comes back is checked:
if the provider ignored the parameters, the login fails. A form that was sent in the
meantime is not lost.
"""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

from asgiref.sync import iscoroutinefunction, sync_to_async
from django.http import HttpRequest, HttpResponseBase

from oauth_login.login.step_up import Requirement, is_satisfied, requirement
from oauth_login.views.step_up import request_step_up

View = Callable[..., Any]


def require_login(
    view: View | None = None,
    *,
    max_age: int | None = None,
    acr: str | Sequence[str] | None = None,
    provider: str | None = None,
) -> Any:
    """Call the view only if the user's login satisfies all arguments.

    `max_age` is in seconds, `acr` is one authentication context class or a list of
    accepted ones, `provider` is a name in PROVIDERS. Without arguments this is Django's
    `login_required`.
    """
    required = requirement(max_age=max_age, acr=acr, provider=provider)

    def decorate(view: View) -> View:
        if iscoroutinefunction(view):

            @functools.wraps(view)
            async def guarded_async(
                request: HttpRequest, *args: Any, **kwargs: Any
            ) -> HttpResponseBase:
                refusal = await sync_to_async(_refusal)(request, required)
                if refusal is not None:
                    return refusal
                response: HttpResponseBase = await view(request, *args, **kwargs)
                return response

            return guarded_async

        @functools.wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
            return _refusal(request, required) or view(request, *args, **kwargs)

        return guarded

    return decorate if view is None else decorate(view)


class RequireLoginMixin:
    """For class-based views: `require_login` holds the decorator's arguments."""

    require_login: ClassVar[Mapping[str, Any]] = {}

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        parent: Any = super()
        guarded = require_login(parent.dispatch, **self.require_login)
        return guarded(request, *args, **kwargs)


class RequireLoginAdminMixin:
    """For a ModelAdmin: `require_login` holds the arguments for each action.

    The actions are "view", "add", "change" and "delete", as in Django's permissions.
    Opening a change form is "view"; submitting it is "change". "delete" includes the
    confirmation page and the action of the change list.
    """

    require_login: ClassVar[Mapping[str, Mapping[str, Any]]] = {}

    def changelist_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        deletes = request.method == "POST" and "delete" in request.POST.get(
            "action", ""
        )
        return self._guarded(
            "delete" if deletes else _sent(request, "change", "view"),
            "changelist_view",
            request,
            *args,
            **kwargs,
        )

    def add_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        return self._guarded("add", "add_view", request, *args, **kwargs)

    def change_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        action = _sent(request, "change", "view")
        return self._guarded(action, "change_view", request, *args, **kwargs)

    def delete_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        return self._guarded("delete", "delete_view", request, *args, **kwargs)

    def history_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        return self._guarded("view", "history_view", request, *args, **kwargs)

    def _guarded(
        self, action: str, name: str, request: HttpRequest, *args: Any, **kwargs: Any
    ) -> Any:
        view = getattr(super(), name)
        options = self.require_login.get(action)
        if options is not None:
            view = require_login(view, **options)
        return view(request, *args, **kwargs)


def _refusal(request: HttpRequest, required: Requirement) -> HttpResponseBase | None:
    """The response in place of the view; None if the login is sufficient."""
    if request.user.is_authenticated and is_satisfied(
        request.session, required, now=time.time()
    ):
        return None
    return request_step_up(request, required)


def _sent(request: HttpRequest, changing: str, looking: str) -> str:
    return changing if request.method == "POST" else looking
