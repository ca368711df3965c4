# SPDX-License-Identifier: Apache-2.0
"""Line and column of what a finding is about: where an editor shows it."""

import json

from hypothesis import given
from hypothesis import strategies as st

from cases.lint import read_document
from cases.text_places import NOWHERE, Place, nearest, places_of

TEXT = """{
  "a/b": [1, {"c~d": "x\\"]"}],
  "e": {}, "f": []
}"""


def test_each_value_is_found_by_its_pointer() -> None:
    assert places_of(TEXT) == {
        "": Place(1, 1),
        "/a~1b": Place(2, 10),
        "/a~1b/0": Place(2, 11),
        "/a~1b/1": Place(2, 14),
        "/a~1b/1/c~0d": Place(2, 22),
        "/e": Place(3, 8),
        "/f": Place(3, 17),
    }


def test_what_is_missing_is_shown_where_it_should_stand() -> None:
    places = places_of(TEXT)
    assert nearest(places, "/e/version") == places["/e"]
    assert nearest(places, "/none/at/all") == Place(1, 1)
    assert nearest({}, "/e") == NOWHERE


def test_a_text_that_breaks_off_is_shown_where_it_breaks() -> None:
    _, (finding,) = read_document(b'{"version": "2027-01",\n "items": [}')
    assert (finding.code, finding.place) == ("json", Place(2, 12))
    assert places_of('{"a": ') == {}


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(_VALUES, st.sampled_from([None, 1]))
def test_every_value_of_any_document_begins_where_it_is_said_to_begin(
    value: object, indent: int | None
) -> None:
    text = json.dumps(value, ensure_ascii=False, indent=indent)
    lines = text.split("\n")
    decoder = json.JSONDecoder()
    for pointer, (line, column) in places_of(text).items():
        wanted = value
        for part in pointer.split("/")[1:]:
            name = part.replace("~1", "/").replace("~0", "~")
            wanted = wanted[int(name)] if isinstance(wanted, list) else wanted[name]  # type: ignore[index]  # a pointer leads through lists and objects
        rest = "\n".join([lines[line - 1][column - 1 :], *lines[line:]])
        assert decoder.raw_decode(rest)[0] == wanted
