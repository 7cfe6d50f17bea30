"""System checks: every problem of the settings, with a hint how to fix it.

docs/checks.md lists them. They use neither the network nor the database.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.apps import apps
from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.checks import CheckMessage, Error, Warning
from django.db.models import NOT_PROVIDED
from django.utils.module_loading import import_string

from oauth_login.accounts.fields import field_of
from oauth_login.accounts.identities import OUR_BACKEND, our_backend
from oauth_login.conf import get_config
from oauth_login.conf.schema import DEFAULT_FIELDS, Config
from oauth_login.rights.checks import find_database_problems, find_problems
from oauth_login.sessions.end import MIDDLEWARE as LOGIN_SESSIONS
from oauth_login.views.reachable import hidden_urls, is_included

SESSIONS = "django.contrib.sessions.middleware.SessionMiddleware"
AUTHENTICATION = "django.contrib.auth.middleware.AuthenticationMiddleware"
# The engines whose rows are those of django.contrib.sessions.
STORED_BY_DJANGO = {
    "django.contrib.sessions.backends.db",
    "django.contrib.sessions.backends.cached_db",
}


def check_settings(**kwargs: Any) -> list[CheckMessage]:
    """Problems inside OAUTH_LOGIN."""
    config = get_config()
    found = [_message(p.id, p.message, p.hint) for p in config.problems]
    if not config.providers and not config.problems:
        text = "OAUTH_LOGIN['PROVIDERS'] is empty: no provider can be used to log in."
        found.append(_message("W002", text))
    for where, path in _hooks(config):
        try:
            import_string(path)
        except ImportError as error:
            found.append(_message("E021", f"{where} cannot be imported: {error}."))
    return found


def check_site(**kwargs: Any) -> list[CheckMessage]:
    """Problems in the rest of the settings, as far as this app depends on them."""
    found = []
    needed = ["auth", "contenttypes"]
    if settings.SESSION_ENGINE in STORED_BY_DJANGO:
        needed.append("sessions")
    for app in needed:
        if not apps.is_installed(f"django.contrib.{app}"):
            text = f"'django.contrib.{app}' must be in INSTALLED_APPS."
            found.append(_message("E030", text))
    if our_backend() is None:
        text = (
            f"{OUR_BACKEND!r} is not in AUTHENTICATION_BACKENDS: no login can succeed."
        )
        found.append(_message("E031", text, "Put it before Django's own."))
    if settings.SESSION_COOKIE_SAMESITE == "None":
        text = "SESSION_COOKIE_SAMESITE is 'None': other sites can use the session."
        found.append(_message("W032", text, "'Lax' works with every provider."))
    return [
        *found,
        *_check_middleware(),
        *_check_admin_sites(),
        *_check_user_model(),
        *(_message(*problem) for problem in find_problems()),
        *_check_user_fields(),
        *_check_domains(),
    ]


def check_urls(**kwargs: Any) -> list[CheckMessage]:
    """Whether the site includes our URLs where requests reach them.

    Only warnings: a site may have several URLconfs, and choose one for each request.
    """
    if not getattr(settings, "ROOT_URLCONF", None):
        return []
    if not is_included():
        text = "ROOT_URLCONF does not include oauth_login.urls: no login can start."
        hint = "Add path('auth/', include('oauth_login.urls')) to urlpatterns."
        return [_message("W033", text, hint)]
    hidden = [f"{path} leads to {view}" for path, view in hidden_urls()]
    if not hidden:
        return []
    text = f"Another URL pattern comes before oauth_login.urls: {', '.join(hidden)}."
    return [_message("W034", text, "Put the include before patterns that match more.")]


def check_deployment(**kwargs: Any) -> list[CheckMessage]:
    """Problems of a site in production, for `check --deploy`."""
    config = get_config()
    found = []
    if "*" in settings.ALLOWED_HOSTS and config.base_url is None:
        # T22: a forged Host header would decide where the provider sends the browser.
        text = "ALLOWED_HOSTS contains '*', and OAUTH_LOGIN has no BASE_URL."
        found.append(_message("W040", text, "Set BASE_URL."))
    if config.base_url is None and not (
        settings.SECURE_PROXY_SSL_HEADER or settings.SECURE_SSL_REDIRECT
    ):
        text = "Behind a proxy that terminates TLS, redirect URIs would use http."
        hint = "Set BASE_URL in OAUTH_LOGIN, or SECURE_PROXY_SSL_HEADER."
        found.append(_message("W041", text, hint))
    if settings.SESSION_COOKIE_DOMAIN:
        text = "SESSION_COOKIE_DOMAIN sends the session cookie to every subdomain."
        found.append(_message("W042", text, "Leave it unset."))
    if not settings.SESSION_COOKIE_HTTPONLY:
        text = "SESSION_COOKIE_HTTPONLY is False: scripts can read the session cookie."
        found.append(_message("W043", text))
    if settings.SESSION_ENGINE == "django.contrib.sessions.backends.signed_cookies":
        # T32, T109
        text = (
            "Sessions in signed cookies can be read by their users, and only "
            "LoginSessionMiddleware can end them."
        )
        found.append(_message("W044", text, "Use the database or the cache."))
    cache = settings.CACHES.get(config.cache_alias, {}).get("BACKEND", "")
    if cache.endswith(("LocMemCache", "DummyCache")):
        # T162
        text = (
            "Each process has its own cache: it asks the provider for its own "
            "documents, and lets a session go on for up to a minute after it was ended "
            "in another process."
        )
        hint = "Use a shared cache, and name it in OAUTH_LOGIN['CACHE']."
        found.append(_message("W045", text, hint))
    found += [_message(*problem) for problem in find_database_problems()]
    if config.allow_http_loopback:
        text = "OAUTH_LOGIN allows http for this machine (ALLOW_HTTP_LOOPBACK)."
        found.append(_message("W046", text))
    if _position(LOGIN_SESSIONS) is None:
        text = (
            f"Without {LOGIN_SESSIONS!r}, sessions cannot be ended from elsewhere, and "
            "in signed cookies they go on after SESSION_MAX_AGE."
        )
        found.append(_message("W047", text, f"Put it after {AUTHENTICATION!r}."))
    return [*found, *_check_cookie_names()]


def _check_cookie_names() -> Iterator[CheckMessage]:
    """Prefixes that keep other hosts from planting a session or a CSRF token (T156)."""
    for cookie in ("SESSION_COOKIE", "CSRF_COOKIE"):
        if cookie == "CSRF_COOKIE" and settings.CSRF_USE_SESSIONS:
            continue
        name = getattr(settings, f"{cookie}_NAME")
        is_secure = getattr(settings, f"{cookie}_SECURE")
        path = getattr(settings, f"{cookie}_PATH")
        may_be_host = path == "/" and not getattr(settings, f"{cookie}_DOMAIN")
        prefix = "__Host-" if may_be_host else "__Secure-"
        if name.startswith("__Host-") and not may_be_host:
            text = f"{cookie}_NAME is {name!r}, but browsers do not store such a cookie"
            hint = f"Set {cookie}_PATH to '/' and no {cookie}_DOMAIN."
            yield _message("W049", f"{text} with this path or domain.", hint)
        elif name.startswith(("__Host-", "__Secure-")) and not is_secure:
            text = f"{cookie}_NAME is {name!r}, but browsers do not store such a cookie"
            yield _message("W049", f"{text} unsecured.", f"Set {cookie}_SECURE = True.")
        elif not name.startswith(prefix):
            text = f"{cookie}_NAME is {name!r}: another host of this domain can set it."
            hint = f"Set {cookie}_SECURE = True and {cookie}_NAME = '{prefix}…'."
            if not may_be_host:
                hint += (
                    " That stops a host without https, not a subdomain with it: for "
                    "that, use the path '/', no domain, and '__Host-'."
                )
            yield _message("W048", text, hint)


def _check_middleware() -> list[CheckMessage]:
    """Presence and order; a site may have its own in the place of Django's."""
    sessions, authentication, ours = (
        _position(path) for path in (SESSIONS, AUTHENTICATION, LOGIN_SESSIONS)
    )
    found = []
    if sessions is None or authentication is None:
        text = f"MIDDLEWARE should have {SESSIONS!r} and {AUTHENTICATION!r}."
        found.append(_message("W031", text))
    elif sessions > authentication:
        text = f"{SESSIONS!r} must come before {AUTHENTICATION!r} in MIDDLEWARE."
        found.append(_message("E032", text))
    if ours is not None and authentication is not None and ours < authentication:
        text = f"{LOGIN_SESSIONS!r} must come after {AUTHENTICATION!r}."
        found.append(_message("E034", text))
    return found


