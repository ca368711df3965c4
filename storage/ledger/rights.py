# SPDX-License-Identifier: Apache-2.0
"""Who may do what to the tables on PostgreSQL: the application can add acts, the sequencer alone the log.

Three roles, none of them a superuser: the owner makes tables and does nothing else; the application reads
everything, changes the records and adds acts; the sequencer takes what is pending and extends the log.
Triggers refuse changes of append-only tables even to the owner (:mod:`storage.ledger.models`).
"""

from collections.abc import Collection, Iterator

from sqlalchemy.dialects import postgresql

LEDGER_TABLES = (
    "ledger_act",
    "ledger_anchor",
    "ledger_checkpoint",
    "ledger_closed_refusal",
    "ledger_entry",
    "ledger_pending",
    "ledger_state",
    "ledger_tile",
)

_PREPARER = postgresql.dialect().identifier_preparer  # type: ignore[no-untyped-call]  # its constructor is untyped
_COUNTER = "SELECT, INSERT, UPDATE (count)"
"""``ledger_closed_refusal`` counts what is refused while no act can be recorded; whoever refuses counts, and
puts the total into an act as soon as the ledger takes acts again. It is no part of the log: who would falsify
the count could as well refuse without counting."""
_APPLICATION = {
    "ledger_act": "SELECT, INSERT",
    "ledger_pending": "SELECT, INSERT",
    "ledger_closed_refusal": _COUNTER,
}
_SEQUENCER = {
    "ledger_act": "SELECT, INSERT",
    "ledger_anchor": "SELECT, INSERT",
    "ledger_checkpoint": "SELECT, INSERT",
    "ledger_closed_refusal": _COUNTER,
    "ledger_entry": "SELECT, INSERT",
    "ledger_pending": "SELECT, INSERT, DELETE",
    "ledger_state": "SELECT, INSERT, UPDATE",
    "ledger_tile": "SELECT, INSERT",
}

_SHARED = {"object_version": "SELECT, INSERT, UPDATE"}
"""The sequencer, too, puts objects: the published log."""

_READ = {"key_mark"}
"""Whoever sets up writes it; a process that works must not make foreign keys pass for its own."""

_DECIDED = {
    "account_document": "SELECT, INSERT, UPDATE (scheme, code_hash, set_at)",
    "catalogue_edition": "SELECT, INSERT, UPDATE (state, number, decided_by, decided_at, decision_cipher)",
    "ladder_change": "SELECT, INSERT",
    "ladder_request": "SELECT, INSERT",
    "license_change": "SELECT, INSERT",
    "license_grant": "SELECT, INSERT, UPDATE (ended_at)",
    "pattern_explanation": "SELECT, INSERT",
    "subscription": "SELECT, INSERT, UPDATE (state, start, decided_by, decided_at, decision_cipher, "
    "ended_by, ended_at, ended_because, secret_cipher, former_cipher, former_until)",
    "subscription_holder": "SELECT, INSERT",
}
"""What was proposed is what is approved: nobody alters or removes it. What is in the feed stays there."""


def grants(tables: Collection[str], application: str, sequencer: str) -> Iterator[str]:
    """Give the statements that leave both roles with exactly their rights, whatever they had before.

    Args:
        tables: Every table of the installation.
        application: Role of web and worker.
        sequencer: Role of the sequencer.
    """
    app, log = _quoted(application), _quoted(sequencer)
    for table in sorted(tables):
        yield f"REVOKE ALL ON {_quoted(table)} FROM PUBLIC, {app}, {log}"
        if table in LEDGER_TABLES:
            yield f"GRANT {_APPLICATION.get(table, 'SELECT')} ON {_quoted(table)} TO {app}"
            yield f"GRANT {_SEQUENCER[table]} ON {_quoted(table)} TO {log}"
        elif table in _DECIDED:
            yield f"GRANT {_DECIDED[table]} ON {_quoted(table)} TO {app}"
        elif table in _READ:
            yield f"GRANT SELECT ON {_quoted(table)} TO {app}, {log}"
        else:
            yield f"GRANT SELECT, INSERT, UPDATE, DELETE ON {_quoted(table)} TO {app}"
        if table in _SHARED:
            yield f"GRANT {_SHARED[table]} ON {_quoted(table)} TO {log}"
    yield f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {app}, {log}"


def _quoted(name: str) -> str:
    return _PREPARER.quote(name)
