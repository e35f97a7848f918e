"""Every registered service passes every check of the conformance suite."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from destinations.conformance.suite import CHECKS, NotApplicable
from destinations.registry import services
from tests.destinations.contract.shapes import shapes_of, violations

if TYPE_CHECKING:
    from destinations.conformance.suite import Check, Suite


@pytest.mark.parametrize("slug", sorted(services.all))
@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.name)
def test_service_conforms(suites: dict[str, Suite], slug: str, check: Check) -> None:
    suite = suites[slug]
    try:
        suite.run(check)
    except NotApplicable as reason:
        pytest.skip(str(reason))
    # Of a check that sends a read-only attribute on purpose, the requests are not documented ones.
    if check.rule != "read_only_attributes_are_rejected_by_the_simulator":
        shapes = shapes_of(services[slug].platform.slug)
        assert list(violations(shapes, suite.server.sandbox.log)) == []
