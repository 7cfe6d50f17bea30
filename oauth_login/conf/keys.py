"""Our keys and certificate for a provider, and the CA certificates to trust."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from oauth_login.conf.schema import ClientCertificate, KeySource
from oauth_login.conf.validation import Section
from oauth_login.protocol.client.keys import ClientKey, Use, parse_client_key

KEY_KEYS: Mapping[str, object] = {"KEY": None, "KID": None}


def read_client_keys(section: Section) -> tuple[KeySource, ...]:
    """CLIENT_KEYS: where our keys come from, in order. The first one signs.

    An entry is a PEM text, a path, or a function that returns a PEM text; or a dict
    with one of these as KEY, and the KID by which the provider knows it. Texts and
    files are read now; functions are called when the provider is first used.
    """
    return _sources(section, "CLIENT_KEYS", "sig")


def read_decryption_keys(section: Section) -> tuple[KeySource, ...]:
    """DECRYPTION_KEYS: where the keys that decrypt come from, as in CLIENT_KEYS."""
    sources = _sources(section, "DECRYPTION_KEYS", "enc")
    where, signing = f"{section.where}['DECRYPTION_KEYS']", section.value("CLIENT_KEYS")
    if not sources:
        return ()
    if isinstance(signing, list | tuple) and any(
        entry in signing for entry in section.value("DECRYPTION_KEYS")
    ):
        text = f"{where} contains a key of CLIENT_KEYS: use each key for one purpose."
        section.problem("E024", text)
    if find_spec("joserfc") is None:
        text = f"{where} needs the extra 'jwe'."
        section.problem("E035", text, "pip install 'oauth-login[jwe]'")
    return sources


def read_client_cert(section: Section) -> ClientCertificate | None:
    """CLIENT_CERT: the paths of our certificate and its key (RFC 8705)."""
    value = section.value("CLIENT_CERT")
    paths = [value] if isinstance(value, str | Path) else value
    if value is None:
        return None
    if (
        not isinstance(paths, list | tuple)
        or len(paths) not in (1, 2)
        or not all(isinstance(path, str | Path) for path in paths)
        or any("-----BEGIN" in str(path) for path in paths)
    ):
        text = f"{section.where}['CLIENT_CERT'] must be a path, or a pair of paths."
        section.problem("E003", text)
        return None
    for path in paths:
        _must_exist(section, "CLIENT_CERT", path)
    first, *second = map(str, paths)
    return (first, second[0]) if second else first


def read_ca_bundle(section: Section) -> str | None:
    """CA_BUNDLE: the path of a file or a folder with the certificates to trust."""
    path = section.value("CA_BUNDLE")
    if path is None:
        return None
    if not isinstance(path, str | Path) or not str(path):
        section.problem("E003", f"{section.where}['CA_BUNDLE'] must be a path.")
        return None
    _must_exist(section, "CA_BUNDLE", path)
    return str(path)


def _must_exist(section: Section, key: str, path: str | Path) -> None:
    try:
        found = Path(path).exists() if key == "CA_BUNDLE" else Path(path).is_file()
    except OSError:  # not a possible file name
        found = False
    if not found:
        text = f"{section.where}[{key!r}]: there is no file {str(path)!r}."
        section.problem("E025", text)


def _sources(section: Section, name: str, use: Use) -> tuple[KeySource, ...]:
    entries, where = section.value(name), f"{section.where}[{name!r}]"
    if not isinstance(entries, list | tuple):
        section.problem("E003", f"{where} must be a list.")
        return ()
    sources = (
        _source(section, f"{where}[{number}]", entry, use)
        for number, entry in enumerate(entries)
    )
    return tuple(source for source in sources if source is not None)


def _source(section: Section, where: str, entry: Any, use: Use) -> KeySource | None:
    kid = None
    if isinstance(entry, Mapping):
        one = Section(entry, KEY_KEYS, section.note, where, section.provider)
        entry, kid = one.value("KEY"), one.text("KID")
    if callable(entry):
        return partial(_called, entry, kid, use)
    try:
        key = parse_client_key(_pem(entry), kid=kid, use=use)
    except (ValueError, OSError) as error:
        # The message must not quote the key: it may be part of a private key.
        cause = error.strerror if isinstance(error, OSError) else error
        section.problem("E024", f"{where} cannot be used: {cause}.")
        return None
    return lambda: key


def _pem(entry: object) -> str:
    if isinstance(entry, str) and "-----BEGIN" in entry:
        return entry
    if isinstance(entry, str | Path):
        return Path(entry).read_text()
    raise ValueError("it is not a PEM text, a path or a function")


def _called(function: Callable[[], object], kid: str | None, use: Use) -> ClientKey:
    return parse_client_key(_pem(function()), kid=kid, use=use)
