# SPDX-License-Identifier: Apache-2.0
"""Eight producers file on the real servers while two workers do the work and one is killed every two seconds.

Afterwards the line drains: one dossier for each case, every intent with one outcome, a dense ledger that
verifies, and neither bucket nor index holds anything that no record names. The storm lasts
``CUNZHENG_TEST_KILL_SECONDS``, 20 unless given; ``make crashes-services`` takes 180.
"""

import datetime as dt
import hashlib
import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from installation import Submissions, installed
from minio import Minio
from parts import MADE_KEYS, POSTGRESQL
from sqlalchemy import func, select
from storm import Storm, Workers, adoptions, count

from archive.manifests import read
from archive.models import Dossier, DossierMember, Filing
from cases.models import Case
from licenses.models import License
from portal.bootstrap import ledger_signer
from portal.index_keeping import IndexKeeper
from portal.object_keeping import Leftover, ObjectKeeper
from seals.models import Sealing
from storage.identity import Identity, Role
from storage.ledger.acts import Outcome
from storage.ledger.export import export_log
from storage.ledger.findings import Verdict
from storage.ledger.kinds import ActKind
from storage.ledger.models import LedgerAct, LedgerEntry
from storage.ledger.policies import parse_policy, single_log_policy
from storage.ledger.verification import verify_log
from storage.objects.leftovers import Destroyer, Inventory
from storage.objects.ports import object_key
from storage.objects.server import connect
from storage.objects.versions import ObjectVersion
from storage.steps import StepRow

pytestmark = [
    pytest.mark.services,
    pytest.mark.skipif(POSTGRESQL not in os.environ, reason="names no PostgreSQL server"),
]

SECONDS = float(os.environ.get("CUNZHENG_TEST_KILL_SECONDS") or 20)
SEED = 20261124
ADMINISTRATOR = Identity("person", "keeper", "office", frozenset({Role.SYSTEM_ADMIN}))


@pytest.fixture(scope="module")
def storm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Storm]:
    """Give the installation after the storm: drained, every act sequenced, no process at work."""
    folder = tmp_path_factory.mktemp("kills")
    submissions = Submissions(folder / "materials")
    with installed(folder / "data", "sequencer") as site:
        workers = Workers(site, 2, SEED)
        storm = Storm(site, submissions, SECONDS)
        workers.start()
        try:
            storm.run(workers)
            storm.drain(workers, 120 + 2 * SECONDS)
        finally:
            workers.stop()
        site.stop("sequencer")
        yield storm


def test_producers_were_answered_and_workers_died(storm: Storm, capsys: pytest.CaptureFixture[str]) -> None:
    with storm.site.rooms.database.reading() as uow:
        sealings = count(uow, Sealing.state)
        deaths = sum(uow.session.scalars(select(StepRow.deaths)))
    adopted = adoptions(storm.site)
    with capsys.disabled():
        print(
            f"\n  {len(storm.filed)} cases, {storm.kills} kills in {SECONDS:.0f} s that hit {deaths} steps,"
            f" {adopted} adopted, {sealings['abandoned']} of {sum(sealings.values())} uses of seals"
            f" abandoned, drained after {storm.drained_after:.1f} s"
        )
    assert storm.broken == []
    assert storm.kills >= 0.8 * SECONDS / 2
    # Nothing died but what was killed, which is told as it is started again.
    assert set(storm.site.reports) == {"worker-1: exit -9", "worker-2: exit -9"}
    assert deaths


def test_each_case_became_one_dossier(storm: Storm) -> None:
    with storm.site.rooms.database.reading() as uow:
        filings = uow.session.execute(select(Case.number, Filing.id).join(Filing, Filing.case_id == Case.id))
        became: dict[str, set[str]] = {}
        for number, filing in filings:
            became.setdefault(number, set()).add(filing)
        dossiers = Counter(uow.session.scalars(select(Dossier.case_id)))
        archival_numbers = set(uow.session.scalars(select(Dossier.archival_number)))
        states = count(uow, Filing.state)
        licenses = count(uow, License.case_id)
        issued = uow.session.scalar(select(func.count()).where(License.issued_at.is_not(None)))
    assert became == storm.filed
    assert all(len(filings) == 1 for filings in became.values())
    assert states == {"filed": len(storm.filed)}
    assert set(dossiers.values()) == {1}
    assert len(dossiers) == len(archival_numbers) == len(storm.filed)
    assert set(licenses.values()) == {1}
    assert len(licenses) == issued == storm.approved()


