"""Groups that had no room in the token: fetched, or unknown."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import nullcontext
from typing import Any

import pytest
import time_machine
from django.contrib.auth import get_user_model
from django.core.checks import run_checks
from django.test import Client
from pytest_django import Settings

from oauth_login.contrib import entra
from oauth_login.errors import LoginRefused
from oauth_login.models import GrantedRight
from oauth_login.policy.rules import GroupsRule, RuleSet, decide
from oauth_login.protocol.http import ProviderRequest, ProviderResponse
from oauth_login.provider.group_overage import MAX_REQUESTS, Get, Overage, Resolver
from oauth_login.testing import FakeProvider

GRAPH = "https://graph.microsoft.com/v1.0/"
# As Entra ID writes it: the endpoint is never followed (T50).
CLAIMS: dict[str, Any] = {
    "sub": "s",
    "_claim_names": {"groups": "src1"},
    "_claim_sources": {"src1": {"endpoint": "https://evil.example/groups"}},
}


class Graph:
    """Pages of memberships, 100 on each, at the addresses of Microsoft Graph."""

    def __init__(self, groups: int, **last: Any) -> None:
        self.asked: list[ProviderRequest] = []
        kinds = ("group", "directoryRole")
        self._members = [
            {"@odata.type": f"#microsoft.graph.{kind}", "id": f"{kind}-{number}"}
            for number in range(groups)
            for kind in kinds
        ]
        self._last = last

    def send(self, request: ProviderRequest) -> ProviderResponse:
        self.asked.append(request)
        page = len(self.asked) - 1
        document: dict[str, Any] = {"value": self._members[page * 200 :][:200]}
        if len(self._members) > (page + 1) * 200:
            document["@odata.nextLink"] = f"{GRAPH}me/next?{page + 1}"
        else:
            document |= self._last
        return answer(document)


def answer(document: object, status: int = 200) -> ProviderResponse:
    body = json.dumps(document).encode()
    return ProviderResponse(status, {"content-type": "application/json"}, body)


def resolved(
    send: Any,
    resolver: Resolver = entra.groups,
    *,
    claims: Mapping[str, Any] = CLAIMS,
    wanted: frozenset[str] | None = None,
) -> object:
    overage = Overage("groups", lambda: resolver, wanted)
    return overage.resolved(claims, access_token="a-token", send=send).get("groups")


def test_all_pages_are_read() -> None:
    # pains 39
    graph = Graph(250)
    groups = resolved(graph.send)
    assert isinstance(groups, list)
    assert set(groups) == {f"group-{number}" for number in range(250)}
    assert [r.url for r in graph.asked] == [
        entra.FIRST_PAGE,
        f"{GRAPH}me/next?1",
        f"{GRAPH}me/next?2",
    ]
    assert all(r.headers["Authorization"] == "Bearer a-token" for r in graph.asked)


def test_of_thousands_those_count_that_a_rule_asks_for() -> None:
    wanted = frozenset({"group-0", "group-1999", "none"})
    assert resolved(Graph(2000).send, wanted=wanted) == ["group-0", "group-1999"]


@pytest.mark.parametrize(("number", "refused"), [(1_000, False), (1_001, True)])
def test_there_is_an_end_to_how_many_can_be_mirrored(
    number: int, refused: bool
) -> None:
    # T144: all of them are fetched; the rules refuse them.
    groups: Any = resolved(Graph(number).send)
    assert len(groups) == number
    rules = RuleSet(groups=GroupsRule("groups", {}, "mirror"))
    with pytest.raises(LoginRefused) if refused else nullcontext():
        decide(rules, {"groups": groups})


def test_nobody_asks_when_the_token_has_the_groups() -> None:
    graph = Graph(1)
    assert resolved(graph.send, claims={"groups": ["g"]}) == ["g"]
    assert resolved(graph.send, claims={"sub": "s"}) is None  # absent: none
    assert graph.asked == []


@pytest.mark.parametrize(
    "link",
    [
        # T49, T50: the token goes to one host
        "https://evil.example/next",
        "https://graph.microsoft.com:444/next",
        "https://graph.microsoft.com@evil.example/next",
        "http://graph.microsoft.com/next",
        "/next",
    ],
)
def test_the_next_page_is_on_the_same_host(
    link: str, caplog: pytest.LogCaptureFixture
) -> None:
    graph = Graph(5, **{"@odata.nextLink": link})
    assert resolved(graph.send) is None
    assert len(graph.asked) == 1
    assert "discovery.insecure_endpoint" in caplog.text
    assert "a-token" not in caplog.text


def test_the_first_page_is_https_too() -> None:
    graph = Graph(1)
    assert (
        resolved(graph.send, lambda get, claims: get("http://a.example")["v"]) is None
    )
    assert graph.asked == []


def test_pages_without_end_have_one() -> None:
    graph = Graph(1, **{"@odata.nextLink": f"{GRAPH}me/next"})
    assert resolved(graph.send) is None
    assert len(graph.asked) == MAX_REQUESTS


def test_so_has_patience() -> None:
    with time_machine.travel(1_900_000_000, tick=False) as clock:

        def slow(request: ProviderRequest) -> ProviderResponse:
            clock.shift(8)
            return answer({"value": [], "@odata.nextLink": f"{GRAPH}me/next"})

        assert resolved(slow) is None


@pytest.mark.parametrize(
    "response",
    [
        answer({}, status=403),
        answer({}, status=503),
        answer([]),
        answer({"error": {"code": "denied"}}),
        answer({"value": None}),
        answer({"value": [{"@odata.type": entra.GROUP}]}),
        ProviderResponse(200, {"content-type": "text/html"}, b"{}"),
        ProviderResponse(200, {"content-type": "application/json"}, b"{"),
    ],
    ids=lambda response: f"{response.status} {response.body[:30]!r}",
)
def test_a_failure_leaves_the_groups_unknown(
    response: ProviderResponse, caplog: pytest.LogCaptureFixture
) -> None:
    # T98; pains 10, 39
    assert resolved(lambda request: response) is None
    assert "could not be fetched" in caplog.text
    assert "denied" not in caplog.text


# --- in a login

RESOLVER = "tests.provider.test_group_overage.by_userinfo"


def by_userinfo(get: Get, claims: Mapping[str, Any]) -> list[str]:
    return list(get("https://id.example.com/userinfo")["all_groups"])


def broken(get: Get, claims: Mapping[str, Any]) -> list[str]:
    raise RuntimeError("secret detail")


def site(settings: Settings, overage: str | None) -> None:
    groups = {"CLAIM": "groups", "MAP": {"staff": "Staff"}, "OVERAGE": overage}
    entry = settings.OAUTH_LOGIN["PROVIDERS"]["corp"]
    entry = {**entry, "USERINFO": "never", "GROUPS": groups}
    settings.OAUTH_LOGIN = {"PROVIDERS": {"corp": entry}}


@pytest.mark.django_db
def test_whoever_has_too_many_groups_gets_their_rights(
    oauth_provider: FakeProvider, oauth_log_in: Any, settings: Settings
) -> None:
    # pains 39
    site(settings, RESOLVER)
    hidden = {"groups": None, "all_groups": ["others", "staff"]}
    claims = {**hidden, "_claim_names": {"groups": "src1"}}
    oauth_log_in(Client(), claims=claims)
    user = get_user_model().objects.get()
    assert [group.name for group in user.groups.all()] == ["Staff"]
    assert oauth_provider.requests["userinfo"] == 1


@pytest.mark.django_db
@pytest.mark.parametrize("overage", [None, "tests.provider.test_group_overage.broken"])
def test_without_them_rights_stay(
    oauth_provider: FakeProvider,
    oauth_log_in: Any,
    settings: Settings,
    overage: str | None,
    caplog: pytest.LogCaptureFixture,
) -> None:
    # T98; pains 10
    site(settings, overage)
    oauth_log_in(Client())
    oauth_log_in(Client(), claims={"groups": None, "_claim_names": {"groups": "src1"}})
    assert GrantedRight.objects.get().group == "Staff"
    assert "rights stay as they are" in caplog.text
    assert "secret detail" not in caplog.text


def test_a_function_that_is_not_there_is_said(settings: Settings) -> None:
    site(settings, "nowhere.at_all")
    assert {m.id for m in run_checks(tags=["oauth_login"])} == {"oauth_login.E021"}
