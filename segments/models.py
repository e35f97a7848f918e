"""What is read: sources, models with their columns, and segments of models."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.core.validators import MinLengthValidator
from django.db import models
from django.db.models import F, Q

from core.health import Health
from core.secrets import EncryptedJSONField

if TYPE_CHECKING:
    from collections.abc import Collection

WHOLE = ""
"""Stands among the columns for a problem of the whole model, e.g. that its table is gone."""


class Source(Health):
    """A place where rows are read: a database or a file. Never written to."""

    name = models.CharField(max_length=200, unique=True)
    engine = models.CharField(max_length=40)
    config = models.JSONField(default=dict, blank=True)
    secrets = EncryptedJSONField(default=dict, blank=True, editable=False)
    timezone = models.CharField(
        max_length=64, default="UTC", help_text="The zone of dates with a time but without a zone, e.g. Europe/Paris."
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    @property
    def settings(self) -> dict[str, Any]:
        """Plain configuration and secrets together, as the engine takes them."""
        return {**self.config, **self.secrets}


class Catalog(models.Model):
    """The tables of a source with their columns, as they were last listed. A row of its own, since it may be large."""

    source = models.OneToOneField(Source, models.CASCADE, related_name="catalog")
    tables = models.JSONField(default=list)
    read_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"Tables of {self.source}"


class DataModel(models.Model):
    """One table or one SQL query of a source, with a primary key: what its rows are."""

    class Kind(models.TextChoices):
        USERS = "users", "Users: a row is a person"
        EVENTS = "events", "Events: a row is something that happened"
        CUSTOM = "custom", "Custom: companies, deals, products, anything else"

    name = models.CharField(max_length=200, unique=True)
    source = models.ForeignKey(Source, models.PROTECT, related_name="models")
    kind = models.CharField(max_length=10, choices=Kind.choices, default=Kind.CUSTOM)
    table = models.CharField(max_length=400, blank=True, help_text="A table or view. Leave empty for a SQL query.")
    sql = models.TextField("SQL", blank=True, help_text="One read-only SELECT. Leave empty for a table.")
    primary_key = models.CharField(max_length=200, validators=[MinLengthValidator(1)])
    key_warning = models.TextField(
        blank=True, editable=False, help_text="What the last check of the primary key found."
    )
    problems = models.JSONField(
        default=dict,
        blank=True,
        editable=False,
        help_text="What the source has changed under columns that are used, by their names.",
    )
    checked_at = models.DateTimeField(null=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["name"]
        verbose_name = "model"
        constraints = [
            models.CheckConstraint(
                condition=(Q(table="") & ~Q(sql="")) | (~Q(table="") & Q(sql="")),
                name="model_is_table_or_sql",
                violation_error_message="Give a table or a SQL query, not both.",
            )
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def problem(self) -> str:
        """What the source has changed under columns that something uses, in words; "" where nothing is wrong."""
        return self.problem_of(self.problems)

    def problem_of(self, columns: Collection[str]) -> str:
        """The same of what is wrong with some of the columns, or with all of the model."""
        if WHOLE in self.problems:
            return str(self.problems[WHOLE])
        said = [words for name, words in self.problems.items() if name in columns]
        return f"The source has changed: {'; '.join(said)}." if said else ""

    def column_types(self) -> dict[str, str]:
        """Name → type (a value of `contract.ColumnType`) of the columns that are ticked, in the source's order; computed ones last."""
        return dict(self.columns.filter(used=True).values_list("name", "type"))

    def source_types(self) -> dict[str, str]:
        """The same of the columns that the source has: only these can be a key, match records or relate models."""
        return dict(self.columns.filter(used=True, definition={}).values_list("name", "type"))

    def source_columns(self) -> dict[str, Column]:
        """The source's own name → column, of all that the source has."""
        return {column.source_name: column for column in self.columns.all() if not column.definition}

    def computed_fields(self) -> list[Column]:
        """The columns that are worked out, in their order: each may use those above it."""
        return [column for column in self.columns.all() if column.definition]


FIRST_COMPUTED = 100_000
"""The position of the first computed field: behind all columns that a source may yet gain."""


class Column(models.Model):
    """A column of a model as it was last discovered in the source, and as the model shows it; or one that is worked out."""

    model = models.ForeignKey(DataModel, models.CASCADE, related_name="columns")
    name = models.CharField(max_length=200)
    origin = models.CharField("in the source", max_length=200, blank=True, editable=False)
    used = models.BooleanField(default=True, help_text="Offered in conditions and mappings.")
    categorical = models.BooleanField(
        default=False, help_text="Has few different values: segments can be broken down by it."
    )
    type = models.CharField(max_length=20)
    native = models.CharField(max_length=200, blank=True)
    nullable = models.BooleanField(default=True)
    position = models.PositiveIntegerField(default=0)
    definition = models.JSONField(default=dict, blank=True)
    """Of a computed field, see `segments.conditions.computed_fields`; empty for a column of the source."""

    class Meta:
        ordering = ["position"]
        constraints = [models.UniqueConstraint(fields=["model", "name"], name="column_once")]

    def __str__(self) -> str:
        return self.name

    @property
    def source_name(self) -> str:
        """The source's own name for it; `origin` holds it where the model has another."""
        return self.origin or self.name


class ComputedField(Column):
    """A column that is worked out from others: an aggregate over related rows, or a label by conditions."""

    class Meta:
        proxy = True
        verbose_name = "computed field"


class Relation(models.Model):
    """Rows of one model belong to a row of another: the values of two columns are equal. Seen and used from either side."""

    from_model = models.ForeignKey(DataModel, models.CASCADE, related_name="relations", verbose_name="model")
    from_column = models.CharField(
        max_length=200, help_text="E.g. company_id of orders: many rows may share one value."
    )
    to_model = models.ForeignKey(DataModel, models.CASCADE, related_name="relations_here", verbose_name="belongs to")
    to_column = models.CharField(max_length=200, help_text="E.g. id of companies: each row has its own value.")

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["from_model", "from_column", "to_model", "to_column"], name="relation_once"
            ),
            models.CheckConstraint(condition=~Q(from_model=F("to_model")), name="relation_of_two_models"),
        ]

    def __str__(self) -> str:
        return f"{self.name} → {self.to_model.name}.{self.to_column}"

    @property
    def name(self) -> str:
        """What a condition calls it."""
        return f"{self.from_model.name}.{self.from_column}"


class Segment(models.Model):
    """The rows of a model that meet a tree of conditions."""

    name = models.CharField(max_length=200, unique=True)
    model = models.ForeignKey(DataModel, models.PROTECT, related_name="segments")
    where = models.JSONField("conditions", default=dict, blank=True)
    limit = models.JSONField("size limit", default=dict, blank=True)
    description = models.TextField(blank=True)
    tags = models.JSONField(default=list, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class SegmentSize(models.Model):
    """How many rows a segment held on a day, as it was counted last on it."""

    segment = models.ForeignKey(Segment, models.CASCADE, related_name="sizes")
    day = models.DateField()
    rows = models.PositiveBigIntegerField()

    class Meta:
        ordering = ["day"]
        constraints = [models.UniqueConstraint(fields=["segment", "day"], name="one_size_a_day")]

    def __str__(self) -> str:
        return f"{self.rows} on {self.day}"


class Question(models.Model):
    """What a page asked last: an answer that is still being worked on for an earlier number is not wanted any more."""

    page = models.CharField(max_length=80, primary_key=True)
    number = models.PositiveIntegerField()
    asked_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.page} {self.number}"
