"""One entry of PROVIDERS, read into a ProviderConfig. Problems are noted."""

from __future__ import annotations

import re
from collections.abc import Mapping

from oauth_login.conf.accounts import (
    read_domains,
    read_link_by_email,
    read_trust_email,
    read_user_fields,
)
from oauth_login.conf.authorization_request import read_url_params
from oauth_login.conf.client import read_client
from oauth_login.conf.keys import (
    read_ca_bundle,
    read_client_cert,
    read_client_keys,
    read_decryption_keys,
)
from oauth_login.conf.presets import Preset
from oauth_login.conf.rules import read_rules
from oauth_login.conf.schema import ENDPOINT_KEYS, ProviderConfig
from oauth_login.conf.validation import Section
from oauth_login.protocol.discovery import WELL_KNOWN
from oauth_login.protocol.urls import is_allowed_url, origin


def read_provider(
    section: Section, alias: str, *, preset: Preset, allow_http_loopback: bool
) -> ProviderConfig:
    """The provider's configuration. Values that cannot be read get their default."""
    subject_field = section.text("SUBJECT_FIELD")
    plain = subject_field is not None
    rules, client = read_rules(section), read_client(section, plain=plain)
    is_open = preset.is_open or "*" in client.deviations.allowed_tenants
    says_connect = section.value("CONNECT") is not None
    trust_email = read_trust_email(section, is_open=is_open, rules=rules)
    return ProviderConfig(
        alias=alias,
        label=section.text("LABEL") or alias,
        issuer=_issuer(section, allow_http_loopback),
        client=client,
        discovery_url=_url(section, "DISCOVERY_URL", allow_http_loopback),
        endpoints=_endpoints(section, allow_http_loopback, plain=plain),
        subject_field=subject_field,
        userinfo=section.choice("USERINFO", ("auto", "always", "never")),
        rules=rules,
        create_users=_create_users(
            section, has_default=not is_open or bool(rules.allow_if)
        ),
        domains=read_domains(section),
        link_by_email=read_link_by_email(section, trust=trust_email),
        trust_email=trust_email,
        absent_claims=section.choice("ABSENT_CLAIMS", ("none", "unknown")),
        connect=says_connect and section.of_type("CONNECT", bool, default=False),
        says_connect=says_connect,
        is_open=is_open,
        says_verified=preset.email_verified,
        username_from=section.strings("USERNAME_FROM"),
        user_fields=read_user_fields(section),
        logout=section.choice("LOGOUT", ("provider", "local")),
        url_params=read_url_params(section),
        initiate_login=section.of_type("INITIATE_LOGIN", bool, default=False),
        backend_base_url=_backend_base_url(section),
        internal_hosts=_internal_hosts(section),
        client_keys=read_client_keys(section),
        decryption_keys=read_decryption_keys(section),
        client_cert=read_client_cert(section),
        ca_bundle=read_ca_bundle(section),
        proxies=_proxies(section),
    )


def _issuer(section: Section, allow_http_loopback: bool) -> str:
    issuer = _url(section, "ISSUER", allow_http_loopback)
    if issuer is None:
        section.problem("E010", f"{section.where} needs an ISSUER.")
        return ""
    # The URL of the metadata contains the issuer: accept it if it was copied here.
    return issuer.removesuffix(WELL_KNOWN)


def _create_users(section: Section, *, has_default: bool) -> bool:
    if not has_default and not section.is_set("CREATE_USERS"):
        # T105: with the default, anyone could create a user here.
        section.problem(
            "E022",
            f"{section.where}: anyone can create an account there. Define who may "
            "log in with ALLOW_IF, or set CREATE_USERS.",
        )
        return False
    return section.of_type("CREATE_USERS", bool, default=False)


def _backend_base_url(section: Section) -> str | None:
    """BACKEND_BASE_URL. It may be http: only this server uses it, in its network."""
    url = section.text("BACKEND_BASE_URL")
    if url is None:
        return None
    secure = url.replace("http:", "https:", 1)
    if not is_allowed_url(secure, allow_http_loopback=False) or url != origin(url):
        section.problem(
            "E023",
            f"{section.where}['BACKEND_BASE_URL'] must be a scheme, a host and a port.",
            "For example: 'http://keycloak:8080'.",
        )
    return url


