# SPDX-License-Identifier: Apache-2.0
"""What an account may do where: its posts, and the identity of who acts in one of them."""

from collections.abc import Iterable

from portal.accounts.models import Account
from storage.identity import Identity, Role


def posts_of(account: Account) -> dict[str, frozenset[Role]]:
    """Give the roles that an account holds by organisation, the home post first; empty posts are left out."""
    held = {account.organisation: account.roles, **(account.posts or {})}
    return {organisation: frozenset(map(Role, roles)) for organisation, roles in held.items() if roles}


def roles_of(account: Account) -> frozenset[Role]:
    """Give every role that an account holds anywhere."""
    return frozenset().union(*posts_of(account).values())


def set_post(account: Account, organisation: str, roles: Iterable[Role]) -> None:
    """Give an account exactly these roles in an organisation; none takes the post away."""
    held = sorted(roles)
    if organisation == account.organisation:
        account.roles = [str(role) for role in held]
        return
    posts = {code: given for code, given in (account.posts or {}).items() if code != organisation}
    if held:
        posts[organisation] = [str(role) for role in held]
    account.posts = posts or None


def identity_of(
    account: Account, organisation: str | None = None, session: str | None = None
) -> Identity | None:
    """Give the identity of who acts in a post, the home post when none or one not held is named.

    ``None`` when the account has ended or holds no role anywhere.
    """
    posts = posts_of(account)
    if account.ended_at is not None or not posts:
        return None
    acting = organisation if organisation in posts else next(iter(posts))
    return Identity("person", account.id, acting, posts[acting], session=session)


def identity_with(account: Account, role: Role) -> Identity | None:
    """Give the identity of an account in the first post that holds a role, ``None`` if none does."""
    for organisation, roles in posts_of(account).items():
        if role in roles:
            return identity_of(account, organisation)
    return None
