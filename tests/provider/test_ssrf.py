"""Where a provider may send us: never inside, unless it is there itself (T49)."""

from __future__ import annotations

import socket
from typing import Any

import pytest

from oauth_login.conf import get_config
from oauth_login.errors import InvalidProviderResponse, ProviderUnavailable
from oauth_login.flow import finish_login, start_login
from oauth_login.protocol.http import ProviderRequest, ProviderResponse
from oauth_login.protocol.urls import is_allowed_url
from oauth_login.provider.ssrf import Zone, zone_of
from oauth_login.provider.transport import RequestsTransport
from oauth_login.registry import internal_hosts
from oauth_login.testing import FakeProvider
from tests.provider.test_provider import NOW, Direct, provider_for
from tests.provider.transport.servers import answer, get, serving, transport

PUBLIC = "1.1.1.1"  # an address needs no resolver, and nothing is sent there

# Each of these is this machine to the resolver.
DISGUISED = [
    "127.0.0.1",
    "127.1",
    "127.0.1",
    "0x7f.1",
    "0x7f000001",
    "2130706433",
    "017700000001",
    "0177.0.0.1",
    "localhost",
    "LOCALHOST",
]
# What these are depends on the resolver: this machine, or nothing.
WITH_A_DOT = ["127.0.0.1.", "localhost."]
# These are not for the resolver: they are no host names.
NO_HOSTS = [
    "①②⑦.⓪.⓪.①",
    "１２７.0.0.1",
    "127。0。0。1",
    "ｌｏｃａｌｈｏｓｔ",
    "%6cocalhost",
    "127%2e0%2e0%2e1",
    "localhost%00.example.com",
    "loc\talhost",
    "[fe80::1%25lo]",
    "[fe80::1%lo]",
    "[::1%lo]",
]
OTHER = [
    "[::1]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[0:0:0:0:0:ffff:127.0.0.1]",
    "[::127.0.0.1]",
    "[64:ff9b::7f00:1]",
    "[2002:7f00:1::]",
    "[::]",
    "0.0.0.0",  # noqa: S104 - an address to refuse
    "0",
    "169.254.169.254",
    "[::ffff:169.254.169.254]",
    "[fe80::1]",
    "[fd00:ec2::254]",
    "10.0.0.1",
    "192.168.1.1",
    "172.16.0.1",
    "100.100.100.200",
    "224.0.0.1",
    "255.255.255.255",
    "240.0.0.1",
]


@pytest.mark.parametrize(
    ("address", "zone"),
    [
        ("127.0.0.1", Zone.MACHINE),
        ("127.255.255.254", Zone.MACHINE),
        ("::1", Zone.MACHINE),
        ("::ffff:127.0.0.1", Zone.MACHINE),
        ("64:ff9b::7f00:1", Zone.MACHINE),
        ("2002:7f00:1::", Zone.MACHINE),
        ("10.0.0.1", Zone.NETWORK),
        ("172.16.0.1", Zone.NETWORK),
        ("172.32.0.1", Zone.INTERNET),
        ("192.168.0.1", Zone.NETWORK),
        ("100.64.0.1", Zone.NETWORK),
        ("fd00::1", Zone.NETWORK),
        ("fec0::1", Zone.NETWORK),  # T179: RFC 3879
        ("198.18.0.1", Zone.NETWORK),
        ("240.0.0.1", Zone.NETWORK),  # T146: service meshes hand it out
        ("255.255.255.254", Zone.NETWORK),
        ("64:ff9b:1::a00:1", Zone.NETWORK),
        ("64:ff9b:1::7f00:1", Zone.MACHINE),
        ("::7f00:1", Zone.MACHINE),
        ("::a00:1", Zone.NETWORK),
        # The clouds' metadata addresses (T146).
        ("168.63.129.16", Zone.NOWHERE),
        ("168.63.129.17", Zone.INTERNET),
        ("100.100.100.200", Zone.NOWHERE),
        ("100.100.100.201", Zone.NETWORK),
        ("192.0.0.192", Zone.NOWHERE),
        ("::ffff:192.0.0.192", Zone.NOWHERE),
        ("64:ff9b::a83f:8110", Zone.NOWHERE),
        ("fd00:ec2::254", Zone.NOWHERE),
        ("fd00:ec3::254", Zone.NETWORK),
        ("fd20:ce::254", Zone.NOWHERE),
        ("fd20:ce::253", Zone.NETWORK),
        ("0.1.2.3", Zone.NOWHERE),
        ("1.0.0.1", Zone.INTERNET),
        ("64:ff9b::a00:1", Zone.NETWORK),
        ("169.254.169.254", Zone.NOWHERE),
        ("::ffff:169.254.169.254", Zone.NOWHERE),
        ("fe80::1%eth0", Zone.NOWHERE),
        ("0.0.0.0", Zone.NOWHERE),  # noqa: S104 - an address to refuse
        ("::", Zone.NOWHERE),
        ("224.0.0.1", Zone.NOWHERE),
        ("ff02::1", Zone.NOWHERE),
        ("255.255.255.255", Zone.NOWHERE),
        ("1.1.1.1", Zone.INTERNET),
        ("2606:4700::1", Zone.INTERNET),
        ("64:ff9b::101:101", Zone.INTERNET),
    ],
)
def test_every_address_has_its_zone(address: str, zone: Zone) -> None:
    # T49
    assert zone_of(address) is zone


