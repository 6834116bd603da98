"""The addresses of clients: who has several of them is one client."""

from __future__ import annotations

import ipaddress

__all__ = ["client_of_ip", "parse_ip"]

IPV6_NETWORK = 64  # bits of the network that one client of IPv6 has


def client_of_ip(address: str) -> str:
    """Return the client that an address belongs to: an IPv4 address, or the network of one of IPv6.

    Raises
    ------
    ValueError
        If it is no address.
    """
    ip = parse_ip(address)
    return str(ip) if ip.version == 4 else str(ipaddress.ip_network((ip, IPV6_NETWORK), strict=False))


def parse_ip(address: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    """Return an address without the name of its interface, and as one of IPv4 if it is one."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    return getattr(ip, "ipv4_mapped", None) or ip
