"""FakeProvider: a real OpenID provider, for tests alone.

It checks what a provider checks (client authentication, PKCE, redirect URI, one use of
a code) and signs with real keys. It asks nobody for a password: whoever can reach it
can be anybody. It does no I/O; a door (serving.py) brings it requests.
"""

from __future__ import annotations

import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Literal
from urllib.parse import parse_qsl, urlsplit

from oauth_login.testing.addresses import (
    LoggedRequest,
    document_at,
    mtls_addresses,
    usual_addresses,
)
from oauth_login.testing.answer import Answer
from oauth_login.testing.authorization import Callback
from oauth_login.testing.endpoints import Endpoints
from oauth_login.testing.faults.active import FaultsInForce
from oauth_login.testing.faults.catalogue import find_fault
from oauth_login.testing.faults.fault import Fault
from oauth_login.testing.grants import unique
from oauth_login.testing.keys import SigningKey
from oauth_login.testing.people import PEOPLE

ClaimsIn = Literal["id_token", "userinfo", "both"]


class FakeProvider:
    """One provider with one client. Change its attributes as a test goes along.

    - `people` are the persons and their claims; `person` is the one at the browser,
      where nobody says who. With `asks_who` a page asks.
    - `alg` signs; an HS algorithm does so with the client's secret.
    - `claims_in` says where claims are, apart from the subject: "id_token",
      "userinfo" or "both". With `signs_userinfo` userinfo is a JWT. What is signed is
      encrypted if there is a public key (a JWK) in `encrypts_to`.
    - `openid=False`: plain OAuth 2.0, whose user document has the subject in
      `subject_field`.
    - A client without a secret is a public one. `auth_methods` are the ways to
      authenticate that are announced and accepted; for `private_key_jwt` the client's
      public keys are `client_jwks`, and `assertion_audience` is who its assertions
      must be for, where that is not the issuer. `basic_encoding` "raw": user and
      password are taken as they are. `pkce=False`: a code challenge is refused.
    - `endpoints` are addresses other than the usual ones, by metadata's names.
      `issuer_template`, with the `tenant` in the place of "{tenantid}", is the issuer's
      of many tenants; metadata has the template, a token the tenant as `tid`.
      `mtls_base` is where a client with a certificate must go (RFC 8705 5).
    - `authenticated_at`, in seconds since 1970, is when the person at the browser
      did that; None is just now. `acr` is how, where nobody asks for another.
    - `faults` are there from the start; see `fault`.

    `requests` counts what was asked, by document ("discovery", "jwks", "token",
    "userinfo", "authorize", "logout"); `request_log` has the last thousand requests.
    """

    def __init__(
        self,
        issuer: str = "https://id.example.com",
        *,
        client_id: str = "site",
        client_secret: str = "a-secret-of-the-suite-with-32-bytes!",  # noqa: S107
        alg: str = "RS256",
        claims_in: ClaimsIn = "both",
        signs_userinfo: bool = False,
        openid: bool = True,
        subject_field: str = "sub",
        auth_methods: Sequence[str] | None = None,
        client_jwks: Mapping[str, Any] | None = None,
        assertion_audience: str | None = None,
        basic_encoding: Literal["form", "raw"] = "form",
        pkce: bool = True,
        endpoints: Mapping[str, str] | None = None,
        issuer_template: str = "",
        tenant: str = "",
        mtls_base: str = "",
        authenticated_at: float | None = None,
        acr: str = "",
        person: str = "alice",
        asks_who: bool = False,
        encrypts_to: Mapping[str, Any] | None = None,
        faults: Sequence[str] = (),
        now: Callable[[], float] = time.time,
    ) -> None:
        self.issuer = issuer
        self.client_id = client_id
        self.client_secret = client_secret
        self.key = SigningKey(alg, "key-1", secret=client_secret)
        self.claims_in = claims_in
        self.signs_userinfo = signs_userinfo
        self.openid = openid
        self.subject_field = subject_field
        usual = ("client_secret_basic", "client_secret_post")
        self.auth_methods = tuple(
            auth_methods or (usual if client_secret else ["none"])
        )
        self.client_jwks = client_jwks or {}
        self.assertion_audience = assertion_audience
        self.basic_encoding = basic_encoding
        self.pkce = pkce
        self.used_assertions: set[str] = set()  # by jti
        self.issuer_template = issuer_template
        self.tenant = tenant
        self.mtls_base = mtls_base
        self.authenticated_at = authenticated_at
        self.acr = acr
        self.people = {name: dict(claims) for name, claims in PEOPLE.items()}
        self.person = person
        self.asks_who = asks_who
        self.encrypts_to = encrypts_to
        self.now = now
        self.requests: Counter[str] = Counter()
        self.request_log: deque[LoggedRequest] = deque(maxlen=1000)
        self._endpoints = dict(endpoints or {})
        self._faults = FaultsInForce()
        self._answers = Endpoints(self, self._faults)
        self._lock = threading.RLock()  # a socket has a thread for each connection
        for name in faults:
            self._begin(find_fault(name))

    @property
    def endpoints(self) -> dict[str, str]:
        """Where what is, by metadata's names; `discovery_url` among them."""
        return {**usual_addresses(self.issuer), **self._endpoints}

    @property
    def mtls_endpoints(self) -> dict[str, str]:
        """Where a client with a certificate goes; empty if to the same places."""
        return mtls_addresses(self.mtls_base)

    @property
    def access_tokens(self) -> list[str]:
        """Those that are good for something: for a look where none must be."""
        return self._answers.grants.access_tokens

    @contextmanager
    def fault(self, name: str) -> Iterator[Fault]:
        """Misbehave in that way for a while; faults.py has the names."""
        fault, key = find_fault(name), self.key
        self._begin(fault)
        try:
            yield fault
        finally:
            self._faults.remove(fault)
            self.key = key

    def rotate_key(self) -> None:
        """Sign with a new key from now on, and announce no other."""
        kid = f"{self.key.kid}-rotated"
        self.key = SigningKey(self.key.alg, kid, secret=self.client_secret)

    def authorize(
        self,
        url: str,
        person: str | None = None,
        *,
        claims: Mapping[str, Any] | None = None,
    ) -> Callback:
        """What the browser is sent back to when that person logs in at `url`.

        A text, the URL; its `form` is what the browser posts there, if it does.
        `claims` are other ones for this login alone. ValueError says what is wrong
        with the request, if the site sent one that a provider would refuse.
        """
        params = parse_qsl(urlsplit(url).query, keep_blank_values=True)
        with self._lock:
            self._note("authorize", "GET", url)
            chosen = {**self.people[person or self.person], **(claims or {})}
            return self._answers.granted(unique(params), chosen).callback()

    def handle(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
    ) -> Answer:
        """The answer (status, headers, body) to one request, from whomever it comes.

        Raises SlowAnswer or NoAnswer where the fault is that there is none.
        """
        document = document_at(url, self.endpoints, self.mtls_endpoints)
        names = {name.lower(): value for name, value in (headers or {}).items()}
        with self._lock:
            self._note(document, method, url, headers=names, body=body)
            answer = self._faults.answer_to(document)
            return answer or self._answers.answer(method, url, names, body)

    def _begin(self, fault: Fault) -> None:
        self._faults.add(fault)
        if fault.rotates_key:
            self.rotate_key()

    def _note(self, document: str, method: str, url: str, **parts: Any) -> None:
        self.requests[document] += 1
        self.request_log.append(
            LoggedRequest(document=document, method=method, url=url, **parts)
        )
