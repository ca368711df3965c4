# SPDX-License-Identifier: Apache-2.0
"""Filing: receipts given, and cases taken from receipt to dossier by the real worker and sequencer.

The mix of a case: an office document, two PDF files, a JPEG and a PNG, and a licence that is issued.
"""

import itertools
import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from archive_line import GRANTED, picture
from installation import Installation, Submissions, holder, installed
from made_materials import docx, pdf
from measuring import Measurement, percentile, rate

from portal.rooms import all_seeing
from storage.steps import StepRow

ON_SERVERS: Final = True
RECEIPTS = 60
CASES = 12
PATIENCE = 120.0
WANTED, ALLOWED_P95 = 1000, 2000.0
"""1,000 cases an hour at month's end; a receipt within two seconds."""


def measure() -> Iterator[Measurement]:
    """File on SQLite with full fsync."""
    with tempfile.TemporaryDirectory() as name, installed(Path(name) / "data", "sequencer") as site:
        yield from _receipts(site, Path(name))
        yield from _cases(site, Path(name))


def _mix() -> list[tuple[bytes, str, str]]:
    office = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
    return [
        (docx(), office, "docx"),
        (picture(40), "image/png", "png"),
        (pdf(), "application/pdf", "pdf"),
        (picture(90, "JPEG"), "image/jpeg", "jpg"),
        (pdf(b"BT /F 40 Tf 60 500 Td (HGFEDCBA) Tj ET"), "application/pdf", "pdf"),
    ]


def _receipts(site: Installation, folder: Path) -> Iterator[Measurement]:
    arrivals = []
    for number in range(RECEIPTS):
        contents = [(data + os.urandom(16), *rest) for data, *rest in _mix()]
        own: Any = Submissions(folder / f"receipt-{number}", contents)  # no two files are the same
        arrivals.append(own.make(f"R-{number}", holder=holder(number)))
    times = []
    for arrival in arrivals:
        start = time.perf_counter()
        site.file(arrival)
        times.append((time.perf_counter() - start) * 1000)
    blocks = itertools.count()
    puts = rate(lambda: site.rooms.objects.put(next(blocks).to_bytes(1000, "big"), "text/plain"))
    yield Measurement("intake receipts", 1000 * RECEIPTS / sum(times), "1/s", "six objects stored", puts / 6)
    yield Measurement("intake receipt, p95", percentile(times, 0.95), "ms", "allowed", ALLOWED_P95)


def _cases(site: Installation, folder: Path) -> Iterator[Measurement]:
    with site.rooms.database.writing() as uow:
        uow.session.query(StepRow).delete()
    site.start("worker")
    submissions = Submissions(folder / "mix", _mix())
    _file(site, submissions, "W", 1)
    start = time.perf_counter()
    _file(site, submissions, "C", CASES)
    elapsed = time.perf_counter() - start
    yield Measurement(
        "cases of 5 materials, receipt to dossier", 3600 * CASES / elapsed, "1/h", "wanted at peak", WANTED
    )


def _file(site: Installation, submissions: Submissions, prefix: str, count: int) -> None:
    for number in range(count):
        license_ = GRANTED["license"] | {"number": f"JY{ord(prefix):02d}{number:010d}"}
        arrival = submissions.make(
            f"{prefix}-{number}", holder=holder(900 + number), result="approved", license=license_
        )
        site.file(arrival)
    site.wait_for_steps(PATIENCE)
    with site.rooms.database.reading() as uow:
        assert not site.rooms.filings.original_only(uow, all_seeing())
