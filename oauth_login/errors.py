"""The six errors: one class per decision, one stable code per cause.

The class says whose fault it is, which decides what the page tells the person and the
HTTP status. The code says what happened. Codes are API: they are logged, listed in
docs/errors.md, and safe to compare with `==`.
"""

from __future__ import annotations

from typing import ClassVar


class OAuthLoginError(Exception):
    """A login that failed. Raise one of the six subclasses, never this class.

    `detail` is for the log: what was expected and what was received. It never holds a
    secret, a code or a token, and no page shows it.
    """

    status: ClassVar[int]

    def __init__(self, code: str, /, **detail: object) -> None:
        super().__init__(code)
        self.code = code
        self.detail = detail

    @property
    def public_code(self) -> str:
        """The code that a page may show."""
        return self.code


class ConfigurationError(OAuthLoginError):
    """Our fault: the site is misconfigured, or this app has a bug. "Try later"."""

    status = 500


class ProviderUnavailable(OAuthLoginError):
    """The provider's fault, temporary: it is down or too slow. "Try again"."""

    status = 503


class InvalidProviderResponse(OAuthLoginError):
    """The provider's fault, or an attack: a response that must not be trusted."""

    status = 502


class ProviderRefused(OAuthLoginError):
    """The provider's decision, or the person's decision there: no login."""

    status = 403


class InvalidCallback(OAuthLoginError):
    """The browser brought an expired, repeated or forged response. "Start again"."""

    status = 400


class LoginRefused(OAuthLoginError):
    """This site's decision: the person may not log in.

    A hook of the site raises it to refuse a login. Its `message` is shown on the page,
    escaped, as plain text.
    """

    status = 403

    def __init__(
        self,
        code: str = "account.refused",
        /,
        *,
        message: str = "",
        **detail: object,
    ) -> None:
        super().__init__(code, **detail)
        self.message = message

    @property
    def public_code(self) -> str:
        """Always the same: the page does not reveal why an account was refused."""
        return "account.refused"  # T123


# Every code and what it means, for docs/errors.md and for readers of the log.
# A hook of the site may raise LoginRefused with further codes of its own.
CODES: dict[str, str] = {}


def _codes(prefix: str, **causes: str) -> None:
    CODES.update({f"{prefix}.{cause}": text for cause, text in causes.items()})


_codes(
    "config",
    invalid="The settings of this provider have errors; `manage.py check` lists them.",
    unknown_provider="The login was started at a provider that is not configured.",
    backend_missing="OAuthLoginBackend is not in AUTHENTICATION_BACKENDS.",
    client_auth="The provider supports no authentication method of this client.",
    client_refused="The provider rejected the client ID or secret (invalid_client).",
    signing_algs="The provider offers no signing algorithm that is allowed here.",
    step_up="Without ID tokens, a provider cannot prove when or how a login was made.",
    tls_files="A file of CA_BUNDLE or CLIENT_CERT is missing, unreadable or invalid.",
    client_keys="A key of CLIENT_KEYS or DECRYPTION_KEYS could not be loaded or used.",
    jwe_missing="Decryption needs the extra `oauth-login[jwe]`; it is not installed.",
    auth_params="A login parameter is not allowed, or its effect cannot be enforced.",
    insecure_redirect_uri="The redirect URI would use http on a public host.",
    hook="A hook of the site failed, or returned something other than a user.",
    unexpected="An error that should not happen; the log has the traceback.",
)
_codes(
    "transport",
    timeout="The provider did not respond in time.",
    connection="The connection to the provider failed or was lost.",
    tls="The provider's TLS certificate could not be verified.",
)
for _document, _name, _limit in (
    ("discovery", "discovery document", "256 kB"),
    ("jwks", "key set", "256 kB"),
    ("token", "token response", "256 kB"),
    ("userinfo", "userinfo response", "1 MiB"),
):
    _codes(
        _document,
        status=f"The provider says it cannot serve the {_name} at the moment.",
        unexpected_status=f"The {_name} has an HTTP status that is not allowed.",
        too_large=f"The {_name} is larger than {_limit}.",
        content_encoding=f"The {_name} is compressed in a way that cannot be unpacked.",
        content_type=f"The {_name} has the wrong content type.",
        not_json=f"The {_name} is not a strict JSON object.",
    )
