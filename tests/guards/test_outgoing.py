# SPDX-License-Identifier: Apache-2.0
"""Who opens connections: addresses that others choose are reached in one place, the rest is named."""

import ast

from source_rules import Source, product_sources

OPENERS = {
    "aiohttp",
    "http.client",
    "httpx",
    "requests",
    "smtplib",
    "socket",
    "urllib.request",
    "urllib3",
}
"""Modules by which something can be connected to; exceptions of theirs may be imported anywhere."""
NAMED = {
    "documents/programs/zygote.py": "the other end of a pair of sockets without an address",
    "documents/zygotes.py": "a pair of sockets without an address, to a child of ours",
    "portal/sharing/addresses.py": "resolves names, and judges what they give",
    "portal/sharing/connecting.py": "the one place for addresses that others choose",
    "portal/sharing/posting.py": "names the class of a connection that it is given",
    "portal/sharing/fetching.py": "names the class of a connection that it is given",
    "portal/asking/services.py": "the installation that whoever types the command names; no redirect",
    "portal/citizens/http.py": "the identity provider that the operator sets; no redirect",
    "portal/demo/neighbour.py": "asks whether a port of ours is free",
    "portal/listening.py": "asks who listens where our web process should; no redirect",
    "portal/processes.py": "asks whether a port of ours is free, or listened at",
    "portal/pulse.py": "names this machine",
    "portal/quiet.py": "names errors of connections that are made to us",
    "storage/objects/server.py": "the object store that the operator sets; no redirect",
    "storage/processors.py": "a name on this machine that nobody connects to",
}
HARMLESS = {"urllib3.exceptions", "HTTPException"}


def opens(source: Source) -> set[str]:
    """Give the openers that a module imports."""
    found = set()
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Import):
            found |= {one.name for one in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module not in HARMLESS:
            if {one.name for one in node.names} <= HARMLESS:
                continue
            found |= {node.module or "", *(f"{node.module}.{one.name}" for one in node.names)}
    return {name for name in found if name in OPENERS or any(name.startswith(f"{one}.") for one in OPENERS)}


def test_nobody_else_opens_connections() -> None:
    found = {source.name: opens(source) for source in product_sources()}
    unknown = {path: names for path, names in found.items() if names and path not in NAMED}
    assert unknown == {}
    assert {path for path, names in found.items() if names} >= set(NAMED), "each named one does"
