# SPDX-License-Identifier: Apache-2.0
"""What page and interface share when somebody checks a document: limit and upload."""

import re
from dataclasses import dataclass
from typing import Final, cast

from flask import request

from documents.errors import UnreadableError
from licenses.copies.checking import CopyChecker, codes_of_copies
from licenses.errors import CodeUnknownError
from licenses.purposes import is_purpose
from licenses.usage import on_public_check
from licenses.views import PublicCheck
from portal.checking import CheckReport
from portal.errors import PhotoWithoutCodeError, RateLimitedError
from portal.web import context, signed, uploads
from portal.web.counters import RATE_LIMITED, UNMATCHED_UPLOAD
from portal.web.uploads import StagedFile
from storage.errors import InvalidInputError
from storage.identity import AccessBasis, Basis, Identity

PART: Final = "file"
PHOTO: Final = "photo"
_CODE: Final = re.compile(r"[0-9a-hjkmnp-tv-z]{26}")
_ADDRESS: Final = re.compile(rf"https?://[^\s?#]+/v/({_CODE.pattern})/?(?:[?#].*)?")
MOST_FILES: Final = 20
"""Files of one request to the page; programs send one at a time."""


def check_limit() -> None:
    """Take one check from a stranger's allowance; signed-in persons and clients have none.

    Raises:
        RateLimitedError: the address has used its allowance of this minute.
    """
    if context.identity().kind != "public":
        return
    if not context.public_limit().admit(request.remote_addr or "unknown"):
        context.counters().add(RATE_LIMITED)
        raise RateLimitedError(per_minute=context.settings().public_rate)


def demand_misses_left() -> None:
    """Refuse a client that stated too often what meets no licence; strangers have :func:`check_limit`.

    It is asked before the register is: a refusal must not tell a miss from a hit.

    Raises:
        RateLimitedError: Its misses used up the allowance of one address, and were not waited for.
    """
    who = context.identity()
    if who.kind != "public" and not context.public_limit().has_left(_misses_of(who)):
        context.counters().add(RATE_LIMITED)
        raise RateLimitedError(per_minute=context.settings().public_rate)


def count_miss() -> None:
    """Count a statement that met no licence; whoever tries many of them is made to wait."""
    context.counters().add(UNMATCHED_UPLOAD)
    who = context.identity()
    if who.kind != "public":
        context.public_limit().charge(_misses_of(who))


def _misses_of(who: Identity) -> str:
    return f"misses {who.id}"


def asking_for(purpose: str | None) -> Identity:
    """Give who checks, with the purpose that is stated, which the holder sees; stating one is left to them.

    Raises:
        InvalidInputError: It is no published purpose.
        PurposeDiffersError: It is not the token's.
    """
    if not purpose:
        return context.identity()
    if not is_purpose(purpose):
        raise InvalidInputError(field="purpose", rule="published")
    signed.check_purpose(purpose)
    return context.identity().on(AccessBasis(Basis.PUBLIC_CHECK, purpose=purpose))


def check_upload() -> CheckReport:
    """Check the file that came with this request; an upload that matches nothing is only counted.

    Raises:
        InvalidInputError: no file came, an empty one, or several: an answer is about one; or the purpose is
            not published.
        RateLimitedError: see :func:`check_limit`.
    """
    check_limit()
    staged = uploads.staged_file(PART)
    if staged is None or staged.size == 0 or len(request.files.getlist(PART)) > 1:
        raise InvalidInputError(field=PART, rule="one file")
    return _check(asking_for(request.form.get("purpose")), staged)


@dataclass(frozen=True, slots=True)
class NamedReport:
    """A report and the name under which its file was sent."""

    name: str
    report: CheckReport


def check_uploads() -> list[NamedReport]:
    """Check every file that came with this request, in the order in which they were sent.

    Raises:
        InvalidInputError: No file came, an empty one, or more than :data:`MOST_FILES`; or the purpose is not
            published.
        RateLimitedError: See :func:`check_limit`; each file is a check, and none is done.
    """
    sent = [(str(part.filename), cast(StagedFile, part.stream)) for part in request.files.getlist(PART)]
    if not 0 < len(sent) <= MOST_FILES or not all(staged.size for _, staged in sent):
        raise InvalidInputError(field=PART, rule=f"1 to {MOST_FILES} files")
    who = asking_for(request.form.get("purpose"))
    for _ in sent:
        check_limit()
    return [NamedReport(name, _check(who, staged)) for name, staged in sent]


def _check(who: Identity, staged: StagedFile) -> CheckReport:
    report = context.rooms().checks.check(who, staged.path)
    if report.promise is None:
        context.counters().add(UNMATCHED_UPLOAD)
    return report


def code_in(text: str) -> str | None:
    """Give the verification code that a text holds: the code itself, or the address that a QR code leads to.

    Whose address it is does not matter: this library is asked, whatever the paper says.
    """
    plain = re.sub(r"[\s-]", "", text).lower()
    if _CODE.fullmatch(plain):
        return plain
    found = _ADDRESS.fullmatch(text.strip().lower())
    return found[1] if found else None


def code_in_photo() -> str:
    """Give the one verification code that the uploaded photo shows.

    Raises:
        InvalidInputError: No photo came, an empty one, or several.
        PhotoWithoutCodeError: It shows no code, several, or cannot be read.
        RateLimitedError: See :func:`check_limit`.
    """
    check_limit()
    staged = uploads.staged_file(PHOTO)
    if staged is None or staged.size == 0 or len(request.files.getlist(PHOTO)) > 1:
        raise InvalidInputError(field=PHOTO, rule="one photo")
    try:
        texts = context.rooms().read_codes(staged.path)
    except UnreadableError as error:
        raise PhotoWithoutCodeError(codes=0) from error
    codes = {code for text in texts if (code := code_in(text))}
    if len(codes) > 1:
        with context.rooms().database.reading() as uow:
            codes = set(codes_of_copies(uow, codes)) or codes
    if len(codes) != 1:
        raise PhotoWithoutCodeError(codes=len(codes))
    return codes.pop()


def check_code(code: str, purpose: str | None = None) -> PublicCheck:
    """Look a licence or a copy up by its verification code; a code of neither is only counted.

    Raises:
        CodeUnknownError: no issued licence and no copy has it.
        InvalidInputError: The purpose is not published.
        RateLimitedError: see :func:`check_limit`.
    """
    check_limit()
    rooms = context.rooms()
    public = on_public_check(asking_for(purpose))
    try:
        with rooms.database.writing() as uow:
            try:
                return rooms.license_reader.public_check(uow, public, code)
            except CodeUnknownError:
                return CopyChecker(rooms.license_reader).check_code(uow, public, code)
    except CodeUnknownError:
        context.counters().add(UNMATCHED_UPLOAD)
        raise
