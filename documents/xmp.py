# SPDX-License-Identifier: Apache-2.0
"""Properties of our own in the XMP metadata of PDF/A files that we set, with the schema that declares them.

ISO 19005 admits properties of a schema that the file itself describes (extension schema); without it a
validator refuses them. What is written is text only. The same file and values give the same bytes, which end
with a line end, so that a seal can be appended.
"""

import io
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from xml.sax.saxutils import escape, quoteattr

import pikepdf
from pikepdf import Name, pdfa

from documents.errors import TypesettingError

_FLAVOUR: Final = "3b"
_SCHEMAS: Final = "<pdfaExtension:schemas><rdf:Bag>"
_END: Final = "</rdf:RDF>"


@dataclass(frozen=True, slots=True)
class XmpSchema:
    """A schema of properties.

    Attributes:
        title: What it is about, in words.
        namespace: Its URI.
        prefix: The prefix of its properties.
        properties: Name of each property → what it says, in words.
    """

    title: str
    namespace: str
    prefix: str
    properties: Mapping[str, str]


def with_properties(pdf: bytes, schema: XmpSchema, values: Mapping[str, str]) -> bytes:
    """Add properties to the XMP metadata of a file that was set here.

    Args:
        pdf: A PDF/A-3b file of :class:`documents.typesetting.Typesetter`.
        schema: Declares the properties; all of it stands in the file.
        values: Values by name; properties without one are left out.

    Raises:
        TypesettingError: The file's metadata are not as the typesetter writes them.
        KeyError: The schema does not declare a property.
    """
    with pikepdf.open(io.BytesIO(pdf)) as document:
        xmp = document.Root.Metadata.read_bytes().decode()
        # Ours stand beside what typst declares: a file has one list of schemas.
        if xmp.count(_SCHEMAS) != 1 or xmp.count(_END) != 1:
            raise TypesettingError(line=0)
        xmp = xmp.replace(_SCHEMAS, _SCHEMAS + _declaration(schema))
        xmp = xmp.replace(_END, _properties(schema, values) + _END)
        stream = pikepdf.Stream(document, xmp.encode())
        stream.Type, stream.Subtype = Name.Metadata, Name.XML
        document.Root.Metadata = document.make_indirect(stream)
        document.remove_unreferenced_resources()
        out = io.BytesIO()
        document.save(out, **pdfa.resolve_save_kwargs(_FLAVOUR, deterministic_id=True))
    return out.getvalue().rstrip(b"\r\n") + b"\n"


def read_properties(pdf: bytes, schema: XmpSchema) -> dict[str, str]:
    """Give the values that a file states in a schema; nothing when it states none."""
    with pikepdf.open(io.BytesIO(pdf)) as document, document.open_metadata() as metadata:
        found = {name: metadata.get(f"{{{schema.namespace}}}{name}") for name in schema.properties}
    return {name: str(value) for name, value in found.items() if value is not None}


def _declaration(schema: XmpSchema) -> str:
    parts = [
        '<rdf:li rdf:parseType="Resource">',
        f"<pdfaSchema:schema>{escape(schema.title)}</pdfaSchema:schema>",
        f"<pdfaSchema:namespaceURI>{escape(schema.namespace)}</pdfaSchema:namespaceURI>",
        f"<pdfaSchema:prefix>{escape(schema.prefix)}</pdfaSchema:prefix>",
        "<pdfaSchema:property><rdf:Seq>",
    ]
    for name, words in schema.properties.items():
        parts += [
            '<rdf:li rdf:parseType="Resource"><pdfaProperty:category>external</pdfaProperty:category>',
            f"<pdfaProperty:description>{escape(words)}</pdfaProperty:description>",
            f"<pdfaProperty:name>{escape(name)}</pdfaProperty:name>",
            "<pdfaProperty:valueType>Text</pdfaProperty:valueType></rdf:li>",
        ]
    return "".join([*parts, "</rdf:Seq></pdfaSchema:property></rdf:li>"])


def _properties(schema: XmpSchema, values: Mapping[str, str]) -> str:
    undeclared = values.keys() - schema.properties.keys()
    if undeclared:
        raise KeyError(min(undeclared))
    prefix = schema.prefix
    stated = "".join(
        f"<{prefix}:{name}>{escape(values[name])}</{prefix}:{name}>"
        for name in schema.properties
        if name in values
    )
    opened = f'<rdf:Description rdf:about="" xmlns:{prefix}={quoteattr(schema.namespace)}>'
    return f"{opened}{stated}</rdf:Description>"
