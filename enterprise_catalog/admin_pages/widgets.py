"""Form fields and widgets."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from django import forms
from django.forms.fields import InvalidJSONInput
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    # unfold has no types; its widgets are Django's with other classes.
    from django.forms import CheckboxInput as CheckBox
    from django.forms import CheckboxSelectMultiple as CheckBoxes
    from django.forms import NumberInput, Select, Textarea, TextInput
    from django.forms import PasswordInput as _PasswordInput
else:
    from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget as CheckBoxes
    from unfold.widgets import UnfoldAdminIntegerFieldWidget as NumberInput
    from unfold.widgets import UnfoldAdminPasswordWidget as _PasswordInput
    from unfold.widgets import UnfoldAdminSelectWidget as Select
    from unfold.widgets import UnfoldAdminTextareaWidget as Textarea
    from unfold.widgets import UnfoldAdminTextInputWidget as TextInput
    from unfold.widgets import UnfoldBooleanSwitchWidget as CheckBox

__all__ = ["CheckBox", "CheckBoxes", "NumberInput", "Select", "TextInput", "Textarea"]

#: The visible lines of a field for several lines.
_ROWS = 4


class ReadableJSONField(forms.JSONField):
    """JSON that is displayed with one entry per line."""

    widget = Textarea({"rows": _ROWS, "class": "ec-code"})

    def prepare_value(self, value: object) -> str:
        if isinstance(value, InvalidJSONInput):
            return value
        return json.dumps(value, ensure_ascii=False, indent=2)


class LinesField(forms.CharField):
    """A list of strings, one per line."""

    widget = Textarea({"rows": _ROWS})

    def to_python(self, value: object) -> list[str]:  # type: ignore[override]  # the cleaned value is a list
        return [line.strip() for line in str(value or "").splitlines() if line.strip()]

    def prepare_value(self, value: object) -> object:
        return "\n".join(map(str, value)) if isinstance(value, list) else value

    def has_changed(self, initial: object, data: object) -> bool:
        return bool((initial or []) != self.to_python(data))


class PairsField(forms.CharField):
    """A mapping of strings to strings, one ``name = value`` per line."""

    widget = Textarea({"rows": _ROWS})
    default_error_messages = {"pair": _("Enter one “name = value” per line. Line %(number)d has no “=”.")}

    def to_python(self, value: object) -> dict[str, str]:  # type: ignore[override]  # the cleaned value is a mapping
        pairs = {}
        for number, line in enumerate(str(value or "").splitlines(), start=1):
            name, separator, text = line.partition("=")
            if line.strip() and not separator:
                raise forms.ValidationError(self.error_messages["pair"], "pair", {"number": number})
            if line.strip():
                pairs[name.strip()] = text.strip()
        return pairs

    def prepare_value(self, value: object) -> object:
        return "\n".join(f"{name} = {text}" for name, text in value.items()) if isinstance(value, dict) else value

    def has_changed(self, initial: object, data: object) -> bool:
        try:
            return bool((initial or {}) != self.to_python(data))
        except forms.ValidationError:
            return True


class SecretTextarea(Textarea):
    """Accepts a text and never displays it, not even after an error in the form."""

    def __init__(self, attrs: dict[str, object] | None = None) -> None:
        # Browsers may send spell-checked text to a remote service.
        super().__init__({"autocomplete": "off", "spellcheck": "false", **(attrs or {})})

    def format_value(self, value: object) -> str:
        return ""


class SecretInput(_PasswordInput):
    """Accepts a secret of one line and never displays it. Browsers must not fill in the user's own password."""

    def __init__(self, attrs: dict[str, object] | None = None) -> None:
        super().__init__({"autocomplete": "new-password", **(attrs or {})})
