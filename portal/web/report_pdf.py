# SPDX-License-Identifier: Apache-2.0
"""The report of a document check as PDF/A, in the language of the page: what the page says, on paper.

A recorded check has a number, the id of its act in the ledger, and a QR code that opens the receipt. The
report is not sealed and says so: it repeats what was found, and whoever doubts it checks the file again.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from documents.errors import GlyphMissingError
from documents.ports import Typesets
from documents.typesetting import surely_set
from licenses.layout import qr_svg
from licenses.stock.titles import trust_levels
from licenses.views import PublicCard
from portal.check_lines import HEADLINE_TITLES, Headline
from portal.checking import CheckReport
from portal.i18n import ZH, choose, day, exact_moment, gettext, language, named
from portal.i18n import mark as _
from portal.version import VERSION
from portal.web.codes import issuer_title
from portal.web.labels import label
from portal.web.render import grouped
from seals.verdicts import SignatureReport
from storage.ledger.canonical import Json

TEMPLATE: Final = Path(__file__).parents[1] / "templates" / "report.typ"
_RECORDED: Final = _(
    "The number of this report is the id of its act in the ledger. The code opens the receipt, which proves "
    "that this check took place."
)
_UNRECORDED: Final = _(
    "This report has no number: the file is none of this archive's, and such a check is not recorded."
)
_TONES: Final = {Headline.VALID: "good", Headline.CANNOT_TELL: "unknown", Headline.INVALID: "bad"}


@dataclass(frozen=True, slots=True)
class ReportOrigin:
    """Who makes a report.

    Attributes:
        operator: Who runs the installation.
        public_url: Where it is reached.
        demo: Whether its seals and licences have no legal force.
    """

    operator: str
    public_url: str
    demo: bool


def report_pdf(
    typesetter: Typesets, reports: Sequence[tuple[str, CheckReport]], origin: ReportOrigin
) -> bytes:
    """Set one report, or several with a table of their answers first.

    Args:
        typesetter: Sets it.
        reports: At least one, each with the name under which its file was sent.
        origin: Who makes it.
    """
    made = reports[0][1].verdict.at
    data: dict[str, Json] = {
        "chinese": language() == ZH,
        "title": gettext(
            _("Report on a document check") if len(reports) == 1 else _("Reports on document checks")
        ),
        "demo": gettext(_("Demonstration: seals and licences have no legal effect")) if origin.demo else "",
        "heads": [gettext(head) for head in (_("File"), _("Result"), _("Why"))],
        "parts": [_part(name, report, origin) for name, report in reports],
        "note": gettext(
            _("This report is not sealed. Whoever doubts it checks the file again: %(address)s"),
            address=f"{origin.public_url.rstrip('/')}/verify",
        ),
        "foot": f"{origin.operator} · {exact_moment(made)}",
    }
    try:
        return typesetter.typeset(TEMPLATE, data, (), made)
    except GlyphMissingError:
        # Names in foreign certificates and of files may hold anything.
        return typesetter.typeset(TEMPLATE, surely_set(data), (), made)


def _part(name: str, report: CheckReport, origin: ReportOrigin) -> dict[str, Json]:
    verdict, promise = report.verdict, report.promise
    act = promise.core_sha256 if promise else ""
    return {
        "name": name or gettext(_("without a name")),
        "tone": _TONES[report.headline],
        "headline": choose(*HEADLINE_TITLES[report.headline]),
        "sentence": choose(*report.sentence),
        "lines": [[choose(*title), named(line)] for title, line in report.lines],
        "card": list(card_facts(report.card)) if report.card else [],
        "grounds_title": gettext(_("Grounds")),
        "grounds": list(verdict.sentences("zh" if language() == ZH else "en")),
        "seals": [_seal(number, one) for number, one in enumerate(verdict.signatures, 1)],
        "checked_title": gettext(_("What was checked")),
        "checked": [
            [gettext(_("File")), name or gettext(_("without a name"))],
            ["SHA-256", grouped(verdict.sha256)],
            [gettext(_("Size")), f"{verdict.size} B"],
            [gettext(_("Checked at")), exact_moment(verdict.at)],
            [gettext(_("Checked by")), f"{origin.operator} · {gettext(_('Cunzheng'))} {VERSION}"],
        ],
        "record_title": gettext(_("Record of this check")),
        "act": grouped(act),
        "qr": qr_svg(f"{origin.public_url.rstrip('/')}/receipts/{act}") if act else "",
        "record": gettext(_RECORDED if act else _UNRECORDED),
    }


def card_facts(card: PublicCard) -> Iterator[list[Json]]:
    """Give what the report says of a licence, title and words, in the language of the page."""
    yield [gettext(_("Licence type")), named(card.kind)]
    yield [gettext(_("Issuer")), issuer_title(card.issuer)]
    yield [gettext(_("Holder")), card.holder.name]
    end = day(card.valid_until) if card.valid_until else gettext(_("no end"))
    yield [gettext(_("Validity")), f"{day(card.valid_from)} – {end}"]
    yield [gettext(_("Trust level")), named(trust_levels()[card.trust])]
    if card.pending is not None:
        yield [gettext(_("Under way")), gettext(label("pending", card.pending).word)]


def _seal(number: int, one: SignatureReport) -> dict[str, Json]:
    facts: list[Json] = []
    if one.signer or one.seal_name:
        issued = f" · {gettext(_('certificate issued by'))} {one.issuer}" if one.issuer else ""
        facts.append([gettext(_("Sealed by")), f"{one.seal_name or one.signer}{issued}"])
    at = gettext(_("no trusted time"))
    if one.sealed_at:
        authority = one.token_authority or ""
        at = f"{exact_moment(one.sealed_at)} · {gettext(_('trusted time stamp of'))} {authority}"
    facts.append([gettext(_("Sealed at")), at])
    if one.certificate_sha256:
        facts.append([gettext(_("Certificate")), grouped(one.certificate_sha256)])
    state = gettext(label("verdict", one.state).word)
    return {"title": f"{gettext(_('Seal %(number)s'), number=number)}: {state}", "facts": facts}
