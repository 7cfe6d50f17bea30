"""The story of a login. Read this first.

A login has two halves. Between them the browser is at the provider:

    start_login     draws the secrets of this attempt and returns them, together with
                    the URL to send the browser to
    finish_login    takes the attempt and the parameters that the browser brought back,
                    and proves, step by step, who logged in

This is the authorization code flow (RFC 6749 4.1) with PKCE (RFC 7636), as OpenID
Connect Core 3.1 describes it, or plain OAuth 2.0 for a provider without OpenID Connect.
This module does not know Django, the network or the clock. The caller stores the
attempt.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Literal

from oauth_login.errors import (
    ConfigurationError,
    InvalidCallback,
    InvalidProviderResponse,
    ProviderUnavailable,
)
from oauth_login.protocol.authorization import (
    USER_PARAMETER,
    authorization_parameters,
    authorization_url,
    parse_authorization_response,
)
from oauth_login.protocol.claims import unsigned_names
from oauth_login.protocol.client.pkce import code_challenge, new_code_verifier
from oauth_login.protocol.discovery import ServerMetadata
from oauth_login.protocol.id_token import IdToken
from oauth_login.protocol.request_parameters import (
    demanded_parameters,
    expected_acr_values,
    expected_max_age,
)
from oauth_login.protocol.token import TokenResponse
from oauth_login.protocol.userinfo import EMAIL_CLAIMS, merged_claims
from oauth_login.provider.provider import Provider

logger = logging.getLogger("oauth_login.flow")


@dataclass(frozen=True, slots=True, kw_only=True)
class LoginAttempt:
    """A login that was started: secrets of this site, kept until the browser returns.

    `next` is the page that the person wanted, `started_by` the key of the user who was
    logged in at the start, if any. `started_at` is in seconds since 1970, `max_age` in
    seconds. `mode` says whether the login logs a user in or links the identity to the
    user of `started_by`; no input from outside can turn one into the other (T103).
    """

    provider: str
    state: str = field(repr=False)
    nonce: str = field(repr=False)
    code_verifier: str = field(repr=False)
    redirect_uri: str
    next: str
    started_by: str | None
    started_at: int
    # What the request asked for, and the ID token must therefore show.
    max_age: int | None = None
    acr_values: tuple[str, ...] = ()
    mode: Literal["login", "link"] = "login"

    @property
    def authenticated_since(self) -> int | None:
        """The earliest acceptable authentication: `max_age` before the request."""
        return None if self.max_age is None else self.started_at - self.max_age


# The former name of LoginAttempt, so that code that imports it keeps working.
PendingLogin = LoginAttempt


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedIdentity:
    """Who logged in, proven. Only finish_login makes one, and a login needs one.

    `issuer` and `subject` together identify the person for ever; the claims are what
    the provider says about the person today. `claims_complete` is False if userinfo was
    needed but unavailable: then a missing claim is unknown, not absent. It may also be
    behind one of `missing_scopes`, which were requested and not granted.
    """

    provider: str
    issuer: str
    subject: str = field(repr=False)
    claims: Mapping[str, Any] = field(repr=False)
    claims_complete: bool
    missing_scopes: frozenset[str] = frozenset()
    # A name that the browser carried, unsigned: used only to fill empty fields.
    unsigned_names: Mapping[str, str] = field(default_factory=dict, repr=False)


def start_login(
    provider: Provider,
    *,
    state: str,
    redirect_uri: str,
    next: str,  # noqa: A002 - Django's word for it
    started_by: str | None,
    now: float,
    params: Mapping[str, str] | None = None,
    switch_account: bool = False,
    mode: Literal["login", "link"] = "login",
) -> tuple[LoginAttempt, str]:
    """The attempt to store, and the URL to send the browser to.

    `state` must be unguessable and new. `params` are further parameters for this login
    alone, for example `max_age` and `acr_values`. Of the attempt's secrets the URL
    holds only the state, the nonce and the code challenge, and these do not suffice to
    finish the login (T19).
    """
    nonce, code_verifier = secrets.token_urlsafe(32), new_code_verifier()
    metadata = provider.metadata(now=now)
    # What cannot succeed is said now, and not after the person has logged in there.
    provider.check_prerequisites(metadata)
    parameters = authorization_parameters(
        client=provider.client,
        metadata=metadata,
        state=state,
        nonce=nonce,
        code_challenge=code_challenge(code_verifier),
        redirect_uri=redirect_uri,
        params=params,
        switch_account=switch_account,
    )
    max_age, acr_values = expected_max_age(parameters), expected_acr_values(parameters)
    no_proof_of_age = (
        provider.subject_field is not None or not provider.client.sends_auth_time
    )
    if (no_proof_of_age and max_age is not None) or (
        provider.subject_field is not None and acr_values
    ):
        # Refused now, because no response could prove that it was fulfilled (T27).
        raise ConfigurationError("config.step_up", provider=provider.alias)
    attempt = LoginAttempt(
        provider=provider.alias,
        state=state,
        nonce=nonce,
        code_verifier=code_verifier,
        redirect_uri=redirect_uri,
        next=next,
        started_by=started_by,
        started_at=int(now),
        max_age=max_age,
        acr_values=acr_values,
        mode=mode,
    )
    demanded = demanded_parameters(provider.client, parameters)
    return attempt, authorization_url(metadata, {**parameters, **demanded})


def finish_login(
    provider: Provider,
    attempt: LoginAttempt,
    params: Sequence[tuple[str, str]],
    *,
    now: float,
) -> VerifiedIdentity:
    """Who logged in, or one of the errors of `oauth_login.errors`.

    `params` are the callback's, in the order received. Before this call, the caller
    claims the state of `attempt`, so that the attempt works only once (T04, T153), and
    checks that it is not too old and belongs to this browser.
    """
    # The browser cannot choose another provider than the attempt's (T36).
    if provider.alias != attempt.provider:
        raise InvalidCallback("callback.wrong_provider")
    # One document judges the whole login, even if the cache is refreshed meanwhile.
    metadata = provider.metadata(now=now)
    # Is this the response to our request? Checks state, iss (RFC 9207), error, code.
    code = parse_authorization_response(
        params,
        expected_state=attempt.state,
        client=provider.client,
        metadata=metadata,
    )
    # The code is useless without the verifier, which never left this server (T28).
    tokens = provider.redeem(
        code,
        metadata=metadata,
        code_verifier=attempt.code_verifier,
        redirect_uri=attempt.redirect_uri,
        now=now,
    )
    if provider.subject_field is not None:
        return _identity_from_user_document(provider, tokens, metadata)
    # The provider signed the ID token for this client and for this login.
    id_token = provider.validate(
        tokens,
        code=code,
        metadata=metadata,
        expected_nonce=attempt.nonce,
        expected_acr_values=attempt.acr_values,
        authenticated_since=attempt.authenticated_since,
        now=now,
    )
    claims, complete = _all_claims(
        provider, id_token, tokens, metadata=metadata, now=now
    )
    claims = provider.with_overage(claims, tokens.access_token)
    return VerifiedIdentity(
        provider=provider.alias,
        issuer=id_token.issuer,
        subject=id_token.subject,
        claims=MappingProxyType(claims),
        claims_complete=complete,
        missing_scopes=tokens.missing_scopes,
        unsigned_names=_unsigned_names(provider, params),
    )


def _identity_from_user_document(
    provider: Provider, tokens: TokenResponse, metadata: ServerMetadata
) -> VerifiedIdentity:
    """Plain OAuth 2.0: the user document, fetched with this login's access token."""
    subject, claims = provider.fetch_user_document(
        tokens.access_token,
        metadata=metadata,
        subject_field=provider.subject_field or "",
    )
    claims, complete = _claims_or_fallback(
        provider,
        lambda: provider.with_verified_email(
            claims, tokens.access_token, metadata=metadata
        ),
        without={n: v for n, v in claims.items() if n not in EMAIL_CLAIMS},
    )
    return VerifiedIdentity(
        provider=provider.alias,
        issuer=provider.issuer,
        subject=subject,
        claims=MappingProxyType(claims),
        claims_complete=complete,
        missing_scopes=tokens.missing_scopes,
    )


