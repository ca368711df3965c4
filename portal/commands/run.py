# SPDX-License-Identifier: Apache-2.0
"""Commands that set an installation up and run its processes."""

# The command line must answer at once: what a command needs is imported when it runs.
# ruff: noqa: PLC0415

import json
import logging
import sys
from contextlib import ExitStack, nullcontext
from typing import TYPE_CHECKING

import click

from portal.commands.common import (
    load_settings,
    open_installation,
    require_installation,
    require_no_destroyer,
)
from portal.pulse import PROCESSES
from storage.errors import EXIT_DONE, EXIT_INVALID

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable

    from apiflask import APIFlask

    from portal.bootstrap import Foundation
    from portal.pulse import Pulse
    from portal.settings import Settings
    from portal.worker import Worker
    from storage.ledger.keeper import LedgerKeeper

TICK_SECONDS = 0.2
WRITE_BACK_SECONDS = 1.0
DOWN_SECONDS = 2.0

log = logging.getLogger("cunzheng.sequencer")


@click.command()
def init() -> None:
    """初始化数据目录 / Set up the data folder: tables, keys, certificates, seals, first administrator.

    Running it again changes nothing that is there and brings the tables up to date.
    """
    from portal.initialise import initialise

    settings = load_settings()
    for line in initialise(settings):
        click.echo(line)


@click.command()
@click.option("--port", type=click.IntRange(1, 65535), help="Port 端口 (default 8321).")
def serve(port: int | None) -> None:
    """启动网页与接口服务 / Run the web process."""
    from portal.address import publish
    from portal.logs import configure
    from portal.metrics import serve_metrics
    from portal.processes import allow_open_files, require_free_port, together, web_lock
    from portal.serve import WebServer
    from portal.web.factory import create_app
    from portal.web.uploads import sweep

    configure("web")
    settings = require_installation()
    require_no_destroyer(settings)
    if port is not None:
        settings = settings.at_port(port)
    require_free_port(settings.host, settings.port)

    def make(leaving: "Callable[[], bool]") -> "APIFlask":
        # Rooms are opened again in the forked worker: no connection, thread or key object crosses the fork.
        rooms, _ = open_installation()
        app = create_app(rooms, settings, leaving)
        serve_metrics(rooms, settings, app.extensions["cunzheng.readiness"])
        return app

    with together(web_lock(settings.data), "restore"):
        publish(settings)
        allow_open_files()
        sweep(settings.staging)
        WebServer(settings, make).run()


def _queues(_context: click.Context, _option: click.Parameter, value: str) -> tuple[str, ...]:
    from portal.queues import QUEUES

    names = tuple(dict.fromkeys(value.split(","))) if value else QUEUES
    if unknown := set(names) - set(QUEUES):
        raise click.BadParameter(f"{', '.join(sorted(unknown))}; choose from {', '.join(QUEUES)}")
    return names


@click.command()
@click.option(
    "--queue",
    "queues",
    default="",
    callback=_queues,
    help="Queues 队列: office, pdf, seal, index, notify, separated by commas (default all).",
)
@click.option("--threads", type=click.IntRange(1, 32), help="Steps at the same time 并行步骤数.")
def worker(queues: tuple[str, ...], threads: int | None) -> None:
    """启动后台处理进程 / Run the steps of filing and issuing.

    With PostgreSQL or a broker any number of workers may run, each for some queues or for all.
    """
    from portal.bootstrap import make_worker
    from portal.logs import configure
    from portal.processes import Colleagues, only_one
    from portal.queues import queue_of

    configure("worker")
    settings = require_installation()
    require_no_destroyer(settings)
    if threads is not None:
        settings = settings.model_copy(update={"worker_threads": threads})
    colleagues = Colleagues(settings.staging / "workers")
    alone = settings.database is None and settings.broker is None
    with only_one(settings.data / "worker.lock") if alone else nullcontext(), colleagues.join() as name:
        runner, database, daily = make_worker(
            settings, name, colleagues.dead, lambda kind: queue_of(kind) in queues
        )
        runner.take_over()
        runner.sweep()
        with ExitStack() as beside:
            for work in daily:
                beside.enter_context(work.running())
            code = _drive(runner, settings, queues)
        database.close()
    sys.exit(code)


