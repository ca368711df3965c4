# SPDX-License-Identifier: Apache-2.0
"""Composes the rooms from the settings: the only place that knows every implementation."""

import datetime as dt
import secrets as random_source
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path

from archive.assembly import AssembleStep
from archive.checking import CheckStep
from archive.closure import AcceptStep
from archive.intake import IntakeService
from archive.numbering import NumberTemplates
from archive.queries import FilingQueries
from archive.rendering import RenderStep
from archive.sealing import SealStep
from archive.storing import ManifestStep, StoreStep
from archive.supervision import TraceService
from cases.calendar import WorkingCalendar
from cases.holders import HolderService
from cases.items import ItemCatalogue
from cases.services import CaseService
from documents.codes import LIMITS as CODE_LIMITS
from documents.codes import read_codes
from documents.conversion import Converter
from documents.pages import LIMITS as PAGE_LIMITS
from documents.pages import PageImages
from documents.sandbox import Limits, Sandbox
from documents.typesetting import Typesetter
from indexer.embedded import EmbeddedIndex
from indexer.ports import Index
from licenses.answers import AnswerKeys
from licenses.catalogue import TypeCatalogue
from licenses.contacts import CONTACT_FORGET_STEP
from licenses.grants.services import Grants
from licenses.holdings import Holdings
from licenses.reading import LicenseReader
from licenses.rules import RuleBook
from licenses.services import LicenseService
from licenses.sharing.keys import MessageKeys
from portal.accounts.opening import account_service
from portal.books import Books
from portal.checking import DocumentCheck, SealCheck, Verify
from portal.editions.approved import ApprovedEditions
from portal.forgetting import ForgetStep, ForgetWatch
from portal.housekeeping import Beside, Housekeeping, stamped_now
from portal.index_steps import index_steps
from portal.license_steps import license_steps
from portal.needs import Needs, broker_question, needs_of
from portal.nightly import Nightly
from portal.patterns.opening import pattern_watch
from portal.proving import LadderWatch, ladder_clock, proof_service
from portal.pulse import Pulse
from portal.rooms import PublishedKeys, Rooms
from portal.settings import Settings
from portal.sharing.announcer import Announcer
from portal.sharing.opening import deliver_step, open_sender, published_jwks
from portal.simulations.opening import simulate_step
from portal.stock.opening import stock_steps
from portal.trusting import seal_standings, trusted
from portal.worker import Worker
from seals import demo_pki
from seals.demo_pki import DemoPki
from seals.keys import FileKeyStore
from seals.register import registered_seals
from seals.sealing import SealingService
from seals.services import SealService
from seals.tokens import TrustedTokens
from seals.trust import TrustList
from seals.untrusted import verify_untrusted
from storage.clock import Clock, IdSource, RandomIds, SystemClock
from storage.database import Database, UnitOfWork
from storage.files import create_once
from storage.ledger.anchors import Anchorer
from storage.ledger.checkpoints import CheckpointWriter
from storage.ledger.gate import GateLimits, LedgerGate
from storage.ledger.keeper import LedgerKeeper, Pace
from storage.ledger.notes import NoteSigner
from storage.ledger.sequencer import Sequencer
from storage.objects.bucket import BucketStore
from storage.objects.folder import FolderStore
from storage.objects.ports import ObjectStore
from storage.objects.probe import LockProbe
from storage.objects.server import PATIENCE, BucketAddress, Patience
from storage.objects.versions import TableBook, VersionBook
from storage.ports import Doorbell
from storage.secrets import Secrets
from storage.steps import Step

SEQUENCER_LEASE = dt.timedelta(seconds=15)
"""How long a sequencer of another machine waits for a silent one before it takes over."""


@dataclass(frozen=True, slots=True)
class Foundation:
    """What every process needs before it has rooms: time, ids, keys, records, bytes, certificates."""

    clock: Clock
    ids: IdSource
    database: Database
    objects: ObjectStore
    gate: LedgerGate
    keys: FileKeyStore
    pki: DemoPki


def open_foundation(
    settings: Settings, database_url: str | None = None, patience: Patience = PATIENCE
) -> Foundation:
    """Open the data folder.

    Args:
        settings: Where everything is.
        database_url: The records in another role than the application's.
        patience: How long the object server may be silent.

    Raises:
        DemoInProductionError: The environment is production; key stores and authorities for it are not
            part of this release.
    """
    clock, ids = SystemClock(), RandomIds()
    gate = LedgerGate(clock, GateLimits(sequencing=settings.sequencing_limit, anchor=settings.anchor_limit))
    address = database_url or settings.database_url
    secrets, doorbell = Secrets(settings.keys), _doorbell(settings)
    database = Database(address, clock, ids, secrets, settings.log_origin, gate, doorbell)
    gate.watch(database.connecting)
    keys = FileKeyStore(settings.keys / "seals")
    pki = demo_pki.create(settings.pki, keys, clock)
    objects = object_store(settings, TableBook(database), clock, patience)
    return Foundation(clock, ids, database, objects, gate, keys, pki)


