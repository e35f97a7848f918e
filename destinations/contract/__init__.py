"""What a platform and a service must provide: the import path of plug-ins.

A service folder imports `destinations.contract`, `destinations.conformance`, `destinations.kit` and `core`, and no
other package of this project. Its simulator also imports `destinations.sandbox`.
"""

from __future__ import annotations

from destinations.contract.fields import NO_ORIGIN, Field, NewField, Option, Origin, Wire, type_words
from destinations.contract.held import Author, Held, Writer, records
from destinations.contract.limits import LONGEST_PAUSE_SECONDS, Gate, Limits, OpenGate, Purpose, Quota
from destinations.contract.operations import Created, Mode, Operation, Outcome, Result, Verb
from destinations.contract.plain import Plain
from destinations.contract.platform import Client, Platform, Workspace
from destinations.contract.reveal import Candidate, Revealed, Reveals
from destinations.contract.service import Service

__all__ = [
    "LONGEST_PAUSE_SECONDS",
    "NO_ORIGIN",
    "Author",
    "Candidate",
    "Client",
    "Created",
    "Field",
    "Gate",
    "Held",
    "Limits",
    "Mode",
    "NewField",
    "OpenGate",
    "Operation",
    "Option",
    "Origin",
    "Outcome",
    "Plain",
    "Platform",
    "Purpose",
    "Quota",
    "Result",
    "Revealed",
    "Reveals",
    "Service",
    "Verb",
    "Wire",
    "Workspace",
    "Writer",
    "records",
    "type_words",
]
