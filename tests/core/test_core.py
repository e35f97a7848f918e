"""The ground floor: parameters, plug-ins, secrets and HTTP headers."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st

from core import http
from core.errors import Misconfigured
from core.parameters import Parameter, clean, mapping_text
from core.plugins import Registry, refuse_duplicates
from core.secrets import LogFormatter, redact
from destinations.models import Connection

HOST = Parameter("host", "Host")
PORT = Parameter("port", "Port", "integer", default=5432)
PASSWORD = Parameter("password", "Password", "secret", required=False)


def test_parameters_are_split_into_plain_and_secret() -> None:
    plain, secret = clean([HOST, PORT, PASSWORD], {"host": " db ", "password": "x"})
    assert (plain, secret) == ({"host": "db", "port": 5432}, {"password": "x"})


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({}, "parameter_missing"),
        ({"host": "a", "port": "x"}, "parameter_invalid"),
        ({"host": "a", "hots": "b"}, "parameter_unknown"),
    ],
)
def test_invalid_parameter_is_reported_by_name(values: dict[str, str], code: str) -> None:
    with pytest.raises(Misconfigured) as caught:
        clean([HOST, PORT], values)
    assert caught.value.code == code
    assert caught.value.where in ("host", "port", "hots")


def test_plugins_with_the_same_slug_are_refused() -> None:
    class Plugin:
        slug = "same"

    with pytest.raises(ValueError, match="same"):
        refuse_duplicates([Plugin(), Plugin()])


def test_error_for_an_unknown_plugin_lists_the_known_ones() -> None:
    registry: Registry[object] = Registry("segments.engines", "ENGINES", "engine")
    with pytest.raises(Misconfigured) as caught:
        registry["oracle"]
    assert caught.value.code == "engine_unknown"
    assert "sqlite" in caught.value.message


@pytest.mark.django_db
def test_secrets_are_not_readable_in_the_database() -> None:
    created = Connection.objects.create(name="Ours", platform="attio", secrets={"token": "open-sesame"})
    with connection.cursor() as cursor:
        cursor.execute("SELECT secrets FROM destinations_connection")
        stored = cursor.fetchone()[0]
    assert "open-sesame" not in stored
    assert Connection.objects.get(pk=created.pk).settings == {"token": "open-sesame"}


@pytest.mark.django_db
def test_secrets_written_with_an_old_key_are_readable_after_rotation(settings: object) -> None:
    created = Connection.objects.create(name="Ours", platform="attio", secrets={"token": "x"})
    settings.ENCRYPTION_KEYS = [Fernet.generate_key().decode(), *settings.ENCRYPTION_KEYS]  # type: ignore[attr-defined]
    assert Connection.objects.get(pk=created.pk).secrets == {"token": "x"}


@pytest.mark.django_db
def test_lost_key_is_reported_as_a_problem(settings: object) -> None:
    created = Connection.objects.create(name="Ours", platform="attio", secrets={"token": "x"})
    settings.ENCRYPTION_KEYS = [Fernet.generate_key().decode()]  # type: ignore[attr-defined]
    with pytest.raises(Misconfigured) as caught:
        Connection.objects.get(pk=created.pk)
    assert caught.value.code == "encryption_key_lost"


@pytest.mark.parametrize(
    ("least", "most", "expected"),
    [
        (1, 9, "Port must be a whole number from 1 to 9."),
        (1, None, "Port must be a whole number, 1 or more."),
        (None, 9, "Port must be a whole number, 9 or less."),
    ],
)
def test_number_out_of_range_is_reported_with_the_range(least: int | None, most: int | None, expected: str) -> None:
    port = Parameter("port", "Port", "integer", least=least, most=most)
    with pytest.raises(Misconfigured) as caught:
        port.clean(0 if most is None else 10)
    assert caught.value.message == expected


@pytest.mark.parametrize(
    "text",
    [
        "Authorization: Bearer s3cret.token-x",
        "token=s3cret.token-x",
        '{"password": "s3cret.token-x"}',
        "postgres://u:s3cret.token-x@host/db",
    ],
)
def test_credentials_never_reach_the_log(text: str) -> None:
    assert "s3cret" not in redact(text)
    record = logging.LogRecord("x", logging.INFO, "", 0, "received %s", (text,), None)
    assert "s3cret" not in LogFormatter().format(record)


NOW = datetime(2026, 5, 23, 14, 42, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("3", 3.0),
        ("0.5", 0.5),
        ("Sat, 23 May 2026 14:42:01 GMT", 1.0),
        ("Sat, 23 May 2026 14:41:00 GMT", 0.0),
        ("soon", None),
        ("", None),
    ],
)
def test_retry_after_is_parsed_as_seconds_and_as_a_date(value: str, seconds: float | None) -> None:
    assert http.retry_after({"Retry-After": value}, NOW) == seconds


TYPES = Parameter("types", "Types", "mapping", required=False, choices=(("text", "Text"), ("number", "Number")))


@pytest.mark.parametrize(
    ("value", "cleaned"),
    [
        ("zip: text\n\n price :number \n", {"zip": "text", "price": "number"}),
        ("at: home: text", {"at: home": "text"}),
        ({"zip": "text", 7: "number"}, {"zip": "text", "7": "number"}),
        ("", None),
        ("\n \n", None),
    ],
)
def test_mapping_is_read_from_lines_or_from_a_mapping(value: Any, cleaned: dict[str, str] | None) -> None:
    assert TYPES.clean(value) == cleaned


@pytest.mark.parametrize(
    ("value", "excerpt"),
    [
        ("zip", "line 1 is not"),
        ("zip: text\n: text", "line 2 is not"),
        ("zip: integer", "one of text, number for each name, but it is not for “zip”"),
        ({"zip": ["text"]}, "not for “zip”"),
        ("zip: text\nzip: number", "“zip” is listed twice"),
        (7, "a list of names"),
    ],
)
def test_invalid_mapping_is_refused_with_its_place(value: Any, excerpt: str) -> None:
    with pytest.raises(Misconfigured) as refused:
        TYPES.clean(value)
    assert excerpt in refused.value.message


@given(
    st.dictionaries(
        st.text("ab: =#'", min_size=1).filter(str.strip).map(str.strip), st.sampled_from(["text", "number"])
    )
)
def test_mapping_survives_its_text(mapping: dict[str, str]) -> None:
    assert TYPES.clean(mapping_text(mapping)) == (mapping or None)
