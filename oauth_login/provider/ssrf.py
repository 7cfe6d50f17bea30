"""Which IP addresses this server sends a provider's requests to (T49, T146)."""

from __future__ import annotations

import ipaddress
from enum import IntEnum
from typing import TypeAlias

_Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address
_NETWORKS = ipaddress.ip_network

# Their last 32 bits are an IPv4 address: IPv4-compatible (RFC 4291 2.5.5.1), NAT64
# (RFC 6052), and NAT64 for use inside a network (RFC 8215).
_EMBEDDING = [_NETWORKS(n) for n in ("::/96", "64:ff9b::/96", "64:ff9b:1::/48")]
# Where clouds tell a machine its own credentials, beside 169.254.169.254.
_CLOUD_METADATA = [
    _NETWORKS(n)
    for n in (
        "168.63.129.16/32",
        "100.100.100.200/32",
        "192.0.0.192/32",
        "fd00:ec2::/32",
        "fd20:ce::254/128",
    )
]
_THIS_NETWORK = _NETWORKS("0.0.0.0/8")
_BROADCAST = ipaddress.IPv4Address("255.255.255.255")


class Zone(IntEnum):
    """How far inside an address lies, from the internet to this machine."""

    INTERNET = 0
    NETWORK = 1
    MACHINE = 2
    # Never a provider: link-local, multicast, broadcast, 0.0.0.0/8, cloud metadata.
    NOWHERE = 3


def zone_of(address: str) -> Zone:
    """The zone of an IP address, in any spelling that the resolver may return."""
    ip = _meant(ipaddress.ip_address(address.partition("%")[0]))
    if (
        ip.is_link_local
        or ip.is_multicast
        or ip.is_unspecified
        or ip == _BROADCAST
        or any(ip in network for network in (_THIS_NETWORK, *_CLOUD_METADATA))
    ):
        return Zone.NOWHERE
    if ip.is_loopback:
        return Zone.MACHINE
    if isinstance(ip, ipaddress.IPv6Address):
        if ip.is_site_local:  # RFC 3879: deprecated, and still inside
            return Zone.NETWORK
        if ip.is_reserved:
            return Zone.NOWHERE
    # Service meshes hand out 240.0.0.0/4; it is not global, so it is the network.
    return Zone.INTERNET if ip.is_global else Zone.NETWORK


def _meant(ip: _Address) -> _Address:
    """The IPv4 address that an IPv6 address stands for, e.g. ::ffff:127.0.0.1."""
    if isinstance(ip, ipaddress.IPv4Address):
        return ip
    if int(ip) > 1 and any(ip in network for network in _EMBEDDING):
        return ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
    return ip.ipv4_mapped or ip.sixtofour or (ip.teredo or (None, None))[1] or ip
