"""`manage.py conformance`: what it prints, and how it exits."""

from __future__ import annotations

from io import StringIO
from typing import TYPE_CHECKING

import pytest
from django.core.management import CommandError, call_command

from destinations.registry import services
from tests.destinations.contract.mutants import MISTAKES, NIMBUS
from tests.plugins.registered import registered

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(autouse=True)
def third_vendor() -> Iterator[None]:
    with registered():
        yield


def conformance(*arguments: str) -> tuple[str, int]:
    """What the command prints, and its exit code."""
    output, code = StringIO(), 0
    try:
        call_command("conformance", *arguments, stdout=output)
    except SystemExit as ended:
        code = int(str(ended.code))
    return output.getvalue(), code


def test_service_that_passes_is_reported_with_the_number_of_checks() -> None:
    text, code = conformance(NIMBUS)
    assert text.startswith("nimbus.accounts passes ")
    assert code == 0


def test_finding_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    slug, plant = MISTAKES[f"{NIMBUS} options_are_lost"]
    monkeypatch.setitem(services.all, slug, plant(services[slug]))
    text, code = conformance(slug, "--first")
    assert text.startswith("nimbus.accounts options_are_complete\n")
    assert "Field.options" in text
    assert code == 1


def test_unknown_service_is_named() -> None:
    with pytest.raises(CommandError, match=r"no service 'nimbus\.things'") as refused:
        conformance("nimbus.things")
    assert refused.value.returncode == 64
