# SPDX-License-Identifier: Apache-2.0
"""Where messages may be sent: no inner address in production, however it is written or resolved."""

import datetime as dt
import ipaddress
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from event_receiver import Receiver, make_server
from hypothesis import given
from hypothesis import strategies as st

from licenses.sharing.errors import EndpointRefusedError
from licenses.sharing.ports import Answer
from portal.sharing.addresses import Reach
from portal.sharing.posting import HttpSender
from storage.clock import SystemClock

LOOPBACK = ipaddress.ip_network("127.0.0.0/8")
HEADERS = {"webhook-id": "a", "content-type": "application/cloudevents+json"}


@pytest.mark.parametrize(
    "endpoint",
    [
        "http://events.example/in",
        "https://127.0.0.1/in",
        "https://10.1.2.3/in",
        "https://192.168.1.1:8443/in",
        "https://169.254.169.254/latest/meta-data",
        "https://[::1]/in",
        "https://[fe80::1]/in",
        "https://[fc00::1]/in",
        "https://[::ffff:10.0.0.1]/in",
        "https://[::ffff:a00:1]/in",
        "https://[::ffff:0:10.0.0.1]/in",
        "https://[::10.0.0.1]/in",
        "https://[::7f00:1]/in",
        "https://[64:ff9b::10.0.0.1]/in",
        "https://[64:ff9b::a9fe:a9fe]/in",
        "https://[64:ff9b:1::8.8.8.8]/in",
        "https://[64:ff9b:1:a00:1::]/in",
        "https://[2002:a00:1::1]/in",
        "https://[2002:7f00:1::]/in",
        "https://[2002:c0a8:101::1]/in",
        "https://[2001:0:a00:1::]/in",
        "https://[2001:0:808:808::f5ff:fffe]/in",
        "https://[fec0::1]/in",
        "https://[ff02::1]/in",
        "https://[::]/in",
        "https://[100::1]/in",
        "https://[2001:db8::1]/in",
        "https://100.64.0.1/in",
        "https://0.0.0.0/in",
        "https://224.0.0.1/in",
        "https://user:secret@events.example/in",
        "https://events.example/in#part",
        "https:///in",
        "ftp://events.example/in",
        "https://events.example:99999/in",
        "https://例子.example/in",
        "https://events.example/a b",
        "events.example",
        "",
        "https://events.example/" + "x" * 500,
    ],
)
def test_production_refuses_what_is_not_https_to_a_public_address(endpoint: str) -> None:
    with pytest.raises(EndpointRefusedError):
        Reach(production=True).taken_apart(endpoint)


def test_a_public_https_endpoint_is_admitted_and_taken_apart() -> None:
    found = Reach(production=True).taken_apart("https://events.example:8443/in?of=tax")
    assert (found.secure, found.host, found.port) == (True, "events.example", 8443)
    assert (found.authority, found.target) == ("events.example:8443", "/in?of=tax")


@pytest.mark.parametrize("endpoint", ["http://127.0.0.1:9/in", "http://localhost/in", "http://[::1]:9/in"])
def test_plain_http_reaches_this_machine_only_and_only_outside_production(endpoint: str) -> None:
    Reach(production=False).taken_apart(endpoint)
    with pytest.raises(EndpointRefusedError):
        Reach(production=True).taken_apart(endpoint)
    with pytest.raises(EndpointRefusedError):
        Reach(production=False).taken_apart("http://10.0.0.1/in")


@pytest.mark.parametrize(
    "found",
    [
        ["10.0.0.1"],
        ["1.1.1.1", "127.0.0.1"],
        ["::ffff:169.254.169.254"],
        ["fe80::1%2"],
        ["64:ff9b::a9fe:a9fe"],
        ["2002:a00:1::1"],
        ["2606:4700::1111", "::10.0.0.1"],
    ],
)
def test_a_name_with_an_inner_address_is_refused_when_it_is_sent_to(found: list[str]) -> None:
    reach = Reach(production=True, resolve=lambda _host, _port: found)
    sender = HttpSender(reach, SystemClock())
    with sender.line("https://events.example/in") as line:
        assert line.send(HEADERS, b"{}") == Answer(0, "address-refused")


