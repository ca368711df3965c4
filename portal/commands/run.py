# SPDX-License-Identifier: Apache-2.0
"""Commands that set an installation up and run its processes."""

# The command line must answer at once: what a command needs is imported when it runs.
# ruff: noqa: PLC0415

import json
import logging

import click

from portal.commands.common import load_settings, open_installation, require_installation

TICK_SECONDS = 0.2
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
    from portal.processes import allow_open_files, require_free_port
    from portal.serve import WebServer
    from portal.web.factory import create_app
    from portal.web.uploads import sweep

    configure("web")
    settings = require_installation()
    if port is not None:
        settings = settings.at_port(port)
    require_free_port(settings.host, settings.port)
    publish(settings)
    allow_open_files()
    sweep(settings.staging)
    # Rooms are opened again in the forked worker: no connection, thread or key object crosses the fork.
    WebServer(settings, lambda: create_app(open_installation()[0], settings)).run()


@click.command()
def worker() -> None:
    """启动后台处理进程 / Run the steps of filing and issuing."""
    from portal.bootstrap import make_worker
    from portal.logs import configure
    from portal.processes import only_one, stop_on_signals

    configure("worker")
    settings = require_installation()
    stop = stop_on_signals()
    with only_one(settings.data / "worker.lock"):
        runner, database = make_worker(settings)
        runner.recover()
        runner.sweep()
        runner.run(stop)
        database.close()


@click.command()
def sequencer() -> None:
    """启动审计链定序进程 / Run the one writer of the ledger."""
    from portal.bootstrap import open_foundation, open_keeper
    from portal.logs import configure
    from portal.processes import stop_on_signals
    from storage.engines import RecordsUnavailableError, WriteConflictError

    configure("sequencer")
    settings = require_installation()
    stop = stop_on_signals()
    keeper = open_keeper(open_foundation(settings, settings.sequencer_database_url), settings)
    while not stop.wait(TICK_SECONDS):
        try:
            tick = keeper.tick()
        except (RecordsUnavailableError, WriteConflictError) as error:
            log.warning("nothing sequenced: %s", error.code)
            stop.wait(DOWN_SECONDS)
            continue
        for problem in tick.problems:
            log.warning("anchoring: %s", problem)
    keeper.tick(hurry=True)
    keeper.close()


@click.command()
def openapi() -> None:
    """输出接口说明 / Print the interface's OpenAPI 3.1 description."""
    from portal.web.factory import create_app

    rooms, settings = open_installation()
    app = create_app(rooms, settings)
    with app.app_context():
        click.echo(json.dumps(app.spec, ensure_ascii=False, indent=2, sort_keys=True))
