# SPDX-License-Identifier: Apache-2.0
"""Makes the services of accounts as the settings want them."""

from portal.accounts.services import AccountService
from portal.settings import Settings


def account_service(settings: Settings) -> AccountService:
    """Give the accounts."""
    return AccountService(
        session_hours=settings.session_hours,
        login_link_minutes=settings.login_link_minutes,
        idle_minutes=settings.session_idle_minutes,
    )
