# SPDX-License-Identifier: Apache-2.0
"""Whatever is sent: an answer that the description names, never an internal error, never the input back."""

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import hypothesis
import hypothesis.strategies as st
import pytest

from portal.web.schemas import CASE_EXAMPLE, PROOF_EXAMPLE

from .conftest import House, make_house

DESCRIBED = {200, 201, 202, 400, 401, 403, 404, 405, 409, 413, 415, 422, 429, 503}
SECRET = "339999190001010012"
ADDRESSES = [
    "cases/ycsl/{}",
    "cases/{}/1",
    "dossiers/{}",
    "licences/{}",
    "proofs/{}",
    "ledger/receipts/{}",
    "ledger/tile/{}",
]
NAMES = ["q", "after", "limit", "kind", SECRET]

scalars = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=40), st.just(SECRET)
)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
keys = st.text(max_size=12) | st.just(SECRET)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    made = make_house(tmp_path_factory.mktemp("house"))
    yield made
    made.rooms.database.close()


@pytest.fixture(scope="module")
def key(house: House) -> str:
    return house.client_key("announce", "file", "ask", "read")


@st.composite
def bent(draw: st.DrawFn, example: dict[str, Any]) -> Any:
    """A body that resembles the example, with one place changed, added or taken away."""
    body = json.loads(json.dumps(example))
    place: Any = body
    while True:
        name = draw(st.sampled_from(sorted(place)))
        if not isinstance(place[name], dict) or draw(st.booleans()):
            break
        place = place[name]
    how = draw(st.sampled_from(["change", "add", "remove"]))
    if how == "change":
        place[name] = draw(values)
    elif how == "add":
        place[draw(keys)] = draw(values)
    else:
        del place[name]
    return body


def _judge(answer: Any) -> None:
    assert answer.status_code in DESCRIBED
    assert SECRET not in answer.text
    if answer.status_code >= 400:
        assert answer.mimetype == "application/problem+json"


@hypothesis.settings(max_examples=60)
@hypothesis.given(body=bent(CASE_EXAMPLE) | values)
def test_announcing(house: House, key: str, body: Any) -> None:
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    _judge(house.app.test_client().put("/api/v1/cases/ycsl/N-1", data=json.dumps(body), headers=headers))


@hypothesis.settings(max_examples=60)
@hypothesis.given(body=bent(PROOF_EXAMPLE) | values)
def test_asking(house: House, key: str, body: Any) -> None:
    headers = {"Authorization": f"Bearer {key}", "Access-Operator": "op-1"}
    headers["Content-Type"] = "application/json"
    _judge(house.app.test_client().post("/api/v1/proofs", data=json.dumps(body), headers=headers))


@hypothesis.settings(max_examples=60)
@hypothesis.given(body=st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_bytes_instead_of_json(house: House, key: str, body: bytes) -> None:
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    _judge(house.app.test_client().post("/api/v1/proofs", data=body, headers=headers))


@hypothesis.settings(max_examples=80)
@hypothesis.example(path="cases/ycsl/{}", text="\0")
@hypothesis.example(path="dossiers/{}", text="1\0")
@hypothesis.given(
    path=st.sampled_from(
        [
            "cases/ycsl/{}",
            "cases/{}/1",
            "dossiers/{}",
            "licences/{}",
            "proofs/{}",
            "ledger/receipts/{}",
            "ledger/tile/{}",
        ]
    ),
    text=st.text(min_size=1, max_size=80).filter(lambda text: text not in {".", ".."}),
)
def test_any_text_in_an_address(house: House, key: str, path: str, text: str) -> None:
    address = "/api/v1/" + path.format(quote(text.encode("utf-8", "replace"), safe=""))
    answer = house.app.test_client().get(address, headers={"Authorization": f"Bearer {key}"})
    assert answer.status_code in DESCRIBED | {308}


@hypothesis.settings(max_examples=60)
@hypothesis.given(
    query=st.dictionaries(
        st.sampled_from(["q", "after", "limit", "kind", SECRET]), st.text(max_size=60), max_size=4
    ),
    path=st.sampled_from(["search", "cases"]),
)
def test_any_query(house: House, key: str, path: str, query: dict[str, str]) -> None:
    kept = {name: value.encode("utf-8", "replace").decode() for name, value in query.items()}
    _judge(
        house.app.test_client().get(
            f"/api/v1/{path}", query_string=kept, headers={"Authorization": f"Bearer {key}"}
        )
    )
