# SPDX-License-Identifier: Apache-2.0
"""A fresh installation with its real child processes, and small valid filings made for it in any number."""

import copy
import hashlib
import json
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from archive_line import picture
from archive_world import METADATA
from once import copy_prepared
from parts import city_settings

from archive.intake import Received
from archive.staging import Arrival, StagedFile, read_arrival
from cases.identifiers import organisation_check, uscc_check
from cases.services import Announcement
from portal.bootstrap import open_rooms
from portal.demo.people import Cast
from portal.demo.script import Script
from portal.initialise import initialise
from portal.processes import Children
from portal.rooms import Rooms
from portal.settings import Settings
from storage.clock import parse_rfc3339
from storage.steps import StepRow, unfinished

FOOD, BUSINESS = "339999010002", "339999010001"
ASKER = ("001", "91339999MADEM0011X", "演示市示例甲餐饮有限公司")
_REQUIRED = {
    FOOD: ("application-form", "layout", "safety-rules", "acceptance-notice", "decision"),
    BUSINESS: ("application-form", "identity", "premises", "acceptance-notice", "decision"),
}
_GROUPS = {"acceptance-notice": "process", "decision": "result"}
BUSINESS_LICENSE: dict[str, Any] = {
    "type": "11100000MB0143028R001",
    "number": ASKER[1],
    "issued_on": "2026-11-12",
    "valid_from": "2026-11-12",
    "face": {
        "entity_type": "有限责任公司",
        "legal_representative": "张演示",
        "scope": "许可项目：餐饮服务；食品销售。",
        "registered_capital": "壹佰万元整",
        "founded_on": "2026-11-12",
        "domicile": "演示市演示路11号",
    },
}


def holder(number: int) -> dict[str, str]:
    """Give one of a thousand synthetic enterprises."""
    body = f"MADEX{number:03d}"
    code = f"91339999{body}{organisation_check(body)}"
    return {"scheme": "001", "code": code + uscc_check(code), "name": f"演示市示例{number}号餐饮有限公司"}


class Submissions:
    """Makes filings; the material files are made once and shared by all of them.

    Args:
        folder: Where the files lie.
        contents: Bytes, media type and name ending of the five materials; pictures when missing.
    """

    def __init__(self, folder: Path, contents: Sequence[tuple[bytes, str, str]] | None = None) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        contents = contents or [(picture(40 * place), "image/png", "png") for place in range(1, 6)]
        self._files = []
        for place, (data, media_type, ending) in enumerate(contents):
            path = folder / f"material-{place}.{ending}"
            path.write_bytes(data)
            staged = StagedFile(f"m{place}", path, hashlib.sha256(data).hexdigest(), len(data))
            self._files.append((staged, media_type, ending))

    def make(self, number: str, item: str = FOOD, edition: str = "2026-03", **changes: Any) -> Arrival:
        """Give a filing of this case number."""
        metadata: dict[str, Any] = copy.deepcopy(METADATA) | {"number": number} | changes
        metadata["item"] = {"code": item, "edition": edition}
        for code, (staged, media_type, ending) in zip(_REQUIRED[item], self._files, strict=True):
            metadata["materials"].append(
                {
                    "part": staged.part,
                    "code": code,
                    "name": f"材料{staged.part}",
                    "group": _GROUPS.get(code, "application"),
                    "file_name": f"{code}.{ending}",
                    "media_type": media_type,
                    "size": staged.size,
                    "sha256": staged.sha256,
                }
            )
        files = [staged for staged, _, _ in self._files]
        return read_arrival(json.dumps(metadata, ensure_ascii=False).encode(), files)

    def business(self, number: str) -> Arrival:
        """Give the filing that grants the asker's business licence."""
        who = dict(zip(("scheme", "code", "name"), ASKER, strict=True))
        return self.make(number, BUSINESS, holder=who, result="approved", license=BUSINESS_LICENSE)


