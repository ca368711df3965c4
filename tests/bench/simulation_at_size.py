# SPDX-License-Identifier: Apache-2.0
"""Simulation of a draft rule on generated closed cases: time, memory, and that the figures come again.

Usage: simulation_at_size.py [--cases N]. Three in four holders have the licence that the draft asks for, some
of them suspended; every case is evaluated by the draft and by the rule of its day. Exits 1 when a second run
gives other figures, or others than those with which the cases were made.
"""

import argparse
import resource
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "support"), str(HERE.parents[1])]

from installation import FOOD, installed  # noqa: E402 # the path above has to be set first
from licences_at_size import TYPE, code_of, events, holder_of, row  # noqa: E402 # as above
from measuring import sha256_rate  # noqa: E402 # as above
from sqlalchemy import insert, select  # noqa: E402 # as above

from cases.models import Case, Holder  # noqa: E402 # as above
from licenses.models import License, LicenseEvent  # noqa: E402 # as above
from licenses.rules import Rule, rule_of  # noqa: E402 # as above
from licenses.simulation import Outcome, Simulated  # noqa: E402 # as above
from portal.rooms import Rooms  # noqa: E402 # as above
from seals.models import Seal  # noqa: E402 # as above
from storage.identity import Identity, Role  # noqa: E402 # as above
from storage.ledger.canonical import canonical  # noqa: E402 # as above

EDITION, CHUNK = "2026-03", 1_000
SUPERVISOR = Identity("person", "bench", "", frozenset({Role.SUPERVISOR}))


def say(name: str, value: str) -> None:
    print(f"{name:<44} {value}", flush=True)


def draft() -> Rule:
    """Give a draft of four requirements: a licence, a commitment, a department's answer, none of these."""
    upload = {"kind": "citizen_upload"}
    asked = {"code": "premises-registered", "zh": "场所已登记", "en": "The premises are registered"}
    told = {"zh": "某项证明", "en": "Some proof", "decision": {"ask": "predicate"}}
    licence = {"licence": {"type": [TYPE]}, "predicates": []}
    alternatives = [{"all_of": [licence]}]
    cooperation = {"kind": "cooperation", "to": "zjj", "predicate": asked, "deadline": "PT8H"}
    return rule_of(
        {
            "rule_id": "bench-draft",
            "version": 1,
            "item": {"code": FOOD, "edition": EDITION},
            "effective": ["2026-01-01", None],
            "legal_basis": ["某规定第一条"],
            "approved_by": ["one", "other"],
            "requirements": [
                {**told, "id": "R1", "material": "a", "fallback": [upload], "alternatives": alternatives},
                {**told, "id": "R2", "material": "b", "fallback": [{"kind": "commitment"}, upload]},
                {**told, "id": "R3", "material": "c", "fallback": [cooperation, upload]},
                {**told, "id": "R4", "material": "d", "fallback": [upload]},
            ],
        }
    )


def fill(rooms: Rooms, count: int) -> int:
    """Write holders, licences and closed cases straight into the tables; give how many must be MET."""
    now, met = rooms.clock.now(), 0
    with rooms.database.writing() as uow:
        secrets = uow.secrets
        name, code = (secrets.encrypt("bench", text.encode()) for text in ("演示企业", "91339999"))
        face = secrets.encrypt("bench", canonical({"name": "演示企业"}))
        seal = uow.session.scalars(select(Seal.id)).first()
        secrets.make_many([holder_of(one) for one in range(count)])
    for first in range(0, count, CHUNK):
        numbers = range(first, min(first + CHUNK, count))
        held = [one for one in numbers if one % 4 != 3]
        told = [event for one in held for event in events(one, now)]
        met += 2 * len(held) - len(told)
        holders = [
            {"id": holder_of(one), "scheme": "001", "kind": "organisation", "name_cipher": name,
             "code_cipher": code, "code_hash": secrets.lookup_hash("001", code_of(one))}
            for one in numbers
        ]  # fmt: skip
        licences = [row(one, now, face) | {"holder_id": holder_of(one), "seal_id": seal} for one in held]
        with rooms.database.writing() as uow:
            for model, rows in ((Holder, holders), (License, licences), (LicenseEvent, told)):
                uow.session.execute(insert(model), rows)
    accepted = rooms.clock.now()
    cases: list[dict[str, Any]] = [
        {"id": f"k{one:025d}", "source": "ycsl", "number": f"S-{one}", "item_code": FOOD,
         "item_edition": EDITION, "holder_id": holder_of(one), "organisation": "scjg",
         "announced_at": accepted, "accepted_at": accepted, "closed_at": accepted}
        for one in range(count)
    ]  # fmt: skip
    with rooms.database.writing() as uow:
        uow.session.execute(insert(Case), cases)
    return met


def simulate(rooms: Rooms) -> Simulated:
    """Simulate as the command does, without recording."""
    with rooms.database.reading() as uow:
        return rooms.simulations.simulate(uow, SUPERVISOR, draft())


def main() -> int:
    """Fill, simulate twice, compare."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--cases", type=int, default=10_000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, installed(Path(name)) as site:
        say("SHA-256 of 1 KiB, one thread", f"{sha256_rate():,.0f} 1/s")
        met = fill(site.rooms, options.cases)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        begun, used = time.perf_counter(), time.process_time()
        found = simulate(site.rooms)
        seconds, processor = time.perf_counter() - begun, time.process_time() - used
        grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
        again = simulate(site.rooms)
    say("closed cases simulated by two rules", f"{found.cases:,} in {seconds:.1f} s (allowed 60)")
    say("processor for each case", f"{1000 * processor / max(1, found.cases):.2f} ms")
    say("memory grown by", f"{grown / 1024:.0f} MB")
    right = found.draft["R1"][Outcome.MET] == met and found.draft["R4"][Outcome.UPLOAD] == options.cases
    say("figures as the cases were made", "yes" if right else "NO")
    same = found.as_json() == again.as_json() and found.differences == again.differences
    say("figures of a second run", "the same" if same else "OTHERS")
    return 0 if right and same and found.cases == options.cases else 1


if __name__ == "__main__":
    sys.exit(main())
