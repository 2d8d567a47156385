"""The catalog's tables.

::

    EnterpriseCustomer 1--n EnterpriseCatalog n--1 CatalogQuery
    CatalogQuery 1--n CatalogMembership n--1 ContentMetadata 1--1 ContentDocument

A diff reads memberships only: they repeat the content's key and time of change, as the text that is served, so that
one index answers it without a conversion. The documents, which are a hundred times larger, live in a table of their own
that no diff and no import of unchanged content touches (docs/decisions/0004, 0011).
"""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from django.db import models
from edx_rbac.models import UserRole, UserRoleAssignment

from enterprise_catalog.catalog.querysets import ContentMetadataQuerySet, EnterpriseCatalogQuerySet, MembershipQuerySet
from enterprise_catalog.content_keys import ContentKeyField
from enterprise_catalog.timestamps import TimestampField

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from django.contrib.auth.models import AbstractUser, AnonymousUser


class ContentType(models.TextChoices):
    """The kinds of content, as Open edX names them in ``content_type``."""

    COURSE = "course", "course"
    COURSE_RUN = "courserun", "course run"
    PROGRAM = "program", "program"
    PATHWAY = "learnerpathway", "learner pathway"


class EnterpriseCustomer(models.Model):
    """A customer, known by the UUID that the Open edX LMS gave it.

    Its slug and portal address enter the enrolment URLs of its catalogs; change them with
    :func:`~enterprise_catalog.catalog.customers.save_customer`, which moves those catalogs' versions.
    """

    uuid = models.UUIDField(primary_key=True, default=uuid.uuid4)
    name = models.CharField(max_length=255)
    slug = models.SlugField(max_length=100)
    learner_portal_url = models.URLField(
        max_length=255, help_text="Where this customer's learners enrol, without the customer's slug."
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name

    @property
    def enrollment_url_prefix(self) -> str:
        """What comes before a course's key in this customer's enrolment URLs."""
        return f"{self.learner_portal_url.rstrip('/')}/{self.slug}/course/"


class CatalogQuery(models.Model):
    """A selection of content, shared by any number of catalogs.

    ``version`` grows with every change of membership or of a member's content. It is a count of microseconds since
    1970, raised by at least one each time, so that a row that is deleted and made again never repeats a version.
    """

    uuid = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)
    title = models.CharField(max_length=255)
    content_filter = models.JSONField(
        default=dict, blank=True, help_text="The query as the source of content knows it."
    )
    version = models.BigIntegerField(default=0, editable=False)
    content_changed_at = TimestampField(null=True, editable=False)

    class Meta:
        verbose_name_plural = "catalog queries"

    def __str__(self) -> str:
        return self.title


class EnterpriseCatalog(models.Model):
    """A customer's catalog. Without a query it is empty.

    ``enrollment_url_prefix`` repeats what the customer contributes to the served documents: what is served depends on
    this row and on the content alone. ``documents_changed_at`` is when that contribution last changed, hence the
    earliest time at which any item of this catalog last changed (docs/decisions/0005).
    """

    uuid = models.UUIDField(primary_key=True, default=uuid.uuid4)
    title = models.CharField(max_length=255)
    enterprise_customer = models.ForeignKey(EnterpriseCustomer, models.CASCADE, related_name="catalogs")
    catalog_query = models.ForeignKey(CatalogQuery, models.PROTECT, null=True, blank=True, related_name="catalogs")
    enrollment_url_prefix = models.CharField(max_length=512, editable=False)
    documents_changed_at = TimestampField(null=True, editable=False)
    revision = models.BigIntegerField(default=0, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = EnterpriseCatalogQuerySet.as_manager()

    class Meta:
        ordering = ("uuid",)

    def __str__(self) -> str:
        return self.title


class ContentMetadata(models.Model):
    """One piece of content. ``updated_at`` moves only when ``content_hash`` does."""

    content_key = ContentKeyField(unique=True)
    content_type = models.CharField(max_length=32, choices=ContentType)
    parent_content_key = ContentKeyField(blank=True, help_text="The course of a course run.")
    title = models.CharField(max_length=255, blank=True)
    content_hash = models.CharField(max_length=64, help_text="SHA-256 of the canonical document, in hexadecimal.")
    created_at = models.DateTimeField()
    updated_at = TimestampField()

    objects = ContentMetadataQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "content metadata"

    def __str__(self) -> str:
        return str(self.content_key)


class ContentDocument(models.Model):
    """The stored document of a piece of content: canonical JSON in UTF-8, ready to be copied into an answer."""

    content = models.OneToOneField(ContentMetadata, models.CASCADE, primary_key=True, related_name="document")
    json = models.BinaryField()

    def __str__(self) -> str:
        return f"document of {self.content_id}"


class CatalogMembership(models.Model):
    """That a piece of content is in a catalog query; repeats its key and time of change for the diff."""

    catalog_query = models.ForeignKey(CatalogQuery, models.CASCADE, related_name="memberships", db_index=False)
    content = models.ForeignKey(ContentMetadata, models.CASCADE, related_name="memberships")
    content_key = ContentKeyField()
    updated_at = TimestampField()

    objects = MembershipQuerySet.as_manager()

    class Meta:
        constraints = (models.UniqueConstraint(fields=("catalog_query", "content"), name="membership_once"),)
        indexes = (
            # Serves the diff and the keyset-paged list: one range scan that never leaves the index.
            models.Index(fields=("catalog_query", "content_key", "updated_at"), name="membership_diff"),
        )

    def __str__(self) -> str:
        return f"{self.content_key} in {self.catalog_query_id}"


class CatalogRole(UserRole):  # type: ignore[misc]  # the package has no types
    """A system role of Open edX that this site's own database gives to users, beside the roles in their tokens."""


class CatalogRoleAssignment(UserRoleAssignment):  # type: ignore[misc]  # the package has no types
    """That a user has a role for one customer, or for all."""

    role_class = CatalogRole

    enterprise_customer_uuid = models.UUIDField(
        null=True, blank=True, help_text="The customer; ignored when the role applies to all."
    )

    @classmethod
    def get_assignments(
        cls, user: AbstractUser | AnonymousUser, role_names: Sequence[str] | None = None
    ) -> Iterator[tuple[str, str | None]]:
        """Yield role name and context of the user's assignments, of ``role_names`` only; names match exactly."""
        for name, context in super().get_assignments(user, role_names):
            if role_names is None or name in role_names:
                yield name, context

    def get_context(self) -> str | None:
        """Return the customer's UUID, ``*`` for all, or ``None`` when neither is set (which allows nothing)."""
        if self.applies_to_all_contexts:
            return "*"
        return str(self.enterprise_customer_uuid) if self.enterprise_customer_uuid else None
