"""The story of a login. Read this first.

A login has two halves, and the browser travels between them:

    start_login     draws the secrets of this attempt, and says where to send the
                    browser and what to remember until it comes back
    finish_login    takes what was remembered and what the browser brought, and
                    proves, step by step, who came

It is the authorization code flow (RFC 6749 4.1) with PKCE (RFC 7636), as OpenID
Connect Core 3.1 has it, or plain OAuth 2.0 where the provider knows no more. Nothing
here knows Django, the network or the clock; what is remembered, and where, is up to
whoever calls.
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
    """A login under way: what the browser must not know, kept until it comes back.

    `next` is where the person wanted to go, `started_by` the key of the user who was
    logged in at the start, if any; `started_at` is in seconds since 1970, `max_age` in
    seconds. `mode` is what it was started for: to log in, or to link who comes back to
    that user. Nothing that comes from outside can make one of the other (T103).
    """

    provider: str
    state: str = field(repr=False)
    nonce: str = field(repr=False)
    code_verifier: str = field(repr=False)
    redirect_uri: str
    next: str
    started_by: str | None
    started_at: int
    # What was asked for, and must be so in what comes back.
    max_age: int | None = None
    acr_values: tuple[str, ...] = ()
    mode: Literal["login", "link"] = "login"

    @property
    def authenticated_since(self) -> int | None:
        """The earliest authentication that will do: counted from when we asked."""
        return None if self.max_age is None else self.started_at - self.max_age


# The former name of LoginAttempt, so that code that imports it keeps working.
PendingLogin = LoginAttempt


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedIdentity:
    """Who came, proven. Only finish_login makes one, and only it logs anybody in.

    `issuer` and `subject` together are the person, for ever; the claims are what the
    provider says of them today. They are not complete if userinfo was needed and
    could not be had: then a claim that is missing is unknown, not absent.
    """

    provider: str
    issuer: str
    subject: str = field(repr=False)
    claims: Mapping[str, Any] = field(repr=False)
    claims_complete: bool
    # A name that came by way of the browser: for fields that are empty, no more.
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
    """What to remember, and the URL to send the browser to.

    `state` must be unguessable and new; `params` are further parameters for this login
    alone, `max_age` and `acr_values` among them. Nothing of what is remembered is in
    the URL but the state, the nonce and the challenge, and none of these is enough
    (T19).
    """
    nonce, code_verifier = secrets.token_urlsafe(32), new_code_verifier()
    metadata = provider.metadata(now=now)
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
    if provider.subject_field is not None and (max_age is not None or acr_values):
        # Before the browser leaves: nothing that comes back could prove it (T27).
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
    """Who came back, or one of our errors.

    `params` are the callback's, in the order in which they came. The caller has taken
    `attempt` out of the session and saved that, so that it cannot be used again (T04);
    whether it is too old, and whose browser this is, the caller has judged, too.
    """
    # The provider is the one that was asked, never one that the browser names (T36).
    if provider.alias != attempt.provider:
        raise InvalidCallback("callback.wrong_provider")
    # One document for the whole way, also if it is refreshed meanwhile.
    metadata = provider.metadata(now=now)
    # Is this the answer to our question? (state; RFC 9207: iss; error; code)
    code = parse_authorization_response(
        params,
        expected_state=attempt.state,
        client=provider.client,
        metadata=metadata,
    )
    # The code is worth something only with the verifier that never left us (T28).
    tokens = provider.redeem(
        code,
        metadata=metadata,
        code_verifier=attempt.code_verifier,
        redirect_uri=attempt.redirect_uri,
        now=now,
    )
    if provider.subject_field is not None:
        return _identity_from_user_document(provider, tokens, metadata)
    # The ID token says who came, signed, for us, for this very login.
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
        unsigned_names=_unsigned_names(provider, params),
    )


def _identity_from_user_document(
    provider: Provider, tokens: TokenResponse, metadata: ServerMetadata
) -> VerifiedIdentity:
    """Plain OAuth 2.0: the provider's own word, fetched with the code's own token."""
    subject, claims = provider.fetch_user_document(
        tokens.access_token,
        metadata=metadata,
        subject_field=provider.subject_field or "",
    )
    claims, complete = _claims_or_fallback(
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
    )


def _all_claims(
    provider: Provider,
    id_token: IdToken,
    tokens: TokenResponse,
    *,
    metadata: ServerMetadata,
    now: float,
) -> tuple[dict[str, Any], bool]:
    """The claims of the ID token, with userinfo's if they are needed; all of them?"""
    claims = provider.standard_claims(id_token.claims)
    if not provider.needs_userinfo(claims, metadata=metadata):
        return claims, True
    return _claims_or_fallback(
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
    ask: Callable[[], dict[str, Any]], *, without: dict[str, Any]
) -> tuple[dict[str, Any], bool]:
    """The claims that are asked for, or those without; were they to be had?"""
    try:
        return ask(), True
    except (ProviderUnavailable, InvalidProviderResponse) as error:
        if not _is_outage(error):
            raise
        logger.warning("logging in with fewer claims: %s", error.code)
        return without, False


def _is_outage(error: ProviderUnavailable | InvalidProviderResponse) -> bool:
    """Whether userinfo merely could not be had. If it lies, the login ends (T61)."""
    return isinstance(error, ProviderUnavailable) or error.code in {
        "userinfo.refused",
        "userinfo.unexpected_status",
        "userinfo.too_large",
        "userinfo.content_encoding",
        "userinfo.content_type",
        "userinfo.not_json",
    }
