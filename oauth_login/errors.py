"""The six errors: one class per decision, one stable code per cause.

The classes say whose fault it is, and with that what a person sees and what
HTTP status they get. The code says what happened; it is API: logged, listed in
docs/errors.md, and tested by equality.
"""

from __future__ import annotations

from typing import ClassVar


class OAuthLoginError(Exception):
    """A login that ends here. Raise one of the six subclasses, never this.

    `detail` is for the log: what was expected, what was received. It never
    holds a secret, a code or a token, and no page ever shows it.
    """

    status: ClassVar[int]

    def __init__(self, code: str, /, **detail: object) -> None:
        super().__init__(code)
        self.code = code
        self.detail = detail

    @property
    def public_code(self) -> str:
        """The code as a page may show it."""
        return self.code


class ConfigurationError(OAuthLoginError):
    """Ours: this site is set up wrongly, or this app has a bug. "Try later"."""

    status = 500


class ProviderUnavailable(OAuthLoginError):
    """Theirs, and passing: the provider is down or too slow. "Try again"."""

    status = 503


class InvalidProviderResponse(OAuthLoginError):
    """Theirs, and lasting or hostile: an answer that must not be believed."""

    status = 502


class ProviderRefused(OAuthLoginError):
    """A decision over there: the provider, or the person at it, said no."""

    status = 403


class InvalidCallback(OAuthLoginError):
    """The browser's trip went wrong: expired, repeated or forged. "Start again"."""

    status = 400


class LoginRefused(OAuthLoginError):
    """A decision here: this person may not enter this site.

    A hook of the site raises it to refuse somebody, with its own `message`,
    which is shown on the page (escaped, as plain text).
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
        """Always the same: why an account was refused is nobody else's business."""
        return "account.refused"  # T123


# Every code and what it means, for docs/errors.md and for whoever reads a log.
# A site's own hook may raise LoginRefused with further codes of its own.
CODES: dict[str, str] = {}


def _codes(prefix: str, **causes: str) -> None:
    CODES.update({f"{prefix}.{cause}": text for cause, text in causes.items()})


_codes(
    "config",
    invalid="The settings of this provider have errors; `manage.py check` lists them.",
    unknown_provider="The login was started at a provider that is not configured.",
    backend_missing="OAuthLoginBackend is not in AUTHENTICATION_BACKENDS.",
    client_auth="No client authentication method that we know fits the provider's.",
    client_refused="The provider refused our client id or secret (invalid_client).",
    signing_algs="The provider signs with no algorithm that is allowed here.",
    step_up="A provider without ID tokens cannot say when or how somebody logged in.",
    tls_files="A file of CA_BUNDLE or CLIENT_CERT is missing, unreadable or wrong.",
    client_keys="A key of CLIENT_KEYS or DECRYPTION_KEYS could not be had or used.",
    jwe_missing="The extra `oauth-login[jwe]` is needed to decrypt, and not installed.",
    auth_params="A login was to ask for what it must not, or what cannot be enforced.",
    insecure_redirect_uri="The redirect URI would be http on a public host.",
    hook="A hook of the site failed or returned something that is not a user.",
    unexpected="An error that should not happen; the log has the traceback.",
)
_codes(
    "transport",
    timeout="The provider did not answer in time.",
    connection="No connection to the provider could be made, or it broke off.",
    tls="The provider's TLS certificate could not be verified.",
)
for _document, _name in {
    "discovery": "discovery document",
    "jwks": "key set",
    "token": "token response",
    "userinfo": "userinfo response",
}.items():
    _codes(
        _document,
        status=f"The {_name} could not be had: the provider says it is unavailable.",
        unexpected_status=f"The {_name} came with a status that it must not have.",
        too_large=f"The {_name} is larger than 256 kB.",
        content_encoding=f"The {_name} is compressed, which we did not allow.",
        content_type=f"The {_name} has the wrong content type.",
        not_json=f"The {_name} is not a strict JSON object.",
    )
_codes(
    "discovery",
    recently_failed="The provider was down within the last 10 s; not asked again yet.",
    issuer_mismatch="The document's issuer is not the configured one.",
    invalid_member="A member of the document is missing or has the wrong type.",
    insecure_endpoint="An endpoint is not https, or is no plain URL.",
)
_codes(
    "jwks",
    malformed="The document has no `keys` array.",
    no_usable_key="No key in the set can verify signatures here.",
)
_codes(
    "authorization",
    refused="The provider, or the person at it, refused the login (access_denied).",
    interaction_required="The provider wants the person to do something first.",
    error="The provider answered with another error.",
    unavailable="The provider says it cannot log anybody in at the moment.",
)
_codes(
    "token",
    refused="The provider did not accept the code (invalid_grant).",
    error="The provider answered with another error.",
    invalid_member="A member of the response is missing or has the wrong type.",
    token_type="The access token is of a type that we cannot use.",
    id_token_missing="There is no ID token in the response.",
)
for _document, _name in {
    "id_token": "ID token",
    "userinfo": "signed userinfo",
    "logout_token": "logout token",
}.items():
    _codes(
        _document,
        malformed=f"The {_name} is not a compact JWS, or JWE.",
        encrypted=f"The {_name} is encrypted, and there are no DECRYPTION_KEYS.",
        encryption_alg=f"The {_name} is encrypted with an algorithm not allowed here.",
        compressed=f"The {_name} was compressed before it was encrypted.",
        not_decrypted=f"No key of DECRYPTION_KEYS decrypts the {_name}.",
        not_signed=f"What is encrypted in the {_name} is not a signed token.",
        alg_not_allowed=f"The {_name} is signed with an algorithm not allowed here.",
        typ=f"The {_name} is a token of another type.",
        crit=f"The {_name} demands an extension (`crit`, `b64`) that we do not have.",
        key_not_found=f"No key of the provider fits the {_name}.",
        signature=f"The signature of the {_name} is wrong.",
        iss_mismatch=f"The {_name} was issued by somebody else.",
        aud_mismatch=f"The {_name} was issued for somebody else.",
    )
