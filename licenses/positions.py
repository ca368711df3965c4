# SPDX-License-Identifier: Apache-2.0
"""Places in the status list: given once, in order, never used again."""

from sqlalchemy import func, select

from licenses.models import License
from storage.database import UnitOfWork


def first_free_position(uow: UnitOfWork) -> int:
    """Give the first place after the last one that is taken.

    Two units of work that take the same ones cannot both commit: the column is unique, and whoever loses
    runs again.
    """
    last = uow.session.scalar(select(func.max(License.status_index)))
    return 0 if last is None else last + 1
