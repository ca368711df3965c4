# SPDX-License-Identifier: Apache-2.0
"""The web process: gunicorn with one worker process and threads (docs/architecture.md, embedded).

One process, because SQLite's writers queue on an in-process lock; the application is made after the
fork, so that no thread and no key object crosses it.
"""

from collections.abc import Callable, Iterable, MutableMapping
from typing import Any, TypeAlias, cast

from flask import Flask
from gunicorn.app.base import BaseApplication

from portal.settings import Settings

_Wsgi: TypeAlias = Callable[
    [MutableMapping[str, Any], Callable[[str, Iterable[tuple[str, str]]], None]], Iterable[bytes]
]

_TIMEOUT_SECONDS = 120


class WebServer(BaseApplication):
    """Serves the application that ``make`` gives, made in the worker process.

    Args:
        settings: Address, port, threads.
        make: Makes the application.
    """

    def __init__(self, settings: Settings, make: Callable[[], Flask]) -> None:
        self._settings = settings
        self._make = make
        super().__init__()

    def load_config(self) -> None:
        """Give gunicorn its settings; nothing is read from files or the environment."""
        values = {
            "bind": f"{self._settings.host}:{self._settings.port}",
            "workers": 1,
            "worker_class": "gthread",
            "threads": self._settings.threads,
            "timeout": _TIMEOUT_SECONDS,
            "graceful_timeout": 10,
            "keepalive": 5,
            "control_socket_disable": True,
            "worker_tmp_dir": "/dev/shm",  # noqa: S108 - gunicorn's heartbeat file, not data
        }
        for name, value in values.items():
            self.cfg.set(name, value)

    def load(self) -> _Wsgi:
        """Make the application, after the fork."""
        # Flask's own annotation says dict where WSGI says mapping.
        return cast(_Wsgi, self._make())
