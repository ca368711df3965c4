# SPDX-License-Identifier: Apache-2.0
"""Where messages may go and files come from: decided for the address that is connected to, not for its name.

A name may resolve to another address at each question; so it is resolved once for a connection, every address
it gives is judged, and the connection goes to one that was judged. An address of the new protocol that only
carries one of the old is judged by what it carries.
"""

import ipaddress
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias
from urllib.parse import urlsplit

from licenses.sharing.errors import EndpointRefusedError

Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address
Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network
Resolve: TypeAlias = Callable[[str, int], Sequence[str]]
LONGEST: Final = 500
_PORTS: Final = {"https": 443, "http": 80}
_TRANSLATED: Final = (ipaddress.IPv6Network("::ffff:0:0/96"), ipaddress.IPv6Network("64:ff9b::/96"))
"""Mapped and NAT64 addresses: they are the IPv4 address in their last 32 bits, and nothing besides."""
_UNICAST: Final = ipaddress.IPv6Network("2000::/3")
"""All of IPv6 that is given out to the world; what else there is leads to somewhere here."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An endpoint taken apart.

    Attributes:
        secure: Whether it is https.
        host: Name or address, without brackets.
        port: Its port.
        authority: What the header ``Host`` says.
        target: Path and query.
    """

    secure: bool
    host: str
    port: int
    authority: str
    target: str


def resolve(host: str, port: int) -> list[str]:
    """Give the addresses of a name, by the system's resolver."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(one[4][0]) for one in found))


class Reach:
    """Says which endpoints may be sent to.

    Args:
        production: Whether only https and foreign addresses are admitted.
        networks: Private networks of receivers that the operator lists.
        resolve: Gives the addresses of a name.
    """

    def __init__(
        self, *, production: bool, networks: Sequence[Network] = (), resolve: Resolve = resolve
    ) -> None:
        self._production = production
        self._networks = tuple(networks)
        self._resolve = resolve

    def taken_apart(self, endpoint: str) -> Endpoint:
        """Take an endpoint apart and refuse what its text alone forbids.

        Raises:
            EndpointRefusedError: It may not be sent to.
        """
        try:
            parts = urlsplit(endpoint)
            port = parts.port or _PORTS.get(parts.scheme, 0)
        except ValueError as error:
            raise EndpointRefusedError(rule="no address") from error
        host = parts.hostname or ""
        if not endpoint.isascii() or not endpoint.isprintable() or " " in endpoint or len(endpoint) > LONGEST:
            raise EndpointRefusedError(rule="no address")
        if parts.scheme not in _PORTS or not host or parts.username or parts.password or parts.fragment:
            raise EndpointRefusedError(rule="https://host[:port]/path")
        literal = _literal(host)
        if parts.scheme == "http" and (self._production or not _is_this_machine(host, literal)):
            raise EndpointRefusedError(rule="https")
        if literal is not None:
            self._judge(literal)
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        return Endpoint(parts.scheme == "https", host, port, parts.netloc, target)

    def address_of(self, endpoint: Endpoint) -> str:
        """Give the address to connect to.

        Raises:
            EndpointRefusedError: One of its addresses may not be sent to.
            OSError: The name has no address now.
        """
        found = self._resolve(endpoint.host, endpoint.port)
        if not found:
            raise OSError("no address")
        for one in found:
            literal = _literal(one.partition("%")[0])
            if literal is None:
                raise EndpointRefusedError(rule="no address")
            self._judge(literal)
            if not endpoint.secure and not literal.is_loopback:
                raise EndpointRefusedError(rule="https")
        return found[0]

    def _judge(self, address: Address) -> None:
        """Refuse an address that only this side of the network can reach."""
        if self._production and not all(self._is_admitted(one) for one in _meant(address)):
            raise EndpointRefusedError(rule="a public address, or one of CUNZHENG_RECEIVER_NETWORKS")

    def _is_admitted(self, address: Address) -> bool:
        if any(address in network for network in self._networks):
            return True
        if isinstance(address, ipaddress.IPv6Address) and address not in _UNICAST:
            return False
        return address.is_global and not address.is_multicast and not address.is_reserved


def _meant(address: Address) -> Sequence[Address]:
    """Give where an address leads: itself, and the IPv4 addresses that it carries."""
    if isinstance(address, ipaddress.IPv4Address):
        return [address]
    if any(address in network for network in _TRANSLATED):
        return [ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF)]
    tunnelled = [address.sixtofour] if address.sixtofour is not None else list(address.teredo or ())
    return [address, *tunnelled]


def _literal(host: str) -> Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _is_this_machine(host: str, literal: Address | None) -> bool:
    return host == "localhost" if literal is None else literal.is_loopback
