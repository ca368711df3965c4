# SPDX-License-Identifier: Apache-2.0
"""Starts the processes of the demonstration, plays its script, tells where to look."""

import shutil
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from portal.bootstrap import open_rooms
from portal.demo.driver import DemoFailedError, Driver, Wait, code_of_a_licence, steps_played
from portal.demo.figures import Figures, gather, is_sequenced
from portal.demo.greeting import greeting
from portal.demo.neighbour import make_client_secret, neighbour_port, provider_environment
from portal.demo.people import SIGNING_IN, Cast
from portal.demo.script import Script
from portal.initialise import initialise
from portal.processes import Children, answers, only_one, require_free_port
from portal.rooms import Rooms
from portal.settings import Settings
from storage.clock import SystemClock
from storage.identity import system_identity

PATIENCE_SECONDS = 1200
_PAUSE_SECONDS = 0.1
_LOCK = "demo.lock"


@dataclass(frozen=True, slots=True)
class Options:
    """How the demonstration runs.

    Attributes:
        once: Play the script and end; else serve until stopped.
        reset: Remove the data folder first.
        first_environment: What each child's first life alone has in its environment.
        script: What to play; the whole script when missing.
    """

    once: bool = False
    reset: bool = False
    first_environment: Mapping[str, Mapping[str, str]] | None = None
    script: Script | None = None


def is_demonstration(settings: Settings) -> bool:
    """Tell whether the folder is empty or the demonstration's own, which has its lock file from the start."""
    data = settings.data
    return settings.demo and (not any(data.iterdir()) or (data / _LOCK).exists())


class Demonstration:
    """The running demonstration.

    Args:
        settings: Its settings; the environment must be ``demo``.
        options: How it runs.
        say: Called with each sentence for the terminal.
        stop: Set when somebody wants it to end.
        watch: Called now and then while it waits; tests use it.
    """

    def __init__(
        self,
        settings: Settings,
        options: Options,
        say: Callable[[str], None],
        stop: threading.Event,
        watch: Callable[[Children], None] | None = None,
    ) -> None:
        self._settings = settings
        self._options = options
        self._say = say
        self._stop = stop
        self._watch = watch
        self._clock = SystemClock()
        commands: dict[str, list[str]] = {"sequencer": ["sequencer"], "worker": ["worker"]}
        environment = {
            "CUNZHENG_DATA": str(settings.data),
            "CUNZHENG_ENVIRONMENT": str(settings.environment),
            "CUNZHENG_PUBLIC_URL": settings.public_url,
        }
        if not options.once:
            commands["web"] = ["serve", "--port", str(settings.port)]
            if settings.oidc_issuer is None:
                port = neighbour_port(settings)
                commands["identity"] = ["identity-provider", "--port", str(port)]
                environment |= provider_environment(settings, port)
        self._children = Children(
            commands,
            environment,
            settings.logs,
            lambda name, what: say(f"{name} 进程已重启 / restarted ({what})"),
            options.first_environment or {},
        )

    @property
    def restarts(self) -> int:
        """How often a dead child was started again."""
        return self._children.restarts

    def run(self) -> Figures:
        """Play the script; when serving, go on until ``stop`` is set.

        Returns:
            The figures at the end, compared with the script. When serving, what visitors did is among them
            and no script says what that is: what the script's own cases came to is told before.

        Raises:
            DemoFailedError: Something came out otherwise than the script expects.
            DemoOutdatedError: The folder holds the demonstration of another release.
            AlreadyRunningError: Another demonstration runs on this data folder.
            PortBusyError: Something listens on the port.
        """
        if not self._options.once:
            require_free_port(self._settings.host, self._settings.port)
        if self._settings.data.exists():
            if self._options.reset and not is_demonstration(self._settings):
                raise DemoFailedError("the data folder holds something else; remove it yourself")
            with only_one(self._settings.data / _LOCK):
                if self._options.reset:
                    shutil.rmtree(self._settings.data)
        self._settings.data.mkdir(parents=True, exist_ok=True)
        with only_one(self._settings.data / _LOCK):
            steps_played(self._settings, self._options.script or Script.load())
            make_client_secret(self._settings)
            return self._run()

    def _run(self) -> Figures:
        script = self._options.script or Script.load()
        if steps_played(self._settings, script) < len(script.steps):
            self._say("首次启动处理全部演示办件，约需一至五分钟 / the first start takes one to five minutes")
        for line in initialise(self._settings):
            self._say(line)
        rooms = open_rooms(self._settings)
        try:
            self._children.start(self._clock.monotonic)
            try:
                played = self._play(rooms)
            finally:
                self._children.stop()
            return played if self._options.once else gather(rooms)
        finally:
            rooms.close()

    def _play(self, rooms: Rooms) -> Figures:
        script = self._options.script or Script.load()
        played_before = steps_played(self._settings, script) == len(script.steps)
        cast = Cast.gather(rooms, self._settings, script)
        Driver(rooms, self._settings, script, cast, Wait(self._pauses()), self._say).play()
        self._settle(rooms)
        figures = gather(rooms, script)
        if not self._options.once:
            # After an earlier start the difference is what visitors did meanwhile, which is no problem.
            for problem in () if played_before else figures.problems:
                self._say(f"与演示脚本不同 / other than the script: {problem}")
            self._await_web()
            self._greet(rooms, cast, script)
            self._children.watch_until(self._stop, self._clock.monotonic)
        return figures

    def _await_web(self) -> None:
        """Wait until the web process answers, so that the printed address does."""
        pause = self._pauses()
        while not answers(self._settings.host, self._settings.port):
            if not pause():
                raise DemoFailedError("the web process does not answer: see its log")

    def _pauses(self) -> Callable[[], bool]:
        """Give a pause that watches the children and gives up after ``PATIENCE_SECONDS`` in all."""
        end = self._clock.monotonic() + PATIENCE_SECONDS

        def pause() -> bool:
            if self._stop.wait(_PAUSE_SECONDS):
                return False
            self._children.watch(self._clock.monotonic)
            if self._watch is not None:
                self._watch(self._children)
            return self._clock.monotonic() < end

        return pause

    def _settle(self, rooms: Rooms) -> None:
        """Wait until every act stands under a checkpoint."""
        pause = self._pauses()
        while pause():
            with rooms.database.reading() as uow:
                if is_sequenced(uow):
                    return
        raise DemoFailedError("acts were not sequenced")

    def _greet(self, rooms: Rooms, cast: Cast, script: Script) -> None:
        links: dict[str, str] = {}
        with rooms.database.writing() as uow:
            for role in SIGNING_IN:
                token = rooms.accounts.login_link(uow, system_identity("demo"), cast.person(uow, role).id)
                links[role] = f"{self._settings.public_url}/sign-in/{token}"
            code = code_of_a_licence(uow)
        for line in greeting(self._settings, cast, script, links, code):
            self._say(line)
        sys.stdout.flush()
