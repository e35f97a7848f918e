"""Email addresses, domains, phone numbers and countries: one rule for all vendors."""

from __future__ import annotations

from typing import TYPE_CHECKING

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import Rejected
from destinations.contract import Field, Origin
from destinations.kit.shared_hosts import VARIABLE, shared_hosts
from destinations.kit.values import countries, domains, emails, phones
from destinations.registry import services

if TYPE_CHECKING:
    from pathlib import Path

EMAIL = {
    "attio.people": Field("email_addresses", "Email addresses", "email-address", multiple=True, matchable=True),
    "intercom.contacts": Field("email", "Email", "string", unique=True, matchable=True),
}
PHONE = {
    "attio.people": Field("phone_numbers", "Phone numbers", "phone-number", multiple=True),
    "intercom.contacts": Field("phone", "Phone", "string"),
}


@pytest.mark.parametrize("slug", EMAIL)
@pytest.mark.parametrize(
    ("given", "address"),
    [
        ("ada@acme.com", "ada@acme.com"),
        (" ada@acme.com ", "ada@acme.com"),
        ("mailto:shaq@d.co", "shaq@d.co"),
        ("MAILTO:shaq@d.co?subject=Hi", "shaq@d.co"),
        ("ada@acme.com.", "ada@acme.com"),
        ("<ada@acme.com>", "ada@acme.com"),
        ("Ada Lovelace <ada@acme.com>", "ada@acme.com"),
        ('"Jane" <jane@b.co>', "jane@b.co"),
        ('"Doe, Jane" <jane@b.co>', "jane@b.co"),
        ("Doe, Jane <jane@b.co>", "jane@b.co"),
        ("jane@b.co <jane@b.co>", "jane@b.co"),
        ("bruce+vip@c.co", "bruce+vip@c.co"),
        ("o'neil@c.co", "o'neil@c.co"),
    ],
)
def test_every_vendor_gets_the_cleaned_address(slug: str, given: str, address: str) -> None:
    wire = services[slug].convert(EMAIL[slug], given)
    assert (wire[0] if isinstance(wire, list) else wire) == address


@pytest.mark.parametrize("slug", EMAIL)
@pytest.mark.parametrize(
    "given",
    ["c@localhost", "ada at acme.com", "a@b@c.co", "@acme.com", "ada@", "ada@acme..com", "ada@1.2.3.4", "<ada>"],
)
def test_no_vendor_gets_what_is_not_an_address(slug: str, given: str) -> None:
    with pytest.raises(Rejected) as caught:
        services[slug].convert(EMAIL[slug], given)
    assert given not in caught.value.message


def test_two_addresses_are_a_list_for_a_list_and_invalid_for_a_single_value() -> None:
    service, field = services["attio.people"], EMAIL["attio.people"]
    assert service.convert(field, 'a@f.co; "B, C" <b@f.co>') == ["a@f.co", "b@f.co"]
    for slug, single in (("attio.people", Field("email", "Email", "email-address")), *list(EMAIL.items())[1:]):
        with pytest.raises(Rejected, match="one email address"):
            services[slug].convert(single, "a@f.co; b@f.co")


@given(st.emails())
def test_an_address_with_a_name_around_it_is_the_same_address(address: str) -> None:
    assert emails.normalized(f'"X, Y" <{address}>') == emails.normalized(address) == emails.normalized(f"{address}.")


@given(st.text(alphabet='ab@.,;<>" |\n\x00', max_size=14))
def test_any_text_is_one_address_or_none(text: str) -> None:
    address = emails.address(text)
    assert address is None or (address.count("@") == 1 and emails.address(address) == address)
    assert all(isinstance(piece, str) for piece in emails.split(text))


@pytest.mark.parametrize(
    "page",
    [
        "linkedin.com/company/acme",
        "https://www.linkedin.com/company/acme/",
        "fr.linkedin.com/company/acme",
        "https://m.facebook.com/acme",
        "facebook.com?id=7",
        "sites.google.com/view/acme",
        "x.com/acme",
        "twitter.com/#!/acme",
        "github.com/acme",
        "acme.wixsite.com/home",
        "http://user@instagram.com:80/acme",
    ],
)
def test_page_on_a_shared_host_is_not_a_domain_of_a_company(page: str) -> None:
    service, field = services["attio.companies"], Field("domains", "Domains", "domain", multiple=True, matchable=True)
    reference = Field("company", "Company", "record-reference", config={"target_object": "companies"})
    for target, value in ((field, page), (field, [page]), (reference, page)):
        with pytest.raises(Rejected) as caught:
            service.convert(target, value)
        assert caught.value.code == "domain_shared"
        assert page not in caught.value.message


