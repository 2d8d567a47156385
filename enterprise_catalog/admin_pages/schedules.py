"""Admin pages of django-celery-beat, on unfold's templates. They set when both programs run tasks.

Not in ``admin.py``: django-celery-beat must have registered its own pages first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import admin
from django_celery_beat.admin import ClockedScheduleAdmin, CrontabScheduleAdmin, PeriodicTaskAdmin, PeriodicTaskForm
from django_celery_beat.admin import TaskSelectWidget as PlainTaskSelectWidget
from django_celery_beat.models import ClockedSchedule, CrontabSchedule, IntervalSchedule, PeriodicTask, SolarSchedule

from enterprise_catalog.admin_pages.pages import Page

if TYPE_CHECKING:
    # unfold has no types; its widgets are Django's with other CSS classes.
    from django.forms import Select, TextInput
else:
    from unfold.widgets import UnfoldAdminSelectWidget as Select
    from unfold.widgets import UnfoldAdminTextInputWidget as TextInput

for model in (ClockedSchedule, CrontabSchedule, IntervalSchedule, PeriodicTask, SolarSchedule):
    admin.site.unregister(model)


class TaskSelectWidget(Select, PlainTaskSelectWidget):
    """Drop-down list of the registered tasks."""


class TaskForm(PeriodicTaskForm):
    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        self.fields["task"].widget = TextInput()
        self.fields["regtask"].widget = TaskSelectWidget()


@admin.register(PeriodicTask)
class TaskPage(PeriodicTaskAdmin, Page):
    form = TaskForm
    date_hierarchy = None


@admin.register(CrontabSchedule)
class CrontabPage(CrontabScheduleAdmin, Page):
    pass


@admin.register(ClockedSchedule)
class ClockedPage(ClockedScheduleAdmin, Page):
    pass


@admin.register(IntervalSchedule)
class IntervalPage(Page):
    pass


@admin.register(SolarSchedule)
class SolarPage(Page):
    pass
