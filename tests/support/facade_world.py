# SPDX-License-Identifier: Apache-2.0
"""Calls through a façade, written by its profile: a test says what is meant, the profile how it is called."""

import json
from collections.abc import Mapping
from typing import Any

from flask.testing import FlaskClient
from license_library import COMPANY, FOOD

from licenses.facades.profiles import DEMANDED, Element, Facade, Result, Service

RIGHT: Mapping[Element, Any] = {
    Element.ORGANISATION_NAME: "演示市市场监督管理局",
    Element.OPERATOR: "op-1",
    Element.ITEM_NAME: "食品经营许可核发",
    Element.ITEM_CODE: "339999010002",
    Element.CASE: "OPEN-1",
    Element.PURPOSE: "accept",
    Element.HOLDER_SCHEME: COMPANY[0],
    Element.HOLDER_CODE: COMPANY[1],
    Element.TYPE_CODE: FOOD,
}
"""What a call with every right says, apart from the licence."""


def body_of(facade: Facade, service: Service, said: Mapping[Element, Any]) -> dict[str, Any]:
    """Write a call as a dialect does; what a service does not take is left out."""
    body: dict[str, Any] = {"head": {}, "data": {}}
    for field in facade.fields_of(service):
        if field.element in said:
            body[field.place][field.name] = said[field.element]
    return body


def path_of(facade: Facade, service: Service) -> str | None:
    """Give where a dialect offers a service, if it does."""
    return next((one.path for one in facade.services if one.service is service), None)


class Speaker:
    """A client that speaks a dialect."""

    def __init__(self, facade: Facade, browser: FlaskClient, key: str) -> None:
        self.facade = facade
        self._browser = browser
        self._headers = {"Authorization": f"Bearer {key}"}

    def call(self, service: Service, **changes: Any) -> Any:
        """Call with every right but for the changes, given by element; ``None`` leaves one out."""
        said = dict(RIGHT) | {Element(name): value for name, value in changes.items()}
        needed = {*DEMANDED[service], *map(Element, changes)}
        kept = {one: value for one, value in said.items() if one in needed and value is not None}
        return self.send(service, body_of(self.facade, service, kept))

    def send(self, service: Service, body: Any, **headers: str) -> Any:
        path = path_of(self.facade, service)
        assert path is not None
        return self._browser.post(path, json=body, headers=self._headers | headers)

    def result(self, answer: Any) -> tuple[Any, Any]:
        """Give code and data of an answer; the form is the profile's."""
        told = json.loads(answer.data)
        assert set(told) == {"head", "data"}
        names = self.facade.head
        assert set(told["head"]) == {names.code, names.message, names.request}
        return told["head"][names.code], told["data"]

    def code(self, result: Result) -> Any:
        return self.facade.codes[result].code
