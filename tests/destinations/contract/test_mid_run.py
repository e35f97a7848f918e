"""Changes that people make at the vendor while a run is in progress."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.errors import Misconfigured

if TYPE_CHECKING:
    from tests.destinations.contract.case import Case


def test_token_revoked_during_a_run_is_a_misconfiguration(case: Case) -> None:
    case.write(1)
    case.sandbox._switch({**case.sample.revoke})
    assert isinstance(case.problem(lambda: case.write(2)), Misconfigured)
    assert isinstance(case.problem(lambda: case.service.platform.check(case.client)), Misconfigured)
    assert len(case.records()) == 1


def test_attribute_archived_during_a_run_is_named(case: Case) -> None:
    case.write(1)
    case.archive()
    problem = case.problem(lambda: case.write(2))
    assert isinstance(problem, Misconfigured)
    assert problem.where == case.sample.custom
    assert len(case.records()) == 1


def test_archived_attribute_can_no_longer_be_chosen(case: Case) -> None:
    assert case.discovered()[case.sample.custom].writable
    case.archive()
    archived = case.discovered().get(case.sample.custom)
    assert archived is None or not archived.writable
