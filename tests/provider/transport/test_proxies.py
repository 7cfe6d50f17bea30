"""Proxies: those of the settings, and none that the environment names."""

from __future__ import annotations

import base64
import time
from pathlib import Path

import pytest

from oauth_login.errors import InvalidProviderResponse, ProviderUnavailable
from tests.provider.transport.certificates import Authority, server_context
from tests.provider.transport.proxies import proxying
from tests.provider.transport.servers import (
    answer,
    get,
    post,
    saying,
    serving,
    transport,
)

VARIABLES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


@pytest.mark.parametrize("make", [str.upper, str.lower])
def test_the_environment_names_no_proxy(
    monkeypatch: pytest.MonkeyPatch, make: type[str], authority: Authority
) -> None:
    # T46
    tls = server_context(authority.issue("localhost"))
    with (
        serving(lambda h, s: answer(h)) as server,
        serving(lambda h, s: answer(h), tls=tls, name="localhost") as secure,
        proxying() as proxy,
    ):
        for name in VARIABLES:
            monkeypatch.setenv(make(name), proxy.url)
        assert transport().send(get(server.url)).status == 200
        trusting = transport(internal="localhost", ca_bundle=str(authority.path))
        assert trusting.send(post(secure.url)).status == 200
        assert proxy.connections == 0


def test_the_proxy_of_the_settings_is_used_whatever_the_environment_excepts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("NO_PROXY", "*")
    monkeypatch.setenv("no_proxy", "127.0.0.1,localhost")
    with serving(lambda h, s: answer(h, b'{"a": 1}')) as server, proxying() as proxy:
        ours = transport(proxies={"http": proxy.url})
        assert ours.send(post(server.url + "/token")).body == b'{"a": 1}'
        (asked,) = proxy.seen
        assert asked.path == server.url + "/token"
        assert server.seen[0].body == b"code=c"


def test_tls_goes_through_the_proxy_and_is_verified_behind_it(
    authority: Authority,
) -> None:
    # T44
    tls = server_context(authority.issue("localhost"))
    with (
        serving(
            lambda h, s: answer(h, b'{"a": 1}'), tls=tls, name="localhost"
        ) as server,
        proxying() as proxy,
    ):
        options = {"internal": "localhost", "proxies": {"https": proxy.url}}
        trusting = transport(ca_bundle=str(authority.path), **options)
        assert trusting.send(post(server.url)).body == b'{"a": 1}'
        # The proxy sees where it goes, and nothing of what.
        (asked,) = proxy.seen
        assert (asked.command, asked.path) == ("CONNECT", f"localhost:{server.port}")
        assert "Authorization" not in asked.headers
        with pytest.raises(ProviderUnavailable) as caught:
            transport(**options).send(post(server.url))
        assert caught.value.code == "transport.tls"
        assert len(server.seen) == 1


def test_our_certificate_is_shown_behind_the_proxy(authority: Authority) -> None:
    paths = tuple(map(str, authority.issue("site")))
    tls = server_context(authority.issue("localhost"), clients_of=authority)
    with (
        serving(lambda h, s: answer(h), tls=tls, name="localhost") as server,
        proxying() as proxy,
    ):
        ours = transport(
            internal="localhost",
            proxies={"https": proxy.url},
            ca_bundle=str(authority.path),
            client_cert=paths,
        )
        assert ours.send(post(server.url)).status == 200
        assert server.seen[0].peer["subject"] == ((("commonName", "site"),),)


def test_a_proxy_gets_its_own_password_and_nobody_else_does(
    authority: Authority,
) -> None:
    # T43
    expected = "Basic " + base64.b64encode(b"us:canary").decode()
    tls = server_context(authority.issue("localhost"))
    with (
        serving(lambda h, s: answer(h), tls=tls, name="localhost") as server,
        proxying(user=expected) as proxy,
    ):
        url = proxy.url.replace("http://", "http://us:canary@")
        ours = transport(
            internal="localhost",
            proxies={"https": url},
            ca_bundle=str(authority.path),
        )
        assert ours.send(post(server.url)).status == 200
        assert "Proxy-Authorization" not in server.seen[0].headers
        wrong = transport(internal="localhost", proxies={"https": proxy.url})
        with pytest.raises(ProviderUnavailable) as caught:
            wrong.send(post(server.url))
        assert caught.value.code == "transport.connection"


def test_a_proxy_that_is_down_is_said_so_without_its_password() -> None:
    # T122
    ours = transport(proxies={"http": "http://us:canary@127.0.0.1:1"})
    with pytest.raises(ProviderUnavailable) as caught:
        ours.send(get("http://127.0.0.1:2/"))
    assert caught.value.code == "transport.connection"
    assert "canary" not in repr(caught.value.detail)


def test_what_goes_past_the_proxy_is_judged_as_without_one() -> None:
    # T49: a proxy for https says nothing of http
    with serving(lambda h, s: answer(h)) as server, proxying() as proxy:
        ours = transport(internal="1.1.1.1", proxies={"https": proxy.url})
        with pytest.raises(InvalidProviderResponse) as caught:
            ours.send(get(server.url))
        assert caught.value.code == "discovery.internal_host"
        assert server.connections == 0


def test_a_proxy_that_drips_is_cut_off(authority: Authority) -> None:
    # T51
    from tests.provider.transport.test_bodies import slowly

    drip = slowly(b"HTTP/1.1 200 OK\r\nX: ", b"a")
    with serving(drip) as proxy:
        ours = transport(proxies={"https": proxy.url}, total_timeout=0.3)
        started = time.monotonic()
        with pytest.raises(ProviderUnavailable) as caught:
            ours.send(get("https://127.0.0.1:1/"))
        assert time.monotonic() - started < 4
        assert caught.value.code == "transport.timeout"


@pytest.mark.parametrize(
    "said", [b"", b"HTTP/1.1 502 Bad Gateway\r\n\r\n", b"rubbish\r\n\r\n"]
)
def test_a_proxy_that_does_not_connect_is_a_broken_connection(said: bytes) -> None:
    with saying(said) as proxy:
        with pytest.raises(ProviderUnavailable) as caught:
            transport(proxies={"https": proxy.url}).send(get("https://127.0.0.1:1/"))
        assert caught.value.code == "transport.connection"
