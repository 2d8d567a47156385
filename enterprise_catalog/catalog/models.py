"""The catalog's tables.

::

    EnterpriseCustomer 1--n EnterpriseCatalog n--1 CatalogQuery
    CatalogQuery 1--n CatalogMembership n--1 ContentMetadata 1--1 ContentDocument
    ContentMetadata 1--n NestedRun
    ContentMetadata 1--n NestedContent
    CatalogQuery 1--n RestrictedRun n--1 ContentMetadata
    CatalogQuery 1--n RestrictedCourse n--1 ContentMetadata
    CatalogQuery 1--n ContentChange

A diff reads only memberships. They repeat the content's key and time of change, as served text: one index answers a
diff without conversions. The documents, a hundred times larger, have their own table. No diff and no import of
unchanged content touches it (docs/decisions/0004, 0011).
"""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from django.db import models
from django.db.models import GeneratedField, Value
from django.db.models.functions import Lower, Trim
from django.utils.translation import gettext_lazy as _
from edx_rbac.models import UserRole, UserRoleAssignment

from enterprise_catalog.catalog.discovery.models import (
    CatalogRefresh,
    ChangeKind,
    DiscoveredContent,
    NestedContent,
    RefreshChange,
    RefreshLease,
    RefreshState,
    RefreshTrigger,
)
from enterprise_catalog.catalog.querysets import (
    ContentMetadataQuerySet,
    EnterpriseCatalogQuerySet,
    EnterpriseCustomerQuerySet,
    MembershipQuerySet,
)
from enterprise_catalog.catalog.versions.models import CatalogVersion, ContentChange, ContentChangeKind, VersionClock
from enterprise_catalog.db.content_keys import ContentKeyField
from enterprise_catalog.db.timestamps import TimestampField

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from django.contrib.auth.models import AbstractUser, AnonymousUser

__all__ = [
    "CatalogMembership",
    "CatalogQuery",
    "CatalogRefresh",
    "CatalogRole",
    "CatalogRoleAssignment",
    "CatalogVersion",
    "ChangeKind",
    "ContentChange",
    "ContentChangeKind",
    "ContentDocument",
    "ContentMetadata",
    "ContentType",
    "DiscoveredContent",
    "EnterpriseCatalog",
    "EnterpriseCustomer",
    "NestedContent",
    "QuerySource",
    "RefreshChange",
    "RefreshLease",
    "RefreshState",
    "RefreshTrigger",
    "VersionClock",
]


class ContentType(models.TextChoices):
    """The kinds of content, as Open edX names them in ``content_type``."""

    COURSE = "course", _("course")
    COURSE_RUN = "courserun", _("course run")
    PROGRAM = "program", _("program")
    PATHWAY = "learnerpathway", _("learner pathway")


class EnterpriseCustomer(models.Model):
    """A customer, identified by the UUID that the Open edX LMS assigned.

    The enrollment URLs of its catalogs contain its slug and portal address. Change both with
    :func:`~enterprise_catalog.catalog.customers.save_customer`, which also moves the versions of those catalogs.

    Name, slug and portal come from the LMS, if one is configured. ``slug`` is empty until they have been read once.
    ``lms_modified_at`` is the LMS's own time of change; ``lms_read_at`` is when they were last read.

    ``catalog_lost_version`` is the version at which a catalog last moved to another customer; 0 if none has.
    """

    uuid = models.UUIDField(_("UUID"), primary_key=True, default=uuid.uuid4)
    name = models.CharField(_("name"), max_length=255)
    slug = models.SlugField(
        _("slug"),
        max_length=100,
        db_index=False,
        blank=True,
        help_text=_("The customer's part of enrollment URLs. Empty until it is known."),
    )
    learner_portal_url = models.URLField(
        _("learner portal URL"),
        max_length=255,
        help_text=_("Base URL of this customer's learner portal, without the customer's slug."),
    )
    learner_portal_enabled = models.BooleanField(
        _("learner portal enabled"),
        default=True,
        db_default=True,
        help_text=_("If not, enrollment URLs lead to the Open edX LMS."),
    )
    lms_modified_at = TimestampField(_("modified in the LMS at"), null=True, editable=False)
    lms_read_at = models.DateTimeField(_("read from the LMS at"), null=True, editable=False)
    catalog_lost_version = models.BigIntegerField(default=0, db_default=0, editable=False)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    search_name = GeneratedField(expression=Lower("name"), output_field=ContentKeyField(), db_persist=True)

    objects = EnterpriseCustomerQuerySet.as_manager()

    class Meta:
        verbose_name = _("enterprise customer")
        verbose_name_plural = _("enterprise customers")
        ordering = ("name",)
        indexes = (
            # Serves the search of customers by the beginning of their name.
            models.Index(fields=("search_name",), name="customer_search_name"),
            # Serves the customers whose catalogs changed since a version.
            models.Index(fields=("catalog_lost_version",), name="customer_catalog_lost"),
        )

    def __str__(self) -> str:
        return self.name

    @property
    def enrollment_url_prefix(self) -> str:
        """The part of this customer's enrollment URLs before a course's key."""
        return f"{self.learner_portal_url.rstrip('/')}/{self.slug}/course/"


