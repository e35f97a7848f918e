"""What activations store: configuration, runs, changes, the baseline and warnings. Import the models from here."""

from activations.models.activation import PERCENT, Activation
from activations.models.alert import Alert, AlertChannel
from activations.models.attach import AttachContacts, Attachment, HiddenRecord
from activations.models.baseline import Generation, MatchValue, Record
from activations.models.change import Bundle, Change, Exchange, HeldPlan, HeldValues, VendorTimes
from activations.models.draft import Draft
from activations.models.drift import Drift, LeftValue
from activations.models.field_mapping import FieldMapping, MappedField
from activations.models.pause import SystemPause
from activations.models.run import Run
from activations.models.schedule import BeatLease, Schedule, SkippedSlot
from activations.models.trigger_token import TriggerRequest, TriggerToken
from activations.models.warning import Warning

__all__ = [
    "PERCENT",
    "Activation",
    "Alert",
    "AlertChannel",
    "AttachContacts",
    "Attachment",
    "BeatLease",
    "Bundle",
    "Change",
    "Draft",
    "Drift",
    "Exchange",
    "FieldMapping",
    "Generation",
    "HeldPlan",
    "HeldValues",
    "HiddenRecord",
    "LeftValue",
    "MappedField",
    "MatchValue",
    "Record",
    "Run",
    "Schedule",
    "SkippedSlot",
    "SystemPause",
    "TriggerRequest",
    "TriggerToken",
    "VendorTimes",
    "Warning",
]
