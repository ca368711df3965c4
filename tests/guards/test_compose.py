# SPDX-License-Identifier: Apache-2.0
"""The compose file names settings that exist, keeps secrets in files, and shows one door to the outside."""

import re

from tooling import ROOT

from portal.settings import Settings

COMPOSE = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
KNOWN = {f"CUNZHENG_{name.upper()}" for name in Settings.model_fields}


def test_every_variable_and_every_secret_of_the_product_is_a_setting() -> None:
    set_there = set(re.findall(r"^ +(CUNZHENG_[A-Z0-9_]+):", COMPOSE, flags=re.M))
    secrets = {name.upper() for name in re.findall(r"^  (cunzheng_[a-z0-9_]+):", COMPOSE, flags=re.M)}
    assert len(set_there) >= 5
    assert len(secrets) >= 5
    assert (set_there | secrets) - KNOWN == set()


def test_what_is_secret_is_never_a_variable() -> None:
    secret = {
        f"CUNZHENG_{name.upper()}"
        for name, field in Settings.model_fields.items()
        if "SecretStr" in str(field.annotation)
    }
    assert {name for name in secret if re.search(rf"^ +{name}: http", COMPOSE, flags=re.M)} <= {
        "CUNZHENG_SEARCH_URL"  # carries no password here
    }
    assert not re.search(r"(PASSWORD|SECRET_KEY): ", COMPOSE)


def test_only_the_web_process_has_a_port_and_the_rest_no_way_out() -> None:
    assert COMPOSE.count("ports:") == 1
    assert "internal: true" in COMPOSE


def test_no_image_that_nobody_maintains() -> None:
    assert "minio/minio" not in COMPOSE
