"""The provider for tests, reached over a socket, by the transport of the house."""

from __future__ import annotations

import http.client
import threading
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import requests
import responses

from oauth_login.errors import OAuthLoginError
from oauth_login.flow import VerifiedIdentity, finish_login, start_login
from oauth_login.protocol.client.keys import parse_client_key
from oauth_login.protocol.client.registration import Client
from oauth_login.protocol.discovery import MetadataSource
from oauth_login.provider.provider import Provider
from oauth_login.provider.transport import RequestsTransport
from oauth_login.testing import FakeProvider, answer_over_responses, serve
from oauth_login.testing.faults.catalogue import FAULTS
from tests.our_keys import EC_KEY
from tests.testing.test_faults import OF_ENCRYPTION


class NoCache:
    """Keeps nothing: each test of its own asks for everything."""

    def get(self, key: str) -> None:
        return None

    def set(self, key: str, value: str, timeout: int) -> None:
        pass

    def add(self, key: str, value: str, timeout: int) -> bool:
        return True


def log_in(fake: FakeProvider, *, timeout: float = 15, **client: Any) -> Any:
    """A login of alice, through the whole flow, as far as it goes."""
    provider = Provider(
        alias="corp",
        source=MetadataSource(issuer=fake.issuer, allow_http_loopback=True),
        client=Client(
            client_id=fake.client_id, client_secret=fake.client_secret, **client
        ),
        transport=RequestsTransport(
            internal_hosts={("127.0.0.1", urlsplit(fake.issuer).port or 443)},
            total_timeout=timeout,
        ),
        cache=NoCache(),
        lacks_claims=lambda claims: "email" not in claims,
    )
    attempt, url = start_login(
        provider,
        state="the-state",
        redirect_uri="https://app.example.com/cb",
        next="",
        started_by=None,
        now=time.time(),
    )
    callback = fake.handle("GET", url).headers["Location"]
    params = parse_qsl(urlsplit(callback).query)
    return finish_login(provider, attempt, params, now=time.time())


@pytest.fixture
def fake() -> Iterator[FakeProvider]:
    with serve(FakeProvider()) as provider:
        yield provider


ALGS = [
    *("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"),
    *("ES256", "ES384", "ES512", "EdDSA"),
]


@pytest.mark.parametrize("alg", ALGS)
@pytest.mark.parametrize("signs_userinfo", [False, True])
def test_a_login_works_with_every_algorithm(alg: str, signs_userinfo: bool) -> None:
    fake = FakeProvider(alg=alg, claims_in="userinfo", signs_userinfo=signs_userinfo)
    with serve(fake):
        identity = log_in(fake)

    assert identity.claims["email"] == "alice@example.test"
    assert fake.requests["userinfo"] == 1


def test_a_login_works_with_a_shared_secret() -> None:
    with serve(FakeProvider(alg="HS256")) as fake:
        identity = log_in(fake, id_token_signing_algs=("HS256",))

    assert identity.subject == "alice-0001"
    assert fake.requests["jwks"] == 0


@pytest.mark.parametrize(
    ("secret", "method"),
    [
        ("", "auto"),
        ("é:%+ /&=? and more", "client_secret_basic"),
        ("é:%+ /&=? and more", "client_secret_post"),
    ],
)
def test_a_login_works_with_every_way_to_authenticate(secret: str, method: str) -> None:
    with serve(FakeProvider(client_id="a:b %+", client_secret=secret)) as fake:
        identity = log_in(fake, token_endpoint_auth_method=method)

    assert isinstance(identity, VerifiedIdentity)


# So that whatever a provider can get wrong was asked for.
ASKING = {"default_max_age": 3600, "default_acr_values": ("gold", "silver")}


# These change how the browser or the clock sees things: tests/testing/test_faults.py.
@pytest.mark.parametrize(
    "name", [name for name, fault in FAULTS.items() if not fault.slow]
)
def test_a_fault_has_the_same_end_over_a_socket(fake: FakeProvider, name: str) -> None:
    expected = FAULTS[name].code
    if expected == "callback.state_unknown":
        expected = "callback.state_mismatch"  # only the session could tell
    asking: dict[str, Any] = ASKING
    if name.partition(".")[2] in OF_ENCRYPTION:
        key = parse_client_key(EC_KEY, use="enc")
        fake.encrypts_to = key.public_jwk()
        asking = {**ASKING, "decryption_keys": (key,)}
    with fake.fault(name):
        if expected is None:
            assert log_in(fake, **asking).subject == "alice-0001"
            return
        with pytest.raises(OAuthLoginError) as caught:
            log_in(fake, **asking)

    assert caught.value.code == expected


