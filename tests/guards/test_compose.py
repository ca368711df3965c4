# SPDX-License-Identifier: Apache-2.0
"""The compose file names settings and files that exist, keeps secrets in files, shows one door to the
outside, and gives every container as little as it needs."""

import re
from collections.abc import Mapping
from typing import Any

import pytest
import yaml
from tooling import ROOT

from archive.submission import MAX_MATERIALS
from portal.queues import QUEUES
from portal.settings import Settings

COMPOSE = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
SERVICES: Mapping[str, Any] = yaml.safe_load(COMPOSE)["services"]
OURS = sorted(name for name, service in SERVICES.items() if service["image"].startswith("cunzheng:"))
LASTING = sorted(name for name, service in SERVICES.items() if service["restart"] == "unless-stopped")
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


@pytest.mark.parametrize("name", SERVICES)
def test_every_container_has_few_rights_and_limits(name: str) -> None:
    service = SERVICES[name]
    assert service["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in service["security_opt"]
    assert {"mem_limit", "pids_limit"} <= set(service)
    assert set(service["logging"]["options"]) == {"max-size", "max-file"}
    assert "privileged" not in service
    assert "cap_add" not in service


@pytest.mark.parametrize("name", LASTING)
def test_what_lasts_tells_whether_it_goes_on_and_gets_time_to_end(name: str) -> None:
    assert SERVICES[name]["healthcheck"]["test"]
    assert SERVICES[name]["stop_grace_period"]


def test_the_database_is_well_only_once_it_is_reached_from_other_containers() -> None:
    # While the image makes the roles, the server listens on a socket only.
    assert SERVICES["database"]["healthcheck"]["test"][:3] == ["CMD", "pg_isready", "-h"]


@pytest.mark.parametrize("name", OURS)
def test_our_processes_write_to_volumes_only_and_share_one_folder_of_keys(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    if name != "object-keys":
        assert {"data:/data", "keys:/data/keys", "pki:/data/pki"} <= set(service["volumes"])


def test_the_filters_of_the_engine_are_off_only_where_files_are_read_in_a_sandbox() -> None:
    off = {name for name, service in SERVICES.items() if "seccomp:unconfined" in service["security_opt"]}
    assert off == set(OURS) - {"object-keys", "init", "sequencer"}
    assert all("systempaths=unconfined" in SERVICES[name]["security_opt"] for name in off)


def test_each_queue_has_one_pool_of_its_own_or_shares_one_that_is_named() -> None:
    pools = [
        service["command"][service["command"].index("--queue") + 1].split(",")
        for service in SERVICES.values()
        if "worker" in service.get("command", ())
    ]
    assert sorted(queue for pool in pools for queue in pool) == sorted(QUEUES)
    assert len(pools) > 3
    assert all("--threads" in SERVICES[name]["command"] for name in SERVICES if name.startswith("worker"))


def test_a_server_may_read_its_secrets_and_files_of_the_repository_exist() -> None:
    for name, service in SERVICES.items():
        if name not in OURS and service.get("secrets"):
            assert service["group_add"] == ["10001"], name
    mounted = set(re.findall(r"^ +- (\./[^:]+):", COMPOSE, flags=re.M)) - {"./secrets/offline"}
    assert len(mounted) > 1
    assert {path for path in mounted if not (ROOT / path).is_file()} == set()
    image = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    assert "--gid 10001" in image
    assert "USER 10001:10001" in image


def test_prometheus_reaches_the_figures_from_a_network_without_servers() -> None:
    there = {name for name, service in SERVICES.items() if "watching" in service["networks"]}
    assert there == {"web"}
    environment = SERVICES["web"]["environment"]
    assert (environment["CUNZHENG_METRICS_HOST"], environment["CUNZHENG_METRICS_PORT"]) == ("0.0.0.0", "9464")


def test_only_commands_by_hand_hold_the_keys_that_are_kept_offline() -> None:
    offline = re.compile(r"cunzheng_s3_(destroyer|hold)_")
    holders = {
        name: service
        for name, service in SERVICES.items()
        if any(offline.match(str(secret)) for secret in service.get("secrets", ()))
    }
    assert set(holders) == {"sweep", "hold"}
    assert all(service["profiles"] == ["by-hand"] for service in holders.values())


def test_the_broker_waits_for_the_longest_step() -> None:
    settings = (ROOT / "scripts" / "compose" / "rabbitmq.conf").read_text(encoding="utf-8")
    timeout = int(re.findall(r"^consumer_timeout = (\d+)$", settings, flags=re.M)[0])
    sources = [ROOT / "documents" / name for name in ("office.py", "sandbox.py")]
    calls = re.findall(r"wall_seconds(?:: float)? ?= ?(\d+)", "".join(path.read_text() for path in sources))
    assert timeout >= MAX_MATERIALS * 3 * max(map(int, calls)) * 1000
