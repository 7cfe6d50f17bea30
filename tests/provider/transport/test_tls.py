"""TLS, really: who is believed, what the others get, and our own certificate."""

from __future__ import annotations

import ssl
import warnings
from pathlib import Path
from typing import Any

import pytest

from oauth_login.errors import ConfigurationError, ProviderUnavailable
from oauth_login.provider.transport import RequestsTransport
from tests.provider.transport.certificates import Authority, self_signed, server_context
from tests.provider.transport.servers import answer, get, post, serving, transport


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


def ours(authority: Authority | None = None, **options: object) -> RequestsTransport:
    bundle = str(authority.path) if authority else None
    return transport(**{"internal": "localhost", "ca_bundle": bundle, **options})


def test_a_private_authority_is_believed_where_the_settings_name_it(
    authority: Authority,
) -> None:
    # T44; pains 32
    tls = server_context(authority.issue("localhost"))
    with serving(lambda h, s: answer(h), tls=tls, name="localhost") as server:
        assert ours(authority).send(post(server.url)).status == 200
        with pytest.raises(ProviderUnavailable) as caught:
            ours().send(post(server.url))
        assert caught.value.code == "transport.tls"
        assert "unable to get local issuer" in str(caught.value.detail["received"])
        assert len(server.seen) == 1


