"""The certificates of a connection: pasted as text, stored as secrets, and files only while a connection is opened."""

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
_OPTIONAL_SECRET = {"kind": "secret", "required": False, "lines": True}
PARAMETERS = (
    Parameter(
        CA,
        "CA certificate",
        help="In PEM format. If empty, the certificate authorities that this machine trusts are used.",
        public=True,
        **_OPTIONAL_SECRET,  # type: ignore[arg-type]
    ),
    Parameter(CERTIFICATE, "Client certificate", help="In PEM format, if the server requires one.", **_OPTIONAL_SECRET),  # type: ignore[arg-type]
    Parameter(KEY, "Client key", help="In PEM format, without a passphrase.", **_OPTIONAL_SECRET),  # type: ignore[arg-type]
)


@contextmanager
def files(settings: Mapping[str, Any]) -> Iterator[dict[str, str]]:
    """The given certificates as private files, by parameter name. The files are deleted afterwards.

    Raises:
        Misconfigured: a value is not in PEM format, or a certificate and its key are not both given.
    """
    pems = {parameter.name: settings.get(parameter.name) or "" for parameter in PARAMETERS}
    for parameter in PARAMETERS:
        if pems[parameter.name] and "-----BEGIN " not in pems[parameter.name]:
            raise Misconfigured(
                "source_ssl",
                f"{parameter.label} is not in PEM format: it must start with -----BEGIN.",
                where=parameter.name,
            )
    if bool(pems[CERTIFICATE]) != bool(pems[KEY]):
        raise Misconfigured(
            "source_ssl",
            "A client certificate and its key belong together. Add the one that is missing, or remove the other.",
            where=CERTIFICATE,
        )
    with tempfile.TemporaryDirectory(prefix="source-") as folder:
        paths = {name: Path(folder) / name for name, pem in pems.items() if pem}
        for name, path in paths.items():
            path.touch(mode=0o600)
            path.write_text(pems[name].strip() + "\n")
        yield {name: str(path) for name, path in paths.items()}
