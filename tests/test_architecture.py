"""The arrows of docs/architecture.md, read from the imports themselves."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from oauth_login.errors import CODES

ROOT = Path(__file__).parent.parent
APP = ROOT / "oauth_login"

# The floors of the house, lowest first. A room imports from floors below its
# own, and from its neighbours on the same floor as long as no circle closes.
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
# The test kit stands beside the house: it may use any of it, none of it the kit.
KIT = "testing"

NO_DJANGO = set().union(*FLOORS[:5])
SETTINGS_READERS = {"conf", "checks"}
USER_WRITERS = {"accounts", "rights"}

PUBLIC_NAMES = {
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


def modules() -> list[Path]:
    return [
        path
        for path in sorted(APP.rglob("*.py"))
        if "migrations" not in path.relative_to(APP).parts
    ]


def room_of(path: Path) -> str:
    """`views/login.py` → `views`, `flow.py` → `flow`, `__init__.py` → ``."""
    first = path.relative_to(APP).parts[0]
    return "" if first == "__init__.py" else first.removesuffix(".py")


def dotted(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports_of(path: Path, *, at_run_time: bool = False) -> Iterator[str]:
    """Every module that `path` imports; for `from a import b` also `a.b`."""
    for node in ast.walk(_without_type_checking(path) if at_run_time else _tree(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def rooms_imported_by(path: Path) -> set[str]:
    rooms = {
        name.split(".")[1]
        for name in imports_of(path)
        if name.startswith("oauth_login.")
    }
    return rooms - {"__version__"}


def test_every_room_has_a_floor() -> None:
    known = {"", KIT, *set().union(*FLOORS)}

    assert {room_of(path) for path in modules()} <= known


@pytest.mark.parametrize("path", modules(), ids=dotted)
def test_imports_go_down_never_up(path: Path) -> None:
    room = room_of(path)
    if room in ("", KIT):
        allowed = set().union(*FLOORS, {KIT}) if room == KIT else set()
    else:
        floor = next(i for i, rooms in enumerate(FLOORS) if room in rooms)
        allowed = set().union(*FLOORS[: floor + 1])

    assert rooms_imported_by(path) <= allowed


def test_no_circle_closes() -> None:
    names = {dotted(path) for path in modules()}
    arrows = {
        dotted(path): {
            name
            for name in imports_of(path, at_run_time=True)
            if name in names and name != dotted(path)
        }
        for path in modules()
    }
    while arrows:
        leaves = {
            name for name, targets in arrows.items() if not targets & arrows.keys()
        }
        assert leaves, f"a circle among {sorted(arrows)}"
        arrows = {name: to for name, to in arrows.items() if name not in leaves}


@pytest.mark.parametrize("path", modules(), ids=dotted)
def test_django_stays_above_its_line(path: Path) -> None:
    if room_of(path) in NO_DJANGO:
        assert not {n for n in imports_of(path) if n.split(".")[0] == "django"}


@pytest.mark.parametrize("path", modules(), ids=dotted)
def test_there_is_a_single_socket(path: Path) -> None:
    # The kit answers requests; it may name the libraries that make them.
    if room_of(path) not in ("provider", KIT):
        sockets = {"requests", "urllib3", "http", "socket", "urllib.request"}
        assert not {n for n in imports_of(path) if n.split(".")[0] in sockets}


@pytest.mark.parametrize("path", modules(), ids=dotted)
def test_protocol_has_no_clock_and_no_files(path: Path) -> None:
    if room_of(path) == "protocol":
        forbidden = {"time", "datetime", "os", "pathlib", "logging", "threading"}
        assert not forbidden & set(imports_of(path))


@pytest.mark.parametrize("path", modules(), ids=dotted)
def test_our_settings_have_a_single_reader(path: Path) -> None:
    if room_of(path) in SETTINGS_READERS or room_of(path) == KIT:
        return
    ours = [
        node
        for node in ast.walk(_tree(path))
        if (isinstance(node, ast.Attribute) and node.attr == "OAUTH_LOGIN")
        or (isinstance(node, ast.Constant) and node.value == "OAUTH_LOGIN")
    ]

    assert not ours


@pytest.mark.parametrize("path", modules(), ids=dotted)
def test_users_have_two_writers(path: Path) -> None:
    if room_of(path) in {*USER_WRITERS, KIT}:
        return
    writes = re.compile(
        r"user\.(save|delete|set_password|set_unusable_password)\("
        r"|user\.(groups|user_permissions)\.(add|remove|set|clear)\("
        r"|user\.is_(staff|superuser|active) = "
        r"|\bcreate_(super)?user\("
    )

    assert not writes.findall(path.read_text())


@pytest.mark.parametrize(("module", "names"), PUBLIC_NAMES.items())
def test_public_names_are_these(module: str, names: set[str]) -> None:
    path = ROOT / Path(*module.split("."))
    path = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")

    assert _defined_names(path) == names


def test_check_ids_are_unique_and_documented() -> None:
    text = "\n".join(
        path.read_text() for path in modules() if room_of(path) in SETTINGS_READERS
    )
    defined = re.findall(r'"(?:oauth_login\.)?([EW]\d{3})"', text)
    documented = re.findall(
        r"^\| `oauth_login\.([EW]\d{3})`", (ROOT / "docs/checks.md").read_text(), re.M
    )

    assert sorted(documented) == sorted(set(documented))
    assert set(defined) == set(documented)


def test_every_error_code_is_documented_with_its_meaning() -> None:
    documented = dict(
        re.findall(
            r"^\| `([a-z_.]+)` \| (.*?) \|", (ROOT / "docs/errors.md").read_text(), re.M
        )
    )

    assert documented == CODES


@pytest.mark.parametrize("path", modules(), ids=dotted)
def test_no_error_is_raised_with_an_unknown_code(path: Path) -> None:
    if room_of(path) == KIT:
        return
    classes = PUBLIC_NAMES["oauth_login.errors"] - {"CODES"}
    raised = {
        node.args[0].value
        for node in ast.walk(_tree(path))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id in classes
        and node.args
        and isinstance(node.args[0], ast.Constant)
    }

    assert raised <= CODES.keys()


def test_every_code_is_raised_somewhere() -> None:
    """A code that nothing raises is a promise in the documentation only."""
    text = "\n".join(
        path.read_text() for path in modules() if room_of(path) not in ("errors", KIT)
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


def test_no_file_grows_past_one_reading() -> None:
    long = {
        dotted(path): lines
        for path in modules()
        if (lines := len(path.read_text().splitlines())) > 320
    }

    assert not long


def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


def _without_type_checking(path: Path) -> ast.Module:
    """The module as it runs: what only a type checker imports closes no circle."""

    class Drop(ast.NodeTransformer):
        def visit_If(self, node: ast.If) -> ast.AST:
            name = getattr(node.test, "id", getattr(node.test, "attr", ""))
            return ast.Pass() if name == "TYPE_CHECKING" else self.generic_visit(node)

    return Drop().visit(_tree(path))


def _defined_names(path: Path) -> set[str]:
    names: set[str] = set()
    for node in _tree(path).body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef):
            names.add(node.name)
        elif isinstance(node, ast.Assign):
            names.update(t.id for t in node.targets if isinstance(t, ast.Name))
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            names.add(node.target.id)
    return {n for n in names if not n.startswith("_") or n == "__version__"} - {
        "logger"
    }