@pytest.mark.parametrize("name", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
def test_the_environment_names_no_authority(
    authority: Authority, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    # T44, T46
    monkeypatch.setenv(name, str(authority.path))
    tls = server_context(authority.issue("localhost"))
    with serving(lambda h, s: answer(h), tls=tls, name="localhost") as server:
        with pytest.raises(ProviderUnavailable) as caught:
            ours().send(post(server.url))
        assert caught.value.code == "transport.tls"


@pytest.mark.parametrize(
    ("certificate", "reason"),
    [
        ("self-signed", "self-signed certificate"),
        ("expired", "certificate has expired"),
        ("another host", "Hostname mismatch"),
        ("an address", "Hostname mismatch"),
    ],
)
def test_nothing_is_sent_to_whom_nobody_vouches_for(
    authority: Authority, certificate: str, reason: str
) -> None:
    # T44; pains 32: the log says what is wrong with it
    paths = {
        "self-signed": lambda: self_signed(authority.folder, "localhost"),
        "expired": lambda: authority.issue("localhost", valid=False),
        "another host": lambda: authority.issue("localhost.example.com"),
        "an address": lambda: authority.issue("127.0.0.1"),
    }[certificate]()
    with serving(
        lambda h, s: answer(h), tls=server_context(paths), name="localhost"
    ) as server:
        for make in (get, post):
            with pytest.raises(ProviderUnavailable) as caught:
                ours(authority).send(make(server.url))
            assert caught.value.code == "transport.tls"
            assert reason in str(caught.value.detail["received"])
        assert server.seen == []
        assert server.connections == 2  # asking again makes it no better


def test_a_certificate_for_an_address_is_good_for_that_address(
    authority: Authority,
) -> None:
    tls = server_context(authority.issue("127.0.0.1"))
    with serving(lambda h, s: answer(h), tls=tls) as server:
        trusting = ours(authority, internal="127.0.0.1")
        assert trusting.send(get(server.url)).status == 200


def test_old_versions_of_tls_are_refused(authority: Authority) -> None:
    # T44
    tls = server_context(authority.issue("localhost"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        tls.minimum_version = tls.maximum_version = ssl.TLSVersion.TLSv1_1
    tls.set_ciphers("ALL:@SECLEVEL=0")
    with serving(lambda h, s: answer(h), tls=tls, name="localhost") as server:
        with pytest.raises(ProviderUnavailable) as caught:
            ours(authority).send(post(server.url))
        assert caught.value.code == "transport.tls"
        assert server.seen == []


def test_tls_1_2_is_the_oldest_version(authority: Authority) -> None:
    tls = server_context(authority.issue("localhost"))
    tls.maximum_version = ssl.TLSVersion.TLSv1_2
    with serving(lambda h, s: answer(h), tls=tls, name="localhost") as server:
        assert ours(authority).send(post(server.url)).status == 200


def test_a_server_that_speaks_no_tls_is_refused(authority: Authority) -> None:
    with serving(lambda h, s: answer(h), name="localhost") as server:
        with pytest.raises(ProviderUnavailable) as caught:
            ours(authority).send(post(server.url.replace("http:", "https:")))
        assert caught.value.code in ("transport.tls", "transport.connection")
        assert server.seen == []


# --- our own certificate (RFC 8705)


def test_who_has_a_certificate_gets_in(authority: Authority) -> None:
    certificate, key = authority.issue("site")
    both = authority.folder / "both.pem"
    both.write_bytes(key.read_bytes() + certificate.read_bytes())
    tls = server_context(authority.issue("localhost"), clients_of=authority)
    with serving(lambda h, s: answer(h), tls=tls, name="localhost") as server:
        for paths in (str(both), (str(certificate), str(key))):
            with_it = ours(authority, client_cert=paths)
            assert with_it.send(post(server.url)).status == 200
        (subject, *_) = server.seen[0].peer["subject"]
        assert subject == (("commonName", "site"),)


def test_who_has_none_or_anothers_is_told_so(
    authority: Authority, tmp_path_factory: pytest.TempPathFactory
) -> None:
    stranger = Authority(tmp_path_factory.mktemp("stranger")).issue("site")
    tls = server_context(authority.issue("localhost"), clients_of=authority)
    tls.maximum_version = ssl.TLSVersion.TLSv1_2
    with serving(lambda h, s: answer(h), tls=tls, name="localhost") as server:
        for paths in (None, tuple(map(str, stranger))):
            with pytest.raises(ProviderUnavailable) as caught:
                ours(authority, client_cert=paths).send(get(server.url))
            assert caught.value.code == "transport.tls"
            assert "ALERT" in str(caught.value.detail["received"])
        assert server.seen == []


def test_who_has_none_is_refused_by_tls_1_3(authority: Authority) -> None:
    tls = server_context(authority.issue("localhost"), clients_of=authority)
    tls.minimum_version = ssl.TLSVersion.TLSv1_3
    with serving(lambda h, s: answer(h), tls=tls, name="localhost") as server:
        with pytest.raises(ProviderUnavailable) as caught:
            ours(authority).send(post(server.url))
        # There the handshake ends before the server has looked, and what it says may
        # be lost with the connection.
        assert caught.value.code in ("transport.tls", "transport.connection")
        assert server.seen == []


def test_each_provider_has_a_certificate_of_its_own(authority: Authority) -> None:
    tls = server_context(authority.issue("localhost"), clients_of=authority)
    with serving(lambda h, s: answer(h), tls=tls, name="localhost") as server:
        for name in ("one", "two", "one"):
            paths = tuple(map(str, authority.issue(name)))
            ours(authority, client_cert=paths).send(get(server.url))
        sent = [h.peer["subject"][0][0][1] for h in server.seen]
    assert sent == ["one", "two", "one"]


def test_a_new_certificate_needs_no_restart(authority: Authority) -> None:
    certificate, key = authority.issue("site")
    tls = server_context(authority.issue("localhost"), clients_of=authority)

    with serving(
        lambda h, s: answer(h, Connection="close"), tls=tls, name="localhost"
    ) as server:
        client = ours(authority, client_cert=(str(certificate), str(key)))
        client.send(get(server.url))
        authority.issue("site")  # over the old ones
        client.send(get(server.url))
        first, second = (h.peer for h in server.seen)
    assert first["serialNumber"] != second["serialNumber"]


@pytest.mark.parametrize(
    "broken",
    [
        "no certificate",
        "no key",
        "no pem",
        "an empty file",
        "a folder",
        "the key of another",
        "a key with a password",
        "both in one, with a password",
        "no authority",
        "an authority that is none",
    ],
)
def test_files_that_cannot_be_used_are_our_fault(
    authority: Authority, broken: str
) -> None:
    certificate, key = map(str, authority.issue("site"))
    locked, locked_key = authority.issue("locked", password=b"secret")
    both = authority.folder / "locked-both.pem"
    both.write_bytes(locked.read_bytes() + locked_key.read_bytes())
    text, empty = authority.folder / "text.pem", authority.folder / "empty.pem"
    text.write_text("not a certificate")
    empty.touch()
    options: Any = {
        "no certificate": {"client_cert": ("/nowhere.pem", key)},
        "no key": {"client_cert": (certificate, "/nowhere.pem")},
        "no pem": {"client_cert": (str(text), key)},
        "an empty file": {"client_cert": str(empty)},
        "a folder": {"client_cert": str(authority.folder)},
        "the key of another": {"client_cert": (certificate, str(locked_key))},
        "a key with a password": {"client_cert": (str(locked), str(locked_key))},
        "both in one, with a password": {"client_cert": str(both)},
        "no authority": {"ca_bundle": "/nowhere.pem"},
        "an authority that is none": {"ca_bundle": str(text)},
    }[broken]
    tls = server_context(authority.issue("localhost"))
    with serving(lambda h, s: answer(h), tls=tls, name="localhost") as server:
        for make in (get, post):
            with pytest.raises(ConfigurationError) as caught:
                ours(authority, **options).send(make(server.url))
            assert caught.value.code == "config.tls_files"
            assert "secret" not in repr(caught.value.detail)
        assert server.seen == []


def test_a_file_that_may_not_be_read_is_our_fault(
    authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A link in a circle, because root may read every file.
    circle = authority.folder / "circle.pem"
    circle.symlink_to(circle)
    tls = server_context(authority.issue("localhost"))
    with serving(lambda h, s: answer(h), tls=tls, name="localhost") as server:
        with pytest.raises(ConfigurationError) as caught:
            ours(authority, client_cert=str(circle)).send(post(server.url))
        assert caught.value.code == "config.tls_files"
