"""Catalogs, as they are returned and as the Open edX LMS writes them."""

from __future__ import annotations

from typing import Final

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from enterprise_catalog.api.v1.serializers.queries import ContentFilterField
from enterprise_catalog.catalog.models import EnterpriseCatalog
from enterprise_catalog.catalog.versions.state import state_of
from enterprise_catalog.db.timestamps import format_time

#: Of names and titles, in characters.
MAX_TITLE_LENGTH: Final = 255
MAX_COURSE_MODES: Final = 100


class CatalogListQuerySerializer(serializers.Serializer[object]):
    enterprise_customer = serializers.UUIDField(required=False)
    include_deleted = serializers.BooleanField(
        required=False, default=False, help_text="Also return deleted catalogs, which are empty."
    )


class CatalogSerializer(serializers.Serializer[EnterpriseCatalog]):
    uuid = serializers.UUIDField()
    title = serializers.CharField()
    enterprise_customer = serializers.UUIDField(source="enterprise_customer_id")
    enterprise_customer_name = serializers.CharField(source="enterprise_customer.name")
    catalog_query_uuid = serializers.UUIDField(source="catalog_query.uuid", allow_null=True)
    query_title = serializers.CharField(source="catalog_query.title", allow_null=True)
    catalog_version = serializers.SerializerMethodField(
        help_text="Opaque; changes whenever the catalog's content changes."
    )
    content_last_modified = serializers.SerializerMethodField(
        help_text="When an item was last added, changed or removed."
    )
    catalog_modified = serializers.SerializerMethodField(help_text="When the catalog itself last changed.")

    def get_catalog_version(self, catalog: EnterpriseCatalog) -> str:
        return state_of(catalog).version

    @extend_schema_field({"type": "string", "format": "date-time", "nullable": True})
    def get_content_last_modified(self, catalog: EnterpriseCatalog) -> str | None:
        return state_of(catalog).content_last_modified

    @extend_schema_field({"type": "string", "format": "date-time"})
    def get_catalog_modified(self, catalog: EnterpriseCatalog) -> str:
        return format_time(catalog.modified_at or catalog.created_at)


class CatalogPageSerializer(serializers.Serializer[object]):
    count = serializers.IntegerField()
    next = serializers.URLField(allow_null=True)
    previous = serializers.URLField(allow_null=True)
    results = CatalogSerializer(many=True)


class CatalogWriteSerializer(serializers.Serializer[object]):
    """The members of a catalog, as the Open edX LMS sends them. Other members are ignored."""

    title = serializers.CharField(max_length=MAX_TITLE_LENGTH)
    enterprise_customer = serializers.UUIDField()
    enterprise_customer_name = serializers.CharField(max_length=MAX_TITLE_LENGTH)
    content_filter = ContentFilterField(help_text="Selects the content; the body of course-discovery's search.")
    catalog_query_uuid = serializers.UUIDField(
        required=False,
        allow_null=True,
        help_text="The filter's query. Its other catalogs change too.",
    )
    query_title = serializers.CharField(required=False, allow_null=True, allow_blank=True, max_length=MAX_TITLE_LENGTH)
    enabled_course_modes = serializers.ListField(
        child=serializers.CharField(max_length=MAX_TITLE_LENGTH), max_length=MAX_COURSE_MODES
    )
    publish_audit_enrollment_urls = serializers.BooleanField()


class CatalogCreateSerializer(CatalogWriteSerializer):
    uuid = serializers.UUIDField(required=False, help_text="Chosen by the service if omitted.")


class SavedCatalogSerializer(CatalogSerializer):
    content_filter_warnings = serializers.ListField(
        child=serializers.CharField(),
        required=False,
        help_text="The members of the filter that course-discovery probably ignores; missing without such members.",
    )


class RefreshSerializer(serializers.Serializer[object]):
    async_task_id = serializers.CharField(help_text="The id of the Celery task.")
