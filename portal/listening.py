# SPDX-License-Identifier: Apache-2.0
"""Who listens where the web process should: told by what it says, since any program can hold a port."""

import enum
from collections.abc import Mapping
from http.client import HTTPConnection, HTTPException
from typing import Final

_KEY: Final = "/api/v1/ledger/key"
CONNECTS_WITHIN: Final = 1.0
ANSWERS_WITHIN: Final = 5.0
"""Seconds; a web process under full load answers later than it takes connections."""


class Listener(enum.StrEnum):
    """Who listens at an address."""

    OURS = "ours"
    NOBODY = "nobody"
    SILENT = "silent"
    ANOTHER = "another"


HELD: Final[Mapping[Listener, tuple[tuple[str, str], tuple[str, str]]]] = {
    Listener.ANOTHER: (
        ("{0} 上应答的不是本系统的网页服务", "something else answers on {0}"),
        (
            "释放该端口或改用其他端口（CUNZHENG_PORT），再启动 cunzheng serve",
            "Free that port or set another (CUNZHENG_PORT), then start cunzheng serve",
        ),
    ),
    Listener.SILENT: (
        ("{0} 端口已打开，但无人应答", "nobody answers on {0}, which is open"),
        (
            "查明占用该端口的程序；若是 cunzheng serve，请查看其日志",
            "See what holds that port; if it is cunzheng serve, look at its log",
        ),
    ),
}
"""What is said of a port that is not ours to use, its address to be filled in, and what to do."""


def who_listens(host: str, port: int, log_key: str) -> Listener:
    """Tell who listens; one whose ledger has this verifier key is ours."""
    connection = HTTPConnection(host, port, timeout=CONNECTS_WITHIN)
    try:
        connection.connect()
    except OSError:
        return Listener.NOBODY
    try:
        connection.sock.settimeout(ANSWERS_WITHIN)
        connection.request("GET", _KEY)
        answer = connection.getresponse()
        said = answer.read(len(log_key) + 2)
    except TimeoutError:
        return Listener.SILENT
    except (OSError, HTTPException):
        return Listener.ANOTHER
    finally:
        connection.close()
    ours = answer.status == 200 and said == log_key.encode() + b"\n"
    return Listener.OURS if ours else Listener.ANOTHER
