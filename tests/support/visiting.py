# SPDX-License-Identifier: Apache-2.0
"""A visitor without a browser: follows links, sends forms, keeps cookies; for what needs no drawing."""

import http.client
import http.cookiejar
import re
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from html import unescape
from urllib.parse import urlencode, urljoin, urlsplit


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back.

    Attributes:
        status: Its status.
        address: Where it came from at last.
        text: Its text; empty where it is no text.
    """

    status: int
    address: str
    text: str

    def field(self, name: str) -> str:
        """Give the value of a hidden field or of a button."""
        found = re.search(rf'name="{name}" value="([^"]*)"', self.text)
        assert found is not None, f"{self.address} has no field {name}"
        return unescape(found[1])

    def links(self) -> list[str]:
        """Give the addresses of the page's links."""
        return [
            urljoin(self.address, unescape(one)) for one in re.findall(r'<a [^>]*href="([^"#]+)', self.text)
        ]


@dataclass
class Visitor:
    """Somebody with cookies of their own.

    Args:
        address: Of the installation.
    """

    address: str
    _jar: http.cookiejar.CookieJar = field(default_factory=http.cookiejar.CookieJar)

    def get(self, path: str) -> Answer:
        """Open an address, given whole or as a path."""
        return self.send(urllib.request.Request(urljoin(self.address, path)))

    def post(self, path: str, form: Mapping[str, str]) -> Answer:
        """Send a form."""
        data = urlencode(form).encode()
        return self.send(urllib.request.Request(urljoin(self.address, path), data, method="POST"))

    def send(self, request: urllib.request.Request) -> Answer:
        """Send a request; redirects are followed, and a refusal is an answer like others."""
        opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(self._jar))
        try:
            with opener.open(request, timeout=60) as answer:
                return self._read(answer)
        except urllib.error.HTTPError as refusal:
            with refusal:
                return self._read(refusal)

    @staticmethod
    def _read(answer: http.client.HTTPResponse | urllib.error.HTTPError) -> Answer:
        kind = answer.headers.get_content_type()
        body = answer.read()
        text = body.decode("utf-8", "replace") if kind.startswith("text/") or "json" in kind else ""
        return Answer(int(answer.status or 0), answer.url, text)

    def sign_in(self, link: str) -> None:
        """Use a login link."""
        self.post(link, {"form_token": self.get(link).field("form_token")})

    def sign_in_as_holder(self, name: str) -> None:
        """Choose a person at the demonstration's identity provider."""
        page = self.get("/mine/begin")
        found = re.search(rf'value="([^"]*)" class="plain">{name}', page.text)
        assert found is not None, name
        self.post(page.address, {"person": found[1]})

    def walk(self, start: str, limit: int) -> int:
        """Follow links, one of each kind of address; give how many were opened."""
        waiting, kinds = [urljoin(self.address, start)], set[str]()
        while waiting and len(kinds) < limit:
            target = waiting.pop(0)
            parts = urlsplit(target)
            kind = re.sub(r"[^/]*\d[^/]*|[^/]{25,}", "*", parts.path) + str(bool(parts.query))
            if kind in kinds or not target.startswith(self.address):
                continue
            kinds.add(kind)
            waiting += self.get(target).links()
        return len(kinds)
