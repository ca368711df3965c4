# SPDX-License-Identifier: Apache-2.0
"""Sets a data folder up: tables, keys, certificates, seals, the first administrator. Repeating is safe."""

from sqlalchemy import make_url

from portal.accounts.models import ADMINISTRATION
from portal.accounts.opening import account_service
from portal.accounts.rights import NewAccount, add_account
from portal.accounts.services import AccountService
from portal.bootstrap import bucket_address, open_foundation
from portal.demo.script import Script, SealSpec
from portal.key_marks.services import claim_keys
from portal.migrations.upgrading import grant, upgrade
from portal.settings import Settings
from seals.demo_pki import DemoPki
from seals.register import revoked_serials
from seals.services import Scope, SealService
from storage.database import UnitOfWork
from storage.identity import Role, system_identity
from storage.objects.server import make_bucket

_ANY = ("*",)
_ADMINISTRATORS = {
    Role.SYSTEM_ADMIN: "系统管理员",
    Role.SECURITY_ADMIN: "安全管理员",
    Role.AUDIT_ADMIN: "审计管理员",
}


def initialise(settings: Settings) -> list[str]:
    """Set the folder up or bring it up to date; give sentences that say what was done.

    Raises:
        KeysMissingError: The records belong to an installation whose keys are not there.
        KeysForeignError: The keys are not those of the records.
    """
    settings.data.mkdir(parents=True, exist_ok=True)
    for folder in (settings.staging, settings.logs):
        folder.mkdir(exist_ok=True)
    upgrade(settings.owner_database_url)
    if settings.database is not None:
        application, sequencer = make_url(settings.database_url), make_url(settings.sequencer_database_url)
        grant(settings.owner_database_url, str(application.username), str(sequencer.username))
    claim_keys(settings)
    foundation = open_foundation(settings, settings.owner_database_url)
    done = [f"数据目录 / data folder: {settings.data}"]
    address = bucket_address(settings)
    if address is not None and make_bucket(address):
        done.append(f"存储桶已建，带版本与锁定 / bucket made, with versions and locks: {address.bucket}")
    specs = Script.load().seals
    for spec in specs:
        foundation.pki.issue_seal(spec.key, spec.zh)
    with foundation.database.writing() as uow:
        registered = _register(uow, foundation.pki, specs)
        if registered:
            done.append(f"印章备案并启用 / seals registered and enabled: {registered}")
        added = _first_administrators(uow, account_service(settings))
        if added:
            done.append(f"首批管理员账号 / first administrators: {' '.join(added)}")
        revoked = revoked_serials(uow.session)
    # A revocation whose list was not written before a crash is published here.
    foundation.pki.write_revocations(revoked)
    foundation.database.close()
    return done


def _register(uow: UnitOfWork, pki: DemoPki, specs: tuple[SealSpec, ...]) -> int:
    service, identity = SealService(), system_identity("init")
    held = {view.name for view in service.list(uow, identity)}
    missing = [spec for spec in specs if spec.zh not in held]
    for spec in missing:
        seal, _ = service.register(
            uow,
            identity,
            name=spec.zh,
            department=spec.department,
            key_reference=pki.seal_key(spec.key),
            certificate=pki.certificate(spec.key),
            scope=Scope((spec.department,), spec.items or _ANY, spec.document_types),
        )
        service.enable(uow, identity, seal.id)
    return len(missing)


def _first_administrators(uow: UnitOfWork, accounts: AccountService) -> list[str]:
    """Add whichever of the three administrators nobody is: without them no right could ever be changed."""
    missing = {role: name for role, name in _ADMINISTRATORS.items() if not accounts.with_role(uow, role)}
    for role, name in missing.items():
        new = NewAccount(name=name, organisation=ADMINISTRATION, roles=frozenset({role}))
        add_account(uow, system_identity("init"), new)
    return list(missing)