def test_every_intent_has_one_outcome(storm: Storm) -> None:
    with storm.site.rooms.database.reading() as uow:
        intents = set(
            uow.session.scalars(select(LedgerAct.act_id).where(LedgerAct.outcome == str(Outcome.INTENDED)))
        )
        closed = Counter(uow.session.scalars(select(LedgerAct.intent).where(LedgerAct.intent.is_not(None))))
        acts, sealings = count(uow, LedgerAct.kind), count(uow, Sealing.state)
    assert closed == dict.fromkeys(intents, 1)
    outcomes = {"sealed": ActKind.SEALING_SEALED, "abandoned": ActKind.SEALING_ABANDONED}
    assert sealings == Counter({state: acts[kind] for state, kind in outcomes.items() if acts[kind]})
    assert acts[ActKind.SEALING_INTENDED] == acts[ActKind.SEALING_SEALED] + acts[ActKind.SEALING_ABANDONED]
    assert acts[ActKind.SEALING_REFUSED] == 0


def test_the_ledger_is_dense_and_verifies(storm: Storm, tmp_path: Path) -> None:
    rooms = storm.site.rooms
    with rooms.database.reading() as uow:
        acts, entries, last = uow.session.execute(
            select(
                select(func.count()).select_from(LedgerAct).scalar_subquery(),
                func.count(LedgerEntry.seq),
                func.max(LedgerEntry.seq),
            )
        ).one()
    assert acts == entries == last + 1
    key = ledger_signer(storm.site.settings).verifier
    exported = export_log(rooms.database, tmp_path / "export", key, rooms.trust_pem())
    report = verify_log(tmp_path / "export", parse_policy(single_log_policy(key)))
    assert (report.verdict, report.size) == (Verdict.VALID, exported.entries)
    assert report.size == entries


def digest_of(client: Minio, bucket: str, key: str, version_id: str) -> str:
    with client.get_object(bucket, key, version_id=version_id) as answer:
        return hashlib.sha256(answer.read()).hexdigest()


def test_after_two_sweeps_the_bucket_holds_what_is_recorded_and_nothing_else(
    storm: Storm, capsys: pytest.CaptureFixture[str]
) -> None:
    site = storm.site
    keys = MADE_KEYS[site.settings.s3_bucket]
    inventory = Inventory(keys["auditor"])
    keeper = ObjectKeeper(
        site.rooms.database,
        inventory,
        Destroyer(keys["destroyer"]),
        site.rooms.clock,
        grace=dt.timedelta(0),
    )
    first, second = keeper.sweep(ADMINISTRATOR), keeper.sweep(ADMINISTRATOR)
    left = list(keeper.survey(ADMINISTRATOR))
    with capsys.disabled():
        print(
            f"\n  bucket: {first.needed} versions needed, {dict(first.found)} found,"
            f" {first.removed + second.removed} removed, {second.locked} still locked"
        )
    # Workers that lock the same bytes at the same time leave identical versions, each locked for good.
    assert {kind for kind, _ in left} <= {Leftover.CANARY, Leftover.SUPERSEDED}
    twins = {(one.key, one.version_id) for kind, one in left if kind is Leftover.SUPERSEDED}
    for key, version_id in twins:
        assert (
            digest_of(connect(keys["auditor"]), inventory.bucket, key, version_id) == key.rpartition("/")[2]
        )
    assert first.found[Leftover.STRANGER] == 0
    assert first.given_up == first.found[Leftover.ORPHAN]
    # What is needed is the recorded version, and its bytes are there.
    with site.rooms.database.reading() as uow:
        recorded = {(row.key, row.version_id) for row in uow.session.scalars(select(ObjectVersion))}
        members = uow.session.scalars(select(DossierMember)).all()
        manifests = uow.session.scalars(select(Dossier.manifest_key)).all()
    held = {(one.key, one.version_id) for one in inventory.versions() if not one.key.startswith("probe/")}
    assert held - twins == recorded
    assert {(object_key(one.sha256), one.version_id) for one in members} <= held
    for key in manifests:
        for member in read(site.rooms.objects.read_named(str(key)))["members"]:  # type: ignore[union-attr] # a list
            assert (member["key"], member["version_id"]) in held  # type: ignore[call-overload,index] # JSON
    for sha256 in {one.sha256 for one in members}:
        assert site.rooms.objects.read(sha256)


def test_after_reconciling_the_index_holds_what_is_recorded_and_nothing_else(storm: Storm) -> None:
    rooms = storm.site.rooms
    keeper = IndexKeeper(rooms.database, rooms.index, rooms.holdings)
    first = keeper.reconcile(ADMINISTRATOR)
    second = keeper.reconcile(ADMINISTRATOR)
    assert first.difference.surplus == ()
    assert second.difference.equal
    assert rooms.index.count() == len(storm.filed) + storm.approved()
