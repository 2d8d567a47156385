"""The front page, Django's own users and groups on unfold's templates, and failed logins."""

from __future__ import annotations

from typing import TYPE_CHECKING

from axes.models import AccessAttempt
from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import Group, User
from django.utils.translation import gettext_lazy as _

from enterprise_catalog.admin_pages.moments import moment_field
from enterprise_catalog.admin_pages.pages import Page, ReadOnlyPage

if TYPE_CHECKING:
    # unfold has no types; its forms are Django's with other widgets.
    from django.contrib.auth.forms import AdminPasswordChangeForm, AdminUserCreationForm, UserChangeForm
    from django.http import HttpRequest
else:
    from unfold.forms import AdminPasswordChangeForm, UserChangeForm
    from unfold.forms import UserCreationForm as AdminUserCreationForm

admin.site.index_template = "admin_pages/index.html"
admin.site.unregister(User)
admin.site.unregister(Group)


@admin.register(User)
class UserPage(UserAdmin, Page):  # type: ignore[type-arg, misc]  # the stubs' parameter is missing at run time; both define lookup_allowed
    form = UserChangeForm
    add_form = AdminUserCreationForm
    change_password_form = AdminPasswordChangeForm


@admin.register(AccessAttempt)
class FailedLoginPage(ReadOnlyPage):
    """Failed logins of the last 15 minutes. Deleting a row ends its pause."""

    list_display = ("username", "ip_address", "failures_since_start", "last_failure")
    fields = ("username", "ip_address", "failures_since_start", "last_failure", "path_info")
    ordering = ("-attempt_time", "-id")
    search_fields = ("=username", "=ip_address")
    search_help_text = _("Full user name or IP address")
    actions = ()

    last_failure = moment_field("attempt_time", _("last failure"))

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return request.user.has_perm("axes.delete_accessattempt")


@admin.register(Group)
class GroupPage(GroupAdmin, Page):
    pass
