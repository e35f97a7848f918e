"""Which platforms and services this installation has."""

from __future__ import annotations

from core.plugins import Registry
from destinations.conformance import Sample
from destinations.contract import Platform, Service

platforms: Registry[Platform] = Registry("destinations.services", "PLATFORMS", "platform")
services: Registry[Service] = Registry("destinations.services", "SERVICES", "service")
samples: Registry[Sample] = Registry("destinations.services", "SAMPLES", "sample")
