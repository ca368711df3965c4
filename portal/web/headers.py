# SPDX-License-Identifier: Apache-2.0
"""Headers that every answer carries: no foreign content, no framing, no sniffing, no caching of records.

Pages run no script at all, so the content policy allows none.
"""

from typing import Final

from flask import Response, g, request

_POLICY: Final = (
    "default-src 'none'; style-src 'self'; img-src 'self' data:; "
    "base-uri 'none'; frame-ancestors 'none'; form-action 'self'"
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


def secure_headers(answer: Response, *, https: bool, form_target: str | None = None) -> Response:
    """Add the headers; a route that set its own caching keeps it.

    Args:
        answer: The answer.
        https: Whether the installation is reached over TLS.
        form_target: Origin to which a form of this page may lead besides our own: browsers judge by that
            where the answer to a form redirects, too.
    """
    if form_target:
        answer.headers["Content-Security-Policy"] = f"{_POLICY} {form_target}"
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
