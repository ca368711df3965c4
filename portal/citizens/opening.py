# SPDX-License-Identifier: Apache-2.0
"""Makes the holders' sign-in of the settings."""

import datetime as dt

from portal.citizens.claims import ClaimNames
from portal.citizens.errors import DemoProviderError
from portal.citizens.provider import Provider, Registration
from portal.citizens.services import CitizenService
from portal.citizens.settings import may_vouch
from portal.rooms import Rooms
from portal.settings import Settings


def citizen_service(rooms: Rooms, settings: Settings) -> CitizenService | None:
    """Give the holders' sign-in; ``None`` where no identity provider is configured.

    Raises:
        DemoProviderError: This is production, and the provider is one that may not vouch there.
    """
    if settings.oidc_issuer is None:
        return None
    if settings.production and not may_vouch(settings.oidc_issuer):
        raise DemoProviderError
    secret = settings.oidc_client_secret_file
    registration = Registration(
        settings.oidc_issuer,
        settings.oidc_client_id,
        secret.read_text("utf-8").strip() if secret is not None else None,
        settings.oidc_back,
        settings.oidc_scope,
    )
    return CitizenService(
        Provider(registration, rooms.clock, production=settings.production),
        ClaimNames(settings.oidc_scheme_claim, settings.oidc_code_claim, settings.oidc_organisation_claim),
        rooms.holders,
        rooms.clock,
        rooms.ids,
        dt.timedelta(minutes=settings.holder_session_minutes),
    )