def _drive(runner: "Worker", settings: "Settings", queues: tuple[str, ...]) -> int:
    from portal.processes import stop_on_signals

    if settings.broker is None:
        runner.run(stop_on_signals())
        return 0
    from portal.doorbell import Listener

    broker = settings.broker.get_secret_value()
    return Listener(broker, settings.broker_prefix, runner, queues, settings.worker_threads).run()


@click.command()
def sequencer() -> None:
    """启动审计链定序进程 / Run the one writer of the ledger."""
    from portal.bootstrap import open_foundation
    from portal.logs import configure
    from portal.processes import stop_on_signals
    from portal.publishing import KeyPublisher, public_keys
    from portal.pulse import Pulse
    from storage.engines import RecordsUnavailableError, WriteConflictError
    from storage.objects.server import BRIEFLY

    configure("sequencer")
    settings = require_installation()
    require_no_destroyer(settings)
    stop = stop_on_signals()
    foundation = open_foundation(settings, settings.sequencer_database_url, BRIEFLY)
    pulse = Pulse(settings.staging, "sequencer", foundation.clock)
    keeper = _open_keeper(foundation, settings, stop, pulse)
    if keeper is None:
        return
    publisher = KeyPublisher(
        foundation.objects,
        settings.log_origin,
        lambda: public_keys(foundation, settings),
        foundation.clock,
    )
    write_back_due = 0.0
    while not stop.wait(TICK_SECONDS):
        pulse.beat()
        try:
            tick = keeper.tick()
        except (RecordsUnavailableError, WriteConflictError) as error:
            log.warning("nothing sequenced: %s", error.code)
            stop.wait(DOWN_SECONDS)
            continue
        for problem in tick.problems:
            log.warning("anchoring: %s", problem)
        publisher.tick()
        if foundation.clock.monotonic() >= write_back_due:
            _write_back(foundation)
            write_back_due = foundation.clock.monotonic() + WRITE_BACK_SECONDS
    keeper.tick(hurry=True)
    keeper.close()


def _write_back(foundation: "Foundation") -> None:
    from storage.engines import RecordsUnavailableError

    try:
        foundation.database.write_back()
    except RecordsUnavailableError as error:
        log.warning("nothing brought back into the file: %s", error.code)


def _open_keeper(
    foundation: "Foundation", settings: "Settings", stop: "threading.Event", pulse: "Pulse"
) -> "LedgerKeeper | None":
    """Open the sequencer's work as soon as it can be seen that the log is not behind what was published."""
    from portal.bootstrap import open_keeper
    from storage.engines import RecordsUnavailableError, WriteConflictError
    from storage.objects.ports import ObjectStoreUnusableError

    while not stop.is_set():
        pulse.beat()
        try:
            return open_keeper(foundation, settings)
        except (ObjectStoreUnusableError, RecordsUnavailableError, WriteConflictError) as error:
            log.warning("nothing sequenced yet: %s", error.code)
            stop.wait(DOWN_SECONDS)
    return None


@click.command()
@click.argument("process", type=click.Choice(PROCESSES))
def alive(process: str) -> int:
    """探活 / Tell whether the PROCESS on this machine goes on; for health checks of containers.

    Exit code 1 when it has been silent for a minute or was never there.
    """
    from portal.pulse import SILENT_SECONDS, Pulse
    from storage.clock import SystemClock

    silent = Pulse(load_settings().staging, process, SystemClock()).silent_since()
    if silent is None:
        click.echo("从未运行 never started")
        return EXIT_INVALID
    click.echo(f"{silent:.0f} 秒前有心跳 seconds since its last sign")
    return EXIT_DONE if silent < SILENT_SECONDS else EXIT_INVALID


@click.command()
def openapi() -> None:
    """输出接口说明 / Print the interface's OpenAPI 3.1 description."""
    from portal.web.factory import create_app

    rooms, settings = open_installation()
    app = create_app(rooms, settings)
    with app.app_context():
        click.echo(json.dumps(app.spec, ensure_ascii=False, indent=2, sort_keys=True))
