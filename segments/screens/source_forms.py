"""The form of a source, with the parameters of its engine."""

from __future__ import annotations

import zoneinfo
from typing import TYPE_CHECKING, Any

from django import forms
from django.conf import settings
from unfold.widgets import UnfoldAdminFileFieldWidget, UnfoldAdminSelect2Widget

from core.errors import Misconfigured
from core.web import parameter_form
from core.web.forms.long_select import FixedChoices
from segments.models import Source
from segments.screens.connect import name_of
from segments.sources import discovery, uploads

if TYPE_CHECKING:
    from django.core.files.uploadedfile import UploadedFile

    from segments.contract import Engine

TEST = "_test"
"""The name of the button that saves a source and tests it."""
PATH = f"{parameter_form.PREFIX}path"


class SourceForm(forms.ModelForm):
    """A source. `source_form` creates a subclass for each engine, with fields for its parameters."""

    engine_plugin: Engine
    settings_changed = False
    """Whether the settings of a saved source have changed."""
    probe: discovery.Probe | None = None
    """The result of testing these settings, if a test was requested."""

    timezone = forms.ChoiceField(
        choices=FixedChoices((name, name) for name in sorted(zoneinfo.available_timezones())),
        initial="UTC",
        label="Time zone",
        widget=UnfoldAdminSelect2Widget(),
        help_text="The time zone of timestamps that do not include one.",
    )

    class Meta:
        model = Source
        fields = ["name", "timezone"]
        help_texts = {"name": "A name that you will recognize, such as “Warehouse”."}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not self.instance.pk and "name" in self.fields:
            self.fields["name"].required = False
            self.fields["name"].help_text = "Leave this empty to name it after its contents."

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if file := cleaned.get("upload"):
            self._store_upload(cleaned, file)
        elif self.engine_plugin.endings and not cleaned.get(PATH) and PATH not in self.errors:
            self.add_error("upload", "Choose a file, or enter the path of one under “More options”.")
            return cleaned
        try:
            config, secrets = parameter_form.values(
                self.engine_plugin.parameters, cleaned, self.instance.config, self.instance.secrets
            )
        except Misconfigured as problem:
            if parameter_form.PREFIX + problem.where not in self.errors:
                parameter_form.report(self, problem)
            return cleaned
        filled = self.engine_plugin.filled
        if self.instance.pk and filled({**config, **secrets}) != filled(self.instance.settings):
            self.instance.forget_health()
            self.settings_changed = True
        self.instance.engine = self.engine_plugin.slug
        self.instance.config, self.instance.secrets = config, secrets
        cleaned["name"] = cleaned.get("name") or name_of(self.engine_plugin, config)
        if TEST in self.data and not self.errors:
            self.instance.timezone = cleaned["timezone"]
            self.probe = discovery.probe(self.instance)
        return cleaned

    def _post_clean(self) -> None:
        super()._post_clean()  # type: ignore[misc]
        parameter_form.ask_again(self, self.engine_plugin.parameters)
        if self.errors and self.files.get("upload") and "upload" not in self.errors:
            self.add_error("upload", "Choose the file again. It is not kept when a form is refused.")

    def _store_upload(self, cleaned: dict[str, Any], file: UploadedFile) -> None:
        """Stores an uploaded file and uses its path as the source's path."""
        try:
            uploads.check(file, self.engine_plugin.endings)
            if not self.errors:
                own = self.instance.uploaded_path
                replaced = own if self.instance.config.get("path") == own else ""
                self.instance.uploaded_path = cleaned[PATH] = uploads.store(file, replaced)
        except Misconfigured as problem:
            self.add_error("upload", problem.message)
        cleaned[PATH] = cleaned.get(PATH) or file.name


def source_form(engine: Engine, source: Source | None) -> type[SourceForm]:
    """Returns the form class for sources of an engine, with the values of `source` if there is one."""
    config, secrets = (source.config, source.secrets) if source else ({}, {})
    inputs = parameter_form.fields(engine.parameters, config, secrets)
    if engine.endings:
        inputs[PATH].required = False
        inputs[PATH].label = "Path on this server"
        inputs[PATH].widget.attrs["data-file-engine"] = engine.slug
        limit = uploads.size_text(settings.SOURCE_UPLOAD_MAX_BYTES)
        replaces = " It replaces the previous upload." if source else ""
        help_text = f"Up to {limit}.{replaces}"
        widget = UnfoldAdminFileFieldWidget(attrs={"accept": ",".join(engine.endings)})
        inputs["upload"] = forms.FileField(label="File", required=False, help_text=help_text, widget=widget)
    return type("EngineForm", (SourceForm,), {**inputs, "engine_plugin": engine})
