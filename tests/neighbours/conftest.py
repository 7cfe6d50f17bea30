"""Every neighbour's walk is made once, two at a time; each cell is a test."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from oauth_login.testing import FakeProvider, serve
from tests.neighbours.table import neighbours
from tests.neighbours.walks import Seen, walk

AT_ONCE = 2


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--big", action="store_true", help="themes of the admin, and pretix, too"
    )


def pytest_collection_modifyitems(
    config: pytest.Config, items: list[pytest.Item]
) -> None:
    if config.getoption("--big"):
        return
    big = {neighbour.name for neighbour in neighbours() if neighbour.big}
    left_out = [item for item in items if _neighbour(item) in big]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if item not in left_out]


def _neighbour(item: pytest.Item) -> object:
    callspec = getattr(item, "callspec", None)
    return callspec and callspec.params.get("neighbour")


@pytest.fixture(scope="session")
def walks(request: pytest.FixtureRequest) -> Iterator[dict[str, Future[Seen]]]:
    """The walk of each neighbour that a test was chosen of."""
    chosen = {
        _neighbour(item)
        for item in request.session.items
        if not any(item.iter_markers("skip"))
    }
    with (
        serve(FakeProvider(asks_who=True)) as provider,
        ThreadPoolExecutor(AT_ONCE) as pool,
    ):
        yield {
            neighbour.name: pool.submit(walk, neighbour, provider)
            for neighbour in neighbours()
            if neighbour.name in chosen
        }
        pool.shutdown(cancel_futures=True)
