# SPDX-License-Identifier: Apache-2.0
"""Settings of how holders sign in; part of :class:`portal.settings.Settings`."""

from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from pydantic import Field
from pydantic_settings import BaseSettings

_LOOPBACK: Final = {"localhost", "127.0.0.1", "::1"}


def may_vouch(issuer: str | None) -> bool:
    """Tell whether a provider may vouch for people in production: none on this machine, none without TLS.

    Args:
        issuer: The provider; ``None`` when holders cannot sign in at all.
    """
    parts = urlsplit(issuer or "https://none.invalid")
    return parts.scheme == "https" and parts.hostname not in _LOOPBACK


class SignInSettings(BaseSettings):
    """The OpenID Connect provider of holders, and what its claims are called."""

    oidc_issuer: str | None = Field(
        default=None,
        pattern=r"^https?://[^/?#@\s]+(/[^?#\s]*)?$",
        description="Issuer of the OpenID Connect provider at which holders sign in to see their licences; "
        "none: the page says that signing in is not offered.",
    )
    oidc_client_id: str = Field(
        default="cunzheng",
        pattern=r"^[\x21-\x39\x3b-\x7e]{1,120}$",
        description="Our name at that provider.",
    )
    oidc_client_secret_file: Path | None = Field(
        default=None, description="File that holds our secret at that provider; none: we have none there."
    )
    oidc_redirect: str | None = Field(
        default=None,
        pattern=r"^https?://[^?#@\s]+$",
        description="Where that provider sends the browser back to; none: `public_url` with `/mine/back`.",
    )
    oidc_scope: str = Field(
        default="openid profile", pattern=r"^openid( \S+)*$", description="What we ask that provider for."
    )
    oidc_scheme_claim: str = Field(
        default="identity_scheme",
        description="Claim that names the kind of the person's code (GB/T 36903); without it, `111`.",
    )
    oidc_code_claim: str = Field(default="identity_code", description="Claim that holds the person's code.")
    oidc_organisation_claim: str = Field(
        default="organisation_code",
        description="Claim that holds the unified social credit code, where somebody signs in for an "
        "enterprise.",
    )
    holder_session_minutes: int = Field(
        default=30, ge=1, le=120, description="Minutes after which a holder's session ends."
    )