class QuerySource(models.TextChoices):
    """The sources of a query's members."""

    IMPORT = "import", _("imported files")
    DISCOVERY = "discovery", _("course-discovery")


class CatalogQuery(models.Model):
    """A selection of content, shared by any number of catalogs.

    ``version`` increases with every change of membership or of a member's content. It comes from the clock of all
    versions (:mod:`~enterprise_catalog.catalog.versions.clock`). The log of changes is complete for versions between
    ``logged_from`` and ``logged_to``. If ``logged_to`` is not ``version``, code of an earlier release changed the query
    without the log.

    The source never changes. ``import_content`` fills the queries of source ``import``; refreshes fill the others with
    the results of a search by ``content_filter``. Edit the filter of a query with
    :func:`~enterprise_catalog.catalog.discovery.filters.edit_filter`, which also sets its hash.
    """

    # Serves the lookup of a query by the API.
    uuid = models.UUIDField(_("UUID"), unique=True, default=uuid.uuid4, editable=False)
    title = models.CharField(_("title"), max_length=255)
    content_filter = models.JSONField(
        _("content filter"),
        default=dict,
        blank=True,
        help_text=_("The query's filter, in the format of the content source."),
    )
    source = models.CharField(
        _("source"),
        max_length=16,
        choices=QuerySource,
        default=QuerySource.IMPORT,
        db_default=QuerySource.IMPORT,
        help_text=_("Where the query's content comes from."),
    )
    # Serves the search for a query with the same filter.
    content_filter_hash = models.CharField(
        _("hash of the content filter"),
        max_length=32,
        null=True,
        unique=True,
        editable=False,
        help_text=_("MD5, in hexadecimal. Empty for a query that is filled from imported files."),
    )
    filter_edited_at = models.DateTimeField(_("filter edited at"), null=True, editable=False)
    refreshed_at = models.DateTimeField(
        _("refreshed at"), null=True, editable=False, help_text=_("When the last complete refresh started.")
    )
    version = models.BigIntegerField(_("version"), default=0, editable=False)
    logged_from = models.BigIntegerField(default=0, db_default=0, editable=False)
    logged_to = models.BigIntegerField(default=0, db_default=0, editable=False)
    content_changed_at = TimestampField(_("content changed at"), null=True, editable=False)

    class Meta:
        verbose_name = _("catalog query")
        verbose_name_plural = _("catalog queries")
        indexes = (
            # Serves the admin's list.
            models.Index(fields=("title",), name="query_title"),
            # Serves the customers whose catalogs changed since a version.
            models.Index(fields=("version",), name="query_version"),
        )

    def __str__(self) -> str:
        return self.title


class EnterpriseCatalog(models.Model):
    """A customer's catalog. A catalog without a query is empty.

    Deleting a catalog sets ``deleted_at`` and takes its query away; the row remains. Channels compare the empty catalog
    with the LMS and remove its courses. Everything else treats the catalog as missing (``objects.existing()``).

    ``enrollment_urls`` repeats the customer's part of the served documents: a served document depends only on this row
    and on the content (:mod:`~enterprise_catalog.catalog.items.enrollment_urls`). It is empty in the rows of an earlier
    release, which reads and writes ``enrollment_url_prefix`` instead. ``documents_changed_at`` is when the part last
    changed. It is therefore a lower bound for the ``updated_at`` of every item in this catalog (docs/decisions/0005).
    """

    uuid = models.UUIDField(_("UUID"), primary_key=True, default=uuid.uuid4)
    title = models.CharField(_("title"), max_length=255)
    # Serves the query for a customer's catalogs.
    enterprise_customer = models.ForeignKey(
        EnterpriseCustomer, models.PROTECT, verbose_name=_("enterprise customer"), related_name="catalogs"
    )
    # Serves the query for the catalogs that share a query.
    catalog_query = models.ForeignKey(
        CatalogQuery, models.PROTECT, verbose_name=_("catalog query"), null=True, blank=True, related_name="catalogs"
    )
    enrollment_url_prefix = models.CharField(_("enrollment URL prefix"), max_length=512, editable=False)
    enrollment_urls = models.CharField(
        _("enrollment URLs"), max_length=2_000, default="", db_default="", editable=False
    )
    documents_changed_at = TimestampField(_("documents changed at"), null=True, editable=False)
    revision = models.BigIntegerField(_("revision"), default=0, editable=False)
    enabled_course_modes = models.JSONField(
        _("enabled course modes"),
        default=list,
        db_default=Value([], models.JSONField()),
        blank=True,
        help_text=_("The modes that learners may enroll in, as a JSON list."),
    )
    publish_audit_enrollment_urls = models.BooleanField(
        _("publish audit enrollment URLs"),
        default=False,
        db_default=False,
        help_text=_("Lets learners enroll in the audit track."),
    )
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    modified_at = TimestampField(_("modified at"), null=True, editable=False)
    deleted_at = models.DateTimeField(_("deleted at"), null=True, editable=False)

    objects = EnterpriseCatalogQuerySet.as_manager()

    class Meta:
        verbose_name = _("enterprise catalog")
        verbose_name_plural = _("enterprise catalogs")
        ordering = ("uuid",)
        indexes = (
            # Serves the admin's list.
            models.Index(fields=("title",), name="catalog_title"),
            # Serves the customers whose catalogs changed since a version.
            models.Index(fields=("revision",), name="catalog_revision"),
        )

    def __str__(self) -> str:
        return self.title


