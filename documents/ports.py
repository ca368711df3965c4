# SPDX-License-Identifier: Apache-2.0
"""What this room offers to the rooms above, as Protocols they can be handed.

The room needs nothing from above: no database, no identity, no clock. Whoever calls passes the instant.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

from documents.attempts import OriginalOnly, Rendition
from documents.typesetting import Attachment
from storage.ledger.canonical import Json


class Renders(Protocol):
    """Turns a material into its PDF/A rendition, or says why there is none."""

    def render(self, source: Path, out: Path) -> Rendition | OriginalOnly:
        """Write the rendition of ``source`` to ``out``; ``out`` is untouched when there is none."""
        ...


class Typesets(Protocol):
    """Sets a template with data as PDF/A-3b."""

    def typeset(
        self, template: Path, data: Mapping[str, Json], attachments: Sequence[Attachment], at: dt.datetime
    ) -> bytes:
        """Give the file; the same arguments always give the same bytes."""
        ...
