# SPDX-License-Identifier: Apache-2.0
"""Celery on RabbitMQ as a doorbell: a message carries the id of a step that may run now, and nothing else.

The table of steps is the truth. A ring that is lost costs latency, because every worker also looks at the
table, slowly; a ring too many finds nothing to take. Ringing happens in a thread of its own: a broker that is
down or silent neither fails nor slows whoever added the step.
"""

import atexit
import datetime as dt
import logging
import os
import queue
import signal
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final

from celery import Celery, signals
from celery.worker.consumer import Consumer
from kombu import Connection, Exchange, Queue

from portal.errors import BrokerUnavailableError
from portal.queues import QUEUES, queue_of
from portal.worker import Worker
from storage.engines import RecordsUnavailableError, WriteConflictError

_RING: Final = "cunzheng.ring"
_MOST_UNSENT: Final = 10_000
_BROKER_SECONDS: Final = 5.0
"""How long a connection, a write or a confirmation may take before a ring is given up."""
_LAST_SECONDS: Final = 2.0
POLL_SECONDS: Final = 5.0
"""How often a worker that hears rings looks at the table all the same."""
PATIENCE: Final = dt.timedelta(seconds=3)
"""How long a ready step is left to the ring that announces it."""

log = logging.getLogger("cunzheng.doorbell")


class _ConsumerWithoutDelays(Consumer):  # type: ignore[misc] # Celery ships no types
    """Celery's consumer without its exchanges and queues for delayed messages: ours are never delayed."""

    class Blueprint(Consumer.Blueprint):  # type: ignore[misc] # as above
        """The same steps but one."""

        default_steps = tuple(
            step for step in Consumer.Blueprint.default_steps if not step.endswith(":DelayedDelivery")
        )


def _application(broker: str, prefix: str, **transport: float) -> Celery:
    app = Celery("cunzheng", broker=broker, set_as_current=False)
    exchange = Exchange(prefix, type="direct")
    app.conf.update(
        task_queues=[
            Queue(f"{prefix}.{name}", exchange, name, queue_arguments={"x-queue-type": "quorum"})
            for name in QUEUES
        ],
        task_default_queue=f"{prefix}.{QUEUES[0]}",
        task_create_missing_queues=False,
        task_ignore_result=True,
        task_acks_late=True,
        task_reject_on_worker_lost=True,
        task_serializer="json",
        accept_content=["json"],
        broker_transport_options={"confirm_publish": True, **transport},
        broker_connection_timeout=_BROKER_SECONDS,
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        broker_heartbeat=10,
        worker_prefetch_multiplier=1,
        worker_consumer=_ConsumerWithoutDelays,
        worker_enable_remote_control=False,
        worker_cancel_long_running_tasks_on_connection_loss=False,
        worker_hijack_root_logger=False,
        worker_redirect_stdouts=False,
    )
    return app


def ask_broker(broker: str) -> None:
    """Open a connection and close it again.

    Raises:
        BrokerUnavailableError: That does not work within a few seconds.
    """
    limits = {"read_timeout": _LAST_SECONDS, "write_timeout": _LAST_SECONDS}
    try:
        with Connection(broker, connect_timeout=_LAST_SECONDS, transport_options=limits) as connection:
            connection.connect()
    except Exception as error:
        raise BrokerUnavailableError from error


