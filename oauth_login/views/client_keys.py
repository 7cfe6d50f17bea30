"""client_keys: our public keys, for providers to fetch (RFC 7517)."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.utils.cache import patch_cache_control
from django.views.decorators.http import require_safe

from oauth_login.audit import events
from oauth_login.conf import get_config
from oauth_login.errors import ConfigurationError
from oauth_login.protocol.client.keys import public_key_set
from oauth_login.registry import get_provider
from oauth_login.views.guard import guarded_view
from oauth_login.views.pages import recorded

# How many seconds a provider may cache them. A new key must be published that long
# before it signs.
MAX_AGE = 300


@guarded_view
@require_safe
def client_keys(request: HttpRequest, provider: str) -> HttpResponse:
    """The public halves of our signing and decryption keys."""
    entry = get_config().providers.get(provider)
    if entry is None or not (entry.client_keys or entry.decryption_keys):
        raise Http404
    try:
        client = get_provider(provider).client
    except ConfigurationError as error:
        events.failed(request, error, provider=provider, is_ours=False)
        body = {"error": error.code}
        return recorded(JsonResponse(body, status=error.status))
    response = JsonResponse(public_key_set((*client.keys, *client.decryption_keys)))
    patch_cache_control(response, public=True, max_age=MAX_AGE)
    return response
