# SPDX-License-Identifier: Apache-2.0
"""What the guides and their example files tell to set, start or call exists; numbers that must agree do."""

import re
import shutil
import subprocess
from pathlib import Path

import click
import pytest
from tooling import ROOT

from portal.cli import cli
from portal.settings import Settings
from storage.errors import EXIT_REFUSED, EXIT_USAGE

DOCS = ROOT / "docs"
EXAMPLES = DOCS / "examples"
UNITS = sorted((EXAMPLES / "systemd").glob("*.service"))
FILES = sorted(path for path in EXAMPLES.rglob("*") if path.is_file())
GUIDES = [DOCS / "operations.md", DOCS / "integrating.md", *sorted((DOCS / "people").glob("*.md"))]
OF_COMPOSE = {"CUNZHENG_OFFLINE", "CUNZHENG_BACKUPS", "CUNZHENG_SECRETS_GROUP"}
"""Variables of the compose file and of its script, not of the product."""


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def _settings() -> set[str]:
    return {f"CUNZHENG_{name.upper()}" for name in Settings.model_fields}


@pytest.mark.parametrize("path", [*FILES, *GUIDES], ids=lambda path: path.name)
def test_every_setting_that_is_named_exists(path: Path) -> None:
    assert (
        set(re.findall(r"\bCUNZHENG_[A-Z0-9_]*[A-Z0-9]\b", _text(path))) - _settings() - OF_COMPOSE == set()
    )


@pytest.mark.parametrize("path", [*FILES, *GUIDES], ids=lambda path: path.name)
def test_every_command_that_is_named_exists(path: Path) -> None:
    named = set(re.findall(r"(?:bin/|`|^|\. )cunzheng ([a-z][a-z-]+)\b", _text(path), flags=re.M))
    assert named - set(cli.list_commands(click.Context(cli))) == set()


def test_every_error_that_the_integrators_guide_names_exists() -> None:
    table = _text(DOCS / "integrating.md").partition("## Refusals")[2]
    first = re.findall(r"^\| (`.*?) \|", table, flags=re.M)
    named = {code for cell in first for code in re.findall(r"`([a-z-]+)`", cell)} - {"code"}
    assert len(named) > 10
    known = set(re.findall(r"^\| `([a-z-]+)` \| \d{3} \|", _text(DOCS / "reference.md"), flags=re.M))
    assert named - known == set()


def test_the_three_processes_have_a_unit_each() -> None:
    started = [re.findall(r"^ExecStart=\S+/cunzheng (\S+)$", _text(unit), flags=re.M) for unit in UNITS]
    assert sorted(started) == [["sequencer"], ["serve"], ["worker"]]


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_a_unit_is_not_started_again_where_a_person_must_act(unit: Path) -> None:
    kept = re.search(r"^RestartPreventExitStatus=(.*)$", _text(unit), flags=re.M)
    assert kept is not None
    assert set(kept[1].split()) == {str(EXIT_REFUSED), str(EXIT_USAGE)}


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_systemd_reads_every_line_of_a_unit(unit: Path, tmp_path: Path) -> None:
    program = shutil.which("systemd-analyze")
    if program is None:
        # No skip: the gate forbids one, and systemd is no part of what checks need.
        assert all("=" in line or line[:1] in {"", "#", "["} for line in _text(unit).splitlines())
        return
    copy = tmp_path / unit.name
    copy.write_text(re.sub(r"^ExecStart=\S+", "ExecStart=/bin/true", _text(unit), flags=re.M))
    done = subprocess.run(
        [program, "verify", str(copy)], capture_output=True, text=True, check=False, timeout=60
    )
    assert (done.returncode, [line for line in done.stderr.splitlines() if unit.name in line]) == (0, [])


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_a_unit_that_reads_foreign_files_leaves_the_sandbox_room(unit: Path) -> None:
    text = _text(unit)
    # What covers parts of /proc keeps bubblewrap from mounting its own.
    covers = (
        "RestrictNamespaces|ProtectHostname|ProtectKernelTunables|ProtectKernelLogs|ProtectProc|ProcSubset"
    )
    closed = re.findall(rf"^({covers})=", text, flags=re.M)
    reads = re.search(r"^ExecStart=\S+ (?:serve|worker)$", text, flags=re.M) is not None
    assert bool(closed) is not reads
    assert ("@mount" in text, "AF_NETLINK" in text) == (reads, reads)


def test_proxies_let_through_what_intake_accepts() -> None:
    limit = Settings.model_fields["max_upload"].default
    assert limit == 512 * 2**20
    assert "client_max_body_size 512m;" in _text(EXAMPLES / "nginx.conf")
    assert "max_size 512MiB" in _text(EXAMPLES / "Caddyfile")


def test_logs_are_kept_for_six_months() -> None:
    text = _text(EXAMPLES / "logrotate.conf")
    kept = re.search(r"^    rotate (\d+)$", text, flags=re.M)
    assert kept is not None
    assert "    daily\n" in text
    assert int(kept[1]) >= 184


def test_every_log_file_of_a_unit_is_rotated() -> None:
    pattern = re.search(r"^(/\S+)/\*\.log \{$", _text(EXAMPLES / "logrotate.conf"), flags=re.M)
    assert pattern is not None
    written = [re.search(r"^StandardOutput=append:(\S+)/[a-z]+\.log$", _text(one), re.M) for one in UNITS]
    assert [one and one[1] for one in written] == [pattern[1]] * len(UNITS)


@pytest.mark.parametrize("page", sorted((DOCS / "people").glob("*.md")), ids=lambda path: path.name)
def test_the_words_that_a_page_for_people_quotes_are_on_the_screen(page: Path) -> None:
    catalogue = re.findall(r'^msgstr "(.*)"$', _text(ROOT / "portal" / "translations" / "zh_Hans.po"), re.M)
    errors = re.findall(r"^\| `[a-z-]+` \| \d{3} \| \d+ \| ([^|]+) \|", _text(DOCS / "reference.md"), re.M)
    shown = "\n".join([*catalogue, *errors])
    quoted = [words for words in re.findall("“([^”]+)”", _text(page)) if re.search("[\u4e00-\u9fff]", words)]
    assert [words for words in quoted if words not in shown] == []
