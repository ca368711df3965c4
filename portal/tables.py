# SPDX-License-Identifier: Apache-2.0
"""Imports every module that defines tables, so that the metadata is complete."""

import importlib

from sqlalchemy import MetaData

from storage.base import Base

MODULES = (
    "storage.steps",
    "storage.ledger.models",
    "storage.objects.versions",
    "cases.models",
    "seals.models",
    "licenses.models",
    "licenses.bulk_models",
    "licenses.codes.models",
    "licenses.copies.models",
    "licenses.grants.models",
    "licenses.ladder.models",
    "licenses.sharing.models",
    "licenses.stock.models",
    "archive.models",
    "portal.accounts.models",
    "portal.citizens.models",
    "portal.clients.models",
    "portal.editions.models",
    "portal.key_marks.models",
    "portal.patterns.models",
    "portal.simulations.models",
)


def all_tables() -> MetaData:
    """Give the metadata of every table of every room."""
    for name in MODULES:
        importlib.import_module(name)
    return Base.metadata
