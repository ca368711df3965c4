# SPDX-License-Identifier: Apache-2.0
"""Pages over HTTP from the real web process: home, search among 100,000 documents, a trace of 200 acts."""

import http.client
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final
from urllib.parse import urlencode

from installation import FOOD, Installation, installed
from many_documents import batches, queries
from measuring import Measurement, percentile
from running import free_port
from sqlalchemy import func, select

from licenses.questions import ProofQuestion
from storage.identity import Role, system_identity
from storage.ledger.models import LedgerAct

DOCUMENTS, ACTS, LOOKS = 100_000, 200, 60
CASE: Final = "O-1"
ALLOWED_P95: Final = 500.0
_STARTED_WITHIN = 60.0


def measure() -> Iterator[Measurement]:
    """Look at each page again and again, one look after the other."""
    with (
        tempfile.TemporaryDirectory() as name,
        installed(Path(name), "sequencer", "serve", port=free_port()) as site,
    ):
        site.rooms.index.rebuild(batches(DOCUMENTS))
        acts = _fill_case(site)
        _wait(site)
        archivist, supervisor = (_cookie(site, role) for role in (Role.ARCHIVIST, Role.SUPERVISOR))
        words = [query.text for query in queries(LOOKS, DOCUMENTS)]
        looks = {
            "page home": (archivist, ["/archive"] * LOOKS),
            f"page search, {DOCUMENTS:,} documents": (
                supervisor,
                [f"/search?{urlencode({'q': word})}" for word in words],
            ),
            f"page trace, {acts} acts": (supervisor, [f"/supervision/trace?q={CASE}"] * LOOKS),
        }
        found = {title: _look(site, cookie, paths) for title, (cookie, paths) in looks.items()}
    for title, times in found.items():
        for share in (0.5, 0.95):
            yield Measurement(
                f"{title}, p{round(share * 100)}", percentile(times, share), "ms", "allowed", ALLOWED_P95
            )


def _fill_case(site: Installation) -> int:
    """Ask about a case until it has so many acts; give their number."""
    site.announce(CASE)
    with site.rooms.database.reading() as uow:
        client = site.cast.client(uow)
        case = site.rooms.cases.get(uow, client, "yctb", CASE)
    question = ProofQuestion("yctb", CASE, FOOD, "accept")
    counted = select(func.count()).select_from(LedgerAct).where(LedgerAct.case_id == case.id)
    while True:
        with site.rooms.database.reading() as uow:
            acts = uow.session.scalars(counted).one()
        if acts >= ACTS:
            return acts
        site.rooms.database.write(lambda uow: site.rooms.proofs.ask(uow, client, question))


def _cookie(site: Installation, role: Role) -> Mapping[str, str]:
    """Sign somebody with a role in."""
    accounts = site.rooms.accounts
    with site.rooms.database.writing() as uow:
        link = accounts.login_link(uow, system_identity("bench"), site.cast.person(uow, role).id)
        token = accounts.sign_in(uow, link).token
    return {"Cookie": f"cunzheng_session={token}"}


def _wait(site: Installation) -> None:
    end = time.monotonic() + _STARTED_WITHIN
    while True:
        try:
            _look(site, {}, ["/sign-in"])
        except OSError:
            assert time.monotonic() < end, "the web process does not answer"
            time.sleep(0.1)
        else:
            return


def _look(site: Installation, cookie: Mapping[str, str], paths: Sequence[str]) -> list[float]:
    """Give the milliseconds of every page, the first look aside."""
    line = http.client.HTTPConnection(site.settings.host, site.settings.port, timeout=60)
    times = []
    try:
        for path in [paths[0], *paths]:
            start = time.perf_counter()
            line.request("GET", path, headers=dict(cookie))
            answer = line.getresponse()
            text = answer.read()
            times.append((time.perf_counter() - start) * 1000)
            assert answer.status == 200, (answer.status, text[-500:])
    finally:
        line.close()
    return times[1:]