def bucket_address(settings: Settings) -> BucketAddress | None:
    """Give where the objects' bucket is, ``None`` when objects lie in the data folder."""
    if settings.s3_endpoint is None or settings.s3_access_key is None or settings.s3_secret_key is None:
        return None
    return BucketAddress(
        settings.s3_endpoint,
        settings.s3_bucket,
        settings.s3_region,
        settings.s3_access_key,
        settings.s3_secret_key.get_secret_value(),
    )


def object_store(
    settings: Settings, book: VersionBook, clock: Clock, patience: Patience = PATIENCE
) -> ObjectStore:
    """Open the object store.

    Args:
        settings: Where it is.
        book: Remembers the versions of objects in a bucket.
        clock: Where locks are counted from.
        patience: How long its server may be silent.
    """
    if (address := bucket_address(settings)) is None:
        return FolderStore(settings.objects)
    return BucketStore(address, book, clock, patience)


def _doorbell(settings: Settings) -> Doorbell | None:
    if settings.broker is None:
        return None
    from portal.doorbell import CeleryDoorbell  # noqa: PLC0415 - Celery is there for those who configure it

    return CeleryDoorbell(settings.broker.get_secret_value(), settings.broker_prefix)


def ledger_signer(settings: Settings) -> NoteSigner:
    """Give the log's key, made when there is none."""
    path: Path = settings.keys / "ledger.key"
    fresh = NoteSigner(settings.log_origin, random_source.token_bytes(32))
    create_once(path, fresh.private_text().encode(), 0o400)
    return NoteSigner.parse(path.read_text())


def open_keeper(foundation: Foundation, settings: Settings) -> LedgerKeeper:
    """Open the sequencer's work; the caller becomes the one writer of the log.

    Raises:
        SequencerRunningError: Another sequencer works on this log.
        ObjectStoreUnusableError: It cannot be seen how far the log was published; nobody writes it then.
    """
    lease = SEQUENCER_LEASE if settings.database else None
    sequencer = Sequencer(foundation.database, foundation.clock, settings.data / "sequencer.lock", lease)
    checkpoints = CheckpointWriter(foundation.database, foundation.clock, sequencer, ledger_signer(settings))
    try:
        anchorer = Anchorer(
            foundation.database,
            foundation.clock,
            sequencer,
            foundation.objects,
            foundation.pki.tsa(foundation.ids),
            TrustedTokens(foundation.pki.trust()),
        )
    except BaseException:
        sequencer.close()
        raise
    return LedgerKeeper(foundation.clock, sequencer, checkpoints, anchorer, Pace())


def verifier(sandbox: Sandbox) -> Verify:
    """Give the verification of files from outside, in a confined child."""
    return partial(verify_untrusted, sandbox=sandbox)