class ContentMetadata(models.Model):
    """A content item. ``updated_at`` changes only when ``content_hash`` changes.

    The columns from ``content_uuid`` to ``is_active`` repeat parts of the document, for lookups and enrollment URLs.
    ``derived_from`` is the hash of the document that they come from. It differs from ``content_hash`` if code of an
    earlier release wrote the row; the next import of the item then writes them again.
    """

    # Serves the lookup of items by key, in imports and in the API.
    content_key = ContentKeyField(_("content key"), unique=True)
    content_type = models.CharField(_("content type"), max_length=32, choices=ContentType)
    parent_content_key = ContentKeyField(
        _("parent content key"), blank=True, help_text=_("The key of the course that a course run belongs to.")
    )
    title = models.CharField(_("title"), max_length=255, blank=True)
    content_hash = models.CharField(
        _("content hash"), max_length=64, help_text=_("SHA-256 of the canonical document, in hexadecimal.")
    )
    content_uuid = models.UUIDField(
        _("content UUID"), null=True, editable=False, help_text=_("The document's UUID; empty if it has none.")
    )
    course_type = models.CharField(_("course type"), max_length=64, db_default="", editable=False)
    advertised_run_key = ContentKeyField(
        _("advertised run key"),
        db_default="",
        editable=False,
        help_text=_("The key of the run that a course's page advertises."),
    )
    entitlement_sku = models.CharField(
        _("entitlement SKU"),
        max_length=255,
        db_default="",
        editable=False,
        help_text=_("Sells an executive education course in the shop."),
    )
    is_active = models.BooleanField(
        _("active"),
        default=True,
        db_default=True,
        editable=False,
        help_text=_("No for a course without a run that learners can find and enroll in."),
    )
    derived_from = models.CharField(max_length=64, db_default="", editable=False)
    is_restricted = models.BooleanField(
        _("restricted"),
        default=False,
        db_default=False,
        editable=False,
        help_text=_("A course run that only the queries which name it may offer."),
    )
    created_at = models.DateTimeField(_("created at"))
    updated_at = TimestampField(_("updated at"))
    search_key = GeneratedField(expression=Lower(Trim("content_key")), output_field=ContentKeyField(), db_persist=True)
    search_title = GeneratedField(expression=Lower("title"), output_field=ContentKeyField(), db_persist=True)

    objects = ContentMetadataQuerySet.as_manager()

    class Meta:
        verbose_name = _("content metadata")
        verbose_name_plural = _("content metadata")
        indexes = (
            # Serves the lookup of a key that a user pastes.
            models.Index(fields=("search_key",), name="content_search_key"),
            # Serves the lookup of a title that a user pastes.
            models.Index(fields=("search_title",), name="content_search_title"),
            # Serves the lookup by the content's UUID.
            models.Index(fields=("content_uuid",), name="content_uuid"),
            # Serves the runs of a course, by its key.
            models.Index(fields=("parent_content_key", "content_key"), name="content_runs"),
        )

    def __str__(self) -> str:
        return str(self.content_key)


class ContentDocument(models.Model):
    """The stored document of a content item: canonical JSON in UTF-8, copied into responses unchanged."""

    content = models.OneToOneField(ContentMetadata, models.CASCADE, primary_key=True, related_name="document")
    json = models.BinaryField()

    def __str__(self) -> str:
        return f"document of {self.content_id}"