def test_a_slow_provider_drips_until_somebody_hangs_up(fake: FakeProvider) -> None:
    # T51: each byte comes in time, and the whole does not
    started = time.monotonic()
    with fake.fault("slow"), pytest.raises(OAuthLoginError) as caught:
        log_in(fake, timeout=0.5)

    assert caught.value.code == "transport.timeout"
    assert 0.4 < time.monotonic() - started < 5


def test_closing_ends_every_thread_and_connection() -> None:
    before = set(threading.enumerate())
    with serve(FakeProvider(faults=["slow"])) as fake:
        host, port = urlsplit(fake.issuer).hostname or "", urlsplit(fake.issuer).port
        idle = http.client.HTTPConnection(host, port, timeout=5)
        idle.request("GET", "/jwks")
        idle.getresponse().read()
        dripping = http.client.HTTPConnection(host, port, timeout=5)
        dripping.request("POST", "/token", "")
        answer = dripping.getresponse()
        assert answer.read(1) == b" "
        started = set(threading.enumerate()) - before
        assert started

    assert not [thread for thread in started if thread.is_alive()]
    with pytest.raises(http.client.IncompleteRead):
        answer.read()
    idle.close()
    dripping.close()


def test_the_issuer_is_the_address_while_it_is_served() -> None:
    fake = FakeProvider("https://id.example.com")

    with serve(fake):
        assert fake.issuer.startswith("http://127.0.0.1:")
        assert requests.get(fake.endpoints["jwks_uri"], timeout=5).json()["keys"]

    assert fake.issuer == "https://id.example.com"


def test_connections_are_kept_alive(fake: FakeProvider) -> None:
    with requests.Session() as session:
        ports = set()
        for _ in range(3):
            response = session.get(fake.endpoints["jwks_uri"], timeout=5, stream=True)
            ports.add(response.raw.connection.sock.getsockname())
            response.content  # noqa: B018 - gives the connection back

    assert len(ports) == 1


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1:{port}", 200),
        ("localhost:{port}", 200),
        ("evil.example.com:{port}", 421),
        ("127.0.0.1:1", 421),
        ("", 421),
    ],
)
def test_another_name_for_this_machine_is_not_served(
    fake: FakeProvider, host: str, status: int
) -> None:
    # T49: DNS rebinding
    port = urlsplit(fake.issuer).port
    headers = {"Host": host.format(port=port)}

    response = requests.get(fake.endpoints["jwks_uri"], headers=headers, timeout=5)

    assert response.status_code == status


@pytest.mark.parametrize("length", ["x", "-1", "2000000", "99999999"])
def test_a_body_of_absurd_length_is_not_read(fake: FakeProvider, length: str) -> None:
    connection = http.client.HTTPConnection(fake.issuer.removeprefix("http://"))
    connection.request("POST", "/token", headers={"Content-Length": length})

    assert connection.getresponse().status == 413
    connection.close()


def test_only_this_machine_can_connect(fake: FakeProvider) -> None:
    other = fake.issuer.replace("127.0.0.1", "127.0.0.2")

    with pytest.raises(requests.exceptions.ConnectionError):
        requests.get(other + "/jwks", timeout=5)


def test_through_responses_a_slow_provider_costs_no_time() -> None:
    fake = FakeProvider(faults=["slow"])
    started = time.monotonic()
    with responses.RequestsMock() as mock:
        mock.assert_all_requests_are_fired = False
        answer_over_responses(fake, mock)
        with pytest.raises(OAuthLoginError) as caught:
            log_in(fake)

    assert caught.value.code == "transport.timeout"
    assert time.monotonic() - started < 2


def test_through_responses_other_sites_are_not_answered() -> None:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        answer_over_responses(FakeProvider(), mock)

        for url in ("https://id.example.com.evil.test/jwks", "https://other.test/"):
            with pytest.raises(requests.exceptions.ConnectionError):
                requests.get(url, timeout=5)
