"""The platforms, services and sample records of this installation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.plugins import Registry

if TYPE_CHECKING:
    from destinations.conformance import Sample
    from destinations.contract import Platform, Service

platforms: Registry[Platform] = Registry("destinations.services", "PLATFORMS", "platform")
services: Registry[Service] = Registry("destinations.services", "SERVICES", "service")
samples: Registry[Sample] = Registry("destinations.services", "SAMPLES", "sample")
