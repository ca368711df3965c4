# SPDX-License-Identifier: Apache-2.0
"""Set-up, backup and restore as the compose file's ``operator`` does them: nothing is writable but the data
folder, the mounted folders of keys and of backups, and ``/tmp``; the user is 10001, without capabilities."""

import os
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from parts import POSTGRESQL, city_settings
from running import COMMAND
from tooling import ROOT, require_tool

pytestmark = [
    pytest.mark.services,
    pytest.mark.skipif(POSTGRESQL not in os.environ, reason="names no real servers"),
]
_REST = ("--dev", "/dev", "--proc", "/proc", "--tmpfs", "/tmp", "--chdir", "/", "--die-with-parent")
_USER = ("--remount-ro", "/", "--unshare-user", "--unshare-pid", "--uid", "10001", "--gid", "10001")
_NO_RIGHTS = ("--cap-drop", "ALL", "--")
MOUNTED = {"keys": "/data/keys", "pki": "/data/pki", "backups": "/backups"}


class Operator:
    """Runs commands as a container would.

    Args:
        volumes: Takes a folder for each volume.
        settings: Variables that name servers.
    """

    def __init__(self, volumes: Path, settings: Mapping[str, str]) -> None:
        self.volumes = volumes
        self._settings = settings
        for name in ("data", *MOUNTED):
            (volumes / name).mkdir()
        self._mountpoints()

    def new_data(self) -> None:
        """Lose the volume of data; keys, certificates and backups are volumes of their own."""
        (self.volumes / "data").rename(self.volumes / "lost")
        (self.volumes / "data").mkdir()
        self._mountpoints()

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run ``cunzheng`` with these arguments."""
        return self.confined(COMMAND, *arguments)

    def confined(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run any program."""
        places = {"data": "/data"} | MOUNTED
        mounts = [word for name, to in places.items() for word in ("--bind", str(self.volumes / name), to)]
        root = [word for path in _top() for word in ("--ro-bind", str(path), str(path))]
        return subprocess.run(
            [
                require_tool("bwrap"),
                *root,
                *_REST,
                "--ro-bind",
                str(ROOT),
                str(ROOT),
                *mounts,
                *_USER,
                *_NO_RIGHTS,
                *command,
            ],
            env={
                "PATH": os.environ["PATH"],
                "LANG": "C.UTF-8",
                "HOME": "/data",
                "PYTHONDONTWRITEBYTECODE": "1",
                "CUNZHENG_DATA": "/data",
                **self._settings,
            },
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )

    def _mountpoints(self) -> None:
        for name in ("keys", "pki"):
            (self.volumes / "data" / name).mkdir()


def _top() -> Iterator[Path]:
    """Give the folders of the machine's root that programs come from."""
    return (
        path for path in Path("/").iterdir() if path.name not in {"data", "backups", "dev", "proc", "tmp"}
    )


@pytest.fixture
def operator(tmp_path: Path) -> Operator:
    (tmp_path / "servers").mkdir()
    settings = city_settings(tmp_path / "servers")
    (tmp_path / "volumes").mkdir()
    return Operator(tmp_path / "volumes", settings)


def done(ran: subprocess.CompletedProcess[str]) -> str:
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


def test_a_backup_is_made_and_restored_even_before_the_log_has_an_entry(operator: Operator) -> None:
    done(operator.run("init"))
    for place in ("/etc", "/", "/usr"):
        assert operator.confined("touch", f"{place}/it").returncode != 0, "the root is read-only"
    done(operator.run("backup", "/backups/first"))
    assert (operator.volumes / "backups" / "first" / "backup.json").is_file()
    operator.new_data()
    assert "由 from 0 至 to 0" in done(operator.run("restore", "/backups/first", "--replace"))
    done(operator.run("status"))


def test_keys_travel_as_a_stream(operator: Operator) -> None:
    done(operator.run("init"))
    done(operator.confined("tar", "-C", "/data", "-cf", "/backups/keys.tar", "keys", "pki"))
    listed = done(operator.confined("tar", "-tf", "/backups/keys.tar"))
    before = sorted((operator.volumes / "keys").rglob("*"))
    assert len(before) > 3
    assert "keys/index.key" in listed
    for path in before:
        if path.is_file():
            path.unlink()
    assert operator.run("status").returncode != 0
    done(operator.confined("tar", "-C", "/data", "-xf", "/backups/keys.tar"))
    assert sorted((operator.volumes / "keys").rglob("*")) == before
    done(operator.run("status"))
