# SPDX-License-Identifier: Apache-2.0
"""The lint of number templates, and editions of them: the newest numbers, every older one is read."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.errors import ArchiveDataError, NumberTemplateError
from archive.lint import NumberGround, lint_numbering
from archive.numbering import DATA, NumberTemplate, NumberTemplates, is_sound
from cases.items import ItemCatalogue
from cases.lint import read_document

SHIPPED = NumberTemplates.load()
FONDS = frozenset(one.fonds for one in ItemCatalogue.load().departments)
GROUND = NumberGround(fonds=FONDS, held=SHIPPED.all, versions=frozenset({"2026-11"}))


def edition(**changed: Any) -> dict[str, Any]:
    """Give an edition that changes the template of Z901."""
    templates = [
        {"fonds": one.fonds, "template": one.template, "width": one.width}
        for one in SHIPPED.all
        if one.fonds != "Z901"
    ]
    entry = {"fonds": "Z901", "template": "{fonds}-SC·{year}·{retention}-{serial}", "width": 5}
    return {"version": "2027-01", "templates": [entry | changed, *templates]}


def codes(document: Any, ground: NumberGround = GROUND) -> list[str]:
    return [one.code for one in lint_numbering(document, ground)]


def test_what_is_shipped_passes() -> None:
    document, found = read_document(DATA.read_bytes())
    assert found == ()
    assert lint_numbering(document, NumberGround(fonds=FONDS)) == ()


def test_a_new_template_passes() -> None:
    assert codes(edition()) == []


@pytest.mark.parametrize(
    ("template", "code"),
    [
        ("{fonds}-SC·{year}-{serial}", "template-rule"),
        ("{fonds}-SC·{year}·{year}·{retention}-{serial}", "template-rule"),
        ("{fonds}-{serial}-{year}·{retention}", "template-rule"),
        ("SC·{year}·{retention}-{serial}", "template-rule"),
        ("{fonds}-sc·{year}·{retention}-{serial}", "schema"),
        ("{fonds}-SC•{year}·{retention}-{serial}", "schema"),
        ("{fonds.__class__}-{year}·{retention}-{serial}", "schema"),
        ("{fonds}-{0}·{year}·{retention}-{serial}", "schema"),
    ],
)
def test_a_template_that_breaks_the_rules_is_found(template: str, code: str) -> None:
    assert codes(edition(template=template))[0] == code


def test_every_fonds_has_one_template() -> None:
    without = edition()
    without["templates"].pop()
    assert codes(without) == ["fonds-without-template"]
    twice = edition()
    twice["templates"].append(twice["templates"][0])
    assert codes(twice) == ["fonds-twice"]
    more = edition()
    more["templates"].append({"fonds": "Z999", "template": "{fonds}·{year}·{retention}-{serial}", "width": 4})
    assert codes(more) == ["fonds-unknown"]


def test_a_series_that_another_template_could_give_is_found() -> None:
    # 2021 of the one is the literal 2021 of the other.
    held = NumberTemplate("Z901", "{fonds}-2020·{year}·{retention}-{serial}", 5)
    ground = NumberGround(fonds=FONDS, held=(*SHIPPED.all, held))
    assert codes(edition(template="{fonds}-{year}·2021·{retention}-{serial}"), ground) == ["series-collides"]
    assert codes(edition(template="{fonds}-{year}·X021·{retention}-{serial}"), ground) == []


def test_another_width_in_a_running_series_is_a_warning() -> None:
    now = SHIPPED.of("Z901")
    found = lint_numbering(edition(template=now.template, width=now.width + 1), GROUND)
    assert [(one.code, one.blocks) for one in found] == [("series-width", False)]


def test_an_edition_is_named_once_and_changes_something() -> None:
    now = SHIPPED.of("Z901")
    assert codes(edition(template=now.template, width=now.width)) == ["nothing-new"]
    assert codes(edition() | {"version": "2026-11"}) == ["version-taken"]


@pytest.mark.parametrize("document", [None, [], {}, {"version": "1", "templates": [None]}])
def test_what_is_no_edition_at_all_is_found(document: Any) -> None:
    assert set(codes(document)) == {"schema"}


@given(st.text(alphabet="{}abdefilnorstuyYZ019·-.!:[]", max_size=40), st.integers(-3, 12))
def test_no_template_makes_the_rules_stumble(template: str, width: int) -> None:
    made = NumberTemplate("Z901", template, width)
    if is_sound(made):
        assert made.parse(made.compose(2027, "Y", 3)) is not None
    else:
        with pytest.raises(ArchiveDataError):
            NumberTemplates([made])


def test_the_newest_edition_numbers_and_older_numbers_are_still_read() -> None:
    templates = NumberTemplates.load()
    old = templates.of("Z901").compose(2026, "D30", 7)
    newer = NumberTemplate("Z901", "{fonds}-SC·{year}·{retention}-{serial}", 5)
    templates.adopt([newer], 3)
    new = templates.of("Z901").compose(2027, "D30", 1)
    assert new == "Z901-SC·2027·D30-00001"
    assert templates.parse(old).serial == 7
    assert templates.parse(new).year == 2027
    assert templates.of("Z902") == SHIPPED.of("Z902")
    templates.adopt([NumberTemplate("Z901", "{fonds}-AB·{year}·{retention}-{serial}", 5)], 2)
    assert templates.of("Z901") == newer


def test_approved_templates_are_asked_for_each_time_before_a_number_is_given() -> None:
    asked: list[int] = []
    newer = NumberTemplate("Z901", "{fonds}-SC·{year}·{retention}-{serial}", 5)

    def look_up(number: int) -> list[tuple[int, tuple[NumberTemplate, ...]]]:
        asked.append(number)
        return [(4, (newer,))] if len(asked) == 2 else []

    templates = NumberTemplates.load(look_up=look_up)
    assert templates.of("Z901") != newer
    assert templates.of("Z901") == newer
    assert templates.of("Z901") == newer
    assert asked == [0, 0, 4]
    with pytest.raises(NumberTemplateError):
        templates.of("Z000")


def test_every_template_of_the_shipped_file_follows_the_schema_that_is_published() -> None:
    schema = json.loads(DATA.with_name("numbering.schema.json").read_bytes())
    assert schema["$schema"].startswith("https://json-schema.org/draft/2020-12/")
    assert set(schema["required"]) == set(json.loads(DATA.read_bytes()))
