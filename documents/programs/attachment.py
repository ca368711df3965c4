# SPDX-License-Identifier: Apache-2.0
"""Gives one file embedded in a PDF, if it is there and small."""

import base64
import io
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


def warm() -> dict[str, Any]:
    """Read from a page of our own, so that what is loaded on the way is loaded before the first file."""
    page = io.BytesIO()
    with pikepdf.new() as pdf:
        pdf.add_blank_page()
        pdf.attachments["x.xml"] = pikepdf.AttachedFileSpec(pdf, b"x", filename="x.xml")
        pdf.save(page)
    page.seek(0)
    return main({"file": page, "name": "x.xml", "limit": 1})