class NestedRun(models.Model):
    """The key of a run in a course's document. Finds the course of a run that is no content item of its own."""

    # Serves the import of a course, which replaces its runs.
    content = models.ForeignKey(ContentMetadata, models.CASCADE, related_name="nested_runs")
    run_key = ContentKeyField()

    class Meta:
        constraints = (
            # Serves the lookup of the course of a run.
            models.UniqueConstraint(fields=("run_key", "content"), name="nested_run_once"),
        )

    def __str__(self) -> str:
        return str(self.run_key)


class CatalogMembership(models.Model):
    """Membership of a content item in a catalog query; repeats the item's key and time of change for the diff."""

    catalog_query = models.ForeignKey(CatalogQuery, models.CASCADE, related_name="memberships", db_index=False)
    # Serves the import of a changed item, which changes its memberships.
    content = models.ForeignKey(ContentMetadata, models.CASCADE, related_name="memberships")
    content_key = ContentKeyField()
    updated_at = TimestampField()

    objects = MembershipQuerySet.as_manager()

    class Meta:
        constraints = (
            # Serves the lookup of some items in a catalog.
            models.UniqueConstraint(fields=("catalog_query", "content"), name="membership_once"),
        )
        indexes = (
            # Serves the diff and the keyset-paginated list: one range scan that never leaves the index.
            models.Index(fields=("catalog_query", "content_key", "updated_at"), name="membership_diff"),
        )

    def __str__(self) -> str:
        return f"{self.content_key} in {self.catalog_query_id}"


class RestrictedRun(models.Model):
    """A restricted course run that a query's filter allows. Only version 2 of the API offers it.

    The run is a content item with ``is_restricted``, and no member of any query: no diff contains it.
    """

    catalog_query = models.ForeignKey(CatalogQuery, models.CASCADE, related_name="restricted_runs", db_index=False)
    # Serves the foreign key, when an item is deleted.
    content = models.ForeignKey(ContentMetadata, models.CASCADE, related_name="restricted_runs")

    class Meta:
        verbose_name = _("allowed restricted run")
        verbose_name_plural = _("allowed restricted runs")
        constraints = (
            # Serves the query for the restricted runs that a catalog allows.
            models.UniqueConstraint(fields=("catalog_query", "content"), name="restricted_run_once"),
        )

    def __str__(self) -> str:
        return f"{self.content} · {self.catalog_query}"


class RestrictedCourse(models.Model):
    """A course's document with the restricted runs that a query allows. Version 2 of the API serves it instead."""

    catalog_query = models.ForeignKey(CatalogQuery, models.CASCADE, related_name="restricted_courses", db_index=False)
    # Serves the foreign key, when an item is deleted.
    content = models.ForeignKey(ContentMetadata, models.CASCADE, related_name="restricted_courses")
    json = models.BinaryField()
    content_hash = models.CharField(max_length=64)
    is_active = models.BooleanField(_("active"), default=True)
    updated_at = TimestampField()

    class Meta:
        verbose_name = _("course with restricted runs")
        verbose_name_plural = _("courses with restricted runs")
        constraints = (
            # Serves the lookup of a course's document in a catalog.
            models.UniqueConstraint(fields=("catalog_query", "content"), name="restricted_course_once"),
        )

    def __str__(self) -> str:
        return f"{self.content} · {self.catalog_query}"


class CatalogRole(UserRole):
    """An Open edX system role that this site's database assigns to users, in addition to the roles in their tokens."""

    class Meta:
        verbose_name = _("catalog role")
        verbose_name_plural = _("catalog roles")


class CatalogRoleAssignment(UserRoleAssignment):
    """A user's role for one customer, or for all."""

    role_class = CatalogRole

    enterprise_customer_uuid = models.UUIDField(
        _("enterprise customer UUID"),
        null=True,
        blank=True,
        help_text=_("The customer. Ignored if the role applies to all customers."),
    )

    class Meta:
        verbose_name = _("catalog role assignment")
        verbose_name_plural = _("catalog role assignments")

    @classmethod
    def get_assignments(
        cls, user: AbstractUser | AnonymousUser, role_names: Sequence[str] | None = None
    ) -> Iterator[tuple[str, str | None]]:
        """Yield (role name, context) pairs of the user's assignments; only ``role_names`` if given, matched exactly."""
        for name, context in super().get_assignments(user, role_names):
            if role_names is None or name in role_names:
                yield name, context

    def get_context(self) -> str | None:
        """Return the customer's UUID, ``*`` for all, or ``None`` when neither is set (which grants nothing)."""
        if self.applies_to_all_contexts:
            return "*"
        return str(self.enterprise_customer_uuid) if self.enterprise_customer_uuid else None
