"""What the test provider answers at each of its addresses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from oauth_login.testing import picker
from oauth_login.testing.addresses import document_at
from oauth_login.testing.answer import Answer, json_answer, redirect
from oauth_login.testing.authentication import authenticated_at, authentication_class
from oauth_login.testing.authorization import RESPONSE_MODES, AuthorizationResponse
from oauth_login.testing.client_auth import check_client
from oauth_login.testing.documents import (
    emails_document,
    id_token_claims,
    metadata,
    user_document,
    userinfo_claims,
)
from oauth_login.testing.encryption import encrypted
from oauth_login.testing.faults.fault import Place
from oauth_login.testing.grants import (
    Grant,
    Params,
    RequestRefused,
    check_authorization_request,
    unique,
)
from oauth_login.testing.state import ProviderState


class Endpoints:
    """The endpoints of one provider; all that they remember is in its state."""

    def __init__(self, provider: ProviderState) -> None:
        self.provider = provider
        self._faults = provider.active_faults
        self._grants = provider.grants

    def answer(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes
    ) -> Answer:
        """Answer one request; the names of `headers` are in lower case."""
        document = document_at(
            url, self.provider.endpoints, self.provider.mtls_endpoints
        )
        form = body.decode("latin-1") if method == "POST" else urlsplit(url).query
        params = parse_qsl(form, keep_blank_values=True)
        match (method, document):
            case ("GET", "discovery") if self.provider.openid:
                return self._json("discovery", metadata(self.provider))
            case ("GET", "jwks"):
                keys = [] if self.provider.key.is_secret else [self.provider.key.jwk()]
                return self._json("jwks", {"keys": keys})
            case ("POST", "token"):
                over_mtls = document_at(url, self.provider.mtls_endpoints) == "token"
                return self._token(headers, params, over_mtls=over_mtls)
            case ("GET" | "POST", "userinfo"):
                return self._userinfo(headers)
            case ("GET", "emails"):
                return self._emails(headers)
            case ("GET" | "POST", "authorize"):
                return self._authorize(params)
            case ("GET" | "POST", "logout"):
                return self._log_out(params)
        return json_answer({"error": "not_found"}, status=404)

    def _authorize(self, params: Params) -> Answer:
        """OpenID Connect Core 3.1.2; errors as in RFC 6749 4.1.2.1."""
        request: dict[str, str] = {}
        try:
            request = unique(params)
            self._check_request(request)
            if picker.REFUSAL in request:
                raise RequestRefused(
                    "access_denied",
                    "the person said no",
                    redirect_uri=request["redirect_uri"],
                )
            person = request.get(picker.PERSON) or request.get("login_hint")
            if person in self.provider.people:
                return self.granted(request, self.provider.people[person]).answer()
            if self.provider.asks_who:
                return picker.people_page(self.provider.people, request)
            return self.granted(
                request, self.provider.people[self.provider.person]
            ).answer()
        except RequestRefused as refused:
            if refused.redirect_uri is None:
                return picker.refusal_page(refused.description)
            return self._response(request, _error(refused)).answer()

    def granted(
        self, request: Mapping[str, str], claims: Mapping[str, Any]
    ) -> AuthorizationResponse:
        """The response when the person consents; raises RequestRefused."""
        self._check_request(request)
        now = self.provider.now()
        grant = Grant(
            claims=claims,
            request=request,
            authenticated_at=authenticated_at(
                request, last=self.provider.authenticated_at, now=now
            ),
            acr=authentication_class(request, usual=self.provider.acr),
        )
        self._grants.add(grant)
        response = self._response(request, {"code": grant.code})
        changed = self._faults.changed("callback", dict(response.parameters))
        return replace(response, parameters=changed)

    def _response(
        self, request: Mapping[str, str], response: Mapping[str, Any]
    ) -> AuthorizationResponse:
        mode = request.get("response_mode", "query")
        return AuthorizationResponse(
            redirect_uri=request["redirect_uri"],
            response_mode=mode if mode in RESPONSE_MODES else "query",
            parameters={**response, "iss": self.provider.issuer, **_state(request)},
        )

    def _check_request(self, request: Mapping[str, str]) -> None:
        check_authorization_request(
            request,
            client_id=self.provider.client_id,
            openid=self.provider.openid,
            pkce=self.provider.pkce,
        )

    def _log_out(self, params: Params) -> Answer:
        """OpenID Connect RP-Initiated Logout 1.0, 2 and 3."""
        request = dict(params)
        target = request.get("post_logout_redirect_uri")
        if target is None:
            return picker.signed_out_page()
        if request.get("client_id") != self.provider.client_id:
            return picker.refusal_page("client_id is not the one known here")
        return redirect(target, _state(request))

    def _token(
        self, headers: Mapping[str, str], params: Params, *, over_mtls: bool
    ) -> Answer:
        """RFC 6749 4.1.3 and 5."""
        try:
            form = unique(params)
            check_client(self.provider, headers, form, over_mtls=over_mtls)
            grant = self._grants.redeemed(form)
        except RequestRefused as refused:
            if refused.error != "invalid_client":
                return json_answer(_error(refused), status=400)
            challenge = {"WWW-Authenticate": 'Basic realm="tests"'}
            return json_answer(_error(refused), status=401, headers=challenge)
        if self._faults.rotate_key_when_signing:
            self.provider.rotate_key()
        response: dict[str, Any] = {
            "access_token": grant.access_token,
            "token_type": "Bearer",
            "expires_in": 3600,
        }
        if self.provider.openid:
            hidden = self.provider.claims_in == "userinfo" or self._faults.hide_claims
            claims = id_token_claims(self.provider, grant, without_claims=hidden)
            claims = self._faults.changed("claims", claims)
            response["id_token"] = self._signed("header", claims)
        return self._json("token", response)

    def _userinfo(self, headers: Mapping[str, str]) -> Answer:
        """OpenID Connect Core 5.3, RFC 6750 2.1 and 3.1."""
        grant = self._grants.of_token(headers.get("authorization", ""))
        if grant is None:
            return _invalid_token()
        if not self.provider.openid:
            return self._json("userinfo", user_document(self.provider, grant))
        claims = userinfo_claims(self.provider, grant)
        if not (self.provider.signs_userinfo or self._faults.sign_userinfo):
            return self._json("userinfo", claims)
        # Section 5.3.2: a signed response has `iss` and `aud`.
        claims = {**claims, "iss": self.provider.issuer, "aud": self.provider.client_id}
        claims = self._faults.changed("userinfo", claims)
        body = self._signed("userinfo_header", claims).encode()
        return Answer(200, {"Content-Type": "application/jwt"}, body)

    def _emails(self, headers: Mapping[str, str]) -> Answer:
        grant = self._grants.of_token(headers.get("authorization", ""))
        return (
            _invalid_token() if grant is None else json_answer(emails_document(grant))
        )

    def _json(self, place: Place, document: dict[str, Any]) -> Answer:
        return json_answer(self._faults.changed(place, document))

    def _signed(self, place: Place, claims: Mapping[str, Any]) -> str:
        header = {
            "alg": self.provider.key.alg,
            "typ": "JWT",
            "kid": self.provider.key.kid,
        }
        header = self._faults.changed(place, header)
        token = self._faults.signing_key(self.provider.key).sign(header, claims)
        token = self._faults.token(place, token)
        if self.provider.encrypts_to is None:
            return token
        wraps: Place = "encryption" if place == "header" else "userinfo_encryption"
        header = self._faults.changed(wraps, {})
        return encrypted(token, self.provider.encrypts_to, **header)


def _invalid_token() -> Answer:
    challenge = {"WWW-Authenticate": 'Bearer error="invalid_token"'}
    return json_answer({"error": "invalid_token"}, status=401, headers=challenge)


def _error(refused: RequestRefused) -> dict[str, Any]:
    return {"error": refused.error, "error_description": refused.description}


def _state(request: Mapping[str, str]) -> dict[str, Any]:
    return {"state": request["state"]} if "state" in request else {}
