# SPDX-License-Identifier: Apache-2.0
"""First tables of archive."""

import sqlalchemy as sa
from alembic import op

from storage.base import Instant

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

TABLES = (
    "dossier",
    "dossier_hold",
    "dossier_member",
    "filing",
    "filing_material",
    "filing_receipt",
    "number_reservation",
    "number_series",
)


def upgrade() -> None:
    """Create the tables."""
    _create_dossier()
    _create_dossier_hold()
    _create_dossier_member()
    _create_filing()
    _create_filing_material()
    _create_filing_receipt()
    _create_number_reservation()
    _create_number_series()


def downgrade() -> None:
    """Drop the tables."""
    for table in reversed(TABLES):
        op.drop_table(table)


def _create_dossier() -> None:
    op.create_table(
        "dossier",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("case_id", sa.String(length=26), nullable=False),
        sa.Column("filing_id", sa.String(length=26), nullable=False),
        sa.Column("holder_id", sa.String(length=26), nullable=False),
        sa.Column("organisation", sa.String(length=40), nullable=False),
        sa.Column("item_code", sa.String(length=40), nullable=False),
        sa.Column("item_edition", sa.String(length=20), nullable=False),
        sa.Column("title", sa.String(length=300), nullable=False),
        sa.Column("archival_number", sa.String(length=140), nullable=False),
        sa.Column("fonds", sa.String(length=20), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("retention", sa.String(length=4), nullable=False),
        sa.Column("retention_zh", sa.String(length=200), nullable=False),
        sa.Column("retention_en", sa.String(length=200), nullable=False),
        sa.Column("assembled_at", Instant(), nullable=False),
        sa.Column("filed_at", Instant(), nullable=True),
        sa.Column("catalogue_sha256", sa.String(length=64), nullable=True),
        sa.Column("manifest_sha256", sa.String(length=64), nullable=True),
        sa.Column("manifest_seal_sha256", sa.String(length=64), nullable=True),
        sa.Column("manifest_key", sa.String(length=120), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dossier")),
        sa.UniqueConstraint("archival_number", name=op.f("uq_dossier_archival_number")),
        sa.UniqueConstraint("case_id", name=op.f("uq_dossier_case_id")),
        sa.UniqueConstraint("filing_id", name=op.f("uq_dossier_filing_id")),
    )
    with op.batch_alter_table("dossier", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_dossier_catalogue_sha256"), ["catalogue_sha256"], unique=False)
        batch_op.create_index(batch_op.f("ix_dossier_holder_id"), ["holder_id"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_dossier_manifest_seal_sha256"), ["manifest_seal_sha256"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_dossier_manifest_sha256"), ["manifest_sha256"], unique=False)
        batch_op.create_index("ix_dossier_organisation", ["organisation", "filed_at", "id"], unique=False)


def _create_dossier_hold() -> None:
    op.create_table(
        "dossier_hold",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("dossier_id", sa.String(length=26), nullable=False),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.Column("legal_basis", sa.String(length=200), nullable=False),
        sa.Column("placed_by", sa.String(length=64), nullable=False),
        sa.Column("placed_at", Instant(), nullable=False),
        sa.Column("lifted_by", sa.String(length=64), nullable=True),
        sa.Column("lifted_at", Instant(), nullable=True),
        sa.Column("lift_reason", sa.String(length=200), nullable=True),
        sa.Column("lift_legal_basis", sa.String(length=200), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dossier_hold")),
    )
    with op.batch_alter_table("dossier_hold", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_dossier_hold_dossier_id"), ["dossier_id"], unique=False)


def _create_dossier_member() -> None:
    op.create_table(
        "dossier_member",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("dossier_id", sa.String(length=26), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("role", sa.String(length=12), nullable=False),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("file_name", sa.String(length=200), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("sm3", sa.String(length=64), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("media_type", sa.String(length=100), nullable=False),
        sa.Column("pages", sa.Integer(), nullable=True),
        sa.Column("level", sa.String(length=4), nullable=True),
        sa.Column("material_id", sa.String(length=26), nullable=True),
        sa.Column("reference", sa.String(length=26), nullable=True),
        sa.Column("sealing_act", sa.String(length=64), nullable=True),
        sa.Column("version_id", sa.String(length=128), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dossier_member")),
        sa.UniqueConstraint("dossier_id", "position", name=op.f("uq_dossier_member_dossier_id")),
    )
    with op.batch_alter_table("dossier_member", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_dossier_member_sha256"), ["sha256"], unique=False)


def _create_filing() -> None:
    op.create_table(
        "filing",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("case_id", sa.String(length=26), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("set_sha256", sa.String(length=64), nullable=False),
        sa.Column("content_sha256", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("organisation", sa.String(length=40), nullable=False),
        sa.Column("item_code", sa.String(length=40), nullable=False),
        sa.Column("item_edition", sa.String(length=20), nullable=False),
        sa.Column("result", sa.String(length=12), nullable=False),
        sa.Column("accepted_at", Instant(), nullable=False),
        sa.Column("closed_at", Instant(), nullable=False),
        sa.Column("metadata_sha256", sa.String(length=64), nullable=False),
        sa.Column("metadata_sm3", sa.String(length=64), nullable=False),
        sa.Column("metadata_size", sa.Integer(), nullable=False),
        sa.Column("checks_sha256", sa.String(length=64), nullable=True),
        sa.Column("checks_sm3", sa.String(length=64), nullable=True),
        sa.Column("checks_size", sa.Integer(), nullable=True),
        sa.Column("license_id", sa.String(length=26), nullable=True),
        sa.Column("findings", sa.JSON(), nullable=False),
        sa.Column("original_only", sa.Integer(), nullable=False),
        sa.Column("received_at", Instant(), nullable=False),
        sa.Column("received_by", sa.String(length=64), nullable=False),
        sa.Column("decided_at", Instant(), nullable=True),
        sa.Column("dossier_id", sa.String(length=26), nullable=True),
        sa.Column("batch", sa.String(length=26), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_filing")),
        sa.UniqueConstraint("case_id", "attempt", name=op.f("uq_filing_case_id")),
    )
    with op.batch_alter_table("filing", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_filing_batch"), ["batch"], unique=False)
        batch_op.create_index(batch_op.f("ix_filing_checks_sha256"), ["checks_sha256"], unique=False)
        batch_op.create_index(batch_op.f("ix_filing_metadata_sha256"), ["metadata_sha256"], unique=False)
        batch_op.create_index("ix_filing_organisation", ["organisation", "received_at", "id"], unique=False)
        batch_op.create_index("ix_filing_state", ["state", "received_at", "id"], unique=False)


def _create_filing_material() -> None:
    op.create_table(
        "filing_material",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("filing_id", sa.String(length=26), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("group_code", sa.String(length=12), nullable=False),
        sa.Column("names_cipher", sa.LargeBinary(), nullable=False),
        sa.Column("declared_type", sa.String(length=100), nullable=False),
        sa.Column("declared_sha256", sa.String(length=64), nullable=False),
        sa.Column("declared_size", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("sm3", sa.String(length=64), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("media_type", sa.String(length=100), nullable=True),
        sa.Column("outcome", sa.String(length=16), nullable=False),
        sa.Column("route", sa.String(length=40), nullable=True),
        sa.Column("level", sa.String(length=4), nullable=True),
        sa.Column("pages", sa.Integer(), nullable=True),
        sa.Column("reason", sa.String(length=60), nullable=True),
        sa.Column("verdict", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("attempts", sa.JSON(), nullable=False),
        sa.Column("rendition_sha256", sa.String(length=64), nullable=True),
        sa.Column("rendition_sm3", sa.String(length=64), nullable=True),
        sa.Column("rendition_size", sa.Integer(), nullable=True),
        sa.Column("sealed_sha256", sa.String(length=64), nullable=True),
        sa.Column("sealed_sm3", sa.String(length=64), nullable=True),
        sa.Column("sealed_size", sa.Integer(), nullable=True),
        sa.Column("sealing_act", sa.String(length=64), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_filing_material")),
        sa.UniqueConstraint("filing_id", "position", name=op.f("uq_filing_material_filing_id")),
    )
    with op.batch_alter_table("filing_material", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_filing_material_rendition_sha256"), ["rendition_sha256"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_filing_material_sealed_sha256"), ["sealed_sha256"], unique=False)
        batch_op.create_index(batch_op.f("ix_filing_material_sha256"), ["sha256"], unique=False)


def _create_filing_receipt() -> None:
    op.create_table(
        "filing_receipt",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("filing_id", sa.String(length=26), nullable=False),
        sa.Column("act_id", sa.String(length=64), nullable=False),
        sa.Column("body_cipher", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_filing_receipt")),
        sa.UniqueConstraint("act_id", name=op.f("uq_filing_receipt_act_id")),
        sa.UniqueConstraint("filing_id", name=op.f("uq_filing_receipt_filing_id")),
    )


def _create_number_reservation() -> None:
    op.create_table(
        "number_reservation",
        sa.Column("number", sa.String(length=140), nullable=False),
        sa.Column("series", sa.String(length=120), nullable=False),
        sa.Column("serial", sa.Integer(), nullable=False),
        sa.Column("case_id", sa.String(length=26), nullable=False),
        sa.Column("reserved_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_number_reservation")),
        sa.UniqueConstraint("case_id", name=op.f("uq_number_reservation_case_id")),
        sa.UniqueConstraint("series", "serial", name=op.f("uq_number_reservation_series")),
    )


def _create_number_series() -> None:
    op.create_table(
        "number_series",
        sa.Column("series", sa.String(length=120), nullable=False),
        sa.Column("last", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("series", name=op.f("pk_number_series")),
    )
