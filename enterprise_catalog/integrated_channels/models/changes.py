"""Position in the catalog service's list of changed customers."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class ChangeCursor(models.Model):
    """The cursor of the next question for changed customers. There is one row."""

    cursor = models.CharField(max_length=255, blank=True, help_text=_("Empty: the next question gets a new one."))
    answered_at = models.DateTimeField(null=True, help_text=_("When the catalog service last answered; to the minute."))
    problem = models.TextField(blank=True, help_text=_("Problem of the last question; empty if it was answered."))

    def __str__(self) -> str:
        return self.cursor
