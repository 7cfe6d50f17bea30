"""The modules of the OpenID Foundation's suite for relying parties, and our answers.

Its edition of August 2026. An answer is a test, as "module::test", or the reason why
there is none. The names of a family are given without their common beginning.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum


class Reason(Enum):
    """Why a module of the suite has no test here."""

    OTHER_FLOW = "about tokens in the front channel: response_type is always code here"
    HEADER = "the token goes in the header, which is the other of two ways"
    NOT_USED = "WebFinger and dynamic registration: providers are configured"
    NO_REQUEST_OBJECT = "request objects are not sent yet"
    NO_REFRESH = "refresh tokens are not used yet"
    NO_JARM = "answers are not asked for as JWTs yet"
    NO_DPOP = "DPoP is not used yet"
    NO_PAR = "pushed authorization requests are not made yet"
    NO_IFRAME = "the session iframe is not used"
    ENCRYPTED = "encrypted ID tokens are an extra of their own, tested beside it"
    REGIONAL = "about payments and consents of one country"


Answers = Mapping[str, str | Reason]

OIDC_PREFIX = "oidcc-client-test"
OIDC: Answers = {
    "": "basic::test_a_login_asks_for_a_code_for_tokens_and_for_userinfo",
    "-3rd-party-init-login": (
        "third_party_initiated::test_a_login_that_the_provider_begins_is_finished"
    ),
    "-aggregated-claims": "basic::test_aggregated_claims_are_let_be",
    "-client-secret-basic": (
        "basic::test_the_client_authenticates_by_basic_and_by_nothing_else"
    ),
    "-distributed-claims": "basic::test_distributed_claims_are_not_fetched",
    "-form-post-error": (
        "form_post::test_an_error_that_is_posted_is_a_page_that_says_what_to_do"
    ),
    "-idtoken-sig-none": (
        "basic::test_an_id_token_that_says_it_needs_no_signature_is_refused"
    ),
    "-idtoken-sig-rs256": "basic::test_an_id_token_that_is_signed_is_accepted",
    "-invalid-athash": ("fapi2::test_a_wrong_hash_is_refused_also_in_the_code_flow"),
    "-invalid-chash": "fapi2::test_a_wrong_hash_is_refused_also_in_the_code_flow",
    "-invalid-aud": "basic::test_an_id_token_for_somebody_else_is_refused",
    "-invalid-iss": "basic::test_an_id_token_of_another_issuer_is_refused",
    "-invalid-sig-es256": (
        "basic::test_one_wrong_bit_in_an_elliptic_signature_is_refused"
    ),
    "-invalid-sig-hs256": "basic::test_one_wrong_bit_in_a_mac_is_refused",
    "-invalid-sig-rs256": "basic::test_one_wrong_bit_in_an_rsa_signature_is_refused",
    "-userinfo-invalid-sub": "basic::test_userinfo_about_somebody_else_is_refused",
    "-kid-absent-multiple-jwks": "basic::test_without_a_name_several_keys_are_tried",
    "-kid-absent-single-jwks": (
        "basic::test_without_a_name_the_one_key_that_fits_is_used"
    ),
    "-missing-athash": Reason.OTHER_FLOW,
    "-missing-chash": Reason.OTHER_FLOW,
    "-missing-aud": "basic::test_an_id_token_for_nobody_is_refused",
    "-missing-iat": "basic::test_an_id_token_without_its_time_is_refused",
    "-missing-sub": "basic::test_an_id_token_without_a_subject_is_refused",
    "-mtls-endpoint-aliases": (
        "basic::test_a_client_with_a_certificate_goes_to_the_mtls_endpoints"
    ),
    "-nonce-unless-code-flow": (
        "basic::test_state_nonce_and_challenge_are_new_for_each_login"
    ),
    "-nonce-invalid": "basic::test_an_id_token_of_another_login_is_refused",
    "-refresh-token": Reason.NO_REFRESH,
    "-refresh-token-invalid-issuer": Reason.NO_REFRESH,
    "-refresh-token-invalid-sub": Reason.NO_REFRESH,
    "-request-uri-signed-none": Reason.NO_REQUEST_OBJECT,
    "-request-uri-signed-rs256": Reason.NO_REQUEST_OBJECT,
    "-scope-userinfo-claims": "basic::test_claims_by_scope_come_from_userinfo",
    "-userinfo-signed": "basic::test_userinfo_that_is_signed_is_verified_and_used",
    "-userinfo-bearer-body": Reason.HEADER,
    "-userinfo-bearer-header": (
        "basic::test_userinfo_is_asked_with_the_token_in_the_header"
    ),
    "-discovery-issuer-mismatch": (
        "config::test_metadata_of_another_issuer_ends_it_before_the_browser_leaves"
    ),
    "-discovery-jwks-uri-keys": (
        "config::test_keys_are_where_the_provider_says_they_are"
    ),
    "-discovery-openid-config": (
        "config::test_every_endpoint_is_where_the_provider_says_it_is"
    ),
    "-discovery-webfinger-acct": Reason.NOT_USED,
    "-discovery-webfinger-url": Reason.NOT_USED,
    "-dynamic-registration": Reason.NOT_USED,
    "-signing-key-rotation": "config::test_new_keys_between_two_logins_are_fetched",
    "-signing-key-rotation-just-before-signing": (
        "config::test_new_keys_just_before_the_token_is_signed_are_fetched"
    ),
    "-rp-backchannel-rpinitlogout": (
        "back_channel_logout::test_a_good_logout_token_says_whose_sessions_end"
    ),
    "-rp-backchannel-rpinitlogout-alg-none": (
        "back_channel_logout::test_a_logout_token_without_a_signature_is_refused"
    ),
    "-rp-backchannel-rpinitlogout-no-event": (
        "back_channel_logout::test_a_logout_token_about_no_event_is_refused"
    ),
    "-rp-backchannel-rpinitlogout-with-nonce": (
        "back_channel_logout::test_a_logout_token_with_a_nonce_is_refused"
    ),
    "-rp-backchannel-rpinitlogout-wrong-alg": (
        "back_channel_logout::test_a_logout_token_of_another_algorithm_is_refused"
    ),
    "-rp-backchannel-rpinitlogout-wrong-aud": (
        "back_channel_logout::test_a_logout_token_for_somebody_else_is_refused"
    ),
    "-rp-backchannel-rpinitlogout-wrong-event": (
        "back_channel_logout::test_a_logout_token_about_another_event_is_refused"
    ),
    "-rp-backchannel-rpinitlogout-wrong-iss": (
        "back_channel_logout::test_a_logout_token_of_another_issuer_is_refused"
    ),
    "-rp-frontchannel-opinitlogout": (
        "front_channel_logout::test_the_issuer_and_the_session_say_what_ends"
    ),
    "-rp-frontchannel-rpinitlogout": (
        "front_channel_logout::test_the_issuer_and_the_session_say_what_ends"
    ),
    "-rp-init-logout": (
        "rp_initiated_logout::test_logging_out_here_leads_to_the_provider_and_back"
    ),
    "-rp-init-logout-other-state": (
        "rp_initiated_logout::test_another_state_ends_the_logout_all_the_same"
    ),
    "-rp-init-logout-no-state": (
        "rp_initiated_logout::test_no_state_ends_the_logout_all_the_same"
    ),
    "-session-management": Reason.NO_IFRAME,
}

# In FAPI 2 and in FAPI 1.
FAPI: Answers = {
    "discovery-issuer-mismatch": (
        "fapi2::test_metadata_of_another_issuer_ends_it_before_the_browser_leaves"
    ),
    "invalid-alternate-alg": (
        "fapi2::test_an_algorithm_that_was_not_registered_is_refused"
    ),
    "invalid-aud": "fapi2::test_another_audience_is_refused",
    "invalid-expired-exp": (
        "fapi2::test_an_id_token_that_expired_minutes_ago_is_refused"
    ),
    "invalid-iss": "fapi2::test_another_issuer_is_refused",
    "invalid-missing-aud": "fapi2::test_no_audience_is_refused",
    "invalid-missing-exp": "fapi2::test_an_id_token_that_never_expires_is_refused",
    "invalid-missing-iss": "fapi2::test_no_issuer_is_refused",
    "invalid-missing-nonce": "fapi2::test_no_nonce_is_refused",
    "invalid-nonce": "fapi2::test_another_nonce_is_refused",
    "invalid-null-alg": "fapi2::test_no_algorithm_is_refused",
    "invalid-openbanking-intent-id": Reason.REGIONAL,
    "invalid-secondary-aud": "fapi2::test_a_second_audience_without_azp_is_refused",
    "valid-aud-as-array": "fapi2::test_an_audience_in_a_list_is_accepted",
}

FAPI2_PREFIXES = (
    "fapi2-security-profile-final-client-test-",
    "fapi2-security-profile-id2-client-test-",
)
FAPI2: Answers = {
    **FAPI,
    "ensure-authorization-response-with-invalid-missing-state-fails": (
        "fapi2::test_a_response_without_state_is_refused"
    ),
    "ensure-authorization-response-with-invalid-state-fails": (
        "fapi2::test_a_response_with_another_state_is_refused"
    ),
    "ensure-jarm-signature-is-not-none": Reason.NO_JARM,
    "ensure-jarm-with-expired-exp-fails": Reason.NO_JARM,
    "ensure-jarm-with-invalid-aud-fails": Reason.NO_JARM,
    "ensure-jarm-with-invalid-iss-fails": Reason.NO_JARM,
    "ensure-jarm-with-invalid-sig-fails": Reason.NO_JARM,
    "ensure-jarm-without-aud-fails": Reason.NO_JARM,
    "ensure-jarm-without-exp-fails": Reason.NO_JARM,
    "ensure-jarm-without-iss-fails": Reason.NO_JARM,
    "happy-path": Reason.NO_PAR,
    "happy-path-no-dpop-nonce": Reason.NO_DPOP,
    "invalid-authorization-response-iss": (
        "fapi2::test_a_response_of_another_issuer_is_refused"
    ),
    "remove-authorization-response-iss": (
        "fapi2::test_a_response_of_nobody_is_refused_where_the_issuer_is_announced"
    ),
    "rs-dpop-auth-scheme-case-insensitivity": Reason.NO_DPOP,
    "token-endpoint-response-without-expires_in": (
        "fapi2::test_a_token_response_without_expires_in_is_accepted"
    ),
    "token-type-case-insensitivity": (
        "fapi2::test_a_token_type_in_another_case_is_accepted"
    ),
}

FAPI1_PREFIX = "fapi1-advanced-final-client-test"
FAPI1: Answers = {
    "": Reason.OTHER_FLOW,
    **{f"-{name}": answer for name, answer in FAPI.items()},
    "-encrypted-idtoken": Reason.ENCRYPTED,
    "-encrypted-idtoken-usingrsa15": Reason.ENCRYPTED,
    "-iat-is-week-in-past": "fapi2::test_an_id_token_of_last_week_is_refused",
    "-invalid-chash": "fapi2::test_a_wrong_hash_is_refused_also_in_the_code_flow",
    "-invalid-missing-shash": Reason.OTHER_FLOW,
    "-invalid-shash": Reason.OTHER_FLOW,
    "-invalid-signature": "fapi2::test_one_wrong_bit_in_the_signature_is_refused",
    "-missing-athash": "fapi2::test_an_id_token_without_at_hash_is_accepted",
    "-no-scope-in-token-endpoint-response": (
        "fapi2::test_a_token_response_without_expires_in_is_accepted"
    ),
    "-payment-consent-response-valid-aud-as-array": Reason.REGIONAL,
    "-unencrypted-request-object-with-par": Reason.NO_PAR,
}

MODULES: Answers = {
    **{OIDC_PREFIX + name: answer for name, answer in OIDC.items()},
    **{
        prefix + name: answer
        for prefix in FAPI2_PREFIXES
        for name, answer in FAPI2.items()
    },
    **{FAPI1_PREFIX + name: answer for name, answer in FAPI1.items()},
    "fapi2-security-profile-final-client-refresh-token-test": Reason.NO_REFRESH,
    "fapi2-security-profile-id2-client-refresh-token-test": Reason.NO_REFRESH,
    "fapi2-security-profile-final-client-brazildcr-happypath-test": Reason.REGIONAL,
    "fapi1-advanced-final-client-refresh-token-test": Reason.NO_REFRESH,
    "fapi1-advanced-final-client-brazildcr-happypath-test": Reason.REGIONAL,
}
# Whole families without a login in a browser.
WITHOUT_BROWSER = {
    "fapi-ciba-id1-client-": "the provider asks the person on another device",
    "openid-federation-client-": "providers are configured, not found by federation",
}

# What each certification profile for response_type=code runs.
_BASIC = (
    *("", "-invalid-iss", "-missing-sub", "-invalid-aud", "-missing-iat"),
    *("-kid-absent-single-jwks", "-kid-absent-multiple-jwks", "-idtoken-sig-rs256"),
    *("-idtoken-sig-none", "-invalid-sig-rs256", "-userinfo-bearer-header"),
    *("-userinfo-bearer-body", "-userinfo-invalid-sub", "-nonce-invalid"),
    *("-scope-userinfo-claims", "-client-secret-basic"),
)
_BACK_CHANNEL = "-rp-backchannel-rpinitlogout"
PROFILES: Mapping[str, tuple[str, ...]] = {
    "basic": _BASIC,
    "config": (
        *("-discovery-openid-config", "-discovery-jwks-uri-keys"),
        *("-discovery-issuer-mismatch", "-idtoken-sig-none", "-signing-key-rotation"),
        "-signing-key-rotation-just-before-signing",
    ),
    "form_post": (*_BASIC, "-form-post-error"),
    "third_party_initiated": ("-3rd-party-init-login",),
    "rp_initiated_logout": (
        *("-rp-init-logout", "-rp-init-logout-other-state"),
        "-rp-init-logout-no-state",
    ),
    "back_channel_logout": (
        _BACK_CHANNEL,
        *(f"{_BACK_CHANNEL}-{how}" for how in ("alg-none", "no-event", "with-nonce")),
        *(f"{_BACK_CHANNEL}-wrong-{what}" for what in ("alg", "aud", "event", "iss")),
    ),
    "front_channel_logout": (
        *("-rp-frontchannel-rpinitlogout", "-rp-frontchannel-opinitlogout"),
    ),
}
# And the plan that is not certified and runs everything.
EVERYTHING = (
    *("-invalid-sig-hs256", "-invalid-sig-es256", "-missing-aud", "-aggregated-claims"),
    *("-distributed-claims", "-mtls-endpoint-aliases", "-userinfo-signed"),
)