@dataclass(frozen=True)
class Installation:
    """An installation whose rooms are open in this process.

    Attributes:
        reports: What the parent process said of children that died.
        running: The child processes by command.
        parts: Settings that name real servers, for child processes.
    """

    settings: Settings
    rooms: Rooms
    cast: Cast
    reports: list[str] = field(default_factory=list)
    running: dict[str, Children] = field(default_factory=dict)
    parts: dict[str, str] = field(default_factory=dict)

    def start(self, name: str) -> None:
        """Start a command of ``cunzheng`` as a child process: ``worker``, ``sequencer``, ``serve``."""
        child = self.children({name: [name]})
        child.start(self.rooms.clock.monotonic)
        self.running[name] = child

    def children(self, commands: dict[str, list[str]], **variables: str) -> Children:
        """Give processes of this installation, not started yet: arguments of ``cunzheng`` by name."""
        environment = {
            "CUNZHENG_DATA": str(self.settings.data),
            "CUNZHENG_PORT": str(self.settings.port),
            "CUNZHENG_PUBLIC_URL": self.settings.public_url,
        }
        return Children(
            commands,
            environment | self.parts | variables,
            self.settings.logs,
            lambda who, what: self.reports.append(f"{who}: {what}"),
        )

    def stop(self, name: str) -> None:
        """Stop a child process; a death that nobody asked for is noted first."""
        child = self.running.pop(name)
        child.watch(self.rooms.clock.monotonic)
        child.stop()

    def file(self, arrival: Arrival) -> Received:
        """Take an arrival through intake as the portal does."""
        rooms = self.rooms
        with rooms.database.reading() as uow:
            identity = self.cast.client(uow)
            standing = rooms.intake.admit(uow, identity, arrival)
        if standing is not None:
            return standing
        stored = rooms.intake.store(arrival)
        return rooms.database.write(lambda uow: rooms.intake.receive(uow, identity, stored))

    def announce(self, number: str, who: tuple[str, str, str] = ASKER, *, closed: bool = False) -> str:
        """Announce a case of the asker, or of another holder, or report its closing; give the holder's id."""
        accepted, closed_at = parse_rfc3339("2026-11-23T01:21:40Z"), parse_rfc3339("2026-11-24T01:21:40Z")
        announcement = Announcement(
            "yctb", number, FOOD, "2026-03", *who, "scjg", accepted, closed_at if closed else None
        )

        case, _ = self.rooms.database.write(
            lambda uow: self.rooms.cases.announce(uow, self.cast.client(uow), announcement)
        )
        return case.holder_id

    def wait_for_steps(self, within: float) -> None:
        """Wait until the worker has nothing left to do."""
        end = time.monotonic() + within
        while True:
            with self.rooms.database.reading() as uow:
                left = unfinished(uow.session)
                troubled = uow.session.query(StepRow.state, StepRow.kind, StepRow.problem)
                problems = troubled.filter(StepRow.problem.is_not(None)).all()
            assert "stuck" not in {state for state, _, _ in problems}, problems
            if not left:
                return
            assert time.monotonic() < end, (left, problems)
            threading.Event().wait(0.1)


@contextmanager
def installed(
    folder: Path, *children: str, parts: Mapping[str, str] | None = None, **settings: Any
) -> Iterator[Installation]:
    """Set a data folder up, start the named processes on it, and stop them at the end.

    Args:
        folder: The data folder, new.
        children: See :meth:`Installation.start`.
        parts: Settings that name servers, as variables; those that the environment names when missing.
        settings: Settings that differ from the defaults.
    """
    folder.mkdir(exist_ok=True)
    parts = city_settings(folder) if parts is None else dict(parts)
    named = {name.removeprefix("CUNZHENG_").lower(): value for name, value in parts.items()}
    made = Settings(data=folder, **named, **settings)
    if not parts:
        copy_prepared(folder)
    initialise(made)
    rooms = open_rooms(made)
    site = Installation(made, rooms, Cast.gather(rooms, made, Script.load()), parts=parts)
    try:
        for name in children:
            site.start(name)
        yield site
    finally:
        for name in list(site.running):
            site.stop(name)
        rooms.close()
