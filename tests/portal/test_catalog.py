# SPDX-License-Identifier: Apache-2.0
"""The published catalogue of licence types: pages and interface for everybody, signed, cached, limited."""

import base64
import hashlib
import io
import json

import pikepdf
import pytest
from editions import NEW_TYPE, new_types
from flask.testing import FlaskClient
from joserfc import jws
from joserfc.jwk import KeySet
from pdf_text import text_of

from licenses.answers import verify_detached
from licenses.catalogue import TypeCatalogue
from licenses.errors import AnswerInvalidError
from licenses.type_publication import SIGNATURE_TYPE
from portal.accounts.rights import ADMINISTRATORS
from portal.web.api_catalog import SIGNATURE
from storage.identity import Identity, Role

from .conftest import House, make_house

FOOD, ESTATE, DANGEROUS = "11339999DEM0010178001", "11100000MB03271699001", "11100000000019713D016"
SYSTEM = Identity("person", "system-1", "office", frozenset({Role.SYSTEM_ADMIN}))
SECURITY = Identity("person", "security-1", "office", frozenset({Role.SECURITY_ADMIN}))
API = "/api/v1/catalog/licence-types"


def agree(house: House, data: bytes) -> None:
    editions, write = house.rooms.editions, house.rooms.database.write
    made = write(lambda uow: editions.propose(uow, SYSTEM, data, "新设证照类型").id)
    write(lambda uow: editions.approve(uow, SECURITY, made, "已核对"))


@pytest.fixture
def anybody(house: House) -> FlaskClient:
    return house.app.test_client()


def test_anybody_reads_the_list_and_each_type(anybody: FlaskClient) -> None:
    listed = json.loads(anybody.get(API).data)["types"]
    assert [one["code"] for one in listed] == [one.code for one in TypeCatalogue.load().all()]
    assert all("fields" not in one for one in listed)
    estate = json.loads(anybody.get(f"{API}/{ESTATE}").data)
    assert (estate["holders"], estate["provisional"], estate["versions"]) == ("several", False, ["2026-01"])
    assert estate["codes"] == {"state": 2, "kind": 1, "holder_kind": 2, "sharing": 2}
    (owners,) = (one for one in estate["fields"] if one["name"] == "owners")
    assert [one["role"] for one in owners["columns"]] == ["holder.name", "holder.code", "holder.share"]


def test_the_published_definition_reads_as_a_definition(anybody: FlaskClient) -> None:
    stated = json.loads(anybody.get(f"{API}/{ESTATE}").data)
    del stated["versions"], stated["codes"]
    types = TypeCatalogue([type(TypeCatalogue.load().get(ESTATE)).model_validate_json(json.dumps(stated))])
    assert types.get(ESTATE) == TypeCatalogue.load().get(ESTATE)


def test_what_did_not_change_is_not_sent_again(house: House, anybody: FlaskClient) -> None:
    first = anybody.get(f"{API}/{FOOD}")
    assert first.headers["ETag"] == f'"{hashlib.sha256(first.data).hexdigest()}"'
    assert first.headers["Cache-Control"] == "public, max-age=60"
    tag = {"If-None-Match": first.headers["ETag"]}
    again = anybody.get(f"{API}/{FOOD}", headers=tag)
    assert (again.status_code, again.data, again.headers["ETag"]) == (304, b"", first.headers["ETag"])
    agree(house, new_types(code=FOOD, zh="食品经营许可证（新）"))
    changed = anybody.get(f"{API}/{FOOD}", headers=tag)
    assert (changed.status_code, json.loads(changed.data)["version"]) == (200, "2027-01")
    assert changed.headers["ETag"] != first.headers["ETag"]


def test_two_processes_publish_the_same_bytes(house: House, anybody: FlaskClient, tmp_path: object) -> None:
    other = make_house(house.staging.parent, clock=house.clock)
    try:
        agree(house, new_types())
        for address in (API, f"{API}/{NEW_TYPE}"):
            assert other.app.test_client().get(address).data == anybody.get(address).data
    finally:
        other.rooms.database.close()


