"""Certificates of a connection: pasted as text, stored as secrets, and files only while a connection is set up."""

from __future__ import annotations

import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.errors import Misconfigured
from core.parameters import Parameter

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

CA, CERTIFICATE, KEY = "ssl_ca", "ssl_cert", "ssl_key"
_BLANK = {"kind": "secret", "required": False, "lines": True}
PARAMETERS = (
    Parameter(CA, "CA certificate", help="In PEM. Empty: the authorities that this machine trusts.", **_BLANK),  # type: ignore[arg-type]
    Parameter(CERTIFICATE, "Client certificate", help="In PEM, where the server asks for one.", **_BLANK),  # type: ignore[arg-type]
    Parameter(KEY, "Client key", help="In PEM, without a passphrase.", **_BLANK),  # type: ignore[arg-type]
)


@contextmanager
def files(settings: Mapping[str, Any]) -> Iterator[dict[str, str]]:
    """The given ones as files that nobody else may read, by the names of the parameters; gone afterwards.

    Raises:
        Misconfigured: what was pasted is no PEM, or a certificate came without its key.
    """
    given = {parameter.name: settings.get(parameter.name) or "" for parameter in PARAMETERS}
    for parameter in PARAMETERS:
        if given[parameter.name] and "-----BEGIN " not in given[parameter.name]:
            raise Misconfigured(
                "source_ssl", f"{parameter.label} is not in PEM: it must start with -----BEGIN.", where=parameter.name
            )
    if bool(given[CERTIFICATE]) != bool(given[KEY]):
        raise Misconfigured(
            "source_ssl", "A client certificate needs its key, and a key its certificate.", where=CERTIFICATE
        )
    with tempfile.TemporaryDirectory(prefix="source-") as home:
        paths = {name: Path(home) / name for name, pem in given.items() if pem}
        for name, path in paths.items():
            path.touch(mode=0o600)
            path.write_text(given[name].strip() + "\n")
        yield {name: str(path) for name, path in paths.items()}
