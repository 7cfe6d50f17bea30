"""The state of a FakeProvider: everything that a test sets, changes or looks at.

The endpoints and the helpers work on this state alone; provider.py adds the machine
that answers requests.
"""

from __future__ import annotations

import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Literal

from oauth_login.testing.addresses import (
    LoggedRequest,
    mtls_addresses,
    usual_addresses,
)
from oauth_login.testing.faults.active import ActiveFaults
from oauth_login.testing.faults.catalogue import find_fault
from oauth_login.testing.faults.fault import Fault
from oauth_login.testing.grants import Grants
from oauth_login.testing.keys import SigningKey
from oauth_login.testing.people import PEOPLE

ClaimsIn = Literal["id_token", "userinfo", "both"]


class ProviderState:
    """One provider with one client. A test may change the attributes at any time.

    - `people` maps each person's name to their claims. `person` is the person at the
      browser when the request names none. With `asks_who`, a page asks instead.
    - `alg` is the algorithm that signs. The HS algorithms sign with the client secret.
    - `claims_in` says where claims other than the subject appear: "id_token",
      "userinfo" or "both". With `signs_userinfo`, userinfo is a JWT. Signed documents
      are encrypted as well if `encrypts_to` is a public key (a JWK).
    - `openid=False` makes this a plain OAuth 2.0 provider, whose user document has the
      subject in `subject_field`; with `user_in_data` that is in a member `data`.
    - A client without a secret is a public client. `auth_methods` are the client
      authentication methods that are announced and accepted. For `private_key_jwt`,
      `client_jwks` has the client's public keys, and `assertion_audience` is the
      expected audience of its assertions if that is not the issuer. With
      `basic_encoding="raw"`, user and password are not form-urldecoded.
      `pkce=False` refuses a code challenge.
    - `endpoints` replaces single addresses, by their names in the metadata.
      `issuer_template` is the issuer of a provider with many tenants: metadata has the
      template, and tokens have the issuer with `tenant` in place of "{tenantid}", and
      the tenant as `tid`. `mtls_base` is where a client with a certificate must send
      its requests (RFC 8705 section 5).
    - `authenticated_at`, in seconds since 1970, is when the person at the browser
      authenticated; None means just now. `acr` is the authentication context class
      when the request asks for none.
    - `faults` are active from the start; see `fault`.

    `requests` counts the requests by document ("discovery", "jwks", "token",
    "userinfo", "authorize", "logout"). `request_log` has the last thousand requests.
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
        self.user_in_data = False
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
        self.grants = Grants()
        self.active_faults = ActiveFaults()
        # Over a socket, each connection has a thread of its own.
        self.lock = threading.RLock()
        self._endpoints = dict(endpoints or {})
        for name in faults:
            self._activate(find_fault(name))

    @property
    def endpoints(self) -> dict[str, str]:
        """The addresses by their names in the metadata, and `discovery_url`."""
        return {**usual_addresses(self.issuer), **self._endpoints}

    @property
    def mtls_endpoints(self) -> dict[str, str]:
        """The addresses for clients with a certificate; empty without `mtls_base`."""
        return mtls_addresses(self.mtls_base)

    @property
    def access_tokens(self) -> list[str]:
        """All valid access tokens, so that a test can check where none may appear."""
        return self.grants.access_tokens

    @contextmanager
    def fault(self, name: str) -> Iterator[Fault]:
        """Misbehave in one way inside the `with` block; docs/testing.md has the names.

        The signing key is the former one afterwards.
        """
        fault, key = find_fault(name), self.key
        self._activate(fault)
        try:
            yield fault
        finally:
            self.active_faults.remove(fault)
            self.key = key

    def rotate_key(self) -> None:
        """Sign with a new key from now on, and publish only that key."""
        kid = f"{self.key.kid}-rotated"
        self.key = SigningKey(self.key.alg, kid, secret=self.client_secret)

    def _activate(self, fault: Fault) -> None:
        self.active_faults.add(fault)
        if fault.rotates_key:
            self.rotate_key()
