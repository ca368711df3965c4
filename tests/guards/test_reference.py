# SPDX-License-Identifier: Apache-2.0
"""Settings, commands, errors and kinds of act stand in docs/reference.md as the code declares them."""

from reference import PAGE, render

from portal.settings import Settings


def test_the_reference_is_what_the_code_says() -> None:
    assert PAGE.read_text(encoding="utf-8") == render(), "run: make reference"


def test_every_setting_says_what_it_means() -> None:
    assert [name for name, field in Settings.model_fields.items() if len(field.description or "") < 10] == []
