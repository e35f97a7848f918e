"""Normalizing domains: all spellings of a domain give the same text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from destinations.services.attio.values.domains import normalize, root_domain, spellings

LABEL = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,10}[a-z0-9])?", fullmatch=True)
HOST = st.builds(
    lambda label, end: f"{label}.{end}",
    LABEL.filter(lambda label: label != "www"),
    st.sampled_from(["com", "co.uk", "fr", "io"]),
)


@pytest.mark.parametrize(
    ("text", "host"),
    [
        ("acme.com", "acme.com"),
        (" ACME.com. ", "acme.com"),
        ("https://www.acme.com/about?x=1#top", "acme.com"),
        ("http://user:secret@acme.com:8080/", "acme.com"),
        ("//acme.com", "acme.com"),
        ("acme.com:443", "acme.com"),
        ("acme.com?ref=1", "acme.com"),
        ("www.www.acme.com", "acme.com"),
        ("app.attio.com", "app.attio.com"),
        ("www.com", "www.com"),
        ("www.co.uk", "www.co.uk"),
        ("Müller.de", "xn--mller-kva.de"),
        ("XN--MLLER-KVA.de", "xn--mller-kva.de"),
        ("straße.de", "xn--strae-oqa.de"),
        ("例え.jp", "xn--r8jz45g.jp"),
        ("acme。com", "acme.com"),
        ("r3---sn.googlevideo.com", "r3---sn.googlevideo.com"),
        ("company.example", "company.example"),
    ],
)
def test_spellings_of_a_domain(text: str, host: str) -> None:
    assert normalize(text) == host


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "acme",
        "n/a",
        "bob@acme.com",
        "acme .com",
        "192.168.0.1",
        "acme..com",
        "-acme.com",
        "a_b.com",
        "." * 5,
        "x" * 64 + ".com",
        "https://",
        ".com",
        "acme.com,beta.com",
        "\ud800.com",
        "a" * 300 + ".com",
    ],
)
def test_invalid_domains_are_rejected(text: str) -> None:
    with pytest.raises(ValueError, match="not a domain"):
        normalize(text)


@given(
    HOST,
    st.sampled_from(["", "http://", "https://", "HTTPS://"]),
    st.sampled_from(["", "www.", "WWW."]),
    st.sampled_from(["", "."]),
    st.sampled_from(["", ":80", ":8443"]),
    st.sampled_from(["", "/", "/a/b?c=d", "?x", "#y"]),
)
def test_scheme_port_and_path_do_not_change_the_domain(
    host: str, scheme: str, www: str, dot: str, port: str, path: str
) -> None:
    assert normalize(scheme + www + host.upper() + dot + port + path) == host


@given(st.text())
def test_normalizing_is_idempotent_and_raises_only_value_error(text: str) -> None:
    try:
        once = normalize(text)
    except ValueError as error:
        assert str(error) == "not a domain"
    else:
        assert normalize(once) == once
        assert once.isascii()
        assert once == once.lower()


def test_root_domain_follows_the_public_suffix_list() -> None:
    assert root_domain("app.attio.co.uk") == "attio.co.uk"
    assert root_domain("attio.com") == "attio.com"


def test_lookup_covers_every_form_in_which_attio_may_store_a_domain() -> None:
    assert list(spellings("xn--mller-kva.de")) == ["xn--mller-kva.de", "müller.de", "www.xn--mller-kva.de"]
    assert list(spellings("acme.com")) == ["acme.com", "www.acme.com"]
    assert list(spellings("app.acme.com")) == ["app.acme.com"]
