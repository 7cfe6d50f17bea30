"""FakeProvider: a real OpenID provider, for tests alone.

It checks what a provider checks (client authentication, PKCE, redirect URI, a code is
redeemed once) and signs with real keys. It asks for no password: every visitor can log
in as any person. It does no I/O itself; serving.py connects it to requests.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from oauth_login.testing.addresses import LoggedRequest, document_at
from oauth_login.testing.answer import Answer
from oauth_login.testing.authorization import Callback
from oauth_login.testing.endpoints import Endpoints
from oauth_login.testing.grants import unique
from oauth_login.testing.state import ProviderState


class FakeProvider(ProviderState):
    """One provider with one client; its attributes are those of ProviderState."""

    def authorize(
        self,
        url: str,
        person: str | None = None,
        *,
        claims: Mapping[str, Any] | None = None,
    ) -> Callback:
        """Log `person` in at the authorization URL, and return the callback URL.

        The result is a string; its `form` has the fields that the browser posts, if
        the response is a form. `claims` replaces claims for this login alone. Raises
        ValueError for an authorization request that a provider would refuse.
        """
        params = parse_qsl(urlsplit(url).query, keep_blank_values=True)
        with self.lock:
            self._record("authorize", "GET", url)
            chosen = {**self.people[person or self.person], **(claims or {})}
            return Endpoints(self).granted(unique(params), chosen).callback()

    def handle(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
    ) -> Answer:
        """Answer one request, from any client, with status, headers and body.

        Raises SlowAnswer or NoAnswer if an active fault is that no answer comes.
        """
        document = document_at(url, self.endpoints, self.mtls_endpoints)
        names = {name.lower(): value for name, value in (headers or {}).items()}
        with self.lock:
            self._record(document, method, url, headers=names, body=body)
            answer = self.active_faults.answer_to(document)
            return answer or Endpoints(self).answer(method, url, names, body)

    def _record(self, document: str, method: str, url: str, **parts: Any) -> None:
        self.requests[document] += 1
        self.request_log.append(
            LoggedRequest(document=document, method=method, url=url, **parts)
        )
