# SPDX-License-Identifier: Apache-2.0
"""The composed rooms: what ``portal.bootstrap`` builds once and every process and page uses."""

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from archive.intake import IntakeService
from archive.queries import FilingQueries
from archive.supervision import TraceService
from cases.holders import HolderService
from cases.items import ItemCatalogue
from cases.services import CaseService
from documents.pages import PageImages
from documents.ports import Typesets
from indexer.ports import Index
from licenses.answers import AnswerKeys
from licenses.bulk import BulkService
from licenses.catalogue import TypeCatalogue
from licenses.codes.services import CodeService
from licenses.copies.services import CopyService
from licenses.decisions import ProofService
from licenses.disputes import DisputeService
from licenses.facades.services import FacadeService
from licenses.grants.services import Grants
from licenses.holdings import Holdings
from licenses.information import InformationService
from licenses.ladder.own import OwnCommitments
from licenses.ladder.services import LadderService
from licenses.lookup import LookupService
from licenses.managing import LicenseDesk
from licenses.objections import ObjectionService
from licenses.one_certificate import OneCertificateService
from licenses.own import OwnRecordsService
from licenses.reading import LicenseReader
from licenses.recall import RecallService
from licenses.relations import Relations
from licenses.replay import ReplayService
from licenses.rules import RuleBook
from licenses.services import LicenseService
from licenses.sharing.desk import SharingDesk
from licenses.sharing.ports import Sender
from licenses.sharing.services import SubscriptionService
from licenses.showing import ShowService
from licenses.simulation import SimulationService
from licenses.stock.issuers import OwnIssuers
from licenses.stock.quarantine import QuarantineDesk
from licenses.stock.runs import StockRuns
from portal.accounts.changes import RightChanges
from portal.accounts.services import AccountService, client_runs
from portal.accounts.sign_ins import SignInService
from portal.books import Books
from portal.checking import DocumentCheck
from portal.editions.grounds import Catalogues
from portal.editions.services import EditionService
from portal.proving import inquiry_of, ladder_service, working_calendar
from portal.stock.uploads import Uploads
from seals.demo_pki import DemoPki
from seals.services import SealService
from storage.clock import Clock, IdSource
from storage.database import Database, UnitOfWork
from storage.identity import AccessBasis, Basis, Identity, Role, system_identity
from storage.ledger.gate import LedgerGate
from storage.ledger.reading import read_status
from storage.objects.ports import ObjectStore
from storage.objects.probe import LockProbe


@dataclass(frozen=True, slots=True)
class PublishedKeys:
    """Public keys that strangers need to check what leaves the installation.

    Attributes:
        log_key: The ledger's verifier key (vkey, one line).
        ca_pem: Certificate that the seals chain to, PEM.
        jwks: Keys of signed answers and of messages to subscribers (RFC 7517).
        message_key: The key of such messages, as Standard Webhooks writes it.
    """

    log_key: str
    ca_pem: bytes
    jwks: Mapping[str, Sequence[Mapping[str, str]]]
    message_key: str = ""


