# SPDX-License-Identifier: Apache-2.0
"""The metadata of a filing: form is judged strictly, and nothing that was sent is repeated in an error."""

import contextlib
import copy
import datetime as dt
import json
from typing import Any

import pytest
from archive_line import GRANTED
from archive_world import METADATA
from hypothesis import given
from hypothesis import strategies as st

from archive.submission import METADATA_LIMIT, Submission, SubmissionError, parse_submission
from cases.items import Group

VALID: dict[str, Any] = METADATA | {
    "secrecy": "公开",
    "called_up": [{"kind": "decision", "identifier": "01jd"}],
    "license": GRANTED["license"],
    "materials": [
        {
            "part": "m1",
            "code": "application-form",
            "name": "食品经营许可申请书",
            "group": "application",
            "file_name": "申请书.docx",
            "media_type": "application/pdf",
            "size": 5,
            "sha256": "0" * 64,
        }
    ],
}


def encode(document: object) -> bytes:
    return json.dumps(document, ensure_ascii=False).encode()


def changed(path: str, value: object) -> bytes:
    document = copy.deepcopy(VALID)
    place: Any = document
    *parents, last = path.split(".")
    for name in parents:
        place = place[int(name) if name.isdigit() else name]
    place[last] = value
    return encode(document)


def test_a_submission_is_read_with_instants_in_utc() -> None:
    submission = parse_submission(encode(VALID))
    assert submission.accepted_at == dt.datetime(2026, 11, 2, 1, 0, tzinfo=dt.UTC)
    assert submission.accepted_at.utcoffset() == dt.timedelta(0)
    assert submission.materials[0].group is Group.APPLICATION
    assert submission.license is not None
    assert submission.license.valid_until == dt.date(2031, 11, 12)
    assert not submission.classified


def test_what_may_be_left_out_may_be_left_out() -> None:
    document = {
        name: value for name, value in VALID.items() if name not in {"license", "called_up", "secrecy"}
    }
    submission = parse_submission(encode(document))
    assert (submission.license, submission.called_up, submission.secrecy) == (None, (), "公开")


@pytest.mark.parametrize(
    ("secrecy", "classified"), [("公开", False), ("内部", False), ("秘密", True), ("机密★10年", True)]
)
def test_a_classified_marking_is_well_formed_and_recognised(secrecy: str, classified: bool) -> None:
    assert parse_submission(changed("secrecy", secrecy)).classified is classified


@pytest.mark.parametrize(
    ("path", "value", "problem"),
    [
        ("secrecy", "一般", "secrecy:string_pattern_mismatch"),
        ("result", "ok", "result:enum"),
        ("accepted_at", "2026-11-02T09:00:00", "accepted_at:instant"),
        ("accepted_at", "1700000000", "accepted_at:instant"),
        ("accepted_at", 1700000000, "accepted_at:instant"),
        ("accepted_at", "2026-13-02T09:00:00Z", "accepted_at:instant"),
        ("accepted_at", "0001-01-01T00:00:00+08:00", "accepted_at:instant"),
        ("accepted_at", "9999-12-31T23:59:59-08:00", "accepted_at:instant"),
        ("materials", [], "materials:too_short"),
        ("materials.0.size", "5", "materials.0.size:int_type"),
        ("materials.0.size", -1, "materials.0.size:greater_than_equal"),
        ("materials.0.sha256", "A" * 64, "materials.0.sha256:string_pattern_mismatch"),
        ("materials.0.file_name", "../a.pdf", "materials.0.file_name:file_name"),
        ("materials.0.file_name", "a\u0000b", "materials.0.file_name:characters"),
        ("materials.0.part", "metadata", "metadata:reserved_part"),
        ("materials", VALID["materials"] * 2, "metadata:listed_twice"),
        ("holder.name", "张\u202e三", "holder.name:characters"),
        ("license.face", {"339999190001010012": []}, "license.face.*.*:string_type"),
        ("item", "339999010002", "item:model_type"),
    ],
)
def test_a_malformed_field_is_named(path: str, value: object, problem: str) -> None:
    with pytest.raises(SubmissionError) as caught:
        parse_submission(changed(path, value))
    assert problem in str(caught.value.facts["first"]).split(" ")


@pytest.mark.parametrize("place", ["", "item.", "holder.", "license.", "materials.0.", "opinions.0."])
def test_an_unknown_key_is_refused_and_never_repeated(place: str) -> None:
    with pytest.raises(SubmissionError) as caught:
        parse_submission(changed(f"{place}339999190001010012", "x"))
    assert "339999190001010012" not in str(caught.value)
    assert "extra_forbidden" in str(caught.value)


@pytest.mark.parametrize(
    ("data", "first"),
    [
        (b"", "not-json"),
        (b"\xff\xfe", "not-json"),
        (b"[" * 100_000, "not-json"),
        (b'{"source": "a", "source": "b"}', "key-twice"),
        (b'{"item": {"code": "a", "code": "b"}}', "key-twice"),
        (b" " * (METADATA_LIMIT + 1), "size"),
    ],
)
def test_what_is_not_one_json_document_is_refused(data: bytes, first: str) -> None:
    with pytest.raises(SubmissionError) as caught:
        parse_submission(data)
    assert caught.value.facts["first"] == first


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@given(st.sampled_from(sorted(VALID)), json_values)
def test_any_value_anywhere_is_read_or_refused_as_data(field: str, value: object) -> None:
    with contextlib.suppress(SubmissionError):
        parse_submission(encode(VALID | {field: value}))


def test_the_published_schema_lists_the_fields_and_forbids_others() -> None:
    schema = Submission.model_json_schema()
    assert schema["additionalProperties"] is False
    assert set(VALID) <= set(schema["properties"])
