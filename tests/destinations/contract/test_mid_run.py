"""What a person changes at the vendor while a run is under way."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.errors import Misconfigured

if TYPE_CHECKING:
    from tests.destinations.contract.case import Case


def test_a_token_revoked_in_mid_run_is_a_setting_to_mend(case: Case) -> None:
    case.write(1)
    case.sandbox._switch({**case.sample.revoke})
    assert isinstance(case.refused(lambda: case.write(2)), Misconfigured)
    assert isinstance(case.refused(lambda: case.service.platform.check(case.client)), Misconfigured)
    assert len(case.records()) == 1


def test_an_attribute_archived_in_mid_run_is_named(case: Case) -> None:
    case.write(1)
    case.archive()
    problem = case.refused(lambda: case.write(2))
    assert isinstance(problem, Misconfigured)
    assert problem.where == case.sample.custom
    assert len(case.records()) == 1


def test_an_archived_attribute_can_no_longer_be_chosen(case: Case) -> None:
    assert case.discovered()[case.sample.custom].writable
    case.archive()
    archived = case.discovered().get(case.sample.custom)
    assert archived is None or not archived.writable