def _internal_hosts(section: Section) -> tuple[str, ...]:
    """INTERNAL_HOSTS: hosts in lower case, `host` (port 443) or `host:port`."""
    hosts = tuple(host.lower() for host in section.strings("INTERNAL_HOSTS"))
    invalid = [
        host
        for host in hosts
        if origin(f"https://{host}") != f"https://{host}"
        or not is_allowed_url(f"https://{host}/", allow_http_loopback=False)
    ]
    if invalid:
        section.problem(
            "E040",
            f"{section.where}['INTERNAL_HOSTS'] contains {invalid[0]!r}: it is not a "
            "host, or a host with a port.",
            "For example: 'login.internal.example.com' or '10.0.0.5:8443'.",
        )
    return tuple(host for host in hosts if host not in invalid)


def _proxies(section: Section) -> Mapping[str, str] | None:
    proxies = section.of_type("PROXIES", dict, default={})
    if not all(isinstance(x, str) and x for pair in proxies.items() for x in pair):
        text = f"{section.where}['PROXIES'] must map schemes to URLs."
        section.problem("E003", text)
        return None
    return proxies or None


def _url(section: Section, key: str, allow_http_loopback: bool) -> str | None:
    url = section.text(key)
    if url is not None and not is_allowed_url(
        url, allow_http_loopback=allow_http_loopback
    ):
        section.problem(
            "E011",
            f"{section.where}[{key!r}] must be an https URL{_what_is_wrong(url)}.",
            _http_hint(url, allow_http_loopback=allow_http_loopback),
        )
    return url


def _what_is_wrong(url: str) -> str:
    """E011 after the colon: what is wrong with a URL that is not allowed."""
    if re.search(r"[<>{}]", url):
        return f": {url!r} still contains a placeholder"
    return f", not {url!r}"


def _http_hint(url: str, *, allow_http_loopback: bool) -> str:
    if not allow_http_loopback and is_allowed_url(url, allow_http_loopback=True):
        return (
            "http is allowed for this machine while DEBUG is True, or with "
            "OAUTH_LOGIN['ALLOW_HTTP_LOOPBACK'] = True."
        )
    return "http is allowed only for this machine, with ALLOW_HTTP_LOOPBACK."


def _endpoints(
    section: Section, allow_http_loopback: bool, *, plain: bool
) -> Mapping[str, str] | None:
    """ENDPOINTS: instead of the metadata if they are complete, otherwise on top of it.

    The authorization and the token endpoint must come from one source: both from the
    metadata, or both from the settings.
    """
    endpoints = section.value("ENDPOINTS")
    where = section.where
    if endpoints is None:
        if plain:
            section.problem("E018", f"{where} has SUBJECT_FIELD, but no ENDPOINTS.")
        return None
    if not isinstance(endpoints, Mapping):
        section.problem("E018", f"{where}['ENDPOINTS'] must be a dict.")
        return None
    essential = {"authorization_endpoint", "token_endpoint"}
    needed = essential | ({"userinfo_endpoint"} if plain else {"jwks_uri"})
    alone = plain or not essential.isdisjoint(endpoints)
    if alone and not needed <= endpoints.keys():
        names = ", ".join(sorted(needed))
        section.problem("E018", f"{where}['ENDPOINTS'] needs {names}.")
        return None
    for name, url in endpoints.items():
        if name not in ENDPOINT_KEYS:
            section.problem("E002", f"{where}['ENDPOINTS'] has no key {name!r}.")
        elif not isinstance(url, str) or not is_allowed_url(
            url, allow_http_loopback=allow_http_loopback
        ):
            wrong = _what_is_wrong(str(url))
            text = f"{where}['ENDPOINTS'][{name!r}] must be an https URL{wrong}."
            hint = _http_hint(str(url), allow_http_loopback=allow_http_loopback)
            section.problem("E011", text, hint)
    return endpoints
