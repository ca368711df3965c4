# SPDX-License-Identifier: Apache-2.0
"""Headers that every answer carries: no foreign content, no framing, no sniffing, no caching of records.

Pages run no script, so the content policy allows none; those of a desk that has keys may run the product's
own files, never what stands in a page.
"""

from typing import Final

from flask import Response, g, request

_POLICY: Final = (
    "default-src 'none'; style-src 'self'; img-src 'self' data:; "
    "base-uri 'none'; frame-ancestors 'none'; form-action 'self'"
)
_SCRIPTED: Final = frozenset({"window", "one", "mine"})
"""Blueprints whose pages have a script beside them; they work without it."""
_FIXED: Final = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}


def secure_headers(answer: Response, *, https: bool, form_target: str | None = None) -> Response:
    """Add the headers; a route that set its own caching keeps it.

    Args:
        answer: The answer.
        https: Whether the installation is reached over TLS.
        form_target: Origin to which a form of this page may lead besides our own: browsers judge by that
            where the answer to a form redirects, too.
    """
    policy = f"script-src 'self'; {_POLICY}" if request.blueprint in _SCRIPTED else _POLICY
    answer.headers["Content-Security-Policy"] = f"{policy} {form_target}" if form_target else policy
    for name, value in _FIXED.items():
        answer.headers.setdefault(name, value)
    if https:
        answer.headers.setdefault("Strict-Transport-Security", "max-age=31536000")
    if request.endpoint != "static" and "Cache-Control" not in answer.headers:
        answer.headers["Cache-Control"] = "no-store"
    correlation = g.get("correlation")
    if correlation:
        answer.headers["Request-Id"] = correlation
    return answer
