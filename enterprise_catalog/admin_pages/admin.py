"""The front page, and Django's own users and groups on unfold's templates."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import Group, User

from enterprise_catalog.admin_pages.pages import Page

if TYPE_CHECKING:
    # unfold has no types; its forms are Django's with other widgets.
    from django.contrib.auth.forms import AdminPasswordChangeForm, AdminUserCreationForm, UserChangeForm
else:
    from unfold.forms import AdminPasswordChangeForm, UserChangeForm
    from unfold.forms import UserCreationForm as AdminUserCreationForm

admin.site.index_template = "admin_pages/index.html"
admin.site.unregister(User)
admin.site.unregister(Group)


@admin.register(User)
class UserPage(UserAdmin, Page):  # type: ignore[type-arg, misc]  # the stubs' parameter is not there at run time; both define lookup_allowed
    form = UserChangeForm
    add_form = AdminUserCreationForm
    change_password_form = AdminPasswordChangeForm


@admin.register(Group)
class GroupPage(GroupAdmin, Page):
    pass
