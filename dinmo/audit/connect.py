"""Registers the audit log with the lower layers on import."""

from core import audit
from dinmo.audit import sign_in, signals
from dinmo.audit.recorder import Recorder

audit.listen(Recorder())
signals.connect()
sign_in.connect()