@pytest.mark.parametrize("host", DISGUISED)
def test_this_machine_is_found_behind_every_spelling(host: str) -> None:
    # T49
    with serving(lambda h, s: answer(h)) as server:
        with pytest.raises(InvalidProviderResponse) as caught:
            transport(internal=PUBLIC).send(get(f"http://{host}:{server.port}/"))
        assert caught.value.code == "discovery.internal_host"
        assert server.connections == 0


@pytest.mark.parametrize("host", WITH_A_DOT)
def test_a_dot_at_the_end_hides_nothing(host: str) -> None:
    # T49
    with serving(lambda h, s: answer(h)) as server:
        with pytest.raises((InvalidProviderResponse, ProviderUnavailable)):
            transport(internal=PUBLIC).send(get(f"http://{host}:{server.port}/"))
        assert server.connections == 0


@pytest.mark.parametrize("host", OTHER)
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_no_address_inside_is_connected_to(host: str, scheme: str) -> None:
    # T49
    with pytest.raises(InvalidProviderResponse) as caught:
        transport(internal=PUBLIC, total_timeout=2).send(get(f"{scheme}://{host}/"))
    assert caught.value.code in {
        "discovery.internal_host",
        "discovery.forbidden_address",
    }


def test_ipv6_is_looked_at_too() -> None:
    # T49
    with serving(lambda h, s: answer(h), host="::1", name="[::1]") as server:
        with pytest.raises(InvalidProviderResponse):
            transport(internal=PUBLIC).send(get(server.url))
        assert server.connections == 0
        assert transport(internal="::1").send(get(server.url)).status == 200


def test_a_host_and_port_that_the_settings_name_may_be_inside() -> None:
    # T146
    with serving(lambda h, s: answer(h)) as server:
        named = {("127.0.0.1", server.port)}
        ours = RequestsTransport(internal_hosts=named)
        assert ours.send(get(server.url)).status == 200
        for other in (
            {("127.0.0.1", server.port + 1)},
            {("localhost", server.port)},
            {("127.0.0.2", server.port)},
            set(),
        ):
            with pytest.raises(InvalidProviderResponse) as caught:
                RequestsTransport(internal_hosts=other).send(get(server.url))
            assert caught.value.code == "discovery.internal_host"
        assert server.connections == 1


