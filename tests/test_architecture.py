"""The rules of docs/architecture.md, read from the source.

Each file is parsed once, and each test lists all violations at once.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from pathlib import Path

from oauth_login.errors import CODES

ROOT = Path(__file__).parent.parent
APP = ROOT / "oauth_login"

# The wings, lowest floor first. A module imports from the floors below its own, and
# from the wings on its own floor as long as no circle closes.
FLOORS: list[set[str]] = [
    {"errors"},
    {"protocol"},
    {"policy"},
    {"provider"},
    {"flow"},
    {"conf"},
    {"registry"},
    {"models", "signals", "sealing", "user_agents"},
    {"audit"},
    {"sessions", "login"},
    {"accounts", "rights"},
    {"backends", "middleware"},
    {"views", "urls", "templatetags"},
    {"admin", "admin_site", "checks", "decorators", "management", "contrib"},
    {"apps"},
]
# The test kit may import every wing; no wing imports the test kit.
KIT = "testing"

WITHOUT_DJANGO = set().union(*FLOORS[:5])
SETTINGS_READERS = {"conf", "checks"}
USER_WRITERS = {"accounts", "rights", KIT}
SOCKET_WINGS = {"provider", KIT}
SOCKETS = {"requests", "urllib3", "http", "socket", "urllib.request"}
# The rules of the standards read neither a clock nor files, and write no log.
IMPURE = {"time", "datetime", "os", "pathlib", "logging", "threading"}

# The only `__init__` files with more than a docstring, and why.
FILLED_INITS = {
    "oauth_login": "__version__",
    "oauth_login.admin": "Django's autodiscovery imports exactly this module",
    "oauth_login.conf": "get_config, from_env and rules_with are public here",
    "oauth_login.conf.presets": "data: the table of presets, put together",
    "oauth_login.testing": "names that are imported on first use",
}

# What a site may import. The first group defines these names and no other.
DEFINED_NAMES = {
    "oauth_login": {"__version__"},
    "oauth_login.errors": {
        "CODES",
        "ConfigurationError",
        "InvalidCallback",
        "InvalidProviderResponse",
        "LoginRefused",
        "OAuthLoginError",
        "ProviderRefused",
        "ProviderUnavailable",
    },
    "oauth_login.flow": {
        "LoginAttempt",
        "PendingLogin",
        "VerifiedIdentity",
        "finish_login",
        "start_login",
    },
}
PUBLIC_NAMES = {
    **DEFINED_NAMES,
    "oauth_login.admin": {"OAuthLoginUserAdminMixin", "IdentityInline"},
    "oauth_login.admin_site": {"OAuthLoginAdminMixin"},
    "oauth_login.apps": {"OAuthLoginConfig"},
    "oauth_login.backends": {"OAuthLoginBackend"},
    "oauth_login.conf": {"from_env", "get_config"},
    "oauth_login.contrib.channels": {"LoginSessionMiddleware"},
    "oauth_login.contrib.entra": {"groups"},
    "oauth_login.decorators": {
        "RequireLoginAdminMixin",
        "RequireLoginMixin",
        "require_login",
    },
    "oauth_login.middleware": {"LoginSessionMiddleware"},
    "oauth_login.models": {"Identity", "LoginEvent", "LoginSession"},
    "oauth_login.signals": {
        "identity_linked",
        "identity_unlinked",
        "logged_out",
        "login_failed",
        "login_succeeded",
        "rights_changed",
        "user_created",
    },
    "oauth_login.testing": {
        "FakeProvider",
        "answer_over_responses",
        "follow",
        "initiate_login",
        "log_in",
        "logout_token",
        "serve",
        "stand_in",
    },
    "oauth_login.testing.pytest_plugin": {
        "oauth_log_in",
        "oauth_provider",
        "oauth_provider_alias",
    },
    "oauth_login.urls": {"app_name", "urlpatterns"},
}


@cache
def modules() -> dict[str, Path]:
    """Every module of the app by its dotted name, except for the migrations."""
    return {
        dotted(path): path
        for path in sorted(APP.rglob("*.py"))
        if "migrations" not in path.relative_to(APP).parts
    }


@cache
def source(path: Path) -> str:
    return path.read_text()


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(source(path))


@cache
def imports(path: Path) -> frozenset[str]:
    """The modules that `path` imports anywhere, under TYPE_CHECKING as well.

    `from a import b` is an import of `a.b` if that is one of our modules, else of `a`.
    """
    return frozenset(_imports(path))


def _imports(path: Path) -> Iterator[str]:
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                submodule = f"{node.module}.{alias.name}"
                yield submodule if submodule in modules() else node.module


def dotted(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def wing(name: str) -> str:
    """`oauth_login.views.login` → `views`, `oauth_login.flow` → `flow`."""
    return f"{name}.".split(".")[1]


def floor(name: str) -> int:
    return next(n for n, wings in enumerate(FLOORS) if wing(name) in wings)


def is_or_is_in(name: str, packages: set[str]) -> bool:
    return any(
        name == package or name.startswith(f"{package}.") for package in packages
    )


# --- the seven rules


def test_imports_go_down_never_up() -> None:
    without_floor = {wing(name) for name in modules()} - {"", KIT}.union(*FLOORS)
    assert not without_floor, "wings that have no floor yet"

    ours = {name: imports(path) & modules().keys() for name, path in modules().items()}
    upwards = [
        f"{name} imports {target}"
        for name, targets in ours.items()
        if wing(name) != KIT
        for target in sorted(targets)
        if wing(target) == KIT or wing(name) == "" or floor(target) > floor(name)
        if wing(name) != wing(target)
    ]
    to_django = [
        f"{name} imports {target}"
        for name, path in modules().items()
        if wing(name) in WITHOUT_DJANGO
        for target in sorted(imports(path))
        if is_or_is_in(target, {"django"})
    ]

    assert upwards + to_django == []


def test_the_init_of_a_wing_holds_a_docstring_only() -> None:
    filled = {
        name
        for name, path in modules().items()
        if path.name == "__init__.py" and any(map(_is_code, tree(path).body))
    }
    eager = [
        ast.unparse(node)
        for node in tree(APP / KIT / "__init__.py").body
        if isinstance(node, ast.ImportFrom)
        and is_or_is_in(node.module or "", {"oauth_login"})
    ]

    assert filled == FILLED_INITS.keys()
    assert eager == [], "imported on first use"


def test_no_circle_closes_even_for_a_type_checker() -> None:
    arrows = {
        name: {target for target in imports(path) if target in modules()} - {name}
        for name, path in modules().items()
    }
    while leaves := {name for name in arrows if not arrows[name] & arrows.keys()}:
        arrows = {name: to for name, to in arrows.items() if name not in leaves}

    # What is left is in a circle, or imports a module that is.
    assert {name: sorted(to & arrows.keys()) for name, to in arrows.items()} == {}


def test_the_public_names_can_be_imported() -> None:
    missing = [
        f"{module}.{name}"
        for module, names in PUBLIC_NAMES.items()
        for name in sorted(names)
        if not hasattr(import_module(module), name)
    ]
    different = {
        module: sorted(names ^ _defined_names(modules()[module]))
        for module, names in DEFINED_NAMES.items()
        if names != _defined_names(modules()[module])
    }

    assert missing == []
    assert different == {}


def test_only_the_provider_opens_sockets() -> None:
    assert [
        f"{name} imports {target}"
        for name, path in modules().items()
        if wing(name) not in SOCKET_WINGS
        for target in sorted(imports(path))
        if is_or_is_in(target, SOCKETS)
    ] == []


def test_our_setting_has_one_reader() -> None:
    assert [
        f"{name}:{node.lineno}"
        for name, path in modules().items()
        if wing(name) not in SETTINGS_READERS
        for node in ast.walk(tree(path))
        if (isinstance(node, ast.Attribute) and node.attr == "OAUTH_LOGIN")
        or (isinstance(node, ast.Constant) and node.value == "OAUTH_LOGIN")
    ] == []


def test_users_have_two_writers() -> None:
    writes = re.compile(
        r"user\.(?:save|delete|set_password|set_unusable_password)\("
        r"|user\.(?:groups|user_permissions)\.(?:add|remove|set|clear)\("
        r"|user\.is_(?:staff|superuser|active) = "
        r"|\bcreate_(?:super)?user\("
    )

    assert [
        f"{name}: {write}"
        for name, path in modules().items()
        if wing(name) not in USER_WRITERS
        for write in writes.findall(source(path))
    ] == []


# --- sizes, and what stays pure


def test_the_app_can_be_taken_in_at_a_glance() -> None:
    entries = {path for path in APP.iterdir() if path.name != "__pycache__"}

    assert len(entries) <= 40
    assert len({path for path in entries if path.suffix == ".py"}) <= 16


def test_no_file_grows_past_one_reading() -> None:
    lengths = {name: len(source(path).splitlines()) for name, path in modules().items()}

    assert {name: lines for name, lines in lengths.items() if lines > 320} == {}


def test_the_rules_of_the_standards_have_no_clock_and_no_files() -> None:
    assert [
        f"{name} imports {target}"
        for name, path in modules().items()
        if wing(name) == "protocol"
        for target in sorted(imports(path))
        if is_or_is_in(target, IMPURE)
    ] == []


# --- error codes and check ids are public: documented, and used


def test_check_ids_are_unique_and_documented() -> None:
    defined = {
        check_id
        for name, path in modules().items()
        if wing(name) in SETTINGS_READERS or name.endswith(".checks")
        for check_id in re.findall(r'"(?:oauth_login\.)?([EW]\d{3})"', source(path))
    }
    documented = re.findall(
        r"^\| `oauth_login\.([EW]\d{3})`", (ROOT / "docs/checks.md").read_text(), re.M
    )

    assert sorted(documented) == sorted(set(documented))
    assert defined == set(documented)


def test_every_error_code_is_documented_with_its_meaning() -> None:
    documented = dict(
        re.findall(
            r"^\| `([a-z_.]+)` \| (.*?) \|", (ROOT / "docs/errors.md").read_text(), re.M
        )
    )

    assert documented == CODES


def test_no_error_is_raised_with_an_unknown_code() -> None:
    classes = DEFINED_NAMES["oauth_login.errors"] - {"CODES"}

    assert [
        f"{name}: {node.args[0].value!r}"
        for name, path in modules().items()
        if wing(name) != KIT
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id in classes
        and node.args
        and isinstance(node.args[0], ast.Constant)
        and node.args[0].value not in CODES
    ] == []


def test_every_code_is_raised_somewhere() -> None:
    """A code that nothing raises is a promise in the documentation only."""
    text = "\n".join(
        source(path)
        for name, path in modules().items()
        if wing(name) not in ("errors", KIT)
    )
    # f"{document}.status" raises four codes.
    written = re.findall(r'f?"([a-z_{}.]+)"', text)
    patterns = {re.sub(r"\{[a-z]+\}", "[a-z_]+", w) for w in written if "." in w}
    for_hooks = {"account.refused"}
    unused = {
        code
        for code in CODES.keys() - for_hooks
        if not any(re.fullmatch(pattern, code) for pattern in patterns)
    }

    assert not unused


def _is_code(node: ast.stmt) -> bool:
    """Neither a docstring nor the future import."""
    is_docstring = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    is_future = isinstance(node, ast.ImportFrom) and node.module == "__future__"
    return not (is_docstring or is_future)


def _defined_names(path: Path) -> set[str]:
    names: set[str] = set()
    for node in tree(path).body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef):
            names.add(node.name)
        elif isinstance(node, ast.Assign):
            names.update(t.id for t in node.targets if isinstance(t, ast.Name))
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            names.add(node.target.id)
    return {n for n in names if not n.startswith("_") or n == "__version__"} - {
        "logger"
    }
