# SPDX-License-Identifier: Apache-2.0
"""The first fetch of a directory: from the address that was judged, and from nowhere that it names."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from portal.errors import DirectoryUnreachableError
from portal.offline import fetch_folder
from portal.sharing.addresses import Reach
from portal.sharing.fetching import HttpFetcher


@dataclass
class Publisher:
    """A foreign installation on loopback: status, headers and bytes that it answers with.

    Attributes:
        asked: Addresses that it was asked for.
        waits: How it is kept from answering to the end; free by default.
    """

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b"published"
    asked: list[str] = field(default_factory=list)
    waits: threading.Event | None = None


@contextmanager
def published(publisher: Publisher) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            """Say nothing."""

        def do_GET(self) -> None:
            publisher.asked.append(self.path)
            self.send_response(publisher.status)
            for name, value in publisher.headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(publisher.body)
            self.wfile.flush()
            if publisher.waits is not None:
                publisher.waits.wait(10)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        if publisher.waits is not None:
            publisher.waits.set()
        server.shutdown()
        thread.join()
        server.server_close()


def rule_of(fetcher: HttpFetcher, address: str) -> str:
    with pytest.raises(DirectoryUnreachableError) as refused:
        fetcher.fetch(address)
    assert "127.0.0.1" not in str(refused.value)
    return str(refused.value.facts["rule"])


def test_a_file_is_fetched_as_it_is() -> None:
    publisher = Publisher(body=b"x" * 200_000)
    with published(publisher) as address:
        assert HttpFetcher(Reach(production=False)).fetch(f"{address}/a?b=c") == publisher.body
    assert publisher.asked == ["/a?b=c"]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed_to_an_inner_host(status: int, tmp_path: Path) -> None:
    inner = Publisher(body=b"what only this side of the network may see")
    with published(inner) as hidden:
        outer = Publisher(status=status, headers={"Location": f"{hidden}/secret"})
        with published(outer) as address:
            fetcher = HttpFetcher(Reach(production=False))
            assert rule_of(fetcher, f"{address}/api/v1/directory") == f"http-{status}"
            with pytest.raises(DirectoryUnreachableError):
                fetch_folder(tmp_path / "folder", address, fetcher.fetch)
    assert inner.asked == []
    assert not (tmp_path / "folder").exists()


@pytest.mark.parametrize("status", [204, 404, 500])
def test_what_is_no_file_is_refused(status: int) -> None:
    with published(Publisher(status=status, body=b"")) as address:
        assert rule_of(HttpFetcher(Reach(production=False)), address) == f"http-{status}"


@pytest.mark.parametrize(
    "found", ["127.0.0.1", "10.0.0.1", "::ffff:10.0.0.1", "64:ff9b::a00:1", "2002:a00:1::1"]
)
def test_in_production_a_name_that_leads_inwards_is_refused_when_it_is_connected_to(found: str) -> None:
    fetcher = HttpFetcher(Reach(production=True, resolve=lambda _host, _port: [found]))
    assert rule_of(fetcher, "https://cunzheng.example/api/v1/directory") == "address-refused"


def test_in_production_this_machine_is_no_other_installation() -> None:
    publisher = Publisher()
    with published(publisher) as address:
        assert rule_of(HttpFetcher(Reach(production=True)), address) == "address-refused"
    assert publisher.asked == []


def test_plain_text_goes_to_this_machine_only_whatever_its_name_gives() -> None:
    fetcher = HttpFetcher(Reach(production=False, resolve=lambda _host, _port: ["10.0.0.1"]))
    assert rule_of(fetcher, "http://localhost/api/v1/directory") == "address-refused"


def test_more_than_a_directory_may_have_is_not_read_on() -> None:
    with published(Publisher(body=b"x" * 300_000)) as address:
        assert rule_of(HttpFetcher(Reach(production=False), largest=100_000), address) == "size"


def test_whoever_never_ends_is_cut_off() -> None:
    publisher = Publisher(headers={"Content-Length": "100"}, body=b"begun", waits=threading.Event())
    with published(publisher) as address:
        assert rule_of(HttpFetcher(Reach(production=False), seconds=0.3), address) == "time-out"


def test_nobody_there_is_told_without_the_address() -> None:
    def unknown(_host: str, _port: int) -> list[str]:
        raise OSError("no such name")

    assert rule_of(HttpFetcher(Reach(production=True, resolve=unknown)), "https://e.example/") == "OSError"