@pytest.mark.parametrize(
    ("addresses", "code"),
    [
        (["127.0.0.1"], "discovery.internal_host"),
        (["93.184.215.14", "127.0.0.1"], "discovery.internal_host"),
        (["10.20.0.5"], "discovery.internal_host"),
        (["100.64.3.9"], "discovery.internal_host"),
        (["169.254.169.254"], "discovery.forbidden_address"),
        (["93.184.215.14", "169.254.169.254"], "discovery.forbidden_address"),
        (["fd00:ec2::254"], "discovery.forbidden_address"),
    ],
)
def test_what_a_name_resolves_to_permits_nothing(
    monkeypatch: pytest.MonkeyPatch, addresses: list[str], code: str
) -> None:
    # T146: the owner of a name may answer with any addresses.
    def resolve(host: str, port: int, *args: Any, **options: Any) -> list[Any]:
        return [(0, 0, 0, "", (address, port)) for address in addresses]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    with pytest.raises(InvalidProviderResponse) as caught:
        RequestsTransport().send(get("https://idp.evil.example/jwks"))
    assert caught.value.code == code
    # A host that the settings name may be inside, and nowhere else.
    named = RequestsTransport(
        internal_hosts={("idp.evil.example", 443)}, total_timeout=0.2
    )
    if code == "discovery.forbidden_address":
        with pytest.raises(InvalidProviderResponse) as caught:
            named.send(get("https://idp.evil.example/jwks"))
        assert caught.value.code == code
    else:
        with pytest.raises(ProviderUnavailable):
            named.send(get("https://idp.evil.example/jwks"))


@pytest.mark.parametrize("host", [*NO_HOSTS, *DISGUISED, *OTHER])
def test_a_disguise_in_metadata_ends_the_login_before_anything_is_sent(
    host: str,
) -> None:
    # T43, T49
    with serving(lambda h, s: answer(h)) as listener:
        fake = FakeProvider(f"https://{PUBLIC}", now=lambda: NOW)
        token_endpoint = f"https://{host}:{listener.port}/token"
        fake._endpoints["token_endpoint"] = token_endpoint
        provider = provider_for(fake, transport=Elsewhere(fake))
        with pytest.raises(InvalidProviderResponse) as caught:
            log_in(provider, fake)
        assert caught.value.code.startswith("discovery.")
        assert listener.connections == 0
    in_text = not is_allowed_url(token_endpoint, allow_http_loopback=True)
    assert in_text is (host in NO_HOSTS)


@pytest.mark.parametrize(
    ("endpoint", "url"),
    [
        ("jwks_uri", "https://{host}/jwks"),
        ("userinfo_endpoint", "https://{host}/userinfo"),
        ("token_endpoint", "http://{host}/token"),
        ("token_endpoint", "https://someone@{host}/token"),
        ("token_endpoint", "https://id.example.com@{host}/token"),
        ("token_endpoint", "https://id.example.com\\@{host}/token"),
        ("token_endpoint", "https://{host}/token#fragment"),
        ("token_endpoint", "https://{host}/token#"),
        ("token_endpoint", "https://{host}\\token"),
        ("token_endpoint", "https:\\\\{host}/token"),
        ("token_endpoint", "https://{host}/to\tken"),
        ("token_endpoint", " https://{host}/token"),
        ("token_endpoint", "https://{host}/token\r\nX: y"),
        ("token_endpoint", "ftp://{host}/token"),
        ("token_endpoint", "file:///etc/passwd"),
        ("token_endpoint", "gopher://{host}/token"),
        ("token_endpoint", "//{host}/token"),
        ("token_endpoint", "/token"),
        ("token_endpoint", "https:{host}/token"),
        ("token_endpoint", "https:///token"),
        ("token_endpoint", "https://1.1.1.1:0/token"),
        ("token_endpoint", "https://1.1.1.1:99999/token"),
        ("token_endpoint", "https://1.1.1.1:-1/token"),
        ("token_endpoint", "https://1.1.1.1:a/token"),
        ("token_endpoint", "https://[1.1.1.1/token"),
        ("token_endpoint", "https://[::1/token"),
        ("token_endpoint", "https://exämple.com/token"),
    ],
)
def test_an_endpoint_that_is_no_plain_url_outside_is_never_asked(
    endpoint: str, url: str
) -> None:
    # T43, T45, T49
    with serving(lambda h, s: answer(h)) as listener:
        fake = FakeProvider(f"https://{PUBLIC}", now=lambda: NOW, claims_in="userinfo")
        fake._endpoints[endpoint] = url.format(host=f"127.0.0.1:{listener.port}")
        provider = provider_for(fake, transport=Elsewhere(fake), userinfo="always")
        with pytest.raises(InvalidProviderResponse) as caught:
            log_in(provider, fake)
        inside = endpoint != "token_endpoint"
        assert caught.value.code == (
            "discovery.internal_host" if inside else "discovery.insecure_endpoint"
        )
        assert listener.connections == 0


