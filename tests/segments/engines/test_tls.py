"""Encrypted connections to our own servers: their certificates are verified as requested, and the client's is sent."""

from __future__ import annotations

import ipaddress
import os
import shutil
import socket
import subprocess
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import psycopg
import pymysql
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from core.errors import Misconfigured
from segments.registry import engines
from tests.chaos.postgres import binaries, cluster

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

DAY = timedelta(days=1)


@dataclass(frozen=True)
class Pair:
    """A certificate and its key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @property
    def pem(self) -> str:
        return self.certificate.public_bytes(Encoding.PEM).decode()

    @property
    def key_pem(self) -> str:
        return self.key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()).decode()

    def write(self, folder: Path, name: str) -> tuple[Path, Path]:
        paths = folder / f"{name}.crt", folder / f"{name}.key"
        paths[0].write_text(self.pem)
        paths[1].touch(mode=0o600)
        paths[1].write_text(self.key_pem)
        return paths


def pair(name: str, issuer: Pair | None = None, address: str = "127.0.0.1") -> Pair:
    """A certificate signed by `issuer`, or self-signed by a new authority if there is none."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder().subject_name(subject).issuer_name(issuer.certificate.subject if issuer else subject)
    )
    builder = builder.public_key(key.public_key()).serial_number(x509.random_serial_number())
    builder = builder.not_valid_before(now - DAY).not_valid_after(now + DAY)
    builder = builder.add_extension(x509.BasicConstraints(ca=issuer is None, path_length=None), critical=True)
    if issuer:
        builder = builder.add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(address))]), critical=False
        )
    return Pair(builder.sign(issuer.key if issuer else key, hashes.SHA256()), key)


AUTHORITY, STRANGER = pair("authority"), pair("stranger")
ELSEWHERE = pair("elsewhere", AUTHORITY, "10.0.0.1")
CLIENT = pair("reader", AUTHORITY)
GOOD = {"ssl_ca": AUTHORITY.pem, "ssl_cert": CLIENT.pem, "ssl_key": CLIENT.key_pem}


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@pytest.fixture(scope="module")
def postgres_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """A PostgreSQL server with a certificate for a different address, which requires one of the user `reader`."""
    if binaries() is None:
        pytest.skip("PostgreSQL is not installed here")
    with cluster(free_port()) as server:
        data = server.home / "data"
        for path in ELSEWHERE.write(data, "server"):
            shutil.chown(path, "postgres")
        (data / "ca.crt").write_text(AUTHORITY.pem)
        rules = (
            "hostssl all reader 127.0.0.1/32 cert\n"
            "hostssl all postgres 127.0.0.1/32 trust\n"
            "host all postgres 127.0.0.1/32 reject\n"
        )
        with psycopg.connect(
            host="127.0.0.1", port=server.port, user="postgres", dbname="postgres", autocommit=True
        ) as connection:
            connection.execute("create user reader")
            connection.execute("alter system set ssl = on")
            connection.execute("alter system set ssl_ca_file = 'ca.crt'")
        (data / "pg_hba.conf").write_text(rules)
        server.stop()
        assert server.start()
        yield {"host": "127.0.0.1", "port": server.port, "database": "postgres", "user": "reader"}


@pytest.fixture(scope="module")
def mysql_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """A MariaDB server like it."""
    program, install = shutil.which("mariadbd"), shutil.which("mariadb-install-db")
    if not program or not install:
        pytest.skip("MariaDB is not installed here")
    home, port = tmp_path_factory.mktemp("mariadb"), free_port()
    common = ["--no-defaults", f"--datadir={home / 'data'}", *(["--user=root"] if os.geteuid() == 0 else [])]
    subprocess.run(
        [install, *common, "--auth-root-authentication-method=normal", "--skip-test-db"],
        check=True,
        capture_output=True,
    )
    certificate, key = ELSEWHERE.write(home, "server")
    (home / "ca.crt").write_text(AUTHORITY.pem)
    tls = [f"--ssl-ca={home / 'ca.crt'}", f"--ssl-cert={certificate}", f"--ssl-key={key}"]
    address = [f"--port={port}", "--bind-address=127.0.0.1", f"--socket={home / 's'}", f"--pid-file={home / 'pid'}"]
    server = subprocess.Popen([program, *common, *tls, *address], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        with connect_when_ready(port) as connection, connection.cursor() as cursor:
            cursor.execute("create user reader@'127.0.0.1' require x509")
            cursor.execute("grant select on mysql.* to reader@'127.0.0.1'")
        yield {"host": "127.0.0.1", "port": port, "database": "mysql", "user": "reader"}
    finally:
        server.terminate()
        server.wait()


def connect_when_ready(port: int) -> pymysql.Connection[Any]:
    for _ in range(300):
        try:
            return pymysql.connect(host="127.0.0.1", port=port, user="root", ssl_disabled=True)
        except pymysql.MySQLError:
            time.sleep(0.1)
    return pytest.fail("MariaDB did not start")


@pytest.fixture(params=["postgres", "mysql"])
def server(request: pytest.FixtureRequest) -> tuple[str, dict[str, Any]]:
    return request.param, request.getfixturevalue(f"{request.param}_server")


def opens(server: tuple[str, dict[str, Any]], **settings: str) -> bool:
    slug, place = server
    with engines[slug].open({**place, **settings}, timeout_seconds=10) as reader:
        return bool(reader.columns(sql="select 1 as x"))


def refusal(server: tuple[str, dict[str, Any]], **settings: str) -> Misconfigured:
    with pytest.raises(Misconfigured) as refused:
        opens(server, **settings)
    assert "PRIVATE" not in refused.value.message + refused.value.detail
    return refused.value


def test_client_with_its_certificate_is_accepted(server: tuple[str, dict[str, Any]]) -> None:
    assert opens(server, sslmode="require", **GOOD)
    assert opens(server, sslmode="verify-ca", **GOOD)


def test_client_without_its_certificate_is_rejected(server: tuple[str, dict[str, Any]]) -> None:
    assert refusal(server, sslmode="require").code in ("source_login", "source_ssl")


def test_host_name_of_the_server_is_verified_if_requested(server: tuple[str, dict[str, Any]]) -> None:
    assert refusal(server, sslmode="verify-full", **GOOD).code == "source_ssl"


def test_certificate_of_an_unknown_authority_is_refused(server: tuple[str, dict[str, Any]]) -> None:
    for mode in ("verify-ca", "verify-full"):
        assert refusal(server, sslmode=mode, **{**GOOD, "ssl_ca": STRANGER.pem}).code == "source_ssl"


def test_authorities_of_this_machine_are_used_if_none_is_given(server: tuple[str, dict[str, Any]]) -> None:
    assert refusal(server, sslmode="verify-full", **{**GOOD, "ssl_ca": ""}).code == "source_ssl"


def test_unencrypted_connection_is_rejected(server: tuple[str, dict[str, Any]]) -> None:
    assert refusal(server, sslmode="disable").code in ("source_login", "source_ssl")


def test_no_certificate_file_is_left_behind(
    server: tuple[str, dict[str, Any]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert opens(server, sslmode="require", **GOOD)
    refusal(server, sslmode="verify-full", **GOOD)
    assert list(tmp_path.iterdir()) == []
