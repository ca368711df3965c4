# SPDX-License-Identifier: Apache-2.0
"""Façades: the sharing interfaces that other systems speak already, made of profiles, on the one core.

Each profile in ``licenses/data/facades`` brings its addresses. Keys travel in the ``Authorization`` header
only; neither body nor address takes one.
"""

import base64
import binascii
from collections.abc import Callable
from typing import Any, Final

from apiflask import APIBlueprint
from flask import Response, request

from licenses.facades.calls import Call, read_call
from licenses.facades.errors import FacadeCallError
from licenses.facades.profiles import (
    DEMANDED,
    ON_CASE,
    Element,
    Facade,
    Place,
    Result,
    Service,
    ServicePath,
    facades,
)
from licenses.facades.services import Answered, verifier
from licenses.facades.spelling import Row, verification
from licenses.information import code_table
from portal.check_answers import file_code
from portal.errors import UnsupportedMediaError
from portal.web import context, facade_answers, signed, uploads
from portal.web.access import allow
from portal.web.checks import count_miss, demand_misses_left
from portal.web.counters import UNMATCHED_UPLOAD
from portal.web.documented import Described, by_status
from portal.web.payload import JSON

blueprint = APIBlueprint("facades", __name__, tag="Façades")
_LISTS: Final = frozenset({Service.TYPES, Service.DATA_BY_HOLDER, Service.FILE_BY_HOLDER})
_FILES: Final = frozenset({Service.FILE_BY_HOLDER, Service.FILE_BY_IDENTIFIER})
_STATUSES: Final = (400, 401, 403, 404, 405, 409, 413, 415, 422, 429, 503)


def _serve(facade: Facade, service: Service) -> Response:
    if request.mimetype != JSON:
        raise UnsupportedMediaError
    if request.args:
        # Whatever stands in an address gets into logs on the way.
        raise FacadeCallError(Result.VALUE_WRONG)
    rooms = context.rooms()
    call = read_call(facade, service, request.get_json(), rooms.license_types)
    if Element.PURPOSE in call.said:
        signed.check_purpose(call.said[Element.PURPOSE])
    if service is Service.TYPES:
        return _answer(facade, service, rooms.facades.types(facade, call))
    if service is Service.VERIFY_FILE:
        return _answer(facade, service, _verified(facade, call))
    if service is Service.VERIFY_INFORMATION:
        demand_misses_left()
    with rooms.database.writing() as uow:
        signed.take(uow)
        who = context.identity()
        if Element.OPERATOR in call.said:
            who = rooms.accounts.naming(uow, who, call.said[Element.OPERATOR])
        answered = rooms.facades.answer(uow, who, facade, service, call)
    if answered.missed:
        count_miss()
    return _answer(facade, service, answered)


def _verified(facade: Facade, call: Call) -> Answered:
    field = facade.field(Element.FILE)
    try:
        data = base64.b64decode(call.file, validate=True)
    except (binascii.Error, ValueError):
        raise FacadeCallError(Result.VALUE_WRONG, field.name if field else "") from None
    who = verifier(context.identity(), call)
    report = context.rooms().checks.check(who, uploads.stage(data).path)
    if report.promise is None:
        context.counters().add(UNMATCHED_UPLOAD)
    code = file_code(report)
    return Answered(Result.OK, (verification(facade, code, code_table().file[code][0]),))


def _answer(facade: Facade, service: Service, answered: Answered) -> Response:
    rows: Row | list[Row] | None = list(answered.rows)
    if answered.sha256 is not None:
        # The hand-out is committed: bytes leave only for a use that stands in the ledger.
        data = context.rooms().objects.read(answered.sha256)
        answered.rows[0][facade.data.file] = base64.b64encode(data).decode()
    if service not in _LISTS:
        rows = answered.rows[0] if answered.rows else None
    return facade_answers.answer(facade, answered.result, rows)


def _view(facade: Facade, service: Service) -> Callable[[], Response]:
    def view() -> Response:
        return _serve(facade, service)

    view.__doc__ = "Answer a call in the dialect of a profile."
    return view


def _body(facade: Facade, service: Service) -> dict[str, Any]:
    """Describe the body of a call."""
    parts: dict[str, dict[str, Any]] = {place: {} for place in Place}
    needed: dict[str, list[str]] = {place: [] for place in Place}
    for field in facade.fields_of(service):
        text = {"type": "string", "minLength": 1, "maxLength": 200}
        kinds: dict[Element, dict[str, Any]] = {
            Element.STATED: {"type": "object"},
            Element.FILE: {"type": "string", "contentEncoding": "base64"},
        }
        parts[field.place][field.name] = kinds.get(field.element, text)
        if field.element in DEMANDED[service]:
            needed[field.place].append(field.name)
    schema = {
        "type": "object",
        "properties": {
            place: {"type": "object", "properties": parts[place], "required": needed[place]}
            for place in Place
        },
        "required": [place for place in Place if needed[place]],
    }
    return {"required": True, "content": {JSON: {"schema": schema}}}


def _described(facade: Facade, service: Service) -> dict[int | str, Described]:
    """Describe the answers: every status has the same form."""
    names = facade.head
    head = {
        "type": "object",
        "required": [names.code, names.message, names.request],
        "properties": {
            names.code: {"enum": sorted({one.code for one in facade.codes.values()}, key=str)},
            names.message: {"type": "string"},
            names.request: {"type": "string"},
        },
    }
    data = {"type": ["array", "object"] if service in _LISTS else "object"}
    schema = {"type": "object", "required": ["head", "data"], "properties": {"head": head, "data": data}}
    content = {JSON: {"schema": schema}}
    said = "Code and words stand in the head; what is told, in the data"
    described: dict[int, Described] = {200: {"description": said, "content": content}}
    described |= {
        status: {"description": "Refused before the core was asked", "content": content}
        for status in _STATUSES
    }
    return by_status(described)


def _records(service: Service) -> dict[str, Any]:
    if service in _FILES:
        recorded = ("copy.ordered", "copy.handed-out", "license.read", "access.refused")
        return {"records": recorded, "signed_with_key": True}
    if service in ON_CASE:
        return {"records": ("license.read", "access.refused")}
    if service is Service.TYPES:
        return {"unrecorded": "tells the published catalogue, nothing of anybody"}
    return {"records": ("verification.done",)}


def _add(facade: Facade, one: ServicePath) -> None:
    rule = allow(
        scopes=("read",),
        upload="verification" if one.service is Service.VERIFY_FILE else None,
        **_records(one.service),
    )
    described = blueprint.doc(
        summary=f"{one.zh} · {one.en} ({facade.en})",
        security="key",
        responses=_described(facade, one.service),
        extensions={"x-body": _body(facade, one.service)},
    )
    endpoint = f"{facade.id}_{one.service.replace('-', '_')}"
    view = _view(facade, one.service)
    view.__name__ = endpoint
    blueprint.post(one.path, endpoint=endpoint)(described(rule(view)))


for _facade in facades():
    for _service in _facade.services:
        _add(_facade, _service)
