"""Sources, models with their columns and relations, and segments."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.core.validators import MinLengthValidator
from django.db import models
from django.db.models import F, Q

from core.health import Health
from core.secrets import EncryptedJSONField
from core.text.names import NameField

if TYPE_CHECKING:
    from collections.abc import Collection

WHOLE = ""
"""The key in `DataModel.problems` for a problem of the whole model, such as a missing table."""


class Source(Health):
    """A place where rows are read: a database or a file. Never written to."""

    name = NameField(max_length=200, unique=True)
    engine = models.CharField(max_length=40)
    config = models.JSONField(default=dict, blank=True)
    secrets = EncryptedJSONField(default=dict, blank=True, editable=False)
    uploaded_path = models.CharField(
        max_length=400, blank=True, editable=False, help_text="The path of the file that was uploaded for this source."
    )
    timezone = models.CharField(
        max_length=64, default="UTC", help_text="The time zone of timestamps that have none, e.g. Europe/Paris."
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    @property
    def settings(self) -> dict[str, Any]:
        """Configuration and secrets combined, as the engine expects them."""
        return {**self.config, **self.secrets}


class Catalog(models.Model):
    """The tables of a source with their columns, as last listed. A table of its own, because it can be large."""

    source = models.OneToOneField(Source, models.CASCADE, related_name="catalog")
    tables = models.JSONField(default=list)
    read_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"Tables of {self.source}"


class DataModel(models.Model):
    """One table or one SQL query of a source, with a primary key."""

    class Kind(models.TextChoices):
        USERS = "users", "Users: each row is a person"
        EVENTS = "events", "Events: each row is an event"
        CUSTOM = "custom", "Custom: companies, deals, products or anything else"

    name = NameField(max_length=200, unique=True)
    source = models.ForeignKey(Source, models.PROTECT, related_name="models")
    kind = models.CharField(max_length=10, choices=Kind.choices, default=Kind.CUSTOM)
    table = models.CharField(max_length=400, blank=True, help_text="A table or view. Leave empty for a SQL query.")
    sql = models.TextField("SQL", blank=True, help_text="One read-only SELECT. Leave empty for a table.")
    primary_key = models.CharField(max_length=200, validators=[MinLengthValidator(1)])
    display_column = models.CharField(
        max_length=200,
        blank=True,
        help_text="The column that names a row for people, such as a company's name. Screens show it before the key.",
    )
    row_count = models.PositiveBigIntegerField(
        null=True, editable=False, help_text="Rows when last counted: by a key check, or by a run of all rows."
    )
    key_warning = models.TextField(blank=True, editable=False, help_text="Result of the last primary key check.")
    problems = models.JSONField(
        default=dict,
        blank=True,
        editable=False,
        help_text="Schema drift of columns in use, by column name.",
    )
    checked_at = models.DateTimeField(null=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["name"]
        verbose_name = "model"
        permissions = [("view_values", "Records: view values")]
        constraints = [
            models.CheckConstraint(
                condition=(Q(table="") & ~Q(sql="")) | (~Q(table="") & Q(sql="")),
                name="model_is_table_or_sql",
                violation_error_message="Enter either a table or a SQL query, not both.",
            )
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def problem(self) -> str:
        """Schema drift of the columns in use, in words; "" if there is none."""
        return self.problem_of(self.problems)

    def problem_of(self, columns: Collection[str]) -> str:
        """Schema drift of these columns or of the model as a whole, in words; "" if there is none."""
        if WHOLE in self.problems:
            return str(self.problems[WHOLE])
        changes = [words for name, words in self.problems.items() if name in columns]
        return f"The source has changed: {'; '.join(changes)}." if changes else ""

    def column_types(self) -> dict[str, str]:
        """Name → type (a `contract.ColumnType`) of the columns in use: in the source's order, computed fields last."""
        return dict(self.columns.filter(used=True).values_list("name", "type"))

    def source_types(self) -> dict[str, str]:
        """Name → type of the source columns in use. Only these can be a key, match records or relate models."""
        return dict(self.columns.filter(used=True, definition={}).values_list("name", "type"))

    def source_columns(self) -> dict[str, Column]:
        """Name in the source → column, for all source columns."""
        return {column.source_name: column for column in self.columns.all() if not column.definition}

    def computed_fields(self) -> list[Column]:
        """The computed fields in their order. Each can use those above it."""
        return [column for column in self.columns.all() if column.definition]


FIRST_COMPUTED = 100_000
"""The position of the first computed field, which leaves room for all columns that a source can gain."""


class Column(models.Model):
    """A column of a model: a source column, as last discovered and named by the model, or a computed field."""

    model = models.ForeignKey(DataModel, models.CASCADE, related_name="columns")
    name = models.CharField(max_length=200)
    origin = models.CharField("in the source", max_length=200, blank=True, editable=False)
    used = models.BooleanField(default=True, help_text="Available in conditions and mappings.")
    categorical = models.BooleanField(
        default=False, help_text="Has few distinct values, so segments can be broken down by it."
    )
    type = models.CharField(max_length=20)
    native = models.CharField(max_length=200, blank=True)
    nullable = models.BooleanField(default=True)
    position = models.PositiveIntegerField(default=0)
    definition = models.JSONField(default=dict, blank=True)
    """The definition of a computed field, see `segments.conditions.computed_fields`; empty for a source column."""

    class Meta:
        ordering = ["position"]
        constraints = [models.UniqueConstraint(fields=["model", "name"], name="column_once")]

    def __str__(self) -> str:
        return self.name

    @property
    def source_name(self) -> str:
        """The name in the source, which `origin` contains if the column was renamed in the model."""
        return self.origin or self.name


class ComputedField(Column):
    """A column that is calculated from others: an aggregate over related rows, or a label chosen by conditions."""

    class Meta:
        proxy = True
        verbose_name = "computed field"


class Relation(models.Model):
    """Rows of one model belong to a row of another if the values of two columns are equal. Usable from both sides."""

    from_model = models.ForeignKey(DataModel, models.CASCADE, related_name="relations", verbose_name="model")
    from_column = models.CharField(
        max_length=200, help_text="For example, company_id of orders: many rows can share a value."
    )
    to_model = models.ForeignKey(DataModel, models.CASCADE, related_name="relations_here", verbose_name="belongs to")
    to_column = models.CharField(max_length=200, help_text="For example, id of companies: each value is unique.")

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
        """The name by which conditions refer to it."""
        return f"{self.from_model.name}.{self.from_column}"


class Segment(models.Model):
    """The rows of a model that match a condition tree."""

    name = NameField(max_length=200, unique=True)
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
    """The number of rows of a segment on a day, as last counted that day."""

    segment = models.ForeignKey(Segment, models.CASCADE, related_name="sizes")
    day = models.DateField()
    rows = models.PositiveBigIntegerField()

    class Meta:
        ordering = ["day"]
        constraints = [models.UniqueConstraint(fields=["segment", "day"], name="one_size_a_day")]

    def __str__(self) -> str:
        return f"{self.rows} on {self.day}"


class Question(models.Model):
    """The latest request of a page. A request with a lower number is superseded, and ends without a result."""

    page = models.CharField(max_length=80, primary_key=True)
    number = models.PositiveIntegerField()
    asked_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.page} {self.number}"
