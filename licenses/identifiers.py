# SPDX-License-Identifier: Apache-2.0
"""Licence identifiers 证照标识 (GB/T 36904): compose, parse, classify.

``1.2.156.3005.2 . type (21) . issuer (18) . serial (1 or more) . version (3) . check (1)``

The check character (ISO 7064 MOD 37,36) is computed without the dots, so a moved separator keeps it:
lengths and both embedded credit codes are therefore checked as well. A foreign identifier is
classified and kept byte for byte, never rewritten.
"""

import enum
import re
from dataclasses import dataclass
from functools import lru_cache

from cases.identifiers import is_uscc
from licenses.errors import LicenseDataError

ROOT = "1.2.156.3005.2"
FIRST_VERSION = 1
LAST_VERSION = 999
_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_VALUES = {character: value for value, character in enumerate(_ALPHABET)}
# Registers are read by the million: looking the next product up takes half the time of working it out.
_NEXT = [
    {one: ((product + value) % 36 or 36) * 2 % 37 for one, value in _VALUES.items()} for product in range(37)
]
_PART = re.compile(r"[0-9A-Z]+")
_FOREIGN_OID = re.compile(r"[0-2](?:\.[0-9]+){3,}\..*")


class Shape(enum.StrEnum):
    """What is known about an identifier's form."""

    CONFORMING = "conforming"
    CHECK_FAILED = "check_failed"
    LENGTH_OR_SEPARATOR = "length_or_separator"
    BAD_TYPE_USCC = "bad_type_uscc"
    BAD_ISSUER_USCC = "bad_issuer_uscc"
    LEGACY_SHAPE = "legacy_shape"


@dataclass(frozen=True, slots=True)
class Identifier:
    """A conforming identifier, taken apart."""

    type_code: str
    issuer_code: str
    serial: str
    version: int

    def __str__(self) -> str:
        """Give the identifier with root and check character."""
        body = (self.type_code, self.issuer_code, self.serial, f"{self.version:03d}")
        return ".".join((ROOT, *body, check_character("".join(body))))


def check_character(body: str) -> str:
    """Compute the ISO 7064 MOD 37,36 check character of digits and capitals.

    Raises:
        KeyError: The text holds another character.
    """
    product = 36
    for character in body:
        product = _NEXT[product][character]
    return _ALPHABET[(37 - product) % 36]


def compose(type_code: str, issuer_code: str, serial: str, version: int = FIRST_VERSION) -> str:
    """Compose a conforming identifier.

    Raises:
        LicenseDataError: A part would make the identifier non-conforming; ``facts`` name the rule.
    """
    if not (_PART.fullmatch(serial) and FIRST_VERSION <= version <= LAST_VERSION):
        raise LicenseDataError(field="number", rule="serial-0-9A-Z")
    identifier = str(Identifier(type_code, issuer_code, serial, version))
    shape = classify(identifier)
    if shape is not Shape.CONFORMING:
        raise LicenseDataError(field="identifier", rule=str(shape))
    return identifier


def parse(text: str) -> Identifier:
    """Take a conforming identifier apart.

    Raises:
        LicenseDataError: The identifier does not conform; ``facts`` give the shape.
    """
    shape = classify(text)
    if shape is not Shape.CONFORMING:
        raise LicenseDataError(field="identifier", rule=str(shape))
    type_code, issuer, serial, version, _ = text[len(ROOT) + 1 :].split(".")
    return Identifier(type_code, issuer, serial, int(version))


def classify(text: str) -> Shape:
    """Say what an identifier's form is; lengths first, then check character, then the credit codes."""
    if not text.startswith(ROOT + "."):
        return Shape.LEGACY_SHAPE if _looks_foreign(text) else Shape.LENGTH_OR_SEPARATOR
    parts = text[len(ROOT) + 1 :].split(".")
    if not all(_PART.fullmatch(part) for part in parts):
        return Shape.LENGTH_OR_SEPARATOR
    if len(parts) == 4:
        return _without_issuer(parts)
    if len(parts) != 5 or len(parts[4]) != 1 or len(parts[0]) != 21:
        return Shape.LENGTH_OR_SEPARATOR
    return _five_parts(parts)


def _five_parts(parts: list[str]) -> Shape:
    type_code, issuer, _, version, check = parts
    if re.fullmatch(r"[0-9]{1,2}", version) and len(issuer) == 18:
        return Shape.LEGACY_SHAPE
    divisional = re.fullmatch(r"[0-9]{6}", issuer) is not None
    if not (re.fullmatch(r"[0-9]{3}", version) and int(version) and (len(issuer) == 18 or divisional)):
        return Shape.LENGTH_OR_SEPARATOR
    body = "".join(parts[:4])
    if check_character(body) != check:
        with_root = check_character(ROOT.replace(".", "") + body) == check
        return Shape.LEGACY_SHAPE if with_root else Shape.CHECK_FAILED
    if not (_is_authority(type_code[:18]) and type_code[18:].isdigit()):
        return Shape.BAD_TYPE_USCC
    return Shape.CONFORMING if _is_authority(issuer) else Shape.BAD_ISSUER_USCC


@lru_cache(maxsize=4096)
def _is_authority(code: str) -> bool:
    # Authorities are few and identifiers many.
    return is_uscc(code)


def _without_issuer(parts: list[str]) -> Shape:
    type_code, _, version, check = parts
    if len(type_code) == 21 and re.fullmatch(r"[0-9]{1,3}", version) and len(check) == 1:
        return Shape.LEGACY_SHAPE
    return Shape.LENGTH_OR_SEPARATOR


def _looks_foreign(text: str) -> bool:
    return _FOREIGN_OID.fullmatch(text) is not None
