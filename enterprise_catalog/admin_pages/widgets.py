"""Form fields and widgets."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from django import forms
from django.forms.fields import InvalidJSONInput

if TYPE_CHECKING:
    # unfold has no types; its widget is Django's with other classes.
    Textarea = forms.Textarea
else:
    from unfold.widgets import UnfoldAdminTextareaWidget as Textarea


class ReadableJSONField(forms.JSONField):
    """JSON that is displayed with one entry per line."""

    def prepare_value(self, value: object) -> str:
        if isinstance(value, InvalidJSONInput):
            return value
        return json.dumps(value, ensure_ascii=False, indent=2)


class SecretTextarea(Textarea):
    """Accepts a text and never displays it, not even after an error in the form."""

    def __init__(self, attrs: dict[str, object] | None = None) -> None:
        # Browsers may send spell-checked text to a remote service.
        super().__init__({"autocomplete": "off", "spellcheck": "false", **(attrs or {})})

    def format_value(self, value: object) -> str:
        return ""
