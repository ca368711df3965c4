# SPDX-License-Identifier: Apache-2.0
"""A filing made in memory, and the rooms below the archive in a temporary folder."""

import copy
import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fakes import HandClock, make_database

from archive.intake import IntakeService, Received
from archive.staging import Arrival, StagedFile, read_arrival
from cases.holders import HolderService
from cases.items import ItemCatalogue
from cases.services import CaseService
from storage.database import Database
from storage.identity import Identity, Role
from storage.objects.folder import FolderStore

ARCHIVIST = Identity("person", "account-1", "scjg", frozenset({Role.ARCHIVIST}))
CLIENT = Identity(
    "system",
    "client-1",
    "",
    frozenset({Role.CLIENT}),
    sources=frozenset({"yctb"}),
    scopes=frozenset({"file", "announce"}),
)

NAMED = "诸葛例"
"""A person whom titles and file names of materials name, and nothing else."""

METADATA: dict[str, Any] = {
    "source": "yctb",
    "number": "ZJ-2026-000131",
    "item": {"code": "339999010002", "edition": "2026-03"},
    "holder": {"scheme": "001", "code": "91339999MADEM0011X", "name": "浙江演示甲餐饮有限公司"},
    "organisation": "scjg",
    "accepted_at": "2026-11-02T09:00:00+08:00",
    "decided_at": "2026-11-13T10:00:00+08:00",
    "closed_at": "2026-11-16T16:00:00+08:00",
    "result": "refused",
    "opinions": [
        {
            "node": "受理",
            "author": "甲",
            "role": "窗口",
            "opinion": "同意受理",
            "at": "2026-11-02T09:05:00+08:00",
        },
        {
            "node": "审核",
            "author": "乙",
            "role": "审核",
            "opinion": "不符合",
            "at": "2026-11-12T09:00:00+08:00",
        },
        {
            "node": "决定",
            "author": "丙",
            "role": "负责人",
            "opinion": "不予许可",
            "at": "2026-11-13T10:00:00+08:00",
        },
    ],
    "materials": [],
}
CODES = (
    ("application-form", "application"),
    ("layout", "application"),
    ("safety-rules", "application"),
    ("acceptance-notice", "process"),
    ("decision", "result"),
)


class World:
    """One installation below the archive, in a temporary folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.clock = HandClock()
        self.database: Database = make_database(folder, self.clock)
        self.objects = FolderStore(folder / "objects")
        self.items = ItemCatalogue.load()
        self.holders = HolderService()
        self.cases = CaseService(self.items, self.holders)
        self.intake = IntakeService(self.objects, self.cases, self.items)

    def arrival(
        self,
        content: Mapping[str, bytes] | None = None,
        types: Mapping[str, str] | None = None,
        **changes: Any,
    ) -> Arrival:
        """Stage a filing; ``content`` by material code, text by default."""
        content = content or {code: f"%PDF- {code}".encode() for code, _ in CODES}
        metadata = copy.deepcopy(METADATA) | changes
        files = []
        for place, (code, data) in enumerate(content.items()):
            path = self.folder / f"upload-{place}"
            path.write_bytes(data)
            sha256 = hashlib.sha256(data).hexdigest()
            files.append(StagedFile(f"m{place}", path, sha256, len(data)))
            metadata["materials"].append(
                {
                    "part": f"m{place}",
                    "code": code,
                    "name": f"{NAMED}的材料{place}",
                    "group": dict(CODES).get(code, "application"),
                    "file_name": f"{NAMED}-{code}.pdf",
                    "media_type": (types or {}).get(code, "application/pdf"),
                    "size": len(data),
                    "sha256": sha256,
                }
            )
        return read_arrival(json.dumps(metadata, ensure_ascii=False).encode(), files)

    def file(self, arrival: Arrival, identity: Identity = CLIENT) -> Received:
        """Take an arrival through intake as the portal does."""
        with self.database.reading() as uow:
            standing = self.intake.admit(uow, identity, arrival)
        if standing is not None:
            return standing
        stored = self.intake.store(arrival)
        with self.database.writing() as uow:
            return self.intake.receive(uow, identity, stored)
