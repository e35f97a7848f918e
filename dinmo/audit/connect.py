"""Connects the audit log to the floors below, when it is imported."""

from core import audit
from dinmo.audit import sign_in, signals
from dinmo.audit.recorder import Recorder

audit.listen(Recorder())
signals.connect()
sign_in.connect()