class Elsewhere:
    """What is at the fake's own address it answers; the rest goes over the socket."""

    def __init__(self, fake: FakeProvider) -> None:
        self._fake, self._direct = fake, Direct(fake)
        self._socket = RequestsTransport(total_timeout=2)

    def send(self, request: ProviderRequest) -> ProviderResponse:
        is_its_own = request.url.startswith(f"{self._fake.issuer}/")
        return (self._direct if is_its_own else self._socket).send(request)


def log_in(provider: Any, fake: FakeProvider) -> None:
    from urllib.parse import parse_qsl, urlsplit

    attempt, url = start_login(
        provider,
        state="a-state",
        redirect_uri="https://app.example.com/cb",
        next="",
        started_by=None,
        now=NOW,
    )
    params = parse_qsl(urlsplit(fake.authorize(url)).query)
    finish_login(provider, attempt, params, now=NOW)


@pytest.mark.parametrize(
    ("host", "allowed"),
    [
        ("a" * 63 + ".example.com", True),
        ("a" * 64 + ".example.com", False),
        (".".join(["a" * 61] * 4) + ".aaaaa", True),  # 253 characters
        (".".join(["a" * 61] * 4) + ".aaaaaa", False),
        ("a" * 500_000, False),
        ("xn--exmple-cua.com", True),
        ("a_b.example.com", True),
        ("example.com.", True),
        ("a..example.com", False),
        (".example.com", False),
        ("example.com..", False),
        ("*.example.com", False),
        ("exa!mple.com", False),
        ("[2606:4700::1]", True),
        ("[v1.fe]", False),
    ],
)
def test_a_host_is_a_name_or_an_address(host: str, allowed: bool) -> None:
    # T45, T49
    url = f"https://{host}/token"
    assert is_allowed_url(url, allow_http_loopback=True) is allowed


def test_names_that_lead_nowhere_are_no_refusal() -> None:
    # Nothing is known of them: that is a provider that is down.
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        port = nobody.getsockname()[1]
        with pytest.raises(ProviderUnavailable) as caught:
            transport().send(get(f"http://127.0.0.1:{port}/"))
    assert caught.value.code == "transport.connection"


@pytest.mark.parametrize(
    ("entry", "hosts"),
    [
        ({}, {("id.example.com", 443)}),
        ({"ISSUER": "https://ID.example.com:8443/a"}, {("id.example.com", 8443)}),
        (
            {"DISCOVERY_URL": "https://meta.internal/x", "INTERNAL_HOSTS": ["A.b:1"]},
            {("id.example.com", 443), ("meta.internal", 443), ("a.b", 1)},
        ),
        (
            {"BACKEND_BASE_URL": "http://keycloak:8080"},
            {("id.example.com", 443), ("keycloak", 8080)},
        ),
        (
            {"BACKEND_BASE_URL": "http://keycloak", "INTERNAL_HOSTS": ["[fd00::1]"]},
            {("id.example.com", 443), ("keycloak", 80), ("fd00::1", 443)},
        ),
        (
            {"ENDPOINTS": {"userinfo_endpoint": "https://users.internal:444/me"}},
            {("id.example.com", 443), ("users.internal", 444)},
        ),
    ],
)
def test_the_settings_of_the_provider_name_what_may_be_inside(
    settings: Any, entry: dict[str, Any], hosts: set[tuple[str, int]]
) -> None:
    # T146
    base = {"ISSUER": "https://id.example.com", "CLIENT_ID": "a", "CLIENT_SECRET": "b"}
    settings.OAUTH_LOGIN = {"PROVIDERS": {"corp": {**base, **entry}}}
    assert internal_hosts(get_config().providers["corp"]) == hosts
