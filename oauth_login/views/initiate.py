"""initiate: a login that a third party initiates (OpenID Connect Core 4)."""

from __future__ import annotations

import time

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from oauth_login.conf import get_config
from oauth_login.conf.schema import ProviderConfig
from oauth_login.errors import InvalidCallback
from oauth_login.login.limits import INITIATE
from oauth_login.protocol.issuer import is_issuer
from oauth_login.protocol.request_parameters import url_parameters
from oauth_login.protocol.strict_json import printable
from oauth_login.registry import get_provider
from oauth_login.sessions.facts import is_signed_in_by
from oauth_login.views.begin import start
from oauth_login.views.browser import (
    is_cross_site,
    is_navigation,
    is_prefetch,
    is_user_activated,
    login_required,
    needs_hop,
)
from oauth_login.views.guard import guarded_view
from oauth_login.views.limited import too_many
from oauth_login.views.pages import continue_page
from oauth_login.views.parameters import (
    form_params,
    hop_url,
    redirect_form_to_get,
    single_params,
)
from oauth_login.views.redirects import login_url, path_on_this_site, target

INITIATE_PARAMETERS = ("iss", "login_hint", "target_link_uri")


@guarded_view
@csrf_exempt  # other sites post here; the answer is only a redirect
@require_http_methods(["GET", "HEAD", "POST"])
def initiate(request: HttpRequest, provider: str) -> HttpResponse:
    """Start a login because the provider, or a portal, asks for it.

    Only with INITIATE_LOGIN. The attempt is bound to this browser like any other, so an
    attacker cannot make a browser finish the attacker's login (T03). The user must have
    clicked: a page that navigates here by itself leads to our login page (T25).
    """
    entry = get_config().providers.get(provider)
    if entry is None or not entry.initiate_login:
        raise Http404
    if is_prefetch(request):
        return HttpResponse(status=204)
    if request.method == "POST":
        # Another site posts, so the session cookie is missing; our own GET has it.
        kept = [
            (n, value) for n, value in form_params(request) if n in INITIATE_PARAMETERS
        ]
        return redirect_form_to_get(request, kept)
    if not is_navigation(request):
        return login_required(request)
    received = single_params(request, INITIATE_PARAMETERS)
    if page := too_many(request, INITIATE):
        return page  # before the provider is asked for its issuer
    _check_issuer(entry, received.get("iss", ""))
    next_path = path_on_this_site(request, received.get("target_link_uri", ""))
    if is_cross_site(request):
        if not is_user_activated(request) and not get_config().auto_redirect:
            return HttpResponseRedirect(login_url(next_path))
        if needs_hop(request):
            return continue_page(request, hop_url(request, INITIATE_PARAMETERS))
    if is_signed_in_by(request, provider):
        return HttpResponseRedirect(target(next_path))
    hint = url_parameters(
        entry.client, allowed={"login_hint"}, params=[*received.items()]
    )
    return start(request, provider, next_path, params=hint)


def _check_issuer(entry: ProviderConfig, iss: str) -> None:
    """Raise InvalidCallback unless `iss` is exactly this provider's issuer."""
    provider = get_provider(entry.alias)
    metadata = provider.metadata(now=time.time())
    if not is_issuer(iss, client=entry.client, metadata=metadata):
        raise InvalidCallback(
            "callback.wrong_initiator",
            expected=metadata.issuer,
            received=printable(iss),
        )
