# SPDX-License-Identifier: Apache-2.0
"""The whole line while a real part of it is killed (SIGKILL), stopped (SIGSTOP) or full.

What must not wait for the part goes on at once; what must have it is refused or waits; afterwards
everything continues by itself, and no process of the product has ended.
"""

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager

import pytest
from city import PROMPT, Answer, City, city_of_our_own
from elasticsearch import Elasticsearch
from own_servers import Server, until
from parts import POSTGRESQL

from storage.identity import Role
from storage.ledger.kinds import ActKind

pytestmark = [
    pytest.mark.services,
    pytest.mark.skipif(POSTGRESQL not in os.environ, reason="names no real servers"),
]
SETTLED = 60.0
_DISK = "cluster.routing.allocation.disk.watermark"
WAYS = pytest.mark.parametrize(
    ("stop", "go_on"),
    [(Server.kill, Server.restart), (Server.freeze, Server.thaw)],
    ids=["killed", "silent"],
)
_Move = Callable[[Server], None]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[City]:
    with city_of_our_own(tmp_path_factory.mktemp("city")) as made:
        yield made


@pytest.fixture
def city(whole: City) -> Iterator[City]:
    """Give the city with every part at work; afterwards nothing that was answered may be unrecorded."""
    whole.heal()
    yield whole
    whole.until_whole()
    assert whole.all_lives()
    assert whole.unrecorded() == set()


def prompt(answer: Answer, status: int = 200) -> bool:
    assert (answer.status, answer.seconds < PROMPT) == (status, True), (answer, answer.body)
    return True


def goes_on(city: City) -> None:
    """Proofs and checks are answered, and not one moment later than otherwise."""
    for _ in range(3):
        assert prompt(city.prove())
    report = city.check()
    assert report.status == 200
    assert report.seconds < 2 * PROMPT


@WAYS
def test_without_the_index_the_line_goes_on_and_search_says_since_when_it_is_behind(
    city: City, stop: _Move, go_on: _Move
) -> None:
    number = f"I-{stop.__name__}"
    archivist = city.browser(Role.ARCHIVIST)
    stop(city.servers["elasticsearch"])
    city.until_away("index")
    goes_on(city)
    assert prompt(city.file(number), 202)
    until(lambda: city.is_filed(number), SETTLED, "filing waits for the index")
    until(
        lambda: any(one.state == "waiting" for one in city.steps()), SETTLED, "the index step does not wait"
    )
    waiting = [one for one in city.steps() if one.kind == "index.put"]
    assert {(one.problem, one.attempts) for one in waiting} == {("search-unavailable", 0)}

    refused = city.search(number)
    assert refused.is_refusal("search-unavailable")
    assert refused.json["facts"]["behind_since"]
    assert (city.figure("cunzheng_index_lag_seconds") or 0) > 0
    for language, words in (("zh", "检索暂不可用"), ("en", "Search is not available")):
        page = city.page(archivist, f"/search?q={number}&lang={language}")
        assert page.status == 503
        assert page.headers["Retry-After"]
        assert words in page.body.decode()
    assert "not in the index yet" in page.body.decode()

    go_on(city.servers["elasticsearch"])
    until(lambda: city.finds(number), SETTLED, "the index does not catch up")
    behind = refused.json["facts"]["behind_since"]
    until(lambda: city.search(number).json["indexed_up_to"] > behind, SETTLED, "it does not say so")


def test_a_search_server_whose_disk_is_full_finds_what_it_holds_is_behind_and_catches_up(city: City) -> None:
    with disk_taken_for_full(city):
        goes_on(city)
        assert prompt(city.file("I-full"), 202)
        until(lambda: city.is_filed("I-full"), SETTLED, "filing waits for the index")
        until(
            lambda: index_steps(city) == {("search-unavailable", 0)}, SETTLED, "the index step does not wait"
        )
        assert city.finds("B-1"), "what it holds is not found any more"
        behind = city.search("I-full").json
        assert behind["total"] == 0
        until(lambda: (city.figure("cunzheng_index_lag_seconds") or 0) > 1, SETTLED, "nobody is told")
        goes_on(city)
        assert city.search("I-full").json["indexed_up_to"] == behind["indexed_up_to"]
    until(lambda: city.finds("I-full"), 2 * SETTLED, "the index does not catch up")
    until(
        lambda: city.search("I-full").json["indexed_up_to"] > behind["indexed_up_to"], SETTLED, "nor says so"
    )


def index_steps(city: City) -> set[tuple[str | None, int]]:
    """Give what the steps of indexing wait for, and how often they were tried."""
    return {(one.problem, one.attempts) for one in city.steps() if one.kind == "index.put"}


@contextmanager
def disk_taken_for_full(city: City) -> Iterator[None]:
    """Let the real server find less room than it wants, so that it forbids writing as on a full disk."""
    _, address = city.servers["elasticsearch"].address()
    with closing(Elasticsearch(address)) as server:
        marks = {f"{_DISK}.{mark}": "9000gb" for mark in ("low", "high", "flood_stage")}
        look = {"cluster.info.update.interval": "10s"}
        server.cluster.put_settings(persistent=marks | look)
        try:
            until(lambda: _is_blocked(server), 2 * SETTLED, "the server does not forbid writing", 0.5)
            yield
        finally:
            server.cluster.put_settings(persistent=dict.fromkeys(marks))


def _is_blocked(server: Elasticsearch) -> bool:
    blocks = server.cluster.state(metric="blocks")["blocks"].get("indices", {})
    return any("12" in found for found in blocks.values())


