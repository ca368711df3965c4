# SPDX-License-Identifier: Apache-2.0
"""Metadata of a copy 加注件: what the original's file states, and what GB/T 36903 has for copies."""

import json
import xml.etree.ElementTree as ET
from collections.abc import Mapping

from licenses.metadata import Metadata, from_xml, metadata_table


def with_copy_json(data: bytes, more: Metadata, original: Mapping[str, str]) -> bytes:
    """Give the embedded JSON of a licence with the items of its copy; what it stated stays as it was.

    Args:
        data: The JSON that the licence's file carries.
        more: Canonical items of the copy.
        original: What the copy was made of: identifier and digest.
    """
    spelled = {row.api: more[row.item] for row in metadata_table().items if row.api and row.item in more}
    answer = {**json.loads(data), **spelled, "original": dict(original)}
    return json.dumps(answer, ensure_ascii=False, sort_keys=True, indent=1).encode() + b"\n"


def with_copy_xml(data: bytes, more: Metadata, original: Mapping[str, str]) -> bytes:
    """Give the embedded XML of a licence with the items of its copy; see :func:`with_copy_json`.

    Raises:
        LicenseDataError: It is no metadata.
    """
    from_xml(data)
    table, root = metadata_table(), ET.fromstring(data)  # noqa: S314 - just read without fault
    pairs = [(row.pinyin, more[row.item]) for row in table.items if row.pinyin and row.item in more]
    pairs += [(f"{table.extension_prefix}ORIGINAL_{name.upper()}", value) for name, value in original.items()]
    for name, value in pairs:
        ET.SubElement(root, table.element, Name=name).text = value
    text: str = ET.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{text}\n'.encode()
