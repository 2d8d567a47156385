"""Every text that the admin shows to users is translatable: a translation that marks all texts reveals the others."""

from __future__ import annotations

import gettext
import re
from typing import TYPE_CHECKING, Any

import lxml.html
import pytest
from django.contrib import admin
from django.contrib.admin.utils import flatten, help_text_for_field, label_for_field
from edx_rbac.models import UserRole, UserRoleAssignment

from enterprise_catalog.integrated_channels.models import ContentMetadataItemTransmission
from tests.admin_pages.crawler import AdminCrawler, all_models, base_of
from tests.admin_pages.list_actions import answer, ask, messages_of
from tests.admin_pages.rows import a_row_of_everything

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.db import models
    from django.http import HttpRequest

pytestmark = [pytest.mark.django_db, pytest.mark.only_on("sqlite"), pytest.mark.usefixtures("_marked")]

OWN_APPS = ("catalog", "integrated_channels")
#: Fields of edx-rbac's models, whose names are not translatable.
INHERITED = frozenset({"name", "description", "role", "user", "applies_to_all_contexts"})


class Marking(gettext.NullTranslations):
    """A translation of every text into the same text in «quotation marks»."""

    def gettext(self, message: str) -> str:
        return f"«{message}»"

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        return f"«{msgid1 if n == 1 else msgid2}»"

    def to_language(self) -> str:
        return "en-us"


@pytest.fixture
def _marked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Use :class:`Marking` as the active translation of this thread."""
    monkeypatch.setattr("django.utils.translation.trans_real._active.value", Marking(), raising=False)


def is_unmarked(text: object) -> bool:
    return "«" not in str(text) and bool(re.search("[a-z]{2}", re.sub("<[^>]*>", "", str(text))))


def inherited_by(model: type[models.Model]) -> frozenset[str]:
    return INHERITED if issubclass(model, UserRole | UserRoleAssignment) else frozenset()


def texts_of_list(model: type[models.Model], request: HttpRequest) -> Iterator[tuple[str, object]]:
    """Yield the kind and the text of each action, note, column and filter of a model's list."""
    page: Any = admin.site.get_model_admin(model)
    for _, _, description in filter(None, page.get_actions(request).values()):
        yield "action", description
    for note in (page.search_help_text, page.nothing_found):
        yield "note", note or ""
    for name in {*page.get_list_display(request)} - inherited_by(model):
        yield "column", label_for_field(name, model, page)
    for choice in page.get_changelist_instance(request).filter_specs:
        if getattr(choice, "field_path", "") not in inherited_by(model):
            yield "filter", choice.title


def texts_of_form(model: type[models.Model], request: HttpRequest) -> Iterator[tuple[str, object]]:
    """Yield the kind and the text of each title, name and help text of a model's forms."""
    page: Any = admin.site.get_model_admin(model)
    row = model._default_manager.first()
    may_change = page.has_change_permission(request, row)
    declared = page.get_form(request, row, change=True).declared_fields if may_change else ()
    for title, options in [*page.get_fieldsets(request, row), *page.get_fieldsets(request)]:
        yield "fieldset", title or ""
        for name in {*flatten(options["fields"])} - {*declared, *inherited_by(model)}:
            yield "field", label_for_field(name, model, page)
            yield "help text", help_text_for_field(name, model)
    if page.has_add_permission(request):
        fields = page.get_form(request, None).base_fields
        for name in {name for name in fields if not fields[name].widget.is_hidden} - inherited_by(model):
            yield "form field", fields[name].label
            yield "help text", fields[name].help_text


def test_every_name_heading_and_help_text_is_translatable() -> None:
    a_row_of_everything()
    crawler = AdminCrawler("root", is_superuser=True)
    request: Any = crawler.request
    request.customer_problems = []  # As the configuration's page does.
    own = [model for model in all_models() if model._meta.app_label in OWN_APPS]

    unmarked = {
        f"{model._meta.label}: {kind} “{text}”"
        for model in own
        for kind, text in (*texts_of_list(model, request), *texts_of_form(model, request))
        if is_unmarked(text)
    }

    assert not unmarked, "\n".join(sorted(unmarked))


def test_every_choice_and_name_of_a_table_is_translatable() -> None:
    own = [model for model in all_models() if model._meta.app_label in OWN_APPS]

    unmarked = {
        f"{model._meta.label}.{field.name}: {label}"
        for model in own
        for field in model._meta.fields
        if field.name != "channel_code"  # The vendors' names.
        for _, label in field.flatchoices
        if is_unmarked(label)
    } | {model._meta.label for model in own if is_unmarked(model._meta.verbose_name_plural)}

    assert not unmarked, "\n".join(sorted(unmarked))


def test_every_page_of_our_own_pages_shows_its_notes_translated() -> None:
    pages = [admin.site.get_model_admin(model) for model in all_models()]
    own = [page for page in pages if type(page).__module__.startswith("enterprise_catalog")]

    unmarked = {type(page).__name__ for page in own if is_unmarked(page.search_help_text or "")}

    assert not unmarked


def test_the_front_page_and_the_navigation_are_translatable() -> None:
    crawler = AdminCrawler("root", is_superuser=True)

    response = crawler.look_at("/admin/")

    [searches] = {tuple(str(search["question"]) for search in response.context["key_searches"])}
    assert all(text.startswith("«") for text in searches)
    assert "«Content key or its beginning»" in response.content.decode()
    assert "«Integrated channels»" in response.content.decode()


def test_a_confirmation_and_its_result_are_translatable() -> None:
    a_row_of_everything()
    crawler = AdminCrawler("root", is_superuser=True)
    row = ContentMetadataItemTransmission.objects.earliest("pk")
    address = base_of(ContentMetadataItemTransmission)

    question = ask(crawler.client, address, "queue_again", [row.pk])
    result = answer(crawler.client, address, question)

    page: Any = lxml.html.fromstring(question.content)
    [form] = [form for form in page.forms if "confirmation" in form.fields]
    texts = [text.strip() for text in form.getparent().itertext() if text.strip()]
    assert not [text for text in texts if is_unmarked(text) and text != row.content_key]
    assert not [message for message in messages_of(result) if is_unmarked(message)]


@pytest.mark.parametrize("state", ["pending", "in_doubt", "retrying", "dead_letter", "transmitted", "deleted"])
def test_the_finding_about_a_state_is_translatable(state: str) -> None:
    a_row_of_everything()
    row = ContentMetadataItemTransmission.objects.earliest("pk")
    ContentMetadataItemTransmission.objects.filter(pk=row.pk).update(state=state, reason="")
    crawler = AdminCrawler("root", is_superuser=True)

    response = crawler.look_at(f"{base_of(ContentMetadataItemTransmission)}{row.pk}/change/")

    finding = response.context["view"].finding
    assert finding.what_to_do.startswith("«")
    assert not is_unmarked(finding.sentence)