_codes(
    "id_token",
    too_large="The ID token is larger than 64 kB.",
    not_encrypted="There are DECRYPTION_KEYS, and the ID token is not encrypted.",
    not_json="The header or payload is not a strict JSON object.",
    azp_mismatch="The authorized party is not us.",
    sub_invalid="The subject is not 1 to 255 printable ASCII characters.",
    exp_invalid="`exp` is missing or not a time.",
    expired="The ID token has expired.",
    iat_invalid="`iat` is missing or not a time.",
    iat_future="The ID token was issued in the future: compare the clocks.",
    iat_too_old="The ID token was issued too long ago for a login of now.",
    nbf_invalid="`nbf` is not a time.",
    nbf_future="The ID token is not valid yet.",
    nonce_missing="There is no nonce.",
    nonce_mismatch="The nonce is not the one of this login.",
    at_hash_mismatch="The access token is not the one the ID token was issued with.",
    c_hash_mismatch="The code is not the one the ID token was issued with.",
    acr_mismatch="The authentication was not of the class that was asked for.",
    auth_time_invalid="`auth_time` was asked for and is missing or not a time.",
    auth_time_too_old="The authentication is older than was asked for.",
)
_codes(
    "userinfo",
    too_large="The userinfo response is larger than 256 kB; 64 kB if encrypted.",
    refused="The provider did not accept the access token.",
    sub_missing="The response has no valid subject.",
    exp_invalid="`exp` of the signed userinfo is not a time.",
    expired="The signed userinfo has expired.",
    sub_mismatch="The response is about somebody else than the ID token.",
)
_codes(
    "logout_token",
    too_large="The logout token is larger than 16 kB.",
    not_encrypted="There are DECRYPTION_KEYS, and the logout token is not encrypted.",
    not_json="The header or payload is not a strict JSON object.",
    exp_invalid="`exp` is not a time, or more than an hour after `iat`.",
    expired="The logout token has expired.",
    iat_invalid="`iat` is missing or not a time.",
    iat_future="The logout token was issued in the future: compare the clocks.",
    iat_too_old="The logout token has no `exp`, and is more than 5 minutes old.",
    nbf_invalid="`nbf` is not a time.",
    nbf_future="The logout token is not valid yet.",
    sub_invalid="The subject is not 1 to 255 printable ASCII characters.",
    sub_missing="There is neither a subject nor a session.",
    sid_invalid="The session is not 1 to 255 printable ASCII characters.",
    jti_invalid="`jti` is missing, or not 1 to 255 printable ASCII characters.",
    events_invalid="The token is about no logout.",
    nonce_present="There is a nonce, which only ID tokens have.",
)
_codes(
    "callback",
    malformed="The parameters are not those of an authorization response.",
    duplicate_parameter="A parameter occurs more than once.",
    token_in_response="The response carries a token, which no code response does.",
    state_missing="There is no state.",
    state_unknown="The state is not one of ours.",
    state_mismatch="The state is not that of this login.",
    expired="The login was started too long ago, or its session is gone.",
    wrong_provider="The answer came to another provider's callback.",
    wrong_initiator="A login was to be started by an issuer that is not this provider.",
    user_changed="Somebody else logged in while this login was under way.",
    iss_missing="The provider announces `iss` in its response and did not send it.",
    iss_mismatch="The response comes from another issuer.",
)
_codes(
    "account",
    refused="A hook of the site refused this person.",
    not_allowed="ALLOW_IF did not match.",
    denied="DENY_IF matched.",
    claims_unknown="A rule needs claims that the provider could not deliver.",
    inactive="The user is deactivated.",
    creation_disabled="There is no user for this identity and none may be created.",
    no_username="No username could be made from the claims.",
    missing_field="A new user needs a value that nothing fills; the log names it.",
    not_storable="The database cannot hold what a new user would be called.",
    exists="Another user has a value that must be unique.",
    no_provider="A page needs a login at a provider, and this user has none.",
    not_staff="Signed in, but not allowed into the admin.",
    not_linkable="The address has users, and LINK_BY_EMAIL may link none of them.",
    identity_taken="The account at the provider is linked to another user.",
    last_way_in="Without this identity nobody could log in as this user any more.",
    provider_required="Signed in with a password where only a provider's login counts.",
    password_off="A password was sent to an admin site that takes none.",
    breakglass_invalid="A link for emergency access that is no longer good, or none.",
)