_codes(
    "discovery",
    recently_failed="The provider was down within the last 10 s: not asked again yet.",
    issuer_mismatch="The document's issuer is not the configured one.",
    invalid_member="A member of the document is missing or has the wrong type.",
    insecure_endpoint="An endpoint does not use https, or is not a plain URL.",
    internal_host=(
        "A URL leads inside the network, to a host that the provider's settings do not "
        "name (INTERNAL_HOSTS)."
    ),
    forbidden_address=(
        "A URL leads to an address that no provider has: link-local, multicast, or a "
        "cloud's metadata service."
    ),
    fetch_pending="Another request is still fetching the document.",
)
_codes(
    "jwks",
    malformed="The document has no `keys` array.",
    no_usable_key="No key in the set can be used to verify signatures.",
)
_codes(
    "authorization",
    refused="The provider, or the person there, refused the login (access_denied).",
    interaction_required="The provider needs the person to do something first.",
    error="The provider responded with another error.",
    unavailable="The provider says that logins are unavailable at the moment.",
)
_codes(
    "token",
    refused="The provider rejected the code (invalid_grant).",
    error="The provider responded with another error.",
    invalid_member="A member of the response is missing or has the wrong type.",
    token_type="The access token has a type that is not supported.",
    access_token_missing="Userinfo is needed, but there is no access token for it.",
    id_token_missing="The response has no ID token.",
)
for _document, _name in {
    "id_token": "ID token",
    "userinfo": "signed userinfo",
    "logout_token": "logout token",
}.items():
    _codes(
        _document,
        malformed=f"The {_name} is not a compact JWS or JWE.",
        encrypted=f"The {_name} is encrypted, but DECRYPTION_KEYS is not set.",
        encryption_alg=f"The {_name} is encrypted with an algorithm not allowed here.",
        compressed=f"The {_name} was compressed before it was encrypted.",
        not_decrypted=f"No key of DECRYPTION_KEYS can decrypt the {_name}.",
        not_signed=f"The content of the encrypted {_name} is not a signed token.",
        alg_not_allowed=f"The {_name} is signed with an algorithm not allowed here.",
        typ=f"The {_name} is a token of another type.",
        crit=f"The {_name} requires an unsupported extension (`crit` or `b64`).",
        key_not_found=f"The provider has no key that fits the {_name}.",
        signature=f"The signature of the {_name} is invalid.",
        iss_mismatch=f"The {_name} was issued by another issuer.",
        aud_mismatch=f"The {_name} was issued for another audience.",
    )
