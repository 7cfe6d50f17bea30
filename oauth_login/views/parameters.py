"""Reading the parameters of a request, and passing them on to a GET of our own."""

from __future__ import annotations

from collections.abc import Collection
from urllib.parse import urlencode

from django.core.exceptions import BadRequest, SuspiciousOperation
from django.http import HttpRequest, HttpResponse, UnreadablePostError

from oauth_login.errors import InvalidCallback
from oauth_login.protocol.authorization import MAX_CODE
from oauth_login.protocol.http import Params
from oauth_login.protocol.strict_json import printable
from oauth_login.views.browser import HOP

MAX_FIELD = 2048


def query_params(request: HttpRequest) -> Params:
    """All parameters of the query in order; a repeated one is there repeatedly."""
    return [(name, value) for name, values in request.GET.lists() for value in values]


def single_params(request: HttpRequest, names: Collection[str]) -> dict[str, str]:
    """The named parameters of the query; InvalidCallback if one is repeated (T40)."""
    params = [(name, value) for name, value in query_params(request) if name in names]
    if len(dict(params)) != len(params):
        found = sorted({name for name, _ in params})
        raise InvalidCallback("callback.duplicate_parameter", received=found)
    return dict(params)


def form_params(request: HttpRequest) -> Params:
    """The fields of a form from another site; InvalidCallback if it is not a form.

    A query is refused as well: it could repeat a parameter of the form (T40).
    """
    if request.GET or request.content_type != "application/x-www-form-urlencoded":
        received = printable(request.content_type)
        raise InvalidCallback("callback.malformed", received=received)
    try:
        form = request.POST
    except (SuspiciousOperation, BadRequest, UnreadablePostError) as error:
        # Too large, too many fields, not UTF-8, or incomplete.
        raise InvalidCallback(
            "callback.malformed", received=type(error).__name__
        ) from None
    return [(name, value) for name, values in form.lists() for value in values]


def redirect_form_to_get(request: HttpRequest, kept: Params) -> HttpResponse:
    """Redirect the browser to the same path, with these fields of a form in the query.

    A 303, so that the browser does not post again (T20), to our own path, with the
    given fields only (T12). A field that is too long for a URL is refused.
    """
    for name, value in kept:
        if len(value) > (MAX_CODE if name == "code" else MAX_FIELD):
            raise InvalidCallback("callback.malformed", parameter=name)
    url = f"{request.path}?{urlencode(kept)}"
    return HttpResponse(status=303, headers={"Location": url})


def hop_url(request: HttpRequest, names: Collection[str]) -> str:
    """The URL of this request with the named parameters, and the mark of the hop."""
    kept = [(name, value) for name, value in query_params(request) if name in names]
    return f"{request.path}?{urlencode([*kept, (HOP, '1')])}"