class CeleryDoorbell:
    """Implements the database's doorbell.

    Args:
        broker: The broker's address.
        prefix: First part of the names of exchange and queues.

    Attributes:
        heard: Whether the broker took the last ring; true before the first.
    """

    def __init__(self, broker: str, prefix: str) -> None:
        self._broker = broker
        self._prefix = prefix
        self._unsent: queue.Queue[tuple[str, str] | None] = queue.Queue(_MOST_UNSENT)
        self._starting = threading.Lock()
        self._ringer: threading.Thread | None = None
        self.heard = True

    def ring(self, steps: Sequence[tuple[str, str]]) -> None:
        """Announce steps; return at once and raise nothing."""
        self._start()
        try:
            for step in steps:
                self._unsent.put_nowait(step)
        except queue.Full:
            # Workers find the rest by looking.
            return

    def close(self) -> None:
        """Ring what is left, for a moment at most."""
        ringer = self._ringer
        if ringer is None or not ringer.is_alive():
            return
        try:
            self._unsent.put_nowait(None)
        except queue.Full:
            return
        ringer.join(_LAST_SECONDS)

    def _start(self) -> None:
        # At the first ring and not before: no thread crosses the fork of a web process.
        with self._starting:
            if self._ringer is None:
                self._ringer = threading.Thread(target=self._ring_all, name="doorbell", daemon=True)
                self._ringer.start()
                atexit.register(self.close)

    def _ring_all(self) -> None:
        app = _application(
            self._broker, self._prefix, read_timeout=_BROKER_SECONDS, write_timeout=_BROKER_SECONDS
        )
        while (step := self._unsent.get()) is not None:
            self._ring_one(app, *step)
        app.close()

    def _ring_one(self, app: Celery, kind: str, step_id: str) -> None:
        try:
            app.send_task(
                _RING,
                args=(step_id,),
                queue=f"{self._prefix}.{queue_of(kind)}",
                confirm_timeout=_BROKER_SECONDS,
                retry=True,
                retry_policy={"max_retries": 1, "interval_start": 0, "interval_step": 0},
            )
        except Exception as error:  # noqa: BLE001 - whatever the client raises, a ring is only a ring
            if self.heard:
                log.warning("no ring is heard, workers find steps by looking: %s", type(error).__name__)
            self.heard = False
        else:
            self.heard = True


class Listener:
    """A worker process that hears the rings of some queues.

    Args:
        broker: The broker's address.
        prefix: First part of the names of exchange and queues.
        worker: Does the work; its threads are shared by rings and looking.
        queues: Whose rings it hears, of :data:`portal.queues.QUEUES`.
        threads: Steps at the same time.
    """

    def __init__(self, broker: str, prefix: str, worker: Worker, queues: Sequence[str], threads: int) -> None:
        self._worker = worker
        self._queues = [f"{prefix}.{name}" for name in queues]
        self._threads = threads
        self._app = _application(broker, prefix)
        self._app.task(name=_RING)(self._answer)

    def run(self) -> int:
        """Work until SIGTERM or SIGINT, each thread to the end of its step; call it in the main thread.

        Returns:
            The exit code.
        """
        stop = threading.Event()
        stopping: Callable[..., None] = lambda **_: stop.set()  # noqa: E731 - a signal's receiver
        silent: Callable[..., None] = lambda **_: None  # noqa: E731 - who receives this configures logging
        signals.setup_logging.connect(silent, weak=False)
        signals.worker_shutting_down.connect(stopping, weak=False)
        celery = self._app.Worker(
            hostname=f"cunzheng-{os.getpid()}@localhost",
            pool="threads",
            concurrency=self._threads,
            queues=self._queues,
            without_gossip=True,
            without_mingle=True,
            task_events=False,
            quiet=True,
        )
        with ThreadPoolExecutor(1, "looking") as pool:
            looking = pool.submit(self._worker.run, stop, POLL_SECONDS, PATIENCE)
            looking.add_done_callback(lambda ended: _end_with(ended, stop))
            try:
                celery.start()
            finally:
                stop.set()
        return int(celery.exitcode or 0)

    def _answer(self, step_id: str) -> None:
        try:
            self._worker.run_step(step_id)
        except (RecordsUnavailableError, WriteConflictError) as error:
            log.warning("step not taken: %s", error.code)


def _end_with(ended: "Future[None]", stop: threading.Event) -> None:
    if stop.is_set() and ended.exception() is None:
        return
    log.critical("the worker cannot go on: %s", type(ended.exception()).__name__)
    os.kill(os.getpid(), signal.SIGTERM)
