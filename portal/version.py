# SPDX-License-Identifier: Apache-2.0
"""The version of the product, as the installed distribution states it."""

from importlib.metadata import PackageNotFoundError, version


def _version() -> str:
    try:
        return version("cunzheng")
    except PackageNotFoundError:
        return "0+unknown"


VERSION = _version()
