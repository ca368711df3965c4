#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Receive events of licences and of own answers: verify each message, keep it once, then say that it is here.

    receive_events.py serve PORT FOLDER     with RECEIVER_SECRET (whsec_…) in the environment
    receive_events.py fetch ADDRESS FOLDER  fetches from the kept cursor on, with RECEIVER_KEY

Events lie in FOLDER, one file each, named by the event's id: what comes twice is kept once.
"""

import base64
import hashlib
import hmac
import json
import os
import sys
import time
import urllib.parse
import urllib.request
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

OLDEST_SECONDS = 300
LARGEST = 64 * 1024


def is_genuine(headers: Mapping[str, str], body: bytes, secret: str) -> bool:
    """Tell whether a message is of who has the secret, and is new: Standard Webhooks, signature `v1`."""
    message, stamp = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not stamp.isdigit() or abs(time.time() - int(stamp)) > OLDEST_SECONDS:
        return False
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = f"{message}.{stamp}.".encode() + body
    wanted = "v1," + base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()
    given = headers.get("webhook-signature", "").split()
    return any(hmac.compare_digest(wanted, one) for one in given)


def keep(folder: Path, event: Mapping[str, object]) -> bool:
    """Keep an event durably; tell whether it is new."""
    name = "".join(one for one in str(event["id"]) if one.isalnum())
    path = folder / f"{name}.json"
    if path.exists():
        return False
    fresh = path.with_suffix(".part")
    with fresh.open("w", encoding="utf-8") as handle:
        json.dump(event, handle, ensure_ascii=False)
        handle.flush()
        os.fsync(handle.fileno())
    fresh.rename(path)
    return True


def newest(folder: Path, licence: str) -> Mapping[str, object]:
    """Give the last change of a licence that is known: the highest sequence, whatever came when."""
    events = [json.loads(path.read_text("utf-8")) for path in folder.glob("*.json")]
    changes = [one["data"] for one in events if one["type"].startswith("licence.")]
    own = [one for one in changes if one["licence"] == licence]
    return max(own, key=lambda one: one["sequence"])


def to_ask_again(folder: Path) -> set[str]:
    """Give the own decisions of which something was told since: each is worth another question."""
    events = [json.loads(path.read_text("utf-8")) for path in folder.glob("*.json")]
    return {one for event in events for one in event["data"].get("decisions", ())}


def serve(port: int, folder: Path, secret: str) -> None:
    """Answer 204 once a message is kept; 401 to what is not genuine, so that it shows at the sender."""

    class Handler(BaseHTTPRequestHandler):
        """Takes messages."""

        def do_POST(self) -> None:
            """Take one message."""
            length = int(self.headers.get("Content-Length", "0"))
            body = self.rfile.read(length) if length <= LARGEST else b""
            headers = {name.lower(): value for name, value in self.headers.items()}
            if not is_genuine(headers, body, secret):
                self.send_response(401)
            else:
                event = json.loads(body)
                if event["type"] != "subscription.ping":
                    keep(folder, event)
                self.send_response(204)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing of what comes."""

    server = HTTPServer(("127.0.0.1", port), Handler)
    print(f"listening on {server.server_port}", flush=True)
    server.serve_forever()


def fetch(address: str, folder: Path, key: str) -> int:
    """Fetch what is new since the kept cursor; give how many events."""
    cursor = folder / "cursor"
    count, more = 0, True
    while more:
        query = {"after": cursor.read_text("ascii")} if cursor.exists() else {}
        request = urllib.request.Request(  # noqa: S310 - whoever starts it names the address
            f"{address}/api/v1/licence-events?{urllib.parse.urlencode(query)}",
            headers={"Authorization": f"Bearer {key}"},
        )
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
            page = json.load(answer)
        count += sum(keep(folder, event) for event in page["events"])
        # Kept last: whoever is interrupted before begins here again, and keeps nothing twice.
        cursor.write_text(page["next"], "ascii")
        more = page["more"]
    return count


def main(arguments: list[str]) -> int:
    """Serve or fetch; 64 when called otherwise."""
    if len(arguments) != 3:
        print(__doc__, file=sys.stderr)
        return 64
    order, place, folder = arguments[0], arguments[1], Path(arguments[2])
    folder.mkdir(parents=True, exist_ok=True)
    if order == "serve":
        serve(int(place), folder, os.environ["RECEIVER_SECRET"])
    elif order == "fetch":
        print(fetch(place, folder, os.environ["RECEIVER_KEY"]), "new")
    else:
        print(__doc__, file=sys.stderr)
        return 64
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