def _position(wanted: str) -> int | None:
    """Where in MIDDLEWARE it is, or else a middleware in its place.

    That is a class derived from it, or one of the same name from another package.
    """
    installed = list(settings.MIDDLEWARE)
    if wanted in installed:
        return installed.index(wanted)
    name = wanted.rpartition(".")[2]
    for position, path in enumerate(installed):
        if path.rpartition(".")[2] == name or _derives(path, wanted):
            return position
    return None


def _derives(path: str, base: str) -> bool:
    try:
        middleware = import_string(path)
    except ImportError:
        return False  # Django says so, when it starts
    return isinstance(middleware, type) and issubclass(middleware, import_string(base))


def _check_admin_sites() -> list[CheckMessage]:
    if not apps.is_installed("django.contrib.admin"):
        return []
    # The admin's own modules can be imported only where the admin is installed.
    from oauth_login.admin_site import unguarded_sites

    hint = "Derive it from oauth_login.admin_site.OAuthLoginAdminMixin."
    return [
        _message("W050", f"The admin site {name!r} still accepts passwords.", hint)
        for name in unguarded_sites()
    ]


def _check_user_model() -> list[CheckMessage]:
    """Required fields of the user model that no setting fills."""
    config = get_config()
    user_model = get_user_model()
    creating = any(entry.create_users for entry in config.providers.values())
    if not creating or config.resolve_user is not None:
        return []
    filled = {"password", user_model.USERNAME_FIELD} | set.intersection(
        *(
            {
                field.name
                for rule in entry.user_fields
                if (field := field_of(user_model, rule))
            }
            for entry in config.providers.values()
            if entry.create_users
        )
    )
    unfilled = sorted(
        field.name
        for field in user_model._meta.concrete_fields
        if field.name not in filled
        and not (field.null or field.blank or field.primary_key)
        and field.default is NOT_PROVIDED
        and not getattr(field, "auto_now", False)
        and not getattr(field, "auto_now_add", False)
    )
    if not unfilled:
        return []
    text = f"New users need {', '.join(unfilled)}, which no claim fills."
    hint = "Fill it with USER_FIELDS or a RESOLVE_USER hook, or turn off CREATE_USERS."
    return [_message("E033", text, hint)]


