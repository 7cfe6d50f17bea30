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
from collections.abc import Callable, Mapping, Sequence
from inspect import isawaitable
from typing import Any, ClassVar

from asgiref.sync import iscoroutinefunction, sync_to_async
from django.http import HttpRequest, HttpResponseBase

from oauth_login.login.step_up import Requirement, requirement
from oauth_login.views.admin_step_up import RequireLoginAdminMixin
from oauth_login.views.step_up import is_sufficient, request_step_up

__all__ = ["RequireLoginAdminMixin", "RequireLoginMixin", "require_login"]

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
        view = parent.dispatch
        if getattr(self, "view_is_async", False) and not iscoroutinefunction(view):
            view = _awaiting(view)
        return require_login(view, **self.require_login)(request, *args, **kwargs)


def _awaiting(view: View) -> View:
    """A coroutine function of a `dispatch` that returns a coroutine or a response."""

    async def awaiting(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        response = view(request, *args, **kwargs)
        return await response if isawaitable(response) else response

    return awaiting


def _refusal(request: HttpRequest, required: Requirement) -> HttpResponseBase | None:
    """The response in place of the view; None if the login is sufficient."""
    if is_sufficient(request, required):
        return None
    return request_step_up(request, required)
