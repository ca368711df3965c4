# SPDX-License-Identifier: Apache-2.0
"""The demonstration: one command that sets everything up, plays thirty-one cases and serves."""

# The command line must answer at once: what a command needs is imported when it runs.
# ruff: noqa: PLC0415

import click

from portal.commands.common import load_settings
from storage.errors import EXIT_DONE, EXIT_INVALID


@click.command()
@click.option("--once", is_flag=True, help="Play the cases, print the figures, do not serve 只运行一遍.")
@click.option("--reset", "from_scratch", is_flag=True, help="Remove the data folder first 先清空数据目录.")
@click.option("--port", type=click.IntRange(1, 65535), help="Port 端口 (default 8321).")
def demo(*, once: bool, from_scratch: bool, port: int | None) -> int:
    """启动演示 / Start the demonstration: set up, play thirty-one cases, serve web, worker and sequencer."""
    from rich.console import Console

    from portal.demo.driver import DemoFailedError
    from portal.demo.greeting import figures_table
    from portal.demo.run import Demonstration, Options
    from portal.logs import configure
    from portal.processes import stop_on_signals

    configure("demo")
    settings = load_settings()
    if port is not None:
        settings = settings.at_port(port)
    console = Console(highlight=False, soft_wrap=True)
    run = Demonstration(
        settings,
        Options(once=once, reset=from_scratch),
        lambda line: console.print(line, markup=False),
        stop_on_signals(),
    )
    try:
        figures = run.run()
    except DemoFailedError as failure:
        console.print(f"演示未按预期完成 / the demonstration failed: {failure}", style="red")
        return EXIT_INVALID
    title = "演示结果 / what came of it" if once else "停止时的数字 / the figures when it stopped"
    console.print(figures_table(figures, title))
    for problem in figures.problems:
        console.print(f"✕ {problem}", style="red")
    return EXIT_INVALID if figures.problems else EXIT_DONE


@click.command("identity-provider", hidden=True)
@click.option("--port", type=click.IntRange(1, 65535), required=True, help="Port 端口.")
def identity_provider(port: int) -> int:
    """启动演示身份认证平台 / Run the demonstration's identity provider, on this machine only."""
    from portal.citizens.errors import DemoProviderError
    from portal.commands.common import require_installation
    from portal.demo.holders import demo_persons
    from portal.demo.identity_provider import RelyingParty, create_provider
    from portal.demo.script import Script
    from portal.logs import configure
    from portal.processes import require_free_port
    from portal.serve import WebServer
    from storage.clock import SystemClock

    configure("identity")
    if not load_settings().demo:
        raise DemoProviderError
    settings = require_installation()
    if settings.oidc_client_secret_file is None:
        raise DemoProviderError
    here = settings.model_copy(update={"host": "127.0.0.1", "port": port})
    require_free_port(here.host, here.port)
    party = RelyingParty(
        settings.oidc_client_id,
        settings.oidc_client_secret_file.read_text("utf-8").strip(),
        settings.oidc_back,
        f"{settings.public_url}/mine/sign-in",
    )
    issuer = f"http://{here.host}:{here.port}"
    persons = demo_persons(Script.load())
    WebServer(here, lambda _leaving: create_provider(issuer, party, persons, SystemClock())).run()
    return EXIT_DONE
