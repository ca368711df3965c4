# SPDX-License-Identifier: Apache-2.0
"""What page and interface share when somebody checks a document: limit and upload."""

from dataclasses import dataclass
from typing import Final, cast

from flask import request

from licenses.errors import CodeUnknownError
from licenses.reading import PublicCheck
from portal.checking import CheckReport
from portal.errors import RateLimitedError
from portal.web import context, uploads
from portal.web.counters import RATE_LIMITED, UNMATCHED_UPLOAD
from portal.web.uploads import StagedFile
from storage.errors import InvalidInputError
from storage.identity import AccessBasis, Basis

PART: Final = "file"
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


def check_upload() -> CheckReport:
    """Check the file that came with this request; an upload that matches nothing is only counted.

    Raises:
        InvalidInputError: no file came, an empty one, or several: an answer is about one.
        RateLimitedError: see :func:`check_limit`.
    """
    check_limit()
    staged = uploads.staged_file(PART)
    if staged is None or staged.size == 0 or len(request.files.getlist(PART)) > 1:
        raise InvalidInputError(field=PART, rule="one file")
    return _check(staged)


@dataclass(frozen=True, slots=True)
class NamedReport:
    """A report and the name under which its file was sent."""

    name: str
    report: CheckReport


def check_uploads() -> list[NamedReport]:
    """Check every file that came with this request, in the order in which they were sent.

    Raises:
        InvalidInputError: No file came, an empty one, or more than :data:`MOST_FILES`.
        RateLimitedError: See :func:`check_limit`; each file is a check, and none is done.
    """
    sent = [(str(part.filename), cast(StagedFile, part.stream)) for part in request.files.getlist(PART)]
    if not 0 < len(sent) <= MOST_FILES or not all(staged.size for _, staged in sent):
        raise InvalidInputError(field=PART, rule=f"1 to {MOST_FILES} files")
    for _ in sent:
        check_limit()
    return [NamedReport(name, _check(staged)) for name, staged in sent]


def _check(staged: StagedFile) -> CheckReport:
    report = context.rooms().checks.check(context.identity(), staged.path)
    if report.promise is None:
        context.counters().add(UNMATCHED_UPLOAD)
    return report


def check_code(code: str) -> PublicCheck:
    """Look a licence up by its verification code; a code of no licence is only counted.

    Raises:
        CodeUnknownError: no issued licence has it.
        RateLimitedError: see :func:`check_limit`.
    """
    check_limit()
    rooms = context.rooms()
    public = context.identity().on(AccessBasis(Basis.PUBLIC_CHECK))
    try:
        with rooms.database.writing() as uow:
            return rooms.license_reader.public_check(uow, public, code)
    except CodeUnknownError:
        context.counters().add(UNMATCHED_UPLOAD)
        raise
