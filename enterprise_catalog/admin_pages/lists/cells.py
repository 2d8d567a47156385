"""Short classes for the cells of lists. unfold's own classes are 5 KB per row, more than half of a list's HTML."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from django import forms
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from django.db.models import Model
    from django.utils.safestring import SafeString

    class unfold_list:  # noqa: N801  (a module without types)
        ROW_CLASSES: list[str]
        CHECKBOX_CLASSES: list[str]
else:
    from unfold.templatetags import unfold_list

_CHECKBOX: Final = forms.CheckboxInput(
    {"class": "action-select ec-check", "aria-label": _("Select record")}, check_test=lambda _: False
)

# unfold has no other way to set them.
unfold_list.ROW_CLASSES[:] = ["ec-cell"]
unfold_list.CHECKBOX_CLASSES[:] = ["action-checkbox", "ec-cell"]


def checkbox(row: Model) -> SafeString:
    """Return the checkbox that selects a row for an action."""
    return _CHECKBOX.render(ACTION_CHECKBOX_NAME, str(row.pk))