@WAYS
def test_without_the_object_server_intake_refuses_before_it_takes_bytes_and_all_else_goes_on(
    city: City, stop: _Move, go_on: _Move
) -> None:
    stop(city.servers["minio"])
    city.until_away("objects")
    offered = city.offer("S-refused")
    assert offered.is_refusal("objects-unavailable"), offered
    assert offered.seconds < 3 * PROMPT
    goes_on(city)
    assert prompt(city.search("B-1"))
    entries = city.entries()
    assert prompt(city.prove())
    until(lambda: city.entries() > entries, SETTLED, "acts are not numbered while the log is not published")
    go_on(city.servers["minio"])
    until(lambda: city.file("S-taken").status in {200, 202}, SETTLED, "intake does not go on")


def test_steps_wait_for_the_object_server_and_leave_no_trace_of_vain_tries(city: City) -> None:
    city.site.stop("worker")
    assert prompt(city.file("S-1"), 202)
    assert prompt(city.file("S-2"), 202)
    tries = city.acts(ActKind.SEALING_ABANDONED)
    city.servers["minio"].kill()
    city.site.start("worker")
    until(lambda: all(one.state == "waiting" for one in city.steps()), SETTLED, "steps do not wait")
    assert {(one.problem, one.attempts) for one in city.steps()} == {("objects-unavailable", 0)}
    page = city.page(city.browser(Role.ARCHIVIST), "/archive?lang=en").body.decode()
    assert "The object server does not take or give bytes" in page
    city.servers["minio"].restart()
    until(lambda: city.is_filed("S-1") and city.is_filed("S-2"), SETTLED, "steps do not go on")
    assert city.acts(ActKind.SEALING_ABANDONED) == tries


def test_a_sequencer_that_starts_without_the_object_server_waits_for_it(city: City) -> None:
    city.site.stop("sequencer")
    city.servers["minio"].kill()
    city.site.start("sequencer")
    log = city.site.settings.logs / "sequencer.log"
    until(
        lambda: "nothing sequenced yet" in log.read_text(),
        SETTLED,
        "the sequencer does not say that it waits",
    )
    entries = city.entries()
    assert prompt(city.prove())
    assert city.entries() == entries
    city.servers["minio"].restart()
    until(lambda: city.entries() > entries, SETTLED, "the sequencer does not go on")


def test_a_full_object_server_is_like_an_absent_one(city: City) -> None:
    disk = city.servers["minio"].disk
    assert disk is not None
    city.site.stop("worker")
    assert prompt(city.file("S-full"), 202)
    disk.fill()
    city.until_away("objects")
    assert city.offer("S-refused").is_refusal("objects-unavailable")
    city.site.start("worker")
    until(lambda: all(one.state == "waiting" for one in city.steps()), SETTLED, "steps do not wait")
    assert {one.attempts for one in city.steps()} == {0}
    goes_on(city)
    disk.free()
    until(lambda: city.is_filed("S-full"), SETTLED, "steps do not go on")


@WAYS
def test_without_the_broker_only_the_beginning_of_steps_is_later(
    city: City, stop: _Move, go_on: _Move
) -> None:
    number = f"R-{stop.__name__}"
    stop(city.servers["rabbitmq"])
    city.until_away("broker")
    goes_on(city)
    assert prompt(city.file(number), 202)
    until(lambda: city.is_filed(number), SETTLED, "steps are not found by looking")
    until(lambda: city.finds(number), SETTLED, "the index is not told")
    go_on(city.servers["rabbitmq"])


@WAYS
def test_without_the_database_everything_is_refused_and_nothing_is_answered_unrecorded(
    city: City, stop: _Move, go_on: _Move
) -> None:
    archivist = city.browser(Role.ARCHIVIST)
    stop(city.servers["postgresql"])
    with ThreadPoolExecutor(16) as pool:
        answers = [one.result() for one in [pool.submit(city.prove) for _ in range(16)]]
    assert all(answer.is_refusal("records-unavailable") for answer in answers)
    assert max(answer.seconds for answer in answers) < 8 * PROMPT
    until(lambda: city.parts()[1].keys() >= {"database", "ledger"}, SETTLED, "machines are not told")
    assert city.parts()[0] == 503
    assert city.figure('cunzheng_part_ready{part="database"}') == 0
    assert city.figure("cunzheng_ledger_entries") is None
    for refused in (city.check(), city.offer("P-refused"), city.search("B-1"), city.get("/api/v1/cases")):
        assert refused.is_refusal("records-unavailable")
    page = city.page(archivist, "/archive?lang=en")
    assert page.status == 503
    assert "The database does not answer" in page.body.decode()
    assert prompt(city.get("/healthz"))
    go_on(city.servers["postgresql"])
    until(lambda: city.prove().status == 200, SETTLED, "proofs do not go on")


def test_a_full_database_refuses_what_it_cannot_record_and_recovers(city: City) -> None:
    server = city.servers["postgresql"]
    assert server.disk is not None
    server.disk.fill()
    until(lambda: city.prove().status != 200, SETTLED, "a full disk refuses nothing", every=0.0)
    for _ in range(30):
        # What still fits may be recorded; the rest is refused, whether a table or the journal cannot grow.
        answer = city.prove()
        assert answer.status == 200 or answer.is_refusal("records-unavailable")
    filed = city.file("P-full")
    assert filed.status == 202 or filed.is_refusal("records-unavailable")
    server.disk.free()
    if not server.runs():
        server.restart()
    until(lambda: city.prove().status == 200, SETTLED, "proofs do not go on")
