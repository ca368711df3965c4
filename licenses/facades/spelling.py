# SPDX-License-Identifier: Apache-2.0
"""Writes answers in a dialect: the same licence, called as the profile calls it."""

from typing import Any

from licenses.definition import ItemKind, LicenseType
from licenses.facades.profiles import Facade, Result
from licenses.views import LicenseView

Row = dict[str, Any]


def head(facade: Facade, result: Result, request: str, field: str = "") -> Row:
    """Give the head of an answer; ``field`` is one of the profile's own names."""
    code = facade.codes[result]
    message = f"{code.zh}：{field}" if field else code.zh
    return {facade.head.code: code.code, facade.head.message: message, facade.head.request: request}


def licence_row(facade: Facade, view: LicenseView) -> Row:
    """Give a licence as its reader may see it: sensitive values are masked already."""
    kind = view.kind
    items = _type_items(kind) | {
        "number": view.number,
        "identifier": view.identifier,
        "issuer_name": view.issuer,
        "issuer_code": view.issuer_code,
        "issued_on": view.issued_on.isoformat(),
        "holder_name": view.holder.name,
        "holder_code": view.holder.code,
        "holder_scheme": view.holder.scheme,
        "valid_from": view.valid_from.isoformat() if view.valid_from else "",
        "valid_until": view.valid_until.isoformat() if view.valid_until else "",
        "status": view.status.zh,
        "ministry_status": view.ministry.code if view.ministry else "",
        # Valid while something is under way on it: a flag, never another code.
        "pending": view.pending is not None,
        "trust": view.trust,
        "version": view.version,
    }
    return _spelled(facade, items) | {facade.data.face: _face(facade, view)}


def type_row(facade: Facade, kind: LicenseType) -> Row:
    """Give a licence type."""
    return _spelled(facade, _type_items(kind))


def verification(facade: Facade, code: int, words: str) -> Row:
    """Give the result of a verification."""
    return {facade.data.result: code, facade.data.words: words}


def _type_items(kind: LicenseType) -> Row:
    return {
        "name": kind.zh,
        "type_name": kind.zh,
        "type_code": kind.code,
        "defined_by": kind.defined_by,
        "defined_by_code": kind.code[:18],
    }


def _spelled(facade: Facade, items: Row) -> Row:
    return {name: items[item] for item, name in facade.data.spelled().items() if item in items}


def _face(facade: Facade, view: LicenseView) -> list[Row] | Row:
    shown = [
        (field, str(view.face[field.name]))
        for field in view.kind.fields
        if field.name in view.face and field.kind is ItemKind.FACE
    ]
    if facade.data.face_form == "object":
        return {field.pinyin: value for field, value in shown}
    return [
        {"name": field.zh, "value": value, "valueType": field.type, "columnName": field.pinyin}
        for field, value in shown
    ]
