# SPDX-License-Identifier: Apache-2.0
"""Gives one file embedded in a PDF, if it is there and small."""

import base64
from typing import Any

import pikepdf


def main(request: dict[str, Any]) -> dict[str, Any]:
    """Read the open ``file``; give ``data`` (base64) of the attachment ``name``, None when there is none."""
    with pikepdf.open(request["file"]) as pdf:
        for spec in pdf.attachments.values():
            if spec.filename != request["name"]:
                continue
            embedded = spec.get_file()
            data = embedded.read_bytes() if (embedded.size or 0) <= request["limit"] else b""
            if 0 < len(data) <= request["limit"]:
                return {"data": base64.b64encode(data).decode()}
    return {"data": None}
