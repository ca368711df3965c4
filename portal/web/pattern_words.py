# SPDX-License-Identifier: Apache-2.0
"""How unusual queries are called on pages."""

from collections.abc import Mapping
from typing import Final

from archive.unusual import Pattern
from portal.i18n import mark as _

TITLES: Final[Mapping[Pattern, str]] = {
    Pattern.OUT_OF_HOURS: _("Outside working hours"),
    Pattern.BURST: _("Many at once"),
    Pattern.REFUSED_OFTEN: _("Often refused"),
    Pattern.SEQUENCE: _("Numbers that follow each other"),
    Pattern.UNDECIDED: _("Nothing followed"),
    Pattern.OWN_FILE: _("Own file"),
    Pattern.RELATIVE: _("Relative or related party"),
    Pattern.COLLEAGUE: _("Colleague"),
}
