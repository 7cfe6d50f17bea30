"""The only network access: requests to one provider over kept-alive connections.

`requests` is used without its Session. A Session follows redirects, keeps cookies, and
reads passwords from `.netrc` and proxies from the environment (T46 to T48).
"""

from __future__ import annotations

import ssl
import zlib
from collections.abc import Container, Iterator, Mapping
from pathlib import Path

import requests
import urllib3

from oauth_login.errors import (
    ConfigurationError,
    InvalidProviderResponse,
    ProviderUnavailable,
)
from oauth_login.protocol.http import ProviderRequest, ProviderResponse, max_body
from oauth_login.protocol.strict_json import printable
from oauth_login.provider.sockets import AddressRefusedError, Watch, WatchedAdapter
from oauth_login.provider.ssrf import Zone

CONNECT_TIMEOUT = 5.0
TOTAL_TIMEOUT = 15.0


class RequestsTransport:
    """Sends requests and reads at most `max_body` bytes of each response.

    TLS certificates are always verified, against `ca_bundle` (a path) if it is given.
    `total_timeout` in seconds covers everything from the first connection to the last
    byte, including a retry, but not name resolution. `internal_hosts` are the hosts, in
    lower case and with their ports, that may have addresses inside the network, because
    the settings name them; all others must be in the internet (T49). `client_cert` is
    the path of a certificate with its key, or the paths of both. The files are read
    again for every connection, so that a new certificate needs no restart.
    """

    def __init__(
        self,
        *,
        internal_hosts: Container[tuple[str, int]] = (),
        total_timeout: float = TOTAL_TIMEOUT,
        ca_bundle: str | None = None,
        client_cert: str | tuple[str, str] | None = None,
        proxies: Mapping[str, str] | None = None,
    ) -> None:
        self._ca_bundle = ca_bundle
        # Given the key's file by name, urllib3 checks it for a password. Otherwise
        # OpenSSL would ask for the password at a terminal.
        self._client_cert = (
            (client_cert, client_cert) if isinstance(client_cert, str) else client_cert
        )
        self._proxies = dict(proxies or {})
        self._total_timeout = total_timeout
        self._adapter = WatchedAdapter(pool_maxsize=10)
        self._internal_hosts = internal_hosts

    def send(self, request: ProviderRequest) -> ProviderResponse:
        """The provider's response with any status, or ProviderUnavailable.

        InvalidProviderResponse if the URL leads to an address that is not allowed, and
        ConfigurationError if a file that the settings name cannot be used.
        """
        watch = Watch(self._internal_hosts, timeout=self._total_timeout)
        with watch.watching():
            # A GET may be repeated, a POST not: a code works only once.
            tries = 2 if request.method == "GET" else 1
            while True:
                tries -= 1
                try:
                    return self._exchange(request, watch)
                except AddressRefusedError as refused:
                    is_nowhere = refused.zone is Zone.NOWHERE
                    raise InvalidProviderResponse(
                        "discovery.forbidden_address"
                        if is_nowhere
                        else "discovery.internal_host",
                        received=request.url,
                    ) from None
                except (OSError, ValueError, urllib3.exceptions.HTTPError) as error:
                    # requests' exceptions are OSErrors; for an odd host, codecs and TLS
                    # raise ValueErrors.
                    kind = "timeout" if watch.ended else _kind_of(error)
                    if kind == "connection" and tries:
                        continue
                    self._check_files()
                    raise ProviderUnavailable(
                        f"transport.{kind}", url=request.url, received=_reason(error)
                    ) from None

    def _exchange(self, request: ProviderRequest, watch: Watch) -> ProviderResponse:
        prepared = requests.Request(
            request.method,
            request.url,
            headers={
                "User-Agent": "oauth_login",
                "Accept-Encoding": "identity",
                **request.headers,
            },
            data=request.form,
        ).prepare()
        response = self._adapter.send(
            prepared,
            stream=True,
            timeout=(CONNECT_TIMEOUT, self._total_timeout),
            verify=self._ca_bundle or True,
            cert=self._client_cert,
            proxies=self._proxies,
        )
        limit = max_body(request.document)
        try:
            body = response.raw.read(limit + 1, decode_content=False)
        finally:
            response.close()
        # Without a length, a body looks complete after the timer ended the exchange.
        if watch.ended:
            raise TimeoutError
        # http.client does not report a body that is shorter than announced.
        if response.raw.length_remaining and len(body) <= limit:
            raise ConnectionError
        headers = {name.lower(): value for name, value in response.headers.items()}
        return _unpacked(ProviderResponse(response.status_code, headers, body), limit)

    def _check_files(self) -> None:
        """Raise if a file of the settings cannot be used; nothing was sent then."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        try:
            if self._ca_bundle is not None:
                is_folder = Path(self._ca_bundle).is_dir()
                context.load_verify_locations(
                    cafile=None if is_folder else self._ca_bundle,
                    capath=self._ca_bundle if is_folder else None,
                )
            if self._client_cert is not None:
                # An empty password keeps OpenSSL from asking at a terminal.
                context.load_cert_chain(*self._client_cert, password="")  # noqa: S106
        except OSError as error:
            raise ConfigurationError(
                "config.tls_files",
                ca_bundle=self._ca_bundle,
                client_cert=self._client_cert,
                received=_reason(error),
            ) from None


def _unpacked(response: ProviderResponse, limit: int) -> ProviderResponse:
    """The response without gzip or deflate, one byte past the limit at most (T51).

    Some proxies compress whatever the request allows. A body that cannot be unpacked
    stays as it is, and is refused with its encoding.
    """
    encoding = response.headers.get("content-encoding", "").strip().lower()
    if encoding not in ("gzip", "x-gzip", "deflate") or len(response.body) > limit:
        return response
    # Of "deflate" there are two readings, with a zlib header and without (RFC 9110
    # 8.4.1.2).
    for window_bits in (31,) if "gzip" in encoding else (15, -15):
        unpacker = zlib.decompressobj(window_bits)
        try:
            body = unpacker.decompress(response.body, limit + 1)
        except zlib.error:
            continue
        if unpacker.eof or len(body) > limit:
            headers = {
                name: value
                for name, value in response.headers.items()
                if name != "content-encoding"
            }
            return ProviderResponse(response.status, headers, body)
    return response


def _kind_of(error: BaseException) -> str:
    """The kind of failure: "timeout", "tls" or "connection"."""
    kinds = requests.exceptions.Timeout, urllib3.exceptions.TimeoutError, TimeoutError
    if isinstance(error, kinds):
        return "timeout"
    causes = list(_causes(error))
    # TLS reports a broken connection with these.
    broken = ssl.SSLEOFError, ssl.SSLZeroReturnError, ssl.SSLSyscallError
    if any(isinstance(cause, broken) for cause in causes):
        return "connection"
    tls = ssl.SSLError, requests.exceptions.SSLError, urllib3.exceptions.SSLError
    return "tls" if any(isinstance(cause, tls) for cause in causes) else "connection"


def _reason(error: BaseException) -> str:
    """A message of the operating system or of TLS, never the provider's text."""
    for cause in _causes(error):
        if isinstance(cause, ssl.SSLCertVerificationError):
            return printable(cause.verify_message)
        if isinstance(cause, ssl.SSLError) and cause.reason:
            return printable(cause.reason)
        if type(cause).__module__ in ("builtins", "socket") and isinstance(
            cause, OSError
        ):
            return printable(cause.strerror or type(cause).__name__)
    return type(error).__name__


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The error and its causes, which urllib3 sometimes passes as arguments."""
    waiting: list[object] = [error]
    seen: set[int] = set()
    while waiting:
        cause = waiting.pop(0)
        if isinstance(cause, BaseException) and id(cause) not in seen:
            seen.add(id(cause))
            yield cause
            waiting += [cause.__cause__, cause.__context__, *cause.args]
