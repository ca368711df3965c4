# SPDX-License-Identifier: Apache-2.0
"""Headers that every answer carries: no foreign content, no framing, no sniffing, no caching of records.

Pages run no script at all, so the content policy allows none.
"""

from typing import Final

from flask import Response, g, request

_POLICY: Final = (
    "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
_FIXED: Final = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}


def secure_headers(answer: Response, *, https: bool) -> Response:
    """Add the headers; a route that set its own caching keeps it."""
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
