# SPDX-License-Identifier: Apache-2.0
"""The web process: gunicorn with one worker process and threads (docs/architecture.md, embedded).

One process, because SQLite's writers queue on an in-process lock; the application is made after the
fork, so that no thread and no key object crosses it.

A process that is told to end says so on ``/readyz`` first and goes on serving for a while, so that whoever
spreads requests over several processes sends it no more: a rolling restart refuses nobody.
"""

import gc
import multiprocessing
import time
from collections.abc import Callable, Iterable, MutableMapping
from multiprocessing.synchronize import Event
from typing import Any, TypeAlias, cast

from flask import Flask
from gunicorn.app.base import BaseApplication
from gunicorn.arbiter import Arbiter

from portal.quiet import QuietLog, QuietWorker
from portal.settings import Settings
from storage.processors import Claim, keep_to_one

_Wsgi: TypeAlias = Callable[
    [MutableMapping[str, Any], Callable[[str, Iterable[tuple[str, str]]], None]], Iterable[bytes]
]

_TIMEOUT_SECONDS = 120
_LOOK_SECONDS = 0.1
_YOUNG = 20_000
"""Objects that come up before those without a use are looked for; a request makes some thousands."""


class _LeavingArbiter(Arbiter):
    """Keeps serving for a while between SIGTERM and the end of its listeners; SIGINT ends at once."""

    def __init__(self, app: "WebServer", leaving: Event, seconds: float) -> None:
        self._leaving = leaving
        self._seconds = seconds
        super().__init__(app)

    def stop(self, graceful: bool = True) -> None:
        """Announce, wait, and stop; a further signal ends the wait."""
        if graceful and self.LISTENERS and self._seconds:
            self._leaving.set()
            end = time.monotonic() + self._seconds
            while time.monotonic() < end and self.SIG_QUEUE.empty():
                time.sleep(_LOOK_SECONDS)
        super().stop(graceful)


class WebServer(BaseApplication):
    """Serves the application that ``make`` gives, made in the worker process.

    Args:
        settings: Address, port, threads, how long to serve on after being told to end.
        make: Makes the application; it is given whether this process is about to end.

    Attributes:
        claim: The processor that this process keeps to, once the application is made.
    """

    def __init__(self, settings: Settings, make: Callable[[Callable[[], bool]], Flask]) -> None:
        self._settings = settings
        self._make = make
        self._leaving = multiprocessing.get_context("fork").Event()
        self.claim = Claim()
        super().__init__()

    def run(self) -> None:
        """Serve until a signal ends it."""
        _LeavingArbiter(self, self._leaving, self._settings.leave_seconds).run()

    def load_config(self) -> None:
        """Give gunicorn its settings; nothing is read from files or the environment."""
        values = {
            "bind": f"{self._settings.host}:{self._settings.port}",
            "workers": 1,
            "worker_class": QuietWorker,
            "logger_class": QuietLog,
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
        """Make the application, after the fork and before there are threads."""
        if self._settings.one_processor:
            self.claim = keep_to_one("web")
        # Flask's own annotation says dict where WSGI says mapping.
        made = cast(_Wsgi, self._make(self._leaving.is_set))
        # What was made by now stays until the end: it need not be looked through again and again.
        gc.collect()
        gc.freeze()
        gc.set_threshold(_YOUNG, 20, 20)
        return made
