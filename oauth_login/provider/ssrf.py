"""How far inside the network an address lies, and who may send us there (T49)."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from enum import IntEnum

# RFC 6052: the IPv4 address is in the last 32 bits.
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


class Zone(IntEnum):
    """From outside to inside."""

    INTERNET = 0
    NETWORK = 1
    MACHINE = 2
    # Where no provider is: link-local (169.254.169.254!), multicast, 0.0.0.0.
    NOWHERE = 3


def zone_of(address: str) -> Zone:
    """The zone of an IP address, by whatever spelling of it the resolver returned."""
    ip = _meant(ipaddress.ip_address(address.partition("%")[0]))
    if ip.is_loopback:
        return Zone.MACHINE
    if ip.is_link_local or ip.is_multicast or ip.is_unspecified or ip.is_reserved:
        return Zone.NOWHERE
    return Zone.INTERNET if ip.is_global else Zone.NETWORK


def may_be_reached(address: str, *, known_addresses: Iterable[str]) -> bool:
    """Whether whoever is at the known addresses may send us to that one.

    Only those who are inside themselves: this machine's own services are named by
    those on this machine, and the network's by those in the network.
    """
    zone = zone_of(address)
    if zone in (Zone.INTERNET, Zone.NOWHERE):
        return zone is Zone.INTERNET
    return any(zone <= zone_of(known) != Zone.NOWHERE for known in known_addresses)


def _meant(
    ip: ipaddress.IPv4Address | ipaddress.IPv6Address,
) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    """::ffff:127.0.0.1 is 127.0.0.1, and there are more ways to write it."""
    if isinstance(ip, ipaddress.IPv4Address):
        return ip
    if ip in _NAT64:
        return ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
    return ip.ipv4_mapped or ip.sixtofour or ip
