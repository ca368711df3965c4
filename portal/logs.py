# SPDX-License-Identifier: Apache-2.0
"""Logging of the processes: one line per event on standard error, never input or personal data."""

import logging
import time


def configure(process: str) -> None:
    """Log warnings of libraries and information of ours, in UTC, to standard error."""
    formatter = logging.Formatter(
        f"%(asctime)sZ {process} %(levelname)s %(name)s: %(message)s", datefmt="%Y-%m-%dT%H:%M:%S"
    )
    formatter.converter = time.gmtime
    handler = logging.StreamHandler()
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("cunzheng").setLevel(logging.INFO)
    # Its client says of every question to an absent search server that the server is absent.
    logging.getLogger("elastic_transport").setLevel(logging.ERROR)
