"""The parameters of a request: read once, and carried on to a GET of our own."""

from __future__ import annotations

from collections.abc import Collection
from urllib.parse import urlencode

from django.core.exceptions import BadRequest, SuspiciousOperation
from django.http import HttpRequest, HttpResponse, UnreadablePostError

from oauth_login.errors import InvalidCallback
from oauth_login.protocol.http import Params
from oauth_login.protocol.strict_json import printable
from oauth_login.views.browser import HOP

MAX_FIELD = 2048


def query_params(request: HttpRequest) -> Params:
    """The query's parameters as they came, twice if they came twice."""
    return [(name, value) for name, values in request.GET.lists() for value in values]


def single_params(request: HttpRequest, names: Collection[str]) -> dict[str, str]:
    """Those of the query's parameters; InvalidCallback if one is there twice (T40)."""
    params = [(name, value) for name, value in query_params(request) if name in names]
    if len(dict(params)) != len(params):
        found = sorted({name for name, _ in params})
        raise InvalidCallback("callback.duplicate_parameter", received=found)
    return dict(params)


def form_params(request: HttpRequest) -> Params:
    """The parameters of a form from another site; InvalidCallback if it is none.

    A query beside it is refused: two places for one parameter are one too many (T40).
    """
    if request.GET or request.content_type != "application/x-www-form-urlencoded":
        received = printable(request.content_type)
        raise InvalidCallback("callback.malformed", received=received)
    try:
        form = request.POST
    except (SuspiciousOperation, BadRequest, UnreadablePostError) as error:
        # Too large, too many fields, not in UTF-8, or broken off.
        raise InvalidCallback(
            "callback.malformed", received=type(error).__name__
        ) from None
    return [(name, value) for name, values in form.lists() for value in values]


def form_again(request: HttpRequest, kept: Params) -> HttpResponse:
    """Have the browser bring these fields of a form to the same path, as a GET.

    A 303, so that nothing is posted again (T20), to our own path, with nothing but
    what is given (T12). What is too long for an address is refused.
    """
    for name, value in kept:
        if len(value) > MAX_FIELD:
            raise InvalidCallback("callback.malformed", parameter=name)
    url = f"{request.path}?{urlencode(kept)}"
    return HttpResponse(status=303, headers={"Location": url})


def hop_url(request: HttpRequest, names: Collection[str]) -> str:
    """This request again, from a page of ours, with these of its parameters."""
    kept = [(name, value) for name, value in query_params(request) if name in names]
    return f"{request.path}?{urlencode([*kept, (HOP, '1')])}"