def _all_claims(
    provider: Provider,
    id_token: IdToken,
    tokens: TokenResponse,
    *,
    metadata: ServerMetadata,
    now: float,
) -> tuple[dict[str, Any], bool]:
    """Return `(claims, complete)`: the ID token's claims, with userinfo's if needed."""
    claims = provider.standard_claims(id_token.claims)
    if not provider.needs_userinfo(claims, metadata=metadata):
        return claims, True
    obstacle = provider.userinfo_obstacle(tokens, metadata=metadata)
    if obstacle is not None:
        logger.warning("logging in with fewer claims: %s", obstacle)
        return claims, False
    return _claims_or_fallback(
        provider,
        lambda: merged_claims(
            claims,
            provider.fetch_userinfo(
                tokens.access_token,
                metadata=metadata,
                expected_subject=id_token.subject,
                now=now,
            ),
        ),
        without=claims,
    )


def _unsigned_names(
    provider: Provider, params: Sequence[tuple[str, str]]
) -> dict[str, str]:
    if not provider.client.deviations.user_in_response:
        return {}
    return unsigned_names(dict(params).get(USER_PARAMETER, ""))


def _claims_or_fallback(
    provider: Provider,
    ask: Callable[[], dict[str, Any]],
    *,
    without: dict[str, Any],
) -> tuple[dict[str, Any], bool]:
    """Return `(claims, complete)`: what `ask()` fetched, or `without` in an outage.

    A response that is no good document ends the login if a rule needs it (T148): a
    person could cause it, and keep their access rights with it. If no rule does, only
    names and addresses are missing. A false response always ends the login (T61).
    """
    try:
        return ask(), True
    except (ProviderUnavailable, InvalidProviderResponse) as error:
        if isinstance(error, InvalidProviderResponse) and (
            error.code not in _BAD_DOCUMENTS or provider.lacks_rule_claims(without)
        ):
            raise
        logger.warning("logging in with fewer claims: %s", error.code)
        return without, False


_BAD_DOCUMENTS = {
    "userinfo.refused",
    "userinfo.unexpected_status",
    "userinfo.too_large",
    "userinfo.content_encoding",
    "userinfo.content_type",
    "userinfo.not_json",
}