_codes(
    "id_token",
    too_large="The ID token is larger than 64 kB.",
    not_encrypted="DECRYPTION_KEYS is set, but the ID token is not encrypted.",
    not_json="The header or payload is not a strict JSON object.",
    azp_mismatch="The authorized party (`azp`) is another client.",
    sub_invalid="The subject is not 1 to 255 printable ASCII characters.",
    exp_invalid="`exp` is missing or not a time.",
    expired="The ID token has expired.",
    iat_invalid="`iat` is missing or not a time.",
    iat_future="The ID token was issued in the future: compare the clocks.",
    iat_too_old="The ID token was issued too long ago for this login.",
    nbf_invalid="`nbf` is not a time.",
    nbf_future="The ID token is not valid yet.",
    nonce_missing="The ID token has no nonce.",
    nonce_mismatch="The nonce belongs to another login.",
    at_hash_mismatch="The ID token was issued with another access token.",
    c_hash_mismatch="The ID token was issued with another code.",
    acr_mismatch="The authentication does not belong to a class that was asked for.",
    auth_time_invalid="`auth_time` was asked for, but is missing or not a time.",
    auth_time_too_old="The authentication is older than the request allowed.",
)
_codes(
    "userinfo",
    too_large="The userinfo response is larger than 1 MiB; 64 kB if encrypted.",
    refused="The provider rejected the access token.",
    sub_missing="The response has no valid subject.",
    exp_invalid="`exp` of the signed userinfo is not a time.",
    expired="The signed userinfo has expired.",
    sub_mismatch="The response is about another person than the ID token.",
)
_codes(
    "logout_token",
    too_large="The logout token is larger than 16 kB.",
    not_encrypted="DECRYPTION_KEYS is set, but the logout token is not encrypted.",
    not_json="The header or payload is not a strict JSON object.",
    exp_invalid="`exp` is not a time, or more than an hour after `iat`.",
    expired="The logout token has expired.",
    iat_invalid="`iat` is missing or not a time.",
    iat_future="The logout token was issued in the future: compare the clocks.",
    iat_too_old="The logout token has no `exp` and is more than 5 minutes old.",
    nbf_invalid="`nbf` is not a time.",
    nbf_future="The logout token is not valid yet.",
    sub_invalid="The subject is not 1 to 255 printable ASCII characters.",
    sub_missing="The token has neither a subject (`sub`) nor a session ID (`sid`).",
    sid_invalid="The session ID is not 1 to 255 printable ASCII characters.",
    jti_invalid="`jti` is missing, or not 1 to 255 printable ASCII characters.",
    events_invalid="The token does not describe a logout event.",
    nonce_present="The token has a nonce, which only ID tokens may have.",
)
_codes(
    "callback",
    malformed="The parameters are not an authorization response.",
    duplicate_parameter="A parameter occurs more than once.",
    token_in_response="The response carries a token, which the code flow rules out.",
    state_missing="The response has no state.",
    state_unknown="This site did not create the state.",
    state_mismatch="The state belongs to another login.",
    expired="The login was started too long ago, or its session no longer exists.",
    wrong_provider="The response arrived at another provider's callback.",
    other_browser="This browser did not start the login, or it ended long ago.",
    wrong_initiator="The issuer that asked to start a login is not this provider.",
    user_changed="Another user logged in while this login was under way.",
    iss_missing="The provider announces `iss` in its responses, but did not send it.",
    iss_mismatch="The response comes from another issuer.",
)
_codes(
    "account",
    refused="A hook of the site refused this person.",
    refused_by_site="Another backend of the site stopped the login (PermissionDenied).",
    not_allowed="ALLOW_IF did not match.",
    too_many_groups="GROUPS in mode 'mirror' would create more than 1,000 groups.",
    denied="DENY_IF matched.",
    claims_unknown="A rule needs claims that the provider could not deliver.",
    inactive="The user is deactivated.",
    creation_disabled="This identity has no user, and creating users is disabled.",
    no_username="No username could be made from the claims.",
    missing_field="A new user needs a field that no rule fills; the log names it.",
    not_storable="The database cannot store the new user's name.",
    exists="Another user has a value that must be unique.",
    no_provider="The page needs a login at a provider, and this user has no identity.",
    not_staff="The user is signed in, but is not allowed into the admin.",
    not_permitted="The user is signed in, but a page of the site refuses access.",
    not_linkable="The address belongs to users that LINK_BY_EMAIL may not link.",
    connect_off="This provider's accounts cannot be connected to users (CONNECT).",
    session_ended="The session ended while an identity was being connected.",
    identity_taken="The account at the provider is linked to another user.",
    last_way_in="Without this identity, the user could no longer log in.",
    provider_required="Signed in with a password where a provider's login is required.",
    password_off="A password was sent to an admin site that accepts none.",
    breakglass_invalid="The link for emergency access is invalid or has expired.",
)
