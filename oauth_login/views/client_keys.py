"""client_keys: our public keys, where a provider looks them up (RFC 7517)."""

from __future__ import annotations

from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, JsonResponse
from django.utils.cache import patch_cache_control
from django.views.decorators.http import require_safe

from oauth_login import events
from oauth_login.conf import get_config
from oauth_login.errors import ConfigurationError
from oauth_login.protocol.client_keys import public_key_set
from oauth_login.registry import get_provider

# Seconds for which a provider may keep them: so long before it signs must a new key
# be announced.
MAX_AGE = 300


@login_not_required
@require_safe
def client_keys(request: HttpRequest, provider: str) -> JsonResponse:
    """What signs for us, and what is encrypted to us; the public halves only."""
    entry = get_config().providers.get(provider)
    if entry is None or not (entry.client_keys or entry.decryption_keys):
        raise Http404
    try:
        client = get_provider(provider).client
    except ConfigurationError as error:
        return _error(request, error, provider)
    response = JsonResponse(public_key_set((*client.keys, *client.decryption_keys)))
    patch_cache_control(response, public=True, max_age=MAX_AGE)
    return response


def _error(
    request: HttpRequest, error: ConfigurationError, provider: str
) -> JsonResponse:
    """For a machine; whoever runs the site finds the reason in the log."""
    events.failed(request, error, provider=provider, is_ours=False)
    response = JsonResponse({"error": error.public_code}, status=error.status)
    patch_cache_control(response, no_store=True)
    return response