@dataclass(frozen=True, slots=True)
class Rooms:
    """Every service of the installation, made of the same settings.

    Attributes:
        database: Opens units of work; only the portal does.
        objects: The object store.
        clock: Where time comes from.
        ids: Where ids come from.
        accounts: Persons, clients, sessions.
        items: Items and departments.
        holders: Holders of licences.
        cases: Cases.
        intake: Receives filings.
        license_types: The catalogue of licence types.
        licenses: Licences: reserve, suspend, resume, cancel, revoke.
        license_reader: Reads licences, on a basis, always recorded.
        rules: The no-proof rules.
        proofs: Answers no-proof questions.
        checks: Checks documents for anybody.
        index: The search index.
        keys: What strangers need to check our signatures.
        seals: The seal register.
        pki: The authority that issued the seals' certificates.
        gate: Whether the ledger admits acts now.
        filings: States of filings, counts, dossiers.
        holdings: Status and faces of licences, for the product's own use.
        read_codes: Gives what the QR codes in a photo say.
        typesetter: Sets reports.
        sender: Sends messages to subscribers, and knows where it may not.
        page_images: Draws pages of filed documents for the screen.
        lock_probe: Attacks the bucket's lock; none where objects lie in a folder.
        books: Mapping profiles and the table of relations.
        ask_broker: Returns when the broker answers; none where there is no broker.
    """

    database: Database
    objects: ObjectStore
    clock: Clock
    ids: IdSource
    accounts: AccountService
    items: ItemCatalogue
    holders: HolderService
    cases: CaseService
    intake: IntakeService
    license_types: TypeCatalogue
    licenses: LicenseService
    license_reader: LicenseReader
    rules: RuleBook
    proofs: ProofService
    checks: DocumentCheck
    index: Index
    keys: PublishedKeys
    seals: SealService
    pki: DemoPki
    gate: LedgerGate
    filings: FilingQueries
    trace: TraceService
    holdings: Holdings
    page_images: PageImages
    read_codes: Callable[[Path], Sequence[str]]
    typesetter: Typesets
    sender: Sender
    books: Books
    lock_probe: LockProbe | None = None
    ask_broker: Callable[[], None] | None = None

    @property
    def rights(self) -> RightChanges:
        """Changes of rights by two persons."""
        return RightChanges()

    @property
    def grants(self) -> Grants:
        """What systems may ask."""
        return Grants(self.rules)

    @property
    def objections(self) -> ObjectionService:
        """Objections of holders, and their answers."""
        return ObjectionService(working_calendar())

    @property
    def stock_runs(self) -> StockRuns:
        """Runs of the import of stock."""
        return StockRuns(self.license_types)

    @property
    def stock_uploads(self) -> Uploads:
        """Uploaded files of the import of stock."""
        return Uploads(self.database, self.objects, self.stock_runs)

    @property
    def stock_desk(self) -> QuarantineDesk:
        """What of the stock waits for a person."""
        issuers = OwnIssuers(self.items)
        return QuarantineDesk(self.license_types, issuers, self.books.profiles)

    @property
    def bulk(self) -> BulkService:
        """Changes of many licences at once."""
        return BulkService(self.holdings, self.licenses)

    @property
    def license_desk(self) -> LicenseDesk:
        """Single licences, for who manages them."""
        issuers, profiles = OwnIssuers(self.items), self.books.profiles
        return LicenseDesk(
            self.holdings, self.licenses, lambda organisation: issuers.anywhere(organisation, profiles.all())
        )

    @property
    def information(self) -> InformationService:
        """Checks what is stated of licences."""
        return InformationService(self.holdings, self.holders)

    @property
    def facades(self) -> FacadeService:
        """Answers calls in other interfaces' dialects."""
        return FacadeService(
            self.license_reader, self.information, self.cases, self.holders, self.items, self.copies
        )

    @property
    def codes(self) -> CodeService:
        """Authorisation codes for licences."""
        return CodeService(self.license_reader, self.holdings, self.rules)

    @property
    def showing(self) -> ShowService:
        """Licences shown by a code that changes each minute."""
        return ShowService(self.license_reader)

    @property
    def copies(self) -> CopyService:
        """Annotated copies of licences."""
        return CopyService(self.license_reader, self.holdings, client_runs)

    @property
    def replays(self) -> ReplayService:
        """Replays decisions."""
        return ReplayService(self.rules, inquiry_of(self))

    @property
    def simulations(self) -> SimulationService:
        """Simulates draft rules on closed cases."""
        return SimulationService(self.rules, inquiry_of(self))

    @property
    def answers(self) -> AnswerKeys:
        """Keys that sign answers and statements."""
        return self.proofs.keys

    @property
    def ladder(self) -> LadderService:
        """Commitments, cooperation of departments, later supply."""
        return ladder_service(self)

    @property
    def own_commitments(self) -> OwnCommitments:
        """A holder's own commitments."""
        return OwnCommitments(self.ladder)

    @property
    def recalls(self) -> RecallService:
        """Decisions whose ground is gone."""
        return RecallService()

    @property
    def disputes(self) -> DisputeService:
        """Disputes of other offices, and their answers."""
        return DisputeService(self.objections, self.licenses, self.holders)

    @property
    def lookup(self) -> LookupService:
        """Finds licences for an open case, over proven relations too."""
        relations = Relations(self.holdings, self.holders, self.books.relations)
        return LookupService(self.license_reader, relations, self.holders)

    @property
    def one_certificate(self) -> OneCertificateService:
        """Finds the case of a document and fills in its form."""
        return OneCertificateService(self.license_reader, self.holdings, self.items, self.holders)

    @property
    def own_records(self) -> OwnRecordsService:
        """What holders see of themselves."""
        return OwnRecordsService(
            self.license_reader, self.proofs, self.holdings, self.holders, self.objections
        )

    @property
    def editions(self) -> EditionService:
        """Editions of data by two persons."""
        return EditionService(Catalogues(self.items, self.license_types, self.rules, self.books))

    @property
    def subscriptions(self) -> SubscriptionService:
        """What other systems asked to be told of."""
        return SubscriptionService(self.license_types, self.items, self.sender)

    @property
    def sharing(self) -> SharingDesk:
        """What they fetch, and what did not arrive."""
        return SharingDesk(self.subscriptions)

    @property
    def sign_ins(self) -> SignInService:
        """Signing in by password, and lock-out."""
        return SignInService(self.accounts)

    def last_checkpoint_at(self, uow: UnitOfWork) -> dt.datetime | None:
        """Give when the newest checkpoint was signed; ``None`` before the first."""
        return read_status(uow.session).checkpoint_at

    def trust_pem(self) -> bytes:
        """Give the certificate that seals and time stamps chain to, PEM."""
        return self.keys.ca_pem

    def close(self) -> None:
        """Close pooled connections and end children that wait for files."""
        self.checks.close()
        self.index.close()
        self.database.close()


def all_seeing() -> Identity:
    """Give an identity that sees every department, as supervision does."""
    basis = AccessBasis(Basis.SUPERVISION)
    identity = system_identity("portal")
    return Identity(identity.kind, identity.id, "", frozenset({Role.SYSTEM, Role.SUPERVISOR}), basis)
