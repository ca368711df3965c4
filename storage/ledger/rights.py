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
_APPLICATION = {
    "ledger_act": "SELECT, INSERT",
    "ledger_pending": "SELECT, INSERT",
    "ledger_closed_refusal": "SELECT, INSERT, UPDATE",
}
_SEQUENCER = {
    "ledger_act": "SELECT, INSERT",
    "ledger_anchor": "SELECT, INSERT",
    "ledger_checkpoint": "SELECT, INSERT",
    "ledger_closed_refusal": "SELECT, INSERT, UPDATE",
    "ledger_entry": "SELECT, INSERT",
    "ledger_pending": "SELECT, INSERT, DELETE",
    "ledger_state": "SELECT, INSERT, UPDATE",
    "ledger_tile": "SELECT, INSERT",
}

_SHARED = {"object_version": "SELECT, INSERT, UPDATE"}
"""The sequencer, too, puts objects: the published log."""


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
        else:
            yield f"GRANT SELECT, INSERT, UPDATE, DELETE ON {_quoted(table)} TO {app}"
        if table in _SHARED:
            yield f"GRANT {_SHARED[table]} ON {_quoted(table)} TO {log}"
    yield f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {app}, {log}"


def _quoted(name: str) -> str:
    return _PREPARER.quote(name)