def test_the_signature_holds_for_these_bytes_and_no_others(house: House, anybody: FlaskClient) -> None:
    answer = anybody.get(API)
    keys = json.loads(anybody.get("/.well-known/jwks.json").data)
    kid = verify_detached(answer.data, answer.headers[SIGNATURE], keys, SIGNATURE_TYPE)
    assert kid == house.rooms.proofs.keys.kid
    for data, kind in ((answer.data + b" ", SIGNATURE_TYPE), (answer.data, "cunzheng-decision+json")):
        with pytest.raises(AnswerInvalidError):
            verify_detached(data, answer.headers[SIGNATURE], keys, kind)
    for broken in ("", "..", "a..b", answer.headers[SIGNATURE][:-2]):
        with pytest.raises(AnswerInvalidError):
            verify_detached(answer.data, broken, keys, SIGNATURE_TYPE)


def test_a_library_of_others_checks_the_signature(anybody: FlaskClient) -> None:
    answer = anybody.get(f"{API}/{FOOD}")
    keys = KeySet.import_key_set(json.loads(anybody.get("/.well-known/jwks.json").data))
    content = base64.urlsafe_b64encode(answer.data).rstrip(b"=").decode()
    compact = answer.headers[SIGNATURE].replace("..", f".{content}.")
    assert jws.deserialize_compact(compact, keys, algorithms=["ES256"]).payload == answer.data


def test_an_older_version_stays_readable(house: House, anybody: FlaskClient) -> None:
    agree(house, new_types(code=FOOD, zh="食品经营许可证（新）"))
    old = json.loads(anybody.get(f"{API}/{FOOD}/versions/2026-01").data)
    assert (old["zh"], old["versions"]) == ("食品经营许可证", ["2026-01", "2027-01"])


def test_strangers_are_not_told_of_what_is_not_published(house: House, anybody: FlaskClient) -> None:
    agree(house, new_types(state="unpublished"))
    assert NEW_TYPE not in anybody.get(API).text
    assert NEW_TYPE not in anybody.get("/catalog/licence-types").text
    for address in (f"{API}/{NEW_TYPE}", f"{API}/{NEW_TYPE}/versions/2027-01"):
        hidden, unknown = anybody.get(address), anybody.get(address.replace(NEW_TYPE, "1" * 21))
        assert (hidden.status_code, unknown.status_code) == (404, 404)
    for page in ("", "/sample.pdf"):
        assert anybody.get(f"/catalog/licence-types/{NEW_TYPE}{page}").status_code == 404


def test_a_stranger_has_an_allowance_and_none_is_recorded(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    house = make_house(tmp_path_factory.mktemp("limited"), public_rate=3)
    try:
        anybody, before = house.app.test_client(), house.acts()
        seen = [anybody.get(API).status_code for _ in range(5)]
        assert seen == [200, 200, 200, 429, 429]
        assert house.acts() == before
    finally:
        house.rooms.database.close()


def test_the_pages_say_what_a_type_states(anybody: FlaskClient) -> None:
    page = anybody.get("/catalog/licence-types").text
    assert page.count("暂定代码") == sum(one.provisional for one in TypeCatalogue.load().all())
    assert f"/catalog/licence-types/{ESTATE}" in page
    food = anybody.get(f"/catalog/licence-types/{FOOD}").text
    for words in (
        "暂定代码",
        "法定代表人（负责人）",
        "敏感，遮蔽显示",
        "KZ_FDDBR",
        "食品经营许可核发",
        "5年",
    ):
        assert words in food
    covering = anybody.get(f"/catalog/licence-types/{DANGEROUS}").text
    assert "道路运输经营许可证" in covering
    assert "暂定代码" not in covering


def test_the_catalogue_is_reached_from_the_first_page_and_from_the_administrators_desk(
    house: House, anybody: FlaskClient
) -> None:
    first = anybody.get("/", follow_redirects=True).text
    assert 'href="/catalog/licence-types"' in first
    for role in ADMINISTRATORS:
        assert 'href="/catalog/licence-types"' in house.browser(role, "office").get("/editions").text


def test_the_sample_is_a_pdf_that_says_so(anybody: FlaskClient) -> None:
    answer = anybody.get(f"/catalog/licence-types/{ESTATE}/sample.pdf")
    assert answer.content_type == "application/pdf"
    assert "样例" in text_of(answer.data)
    with pikepdf.open(io.BytesIO(answer.data)) as pdf:
        assert not list(pdf.attachments)