class _Parts:
    """Services that several others are made of; each is made once, when first asked for."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.foundation = open_foundation(settings)
        self.editions = ApprovedEditions(self.foundation.database)
        self.items = ItemCatalogue.load(look_up=self.editions.items)
        self.holders = HolderService()
        self.cases = CaseService(self.items, self.holders)
        self.types = TypeCatalogue.load(self.editions.license_types)
        self.rules = RuleBook.load(self.editions.rules)
        self.books = Books.open(self.editions)
        found = self.foundation
        self.holdings = Holdings(self.types, seal_standings(settings, found.pki, found.clock))
        self.licenses = LicenseService(self.types, self.items, self.holders)
        self.answers = AnswerKeys(settings.keys)
        self.messages = MessageKeys(settings.keys)
        self.sandbox = self.sandbox_with(Limits())

    def sandbox_with(self, limits: Limits) -> Sandbox:
        """Give the place where files from outside are parsed, with limits of its own."""
        settings = self.settings
        return Sandbox(limits, bubblewrap=settings.isolation_required or None, scratch=settings.staging)

    @cached_property
    def sealing(self) -> SealingService:
        """Use of seals."""
        found = self.foundation
        return SealingService(found.keys, found.pki.tsa(found.ids), found.pki.trust, found.clock)

    @cached_property
    def typesetter(self) -> Typesetter:
        """Typesetting."""
        return Typesetter()

    @cached_property
    def index(self) -> Index:
        """The search index."""
        if (server := self.settings.search_url) is None:
            return EmbeddedIndex(self.settings.index_path)
        # A desk without a search server does not wait for its client to load.
        from indexer.elastic import ElasticIndex  # noqa: PLC0415

        return ElasticIndex(
            server.get_secret_value(), self.settings.search_index, self.settings.search_analyzer
        )

    def trust(self, uow: UnitOfWork) -> TrustList:
        """Give our anchors, further trusted ones, the revocation list and the register."""
        return trusted(self.settings, self.foundation.pki).with_seals(registered_seals(uow.session))

    def verify(self) -> Verify:
        """Give the verification of files from outside."""
        return verifier(self.sandbox)


def open_rooms(settings: Settings) -> Rooms:
    """Open every room of the data folder."""
    parts = _Parts(settings)
    found = parts.foundation
    reader = LicenseReader(parts.holdings, parts.cases, parts.holders, Grants(parts.rules))
    return Rooms(
        database=found.database,
        objects=found.objects,
        clock=found.clock,
        ids=found.ids,
        accounts=account_service(settings),
        items=parts.items,
        holders=parts.holders,
        cases=parts.cases,
        intake=IntakeService(found.objects, parts.cases, parts.items),
        license_types=parts.types,
        licenses=parts.licenses,
        license_reader=reader,
        rules=parts.rules,
        proofs=proof_service(parts),
        books=parts.books,
        checks=DocumentCheck(found.database, reader, parts.verify(), parts.trust, parts.sandbox, found.clock),
        index=parts.index,
        keys=PublishedKeys(
            str(ledger_signer(settings).verifier),
            found.pki.pem(),
            published_jwks(parts.answers, parts.messages),
            parts.messages.public,
        ),
        sender=open_sender(settings, found.clock),
        seals=SealService(),
        pki=found.pki,
        gate=found.gate,
        holdings=parts.holdings,
        filings=FilingQueries(parts.cases, parts.holders, parts.items, WorkingCalendar.load()),
        trace=TraceService(parts.items, WorkingCalendar.load()),
        page_images=PageImages(parts.sandbox_with(PAGE_LIMITS)),
        read_codes=partial(read_codes, sandbox=parts.sandbox_with(CODE_LIMITS)),
        typesetter=parts.typesetter,
        lock_probe=_lock_probe(settings, found),
        ask_broker=broker_question(settings.broker),
    )


def holder_address(settings: Settings) -> BucketAddress | None:
    """Give the bucket with the key for legal holds; ``None`` without bucket or key."""
    address, name, secret = bucket_address(settings), settings.s3_hold_access_key, settings.s3_hold_secret_key
    if address is None or name is None or secret is None:
        return None
    return replace(address, access_key=name, secret_key=secret.get_secret_value())


def _lock_probe(settings: Settings, found: Foundation) -> LockProbe | None:
    address = bucket_address(settings)
    if address is None:
        return None
    authority = partial(stamped_now, found.pki, found.ids)
    return LockProbe(address, found.clock, holder_address(settings), authority)


def _housekeeping(settings: Settings, found: Foundation) -> Housekeeping | None:
    """Give the daily work on the bucket; there is none where objects lie in a folder."""
    probe = _lock_probe(settings, found)
    if probe is None or not isinstance(found.objects, BucketStore):
        return None
    return Housekeeping(found.database, found.objects, probe, found.clock)


def make_worker(
    settings: Settings,
    owner: str,
    dead: Callable[[], Iterable[str]],
    does: Callable[[str], bool] = lambda _kind: True,
) -> tuple[Worker, Database, Sequence[Beside]]:
    """Make the worker, and the daily work that goes on beside it; the database is the caller's to close.

    Args:
        settings: Where everything is.
        owner: Name that no other living worker bears.
        dead: Gives the names of workers that are known to be dead.
        does: Whether it does steps of a kind.

    Raises:
        SandboxUnavailableError: No confined child can run here; files would be blamed for it.
    """
    parts = _Parts(settings)
    parts.sandbox.prove()
    found = parts.foundation
    steps = _steps(parts)
    worker = Worker(
        found.database,
        {kind: step for kind, step in steps.items() if does(kind)},
        settings.staging / "jobs",
        found.clock,
        found.ids,
        owner,
        settings.worker_threads,
        dead,
        Pulse(settings.staging, "worker", found.clock).beat,
        Needs(needs_of(steps, found.objects, parts.index), found.database, found.clock),
    )
    house = _housekeeping(settings, found)
    beside = (
        Nightly(found.database, parts.index, found.clock, settings.reconcile_at),
        pattern_watch(parts, found.database, found.clock),
        Announcer(found.database),
        LadderWatch(found.database, ladder_clock(parts)),
        ForgetWatch(found.database),
    )
    return worker, found.database, beside if house is None else (house, *beside)


def _steps(parts: _Parts) -> Mapping[str, Step]:
    found, items, settings = parts.foundation, parts.items, parts.settings
    templates = NumberTemplates.load(look_up=parts.editions.templates)
    objects, check = found.objects, SealCheck(parts.verify(), found.pki.trust())
    steps: tuple[Step, ...] = (
        AcceptStep(objects, items, parts.holders, parts.cases, parts.licenses),
        CheckStep(objects, items, parts.sandbox),
        RenderStep(objects, Converter(parts.sandbox), check, found.clock),
        AssembleStep(objects, items, parts.cases, parts.holders, templates, parts.sandbox),
        SealStep(objects, items, parts.typesetter, parts.sealing, parts.sandbox),
        ManifestStep(objects, parts.sealing),
        StoreStep(objects),
        *license_steps(parts),
        *index_steps(found.database, parts.index, parts.holdings),
        *stock_steps(settings, found, parts.types, items, parts.books.profiles),
        simulate_step(found.database, parts),
        ForgetStep(CONTACT_FORGET_STEP, found.database.secrets),
        deliver_step(settings, found.database.secrets, found.clock),
    )
    return {step.kind: step for step in steps}
