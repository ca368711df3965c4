# SPDX-License-Identifier: Apache-2.0
"""Makes the step that simulates, of the parts of an installation."""

from licenses.simulation import SimulationService
from portal.proving import EvidenceParts, inquiry_of
from portal.simulations.steps import SimulateStep
from storage.database import Database


def simulate_step(database: Database, parts: EvidenceParts) -> SimulateStep:
    """Give the step."""
    return SimulateStep(database, SimulationService(parts.rules, inquiry_of(parts)))
