"""Widgets that are written without their templates look exactly as with them."""

from __future__ import annotations

import re
from copy import deepcopy

import pytest
from django import forms
from django.forms.renderers import DjangoTemplates
from unfold import widgets as unfold

from core.web.forms.long_select import FixedChoices, LongSelect
from core.web.forms.renderer import QuickRenderer

CHOICES = [("", "Choose"), ("a<b", "A & B"), (3, "Three"), ("Group", [("x", "X"), ("y", 'Y "quoted"')])]


class SelectWithOptionTemplate(forms.Select):
    option_template_name = "django/forms/widgets/radio_option.html"


WIDGETS = {
    "text": (forms.TextInput(attrs={"data-role": "<x>", "required": True, "hidden": False}), 'say "hi" & <go>'),
    "empty text": (forms.TextInput(), None),
    "number": (forms.NumberInput(attrs={"min": 1}), 5),
    "hidden": (forms.HiddenInput(), "1"),
    "checked": (unfold.UnfoldBooleanWidget(), True),
    "unchecked": (unfold.UnfoldBooleanWidget(), False),
    "switch": (unfold.UnfoldBooleanSwitchWidget(attrs={"disabled": True}), True),
    "unfold text": (unfold.UnfoldAdminTextInputWidget(attrs={"placeholder": "{first} & {last}"}), "x"),
    "unfold text with a prefix": (unfold.UnfoldAdminTextInputWidget(attrs={"prefix": "€", "suffix_icon": "x"}), "x"),
    "unfold number": (unfold.UnfoldAdminIntegerFieldWidget(attrs={"min": 0}), 7),
    "unfold select": (unfold.UnfoldAdminSelectWidget(attrs={"data-role": "r"}, choices=CHOICES), "y"),
    "unfold select of a number": (unfold.UnfoldAdminSelectWidget(choices=CHOICES), 3),
    "select with a search": (unfold.UnfoldAdminSelect2Widget(choices=CHOICES), "x"),
    "select with other options": (SelectWithOptionTemplate(choices=CHOICES), "x"),
    "textarea": (unfold.UnfoldAdminTextareaWidget(), "two\nlines"),
}


@pytest.mark.parametrize("name", WIDGETS)
def test_a_widget_is_written_as_its_template_renders_it(name: str) -> None:
    widget, value = WIDGETS[name]
    # Copies, because Unfold's widgets lose their prefix when they are rendered.
    quick, template = (
        deepcopy(widget).render("field", value, {"id": "id_field"}, renderer)
        for renderer in (QuickRenderer(), DjangoTemplates())
    )
    assert _without_space(quick) == _without_space(template)


def test_a_long_select_escapes_and_chooses_its_options() -> None:
    select = LongSelect(choices=FixedChoices([("", "None"), ("a<b", "A & B"), ("c", "C")]))
    html = select.render("field", "a<b")
    assert '<option value="a&lt;b" selected>A &amp; B</option>' in html
    assert html.count(" selected") == 1


def test_a_long_select_shows_the_options_of_groups() -> None:
    html = LongSelect(choices=CHOICES).render("field", None)
    assert [part[1] for part in re.findall(r'value="([^"]*)"[^>]*>([^<]*)<', html)] == [
        "Choose", "A &amp; B", "Three", "X", "Y &quot;quoted&quot;",
    ]  # fmt: skip


def test_fixed_choices_are_shared_by_all_forms() -> None:
    class Form(forms.Form):
        zone = forms.ChoiceField(choices=FixedChoices([("UTC", "UTC"), ("Europe/Paris", "Paris")]))

    first, second = (Form({"zone": zone}) for zone in ("Europe/Paris", "Nowhere"))
    assert vars(first.fields["zone"])["_choices"] is vars(second.fields["zone"])["_choices"]
    assert [form.is_valid() for form in (first, second)] == [True, False]


def _without_space(html: str) -> str:
    return re.sub(r"\s+(?=<)|(?<=>)\s+", "", html).strip()
