# SPDX-License-Identifier: Apache-2.0
"""Data that two persons approve and that no room but the licences' asks for: profiles and relations."""

from dataclasses import dataclass

from licenses.relation_table import RelationBook
from licenses.stock.profiles import ProfileBook
from portal.editions.approved import ApprovedEditions


@dataclass(frozen=True, slots=True)
class Books:
    """What came with the product and what was approved since.

    Attributes:
        profiles: How sources of stock spell what we hold, and which level of trust they get.
        relations: What licences state of relations between holders.
    """

    profiles: ProfileBook
    relations: RelationBook

    @staticmethod
    def open(editions: ApprovedEditions) -> "Books":
        """Begin with what is shipped and ask for what was approved."""
        return Books(ProfileBook.load(editions.profiles), RelationBook.load(editions.relations))
