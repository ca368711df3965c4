# SPDX-License-Identifier: Apache-2.0
"""A city's licence library: look-up by holder, information check, file check, status list, directory.

Usage: licences_at_size.py [--licences N] [--seconds S]. Fills a fresh installation with synthetic licences,
half as many holders, one in a hundred suspended or revoked; then measures in process and over HTTP.
"""

import argparse
import http.client
import json
import os
import random
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "support")]

from archive_line import picture  # noqa: E402 # the path above has to be set first
from family import descendants, processor_seconds  # noqa: E402 # as above
from installation import Installation, Submissions, installed  # noqa: E402 # as above
from measuring import percentile  # noqa: E402 # as above
from running import free_port  # noqa: E402 # as above
from sqlalchemy import insert, select  # noqa: E402 # as above

from cases.identifiers import organisation_check, uscc_check  # noqa: E402 # as above
from cases.models import Holder  # noqa: E402 # as above
from cases.services import Announcement  # noqa: E402 # as above
from licenses.identifiers import compose  # noqa: E402 # as above
from licenses.models import License, LicenseEvent  # noqa: E402 # as above
from licenses.published import status_entries  # noqa: E402 # as above
from licenses.status_list import sign_list  # noqa: E402 # as above
from portal.together import information_checks  # noqa: E402 # as above
from seals.models import Seal  # noqa: E402 # as above
from storage.identity import PUBLIC, AccessBasis, Basis, Identity, Role  # noqa: E402 # as above
from storage.ledger.canonical import canonical  # noqa: E402 # as above

TYPE, ISSUER, CHUNK = "11100000MB0143028R001", "11330105002500287C", 5_000
SUBJECTS = 50_000
"""Keys of one pack."""
ITEM = ("339999010002", "2026-03")
FIRST = 100
"""The first places belong to the licence that is issued for its file."""
DIGITS = "0123456789ABCDEFGHJKLMNPQRTUWXY"


def say(name: str, value: str) -> None:
    print(f"{name:<52} {value}", flush=True)


