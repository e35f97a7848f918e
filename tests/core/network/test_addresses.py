"""Which addresses connections may go to: reserved ones never, and the others as the installation decides."""

from __future__ import annotations

import pytest

from core.network.addresses import Policy, is_reserved, networks

ANY = Policy()


@pytest.mark.parametrize(
    "address",
    [
        "169.254.169.254",
        "169.254.170.2",
        "fe80::1",
        "fd00:ec2::254",
        "fd20:ce::254",
        "100.100.100.200",
        "168.63.129.16",
        "192.0.0.192",
        "::ffff:169.254.169.254",
        "::169.254.169.254",
        "64:ff9b::a9fe:a9fe",
        "64:ff9b:1::a9fe:a9fe",
        "2002:a9fe:a9fe::1",
        "224.0.0.1",
        "ff02::1",
        "0.0.0.0",
        "0.1.2.3",
        "255.255.255.255",
        "::",
        "::ffff:0.0.0.0",
    ],
)
def test_reserved_address_is_refused_even_where_it_is_allowed(address: str) -> None:
    assert is_reserved(address)
    assert not ANY.permits(address)
    assert not Policy(allowed=networks(["0.0.0.0/0", "::/0"])).permits(address)


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "10.1.2.3", "192.168.1.1", "203.0.113.7", "2001:db8::1"])
def test_usual_address_is_permitted_unless_it_is_refused(address: str) -> None:
    assert not is_reserved(address)
    assert ANY.permits(address)
    assert not Policy(refused=networks(["0.0.0.0/0", "::/0"])).permits(address)
    assert not Policy(networks([address]), networks([address])).permits(address)
    assert not Policy(allowed=networks(["198.51.100.0/24"])).permits(address)
    assert Policy(allowed=networks([address])).permits(address)


def test_refused_network_can_not_be_reached_by_its_other_spelling() -> None:
    policy = Policy(refused=networks(["10.0.0.0/8"]))
    assert not policy.permits("::ffff:10.0.0.1")
    assert not policy.permits("64:ff9b::10.0.0.1")


def test_what_is_no_network_is_refused() -> None:
    with pytest.raises(ValueError, match="example"):
        networks(["example.com"])