def _check_user_fields() -> list[CheckMessage]:
    """USER_FIELDS compared with the fields of the user model."""
    user_model = get_user_model()
    found = []
    for alias, entry in get_config().providers.items():
        # The model may lack fields of the default USER_FIELDS.
        for rule in set(entry.user_fields) - set(DEFAULT_FIELDS):
            where = f"OAUTH_LOGIN['PROVIDERS'][{alias!r}]['USER_FIELDS']"
            field = field_of(user_model, rule)
            if field is None:
                text = f"{where}: {user_model._meta.label} has no {rule.field!r}"
                found.append(_message("E063", f"{text} that a claim may fill."))
            elif field.name == user_model.USERNAME_FIELD and rule.when != "create":
                # T97
                text = f"{where}: {rule.field!r} is the username."
                found.append(_message("E063", text, "Use 'WHEN': 'create'."))
    return found


def _check_domains() -> list[CheckMessage]:
    """Domains of several providers: only the first provider would get them."""
    entries = get_config().providers.values()
    all_of_them = [domain for entry in entries for domain in set(entry.domains)]
    return [
        _message("E065", f"{domain!r} is in DOMAINS of several providers.")
        for domain in sorted({d for d in all_of_them if all_of_them.count(d) > 1})
    ]


def _hooks(config: Config) -> Iterator[tuple[str, str]]:
    """The settings that name a function of the site, and its dotted path."""
    if config.resolve_user is not None:
        yield "OAUTH_LOGIN['RESOLVE_USER']", config.resolve_user
    if isinstance(config.client_address, str):
        yield "OAUTH_LOGIN['CLIENT_ADDRESS']", config.client_address
    for alias, entry in config.providers.items():
        where = f"OAUTH_LOGIN['PROVIDERS'][{alias!r}]"
        if entry.rules.groups is not None and entry.rules.groups.overage is not None:
            yield f"{where}['GROUPS']['OVERAGE']", entry.rules.groups.overage
        for rule in entry.user_fields:
            if rule.call is not None:
                yield f"{where}['USER_FIELDS'][{rule.field!r}]['CALL']", rule.call


def _message(number: str, text: str, hint: str = "") -> CheckMessage:
    kind = Error if number.startswith("E") else Warning
    return kind(text, hint=hint or None, id=f"oauth_login.{number}")