def test_a_name_without_an_address_is_a_failure_that_passes() -> None:
    def unknown(_host: str, _port: int) -> list[str]:
        raise OSError("no such name")

    with HttpSender(Reach(production=True, resolve=unknown), SystemClock()).line(
        "https://e.example/"
    ) as line:
        assert line.send(HEADERS, b"{}") == Answer(0, "no-connection")


def test_networks_that_the_operator_lists_may_be_sent_to() -> None:
    networks = [ipaddress.ip_network("10.20.0.0/16"), ipaddress.ip_network("fd00::/8")]
    reach = Reach(production=True, networks=networks)
    reach.taken_apart("https://10.20.3.4/in")
    reach.taken_apart("https://[fd00::7]/in")
    reach.taken_apart("https://[64:ff9b::10.20.3.4]/in")
    for outside in ("10.21.3.4", "[64:ff9b::10.21.3.4]", "[64:ff9b:1::10.20.3.4]"):
        with pytest.raises(EndpointRefusedError):
            reach.taken_apart(f"https://{outside}/in")


@pytest.mark.parametrize("host", ["1.1.1.1", "[2606:4700::1111]", "[64:ff9b::1.1.1.1]", "[::ffff:1.1.1.1]"])
def test_public_addresses_are_admitted_translated_ones_too(host: str) -> None:
    """Where only the new protocol is spoken a name gives the old one's address within a NAT64 prefix."""
    Reach(production=True).taken_apart(f"https://{host}/in")


@given(st.ip_addresses(v=4), st.sampled_from(["::ffff:0:0", "64:ff9b::", "::", "2002::"]))
def test_whatever_carries_an_inner_address_is_judged_by_it(inner: ipaddress.IPv4Address, prefix: str) -> None:
    place = 80 if prefix == "2002::" else 0
    carrier = ipaddress.IPv6Address(int(ipaddress.IPv6Address(prefix)) | int(inner) << place)
    reach = Reach(production=True)
    try:
        reach.taken_apart(f"https://{inner}/in")
    except EndpointRefusedError:
        with pytest.raises(EndpointRefusedError):
            reach.taken_apart(f"https://[{carrier}]/in")


def _certificate(folder: Path, name: str) -> tuple[Path, Path]:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    certificate, private = folder / "cert.pem", folder / "key.pem"
    certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    return certificate, private


@contextmanager
def _secure(receiver: Receiver, certificate: Path, private: Path) -> Iterator[int]:
    server = make_server(receiver)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, private)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_the_name_of_the_endpoint_is_what_the_certificate_must_have_not_the_address(tmp_path: Path) -> None:
    certificate, private = _certificate(tmp_path, "events.example")
    receiver = Receiver(tmp_path / "received")
    trust = ssl.create_default_context(cafile=str(certificate))
    reach = Reach(production=True, networks=[LOOPBACK], resolve=lambda _host, _port: ["127.0.0.1"])
    with _secure(receiver, certificate, private) as port:
        with HttpSender(reach, SystemClock(), trust=trust).line(f"https://events.example:{port}/in") as line:
            assert line.send(HEADERS, b"{}") == Answer(204)
        with HttpSender(reach, SystemClock(), trust=trust).line(f"https://other.example:{port}/in") as line:
            assert line.send(HEADERS, b"{}") == Answer(0, "tls")
        with HttpSender(reach, SystemClock()).line(f"https://events.example:{port}/in") as line:
            assert line.send(HEADERS, b"{}") == Answer(0, "tls"), "nobody vouches for the certificate"
    ((path, headers),) = receiver.seen
    assert (path, headers["host"]) == ("/in", f"events.example:{port}")
