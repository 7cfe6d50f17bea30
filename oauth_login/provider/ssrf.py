"""Which IP addresses a provider may direct this server's requests to (T49)."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from enum import IntEnum

# RFC 6052: the last 32 bits are an IPv4 address.
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


class Zone(IntEnum):
    """How far inside an address lies, from the internet to this machine."""

    INTERNET = 0
    NETWORK = 1
    MACHINE = 2
    # Never a provider: link-local (169.254.169.254!), multicast, 0.0.0.0.
    NOWHERE = 3


def zone_of(address: str) -> Zone:
    """The zone of an IP address, in any spelling that the resolver may return."""
    ip = _meant(ipaddress.ip_address(address.partition("%")[0]))
    if ip.is_loopback:
        return Zone.MACHINE
    if ip.is_link_local or ip.is_multicast or ip.is_unspecified or ip.is_reserved:
        return Zone.NOWHERE
    return Zone.INTERNET if ip.is_global else Zone.NETWORK


def may_be_reached(address: str, *, known_addresses: Iterable[str]) -> bool:
    """Whether a provider at the known addresses may direct requests to `address`.

    A public address is always allowed. This machine is allowed for a provider on this
    machine only, and the internal network for one in the network or on this machine.
    """
    zone = zone_of(address)
    if zone in (Zone.INTERNET, Zone.NOWHERE):
        return zone is Zone.INTERNET
    return any(zone <= zone_of(known) != Zone.NOWHERE for known in known_addresses)


def _meant(
    ip: ipaddress.IPv4Address | ipaddress.IPv6Address,
) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    """The IPv4 address that an IPv6 address stands for, e.g. ::ffff:127.0.0.1."""
    if isinstance(ip, ipaddress.IPv4Address):
        return ip
    if ip in _NAT64:
        return ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
    return ip.ipv4_mapped or ip.sixtofour or ip