def code_of(number: int) -> str:
    """Give the synthetic credit code of a holder."""
    body = "MA" + "".join(DIGITS[number // 31**place % 31] for place in range(5, -1, -1))
    code = f"91339999{body}{organisation_check(body)}"
    return code + uscc_check(code)


def identifier_of(number: int) -> str:
    return compose(TYPE, ISSUER, f"N{number:09d}")


def holder_of(number: int) -> str:
    return f"h{number:025d}"


def fill(site: Installation, count: int) -> None:
    """Write holders, licences and events straight into the tables."""
    rooms, now = site.rooms, site.rooms.clock.now()
    start = time.perf_counter()
    with rooms.database.writing() as uow:
        secrets = uow.secrets
        name, code = (secrets.encrypt("bench", text.encode()) for text in ("演示企业", "91339999"))
        face = secrets.encrypt("bench", canonical({"name": "演示企业"}))
        seal = uow.session.scalars(select(Seal.id)).first()
    for first in range(0, count // 2 + 1, SUBJECTS):
        # Whoever is held has a key, as an import makes them.
        secrets.make_many([holder_of(one) for one in range(first, min(first + SUBJECTS, count // 2 + 1))])
    for first in range(0, count, CHUNK):
        numbers = range(first, min(first + CHUNK, count))
        with rooms.database.writing() as uow:
            holders = [
                {"id": holder_of(one), "scheme": "001", "kind": "organisation", "name_cipher": name,
                 "code_cipher": code, "code_hash": secrets.lookup_hash("001", code_of(one))}
                for one in range(first // 2, (numbers[-1] + 2) // 2)
                if 2 * one >= first
            ]  # fmt: skip
            uow.session.execute(insert(Holder), holders)
            uow.session.execute(insert(License), [row(one, now, face) | {"seal_id": seal} for one in numbers])
            uow.session.execute(
                insert(LicenseEvent), [event for one in numbers for event in events(one, now)]
            )
    seconds = time.perf_counter() - start
    say("licences written", f"{count:,} in {seconds:.0f} s")


def row(number: int, now: Any, face: bytes) -> dict[str, Any]:
    return {
        "id": f"l{number:025d}", "identifier": identifier_of(number), "type_code": TYPE,
        "type_version": "2026-11", "issuer_code": ISSUER, "issuer_name": "演示市市场监督管理局",
        "organisation": "scjg",
        "holder_id": holder_of(number // 2), "version": 1, "trust": "A", "origin": "case",
        "status_index": FIRST + number, "number": f"N{number:09d}", "issued_on": now.date(),
        "valid_from": now.date(),
        "valid_until": None, "face_cipher": face, "data_sha256": bytes(32), "code": f"c{number:025d}",
        "reserved_at": now, "issued_at": now, "object_sha256": f"{number:064x}", "object_size": 1,
        "sealing_act": "0" * 64, "issue_step": "",
    }  # fmt: skip


def events(number: int, now: Any) -> Iterator[dict[str, Any]]:
    drawn = random.Random(number).randrange(200)
    kinds = ["issued", *{0: ["suspended"], 1: ["revoked"]}.get(drawn, [])]
    for position, kind in enumerate(kinds, start=1):
        yield {
            "id": f"e{position}{number:024d}", "license_id": f"l{number:025d}", "position": position,
            "kind": kind,
            "at": now, "reason": "x", "legal_basis": "x", "actor_id": "bench", "organisation": "scjg",
        }  # fmt: skip


def timed_for(seconds: float, work: Callable[[int], object]) -> list[float]:
    """Give the milliseconds of each piece of work within some seconds."""
    times: list[float] = []
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        start = time.perf_counter()
        work(len(times))
        times.append((time.perf_counter() - start) * 1000)
    return times


def look_up(site: Installation, count: int, seconds: float) -> None:
    """Find the licences of an open case's holder, each look recorded."""
    rooms, chosen = site.rooms, random.Random(3)
    cases = []
    for place in range(200):
        number = chosen.randrange(count // 2)
        with rooms.database.writing() as uow:
            now = rooms.clock.now()
            asked = Announcement(
                "ycsl", f"B-{place}", *ITEM, "001", code_of(number), "演示企业", "scjg", now, None
            )
            cases.append(
                rooms.cases.announce(uow, Identity("system", "bench", "", frozenset({Role.SYSTEM})), asked)[0]
            )
    clerk = Identity("person", "clerk", "scjg", frozenset({Role.CLERK}))

    def once(turn: int) -> None:
        case = cases[turn % len(cases)]
        basis = AccessBasis(Basis.CASE, case.id, case.item_code, "accept")
        with rooms.database.writing() as uow:
            assert len(rooms.license_reader.find_for_holder(uow, clerk.on(basis), history=True)) == 2

    times = timed_for(seconds, once)
    say(
        "look-up by holder, recorded",
        f"{len(times) / seconds:,.0f}/s, p95 {percentile(times, 0.95):.1f} ms (allowed 10)",
    )


def statement(number: int) -> dict[str, str]:
    code = code_of(number // 2)
    return {
        "identifier": identifier_of(number),
        "holder_scheme": "001",
        "holder_code": code,
        "number": f"N{number:09d}",
    }


def check_information(site: Installation, count: int, seconds: float) -> None:
    """Check statements in process, one in each transaction, and a hundred in each."""
    rooms, chosen = site.rooms, random.Random(5)
    service = rooms.information

    def several(size: int) -> Callable[[int], None]:
        def once(_turn: int) -> None:
            with rooms.database.writing() as uow:
                batch = [statement(chosen.randrange(count)) for _ in range(size)]
                found = service.check_all(uow, PUBLIC, batch)
                assert all(one.code in {0, 2, 3} for one in found), found

        return once

    for size in (1, 100):
        times = timed_for(seconds, several(size))
        say(
            f"information checks in process, {size} a transaction",
            f"{size * len(times) / seconds:,.0f}/s (wanted 1,000)",
        )


def check_together(site: Installation, count: int, seconds: float) -> None:
    """Check statements in process, each asked by itself, by several at the same time."""
    together = information_checks(site.rooms.database, site.rooms.information)
    for askers in (4, 16, 32):
        done: list[int] = []

        def ask(place: int, done: list[int] = done) -> None:
            chosen = random.Random(place)

            def once(_turn: int) -> None:
                (check,) = together.ask((PUBLIC, [statement(chosen.randrange(count))]))
                assert check.promise, check

            done.append(len(timed_for(seconds, once)))

        threads = [threading.Thread(target=ask, args=(place,)) for place in range(askers)]
        before = time.process_time()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        used = (time.process_time() - before) * 1000 / sum(done)
        say(
            f"information checks in process, {askers} ask at once",
            f"{sum(done) / seconds:,.0f}/s, {used:.2f} ms of processor each (wanted 1,000)",
        )


def check_over_http(site: Installation, count: int, seconds: float) -> None:
    """Ask the real web process, by clients that keep their connections."""
    headers = {"Authorization": f"Bearer {site.cast.key}", "Content-Type": "application/json"}
    for clients_at_once, size in ((4, 1), (16, 1), (16, 2), (16, 5), (4, 100)):
        times: list[float] = []

        def work(place: int, size: int = size, times: list[float] = times) -> None:
            chosen = random.Random(place)
            line = http.client.HTTPConnection(site.settings.host, site.settings.port, timeout=60)
            end = time.perf_counter() + seconds
            while time.perf_counter() < end:
                body = json.dumps({"licences": [statement(chosen.randrange(count)) for _ in range(size)]})
                start = time.perf_counter()
                line.request("POST", "/api/v1/verifications/information", body, headers)
                answer = line.getresponse()
                text = answer.read()
                assert answer.status == 200, text[:300]
                times.append((time.perf_counter() - start) * 1000)
            line.close()

        clients = [threading.Thread(target=work, args=(place,)) for place in range(clients_at_once)]
        before, before_here = _servers(), time.process_time()
        for client in clients:
            client.start()
        for client in clients:
            client.join()
        used, here = (
            (now - then) * 1000 / (size * len(times))
            for now, then in ((_servers(), before), (time.process_time(), before_here))
        )
        rates = f"{size * len(times) / seconds:,.0f}/s, p95 {percentile(times, 0.95):.1f} ms"
        cost = f"{used:.2f} ms of the servers' processor each, {here:.2f} of the load's"
        shown = f"{rates}, {cost} (wanted 500/s)"
        say(f"information checks over HTTP, {clients_at_once} clients, {size} a request", shown)


def _servers() -> float:
    """Give the seconds of processor that the processes of the installation have taken."""
    return sum(descendants(os.getpid()).values())


def publish(site: Installation, count: int) -> None:
    """Make the status list, and ask for it and for the directory again."""
    rooms = site.rooms
    with rooms.database.reading() as uow:
        start = time.perf_counter()
        entries = status_entries(uow, rooms.clock.now(), rooms.holdings.revoked_seals(uow))
        token = sign_list(rooms.proofs.keys, "https://bench.invalid", entries, rooms.clock.now())
        seconds = time.perf_counter() - start
    compressed = len(json.loads(_payload(token))["status_list"]["lst"]) * 3 // 4
    say(
        "status list",
        f"{compressed:,} bytes for {count:,}, made in {seconds:.1f} s (allowed 25,000 a million)",
    )
    line = http.client.HTTPConnection(site.settings.host, site.settings.port, timeout=120)
    for path in ("/api/v1/directory", "/api/v1/status-lists/licences"):
        line.request("GET", path)
        first = line.getresponse()
        first.read()
        line.request("GET", path, headers={"If-None-Match": first.headers["ETag"]})
        again = line.getresponse()
        again.read()
        say(path, f"{first.status}, then {again.status}")
    line.close()


def _payload(token: str) -> bytes:
    import base64  # noqa: PLC0415 - for this one line

    body = token.split(".")[1]
    return base64.urlsafe_b64decode(body + "=" * (-len(body) % 4))


def check_files(site: Installation, folder: Path, seconds: float) -> None:
    """Check a real licence file: bytes that are known by their digest, and the same with blanks behind."""
    arrival = Submissions(folder / "made", [(picture(40), "image/png", "png")] * 5).business("F-1")
    site.file(arrival)
    end = time.monotonic() + 240
    while True:
        with site.rooms.database.reading() as uow:
            query = select(License.object_sha256).where(
                License.case_id.is_not(None), License.issued_at.is_not(None)
            )
            sha256 = uow.session.scalars(query).first()
        if sha256:
            break
        assert time.monotonic() < end, "the licence is not issued"
        time.sleep(1)
    known = folder / "known.pdf"
    known.write_bytes(site.rooms.objects.read(sha256))
    unknown = folder / "unknown.pdf"
    unknown.write_bytes(known.read_bytes() + b"\n")
    servers = set(descendants(os.getpid()))
    for name, path, wanted in (("known by digest", known, 50), ("in full", unknown, 15)):
        before = processor_seconds(servers)
        times = timed_for(seconds, lambda _turn, path=path: site.rooms.checks.check(PUBLIC, path))  # type: ignore[misc]  # bound now
        used = processor_seconds(servers) - before
        rates = f"{len(times) / seconds:,.1f}/s, {len(times) / used:,.1f} for each second of processor"
        shown = f"{rates} (wanted {wanted})"
        say(f"file checks, {name}", shown)


def main() -> None:
    """Fill and measure."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--licences", type=int, default=1_000_000)
    parser.add_argument("--seconds", type=float, default=10)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with installed(folder, "sequencer", "serve", "worker", port=free_port()) as site:
            check_files(site, folder, options.seconds)
            fill(site, options.licences)
            look_up(site, options.licences, options.seconds)
            check_information(site, options.licences, options.seconds)
            check_together(site, options.licences, options.seconds)
            check_over_http(site, options.licences, options.seconds)
            publish(site, options.licences)


if __name__ == "__main__":
    main()