@pytest.mark.parametrize(
    ("address", "host"),
    [
        ("linkedin.com", "linkedin.com"),
        ("https://www.linkedin.com/", "linkedin.com"),
        ("acme.myshopify.com/products", "acme.myshopify.com"),
        ("acme.github.io/docs", "acme.github.io"),
        ("netflix.com/acme", "netflix.com"),
        ("acme.etsy.com/shop", "acme.etsy.com"),
        ("notlinkedin.com/company/acme", "notlinkedin.com"),
    ],
)
def test_own_domain_of_a_platform_or_of_a_tenant_is_kept(address: str, host: str) -> None:
    field = Field("domains", "Domains", "domain", multiple=True, matchable=True)
    assert services["attio.companies"].convert(field, address) == [host]


def test_installation_can_have_its_own_list_of_shared_hosts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = tmp_path / "shared.txt"
    own.write_text("# ours\n*.directory.example\n", "utf-8")
    monkeypatch.setenv(VARIABLE, str(own))
    shared_hosts.cache_clear()
    try:
        assert domains.is_shared_page("eu.directory.example/acme")
        assert not domains.is_shared_page("linkedin.com/company/acme")
    finally:
        monkeypatch.undo()
        shared_hosts.cache_clear()


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ("FR", "FR"), ("gb", "GB"), ("UK", "GB"), ("USA", "US"), ("GBR", "GB"), ("United States", "US"),
        ("united states of america", "US"), ("The Netherlands", "NL"), ("Cote d'Ivoire", "CI"), ("South Korea", "KR"),
        ("Korea, Republic of", "KR"), ("Russia", "RU"), ("Turkey", "TR"), ("Czech Republic", "CZ"), ("XK", "XK"),
        ("XX", None), ("EU", None), ("Atlantis", None), ("", None), ("U", None),
    ],
)  # fmt: skip
def test_countries_are_found_by_code_and_name(given: str, code: str | None) -> None:
    assert countries.alpha2(given) == code


@given(st.sampled_from(sorted(countries.names().items())))
def test_every_country_is_found_by_the_name_that_is_shown(entry: tuple[str, str]) -> None:
    code, name = entry
    assert countries.alpha2(name) == countries.alpha2(code) == code


@pytest.mark.parametrize("slug", PHONE)
@pytest.mark.parametrize("value", ["01 42 68 53 00", 142685300, "0033142685300", "+33 1 42 68 53 00"])
def test_number_of_the_chosen_country_is_sent_in_e164(slug: str, value: str | int) -> None:
    wire = services[slug].convert(PHONE[slug], value, Origin(country="FR"))
    assert (wire[0] if isinstance(wire, list) else wire) == "+33142685300"


@pytest.mark.parametrize("slug", PHONE)
def test_number_that_the_chosen_country_does_not_have_is_invalid(slug: str) -> None:
    with pytest.raises(Rejected, match="of the country FR"):
        services[slug].convert(PHONE[slug], "12", Origin(country="FR"))


def test_number_that_lost_its_last_digits_is_not_sent() -> None:
    assert phones.e164(33142700000.0, "", "3.31427E+10") is None
    assert phones.e164(33142685300.0, "FR", "33142685300.0") == "+33142685300"


@given(st.sampled_from(sorted(phonenumbers.SUPPORTED_REGIONS)))
def test_every_national_example_becomes_international(region: str) -> None:
    example = phonenumbers.example_number(region)
    assert example
    national = phonenumbers.format_number(example, phonenumbers.PhoneNumberFormat.NATIONAL)
    international = phonenumbers.format_number(example, phonenumbers.PhoneNumberFormat.E164)
    assert phones.e164(national, region) == phones.e164(international) == international
