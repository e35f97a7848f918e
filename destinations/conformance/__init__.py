"""The conformance suite for services: what every service must do, tested against its platform's simulator.

A service folder imports this package for its sample records only. The checks themselves, in the other modules, need
the simulator and run in tests and in `manage.py conformance`.
"""

from destinations.conformance.sample import Attachable, Demo, Example, Sample, VendorError

__all__ = ["Attachable", "Demo", "Example", "Sample", "VendorError"]
