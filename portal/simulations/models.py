# SPDX-License-Identifier: Apache-2.0
"""Table of simulations of proposed rules."""

import datetime as dt
from typing import Any

from sqlalchemy import JSON, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from storage.base import Base, Instant


class RuleSimulation(Base):
    """A simulation of one rule of a proposed edition on the closed cases of its item.

    It is derived from what is held and is not rebuilt from the ledger: it can be run again.

    Attributes:
        digest: The rule that is evaluated.
        total: Closed cases of the item edition when it began; none before.
        done: How many of them are evaluated.
        figures: Shares by requirement; none until the end.
        differences: Cases in which the draft comes to something else, the first of them.
    """

    __tablename__ = "rule_simulation"

    id: Mapped[str] = mapped_column(String(26), primary_key=True)
    edition_id: Mapped[str] = mapped_column(String(26), index=True)
    rule_id: Mapped[str] = mapped_column(String(80))
    rule_version: Mapped[int] = mapped_column(Integer)
    digest: Mapped[str] = mapped_column(String(64))
    step_id: Mapped[str] = mapped_column(String(26))
    asked_by: Mapped[str] = mapped_column(String(64))
    asked_at: Mapped[dt.datetime] = mapped_column(Instant)
    total: Mapped[int | None] = mapped_column(Integer)
    done: Mapped[int] = mapped_column(Integer)
    finished_at: Mapped[dt.datetime | None] = mapped_column(Instant)
    figures: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    differences: Mapped[list[list[Any]] | None] = mapped_column(JSON(none_as_null=True))
