"""What activations store: configuration, runs, changes, the baseline and warnings. Import the models from here."""

from activations.models.activation import PERCENT, Activation, FieldMapping
from activations.models.baseline import Generation, MatchValue, Record
from activations.models.change import Bundle, Change, Exchange
from activations.models.draft import Draft
from activations.models.run import MappedField, Run
from activations.models.schedule import Schedule
from activations.models.warning import Warning

__all__ = [
    "PERCENT",
    "Activation",
    "Bundle",
    "Change",
    "Draft",
    "Exchange",
    "FieldMapping",
    "Generation",
    "MappedField",
    "MatchValue",
    "Record",
    "Run",
    "Schedule",
    "Warning",
]
