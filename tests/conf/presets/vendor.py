"""A provider as its vendor runs it: its own documents, its own quirks, real keys.

FakeProvider is what the standards say; this is what a product does. A fixture has its
documents as they come over the wire, what it demands of a client, and what a login
must lead to here. Only keys, signatures, times and what a login brings are made.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import time
from collections import Counter
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote_plus

import jwt
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from jwt.algorithms import get_default_algorithms

from oauth_login.testing.keys import SigningKey

FIXTURES = Path(__file__).parent / "fixtures"
NAMES = sorted(path.stem for path in FIXTURES.glob("*.json"))
ACCESS_TOKEN = "00D5e!AQ.access-token_1"
CODE = "c0de.of~one-login"
MATERIAL = ("kty", "crv", "n", "e", "x", "y")

Answer = tuple[int, dict[str, str], str]


class Vendor:
    """One provider of a fixture. A test changes its attributes as it goes along.

    `requests` counts by document; `sent` is the last authorization request, `forms` are
    the token requests, `assertion` is the header and the claims of the JWT that a
    client came with. `id_token_claims` gets the claims right before they are signed.
    `known_as` are further addresses: prefix → prefix.
    """

    def __init__(self, name: str) -> None:
        document = json.loads((FIXTURES / f"{name}.json").read_text())
        self.name = name
        self.discovery: dict[str, Any] | None = document.get("discovery")
        self.discovery_url: str = document.get("discovery_url", "")
        self.keys: list[dict[str, Any]] = document.get("keys", [])
        self.token_response: dict[str, Any] = document["token_response"]
        self.header: dict[str, Any] = document.get("id_token_header", {})
        self.id_token: dict[str, Any] = document.get("id_token", {})
        self.lifetime: int = document.get("id_token_lifetime", 3600)
        self.userinfo: dict[str, Any] = document.get("userinfo", {})
        self.emails: list[dict[str, Any]] = document.get("emails", [])
        self.callback: dict[str, str] = document.get("callback", {})
        self.demands: dict[str, Any] = document["demands"]
        self.expected: dict[str, Any] = document["expected"]
        self.endpoints: dict[str, str] = self.discovery or document["endpoints"]
        self.signing_key: Any = SigningKey(self.demands.get("alg", "RS256"), "signs")
        self.client_key = SigningKey(
            self.demands.get("client_key_alg", "RS256"), "client"
        )
        self.settings: dict[str, Any] = document["settings"]
        for key in self.settings.get("CLIENT_KEYS", []):
            key["KEY"] = self._client_pem()
        self.id_token_claims: Callable[[dict[str, Any]], object] = lambda claims: None
        self.known_as: dict[str, str] = {}
        self.requests: Counter[str] = Counter()
        self.sent: dict[str, str] = {}
        self.forms: list[dict[str, str]] = []
        self.assertion: dict[str, Any] = {}

    def authorize(self, url: str) -> dict[str, str]:
        """What the browser brings back from there, when alice has logged in."""
        base, _, query = url.partition("?")
        assert base == self.endpoints["authorization_endpoint"]
        params = parse_qsl(query, keep_blank_values=True, strict_parsing=True)
        self.sent = sent = dict(params)
        assert len(sent) == len(params)
        assert sent["client_id"] == self.settings["CLIENT_ID"]
        assert sent["response_type"] == "code"
        assert sent["redirect_uri"].startswith("https://testserver/auth/")
        # pains 60: what the pickiest of them take, so what all of them get
        assert re.fullmatch(r"[A-Za-z0-9._~-]{32,255}", sent["state"])
        assert re.fullmatch(r"[A-Za-z0-9._~-]{32,128}", sent.get("nonce", "-" * 32))
        missing = set(self.demands.get("required", ())).difference(sent)
        unknown = set(sent).difference(self.demands.get("parameters", sent))
        if missing or unknown:
            return {"error": "invalid_request", "state": sent["state"]}
        return {"code": CODE, "state": sent["state"], **self.callback}

    def answer(self, request: Any) -> Answer:
        """The answer to one request of ours."""
        url = request.url
        for prefix, own in self.known_as.items():
            if url.startswith(prefix):
                url = own + url.removeprefix(prefix)
                break
        names = ("token_endpoint", "userinfo_endpoint", "emails_endpoint", "jwks_uri")
        where = {self.endpoints[name]: name for name in names if name in self.endpoints}
        where[self.discovery_url] = "discovery"
        document = where.get(url, "nothing").partition("_")[0]
        self.requests[document] += 1
        headers = {name.lower(): value for name, value in request.headers.items()}
        forbidden = self.demands.get("no_user_agent_like")
        assert forbidden is None or not re.search(forbidden, headers["user-agent"])
        match document:
            case "discovery":
                return _json(self.discovery)
            case "jwks":
                return _json({"keys": [self._jwk(entry) for entry in self.keys]})
            case "token":
                return self._token(request.body, headers)
            case "userinfo":
                return self._userinfo(headers)
            case "emails":
                return _json(self.emails)
        return 404, {"Content-Type": "text/html"}, "<h1>404</h1>"

    def _token(self, body: str | bytes, headers: dict[str, str]) -> Answer:
        text = body if isinstance(body, str) else body.decode()
        form = dict(parse_qsl(text, strict_parsing=True))
        self.forms.append(form)
        refuses_pkce = self.demands["pkce"] == "refused" and "code_verifier" in form
        if refuses_pkce or not self._knows_client(form, headers):
            return self._error("invalid_client", 401)
        if (
            form["code"] != CODE
            or form["redirect_uri"] != self.sent["redirect_uri"]
            or not self._is_verified(form.get("code_verifier"))
        ):
            return self._error("invalid_grant", 400)
        response = {"access_token": ACCESS_TOKEN, **self.token_response}
        if self.id_token:
            response["id_token"] = self.signed(self._claims())
        if self.demands.get("form_without_accept") and (
            headers["accept"] != "application/json"
        ):
            return 200, {"Content-Type": "application/x-www-form-urlencoded"}, "a=b"
        return _json(response)

    def signed(self, claims: dict[str, Any]) -> str:
        """A JWT by the key that signs here, under the name that it has here."""
        kid = next(entry["kid"] for entry in self.keys if "_signs" in entry)
        header = {"alg": self.signing_key.alg, "kid": kid, **self.header}
        return self.signing_key.sign(header, claims)

    def _claims(self) -> dict[str, Any]:
        now = int(time.time())
        claims = {**deepcopy(self.id_token), "iat": now, "exp": now + self.lifetime}
        if self.demands.get("nonce") != "dropped":
            # Some have an empty one where none was sent.
            claims["nonce"] = self.sent.get("nonce", "")
        for name, value in (("at_hash", ACCESS_TOKEN), ("c_hash", CODE)):
            if name in claims:
                claims[name] = self.signing_key.half_hash(value)
        self.id_token_claims(claims)
        return claims

    def _is_verified(self, verifier: str | None) -> bool:
        """RFC 7636 4.6; without a challenge there is nothing to verify.

        Some know nothing of it, and ignore both.
        """
        if self.demands["pkce"] == "ignored":
            return True
        challenge = self.sent.get("code_challenge")
        if challenge is None or verifier is None:
            return challenge is verifier
        digest = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest())
        return digest.rstrip(b"=").decode() == challenge

    def _knows_client(self, form: dict[str, str], headers: dict[str, str]) -> bool:
        """Whether the client came in the one way that this provider demands."""
        basic, secret = headers.get("authorization"), form.get("client_secret")
        assertion = form.get("client_assertion")
        assert sum(x is not None for x in (basic, secret, assertion)) == 1  # T54
        client_id = self.settings["CLIENT_ID"]
        known = self.settings.get("CLIENT_SECRET", "")
        match self.demands["client_auth"]:
            case "client_secret_basic":
                user, _, password = _basic(basic).partition(":")
                return [unquote_plus(user), unquote_plus(password)] == [
                    client_id,
                    known,
                ]
            case "raw_basic":
                return _basic(basic) == f"{client_id}:{known}"
            case "client_secret_post":
                return [form.get("client_id"), secret] == [client_id, known]
            case "private_key_jwt":
                return self._knows_signature(assertion, iss=client_id)
            case "apple":
                return self._knows_signature(secret, iss=self.settings["TEAM_ID"])
        raise AssertionError(self.demands["client_auth"])

    def _knows_signature(self, token: str | None, *, iss: str) -> bool:
        """Whether that JWT is the client's, for us, of now, by its registered key."""
        try:
            claims = jwt.decode(
                token or "",
                self.client_key.private_key.public_key(),
                algorithms=[self.client_key.alg],
                audience=self.demands["assertion_audience"],
                issuer=iss,
                options={"require": ["exp", "iat", "sub"]},
            )
        except jwt.InvalidTokenError:
            return False
        self.assertion = {**jwt.get_unverified_header(token or ""), **claims}
        return (
            self.assertion["sub"] == self.settings["CLIENT_ID"]
            and self.assertion["kid"] == self.settings["CLIENT_KEYS"][0]["KID"]
            and self.assertion["exp"] - self.assertion["iat"] <= 300
        )

    def _userinfo(self, headers: dict[str, str]) -> Answer:
        assert headers["authorization"] == f"Bearer {ACCESS_TOKEN}"
        status = self.demands.get("userinfo_status", 200)
        if status != 200:
            return status, {"WWW-Authenticate": "Bearer"}, ""
        if not self.demands.get("signs_userinfo"):
            return _json(self.userinfo)
        now = int(time.time())
        token = self.signed({**self.userinfo, "iat": now, "exp": now + 60})
        return 200, {"Content-Type": "application/jwt"}, token

    def _error(self, error: str, status: int) -> Answer:
        """As the vendor writes it: some with status 200, some in words of their own."""
        document = self.demands.get("errors", {}).get(error, {"error": error})
        return _json(document, status=self.demands.get("error_status", status))

    def _jwk(self, entry: dict[str, Any]) -> dict[str, Any]:
        key = self.signing_key
        if "_signs" not in entry:
            key = SigningKey("ES256" if entry["kty"] == "EC" else "RS256", "another")
        public = get_default_algorithms()[key.alg].to_jwk(
            key.private_key.public_key(), as_dict=True
        )
        material = {name: public[name] for name in MATERIAL if name in public}
        return {**{n: v for n, v in entry.items() if n != "_signs"}, **material}

    def _client_pem(self) -> str:
        key = self.client_key.private_key
        return str(
            key.private_bytes(
                Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
            ).decode()
        )


def _json(document: object, *, status: int = 200) -> Answer:
    headers = {"Content-Type": "application/json; charset=utf-8"}
    return status, headers, json.dumps(document)


def _basic(header: str | None) -> str:
    scheme, _, value = (header or "").partition(" ")
    return base64.b64decode(value).decode() if scheme == "Basic" else ""
