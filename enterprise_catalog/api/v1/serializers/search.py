"""Content by pasted text, and customers by name."""

from __future__ import annotations

from rest_framework import serializers

from enterprise_catalog.catalog.items.lookup import MAX_SUGGESTIONS, Match
from enterprise_catalog.catalog.models import ChangeKind, QuerySource, RefreshState
from enterprise_catalog.db.content_keys import MAX_KEY_LENGTH


class LookupQuerySerializer(serializers.Serializer[object]):
    enterprise_customer = serializers.UUIDField()
    content_key = serializers.CharField(
        max_length=MAX_KEY_LENGTH,
        trim_whitespace=False,
        help_text="A key. Suggestions also match the key of a course run, and the beginning of a title.",
    )


class MembershipChangeSerializer(serializers.Serializer[object]):
    change = serializers.ChoiceField(choices=ChangeKind.choices)
    is_held = serializers.BooleanField(help_text="True if the refresh waits for approval: the change is not made yet.")
    refresh_id = serializers.IntegerField()
    changed_at = serializers.DateTimeField(help_text="When the refresh ended, in UTC.")


class LookupQuerySummarySerializer(serializers.Serializer[object]):
    title = serializers.CharField()
    content_source = serializers.ChoiceField(choices=QuerySource.choices)
    refreshed_at = serializers.DateTimeField(
        allow_null=True, help_text="When the last complete refresh started, in UTC."
    )
    last_refresh = serializers.ChoiceField(
        choices=RefreshState.choices, allow_null=True, help_text="The state of the newest refresh."
    )


class LookupCatalogSerializer(serializers.Serializer[object]):
    uuid = serializers.UUIDField()
    title = serializers.CharField()
    contains = serializers.BooleanField(help_text="True if the catalog contains the item.")
    query = LookupQuerySummarySerializer(allow_null=True, help_text="The query that fills the catalog.")
    last_change = MembershipChangeSerializer(
        allow_null=True, help_text="The newest refresh that added or removed the item, or would."
    )
    excluded_by = serializers.ListField(
        child=serializers.CharField(), help_text="Members of the catalog's content filter that exclude the item."
    )


class SuggestionSerializer(serializers.Serializer[object]):
    content_key = serializers.CharField()
    title = serializers.CharField()
    content_type = serializers.CharField()
    match = serializers.ChoiceField(
        choices=[match.value for match in Match], help_text="The difference between the text and this item."
    )
    catalogs = serializers.ListField(
        child=serializers.UUIDField(), help_text="The customer's catalogs that contain this item."
    )


class ContentLookupSerializer(serializers.Serializer[object]):
    enterprise_customer = serializers.UUIDField()
    content_key = serializers.CharField(help_text="As requested.")
    is_known = serializers.BooleanField(help_text="True if an item has exactly this key.")
    title = serializers.CharField(allow_null=True)
    content_type = serializers.CharField(allow_null=True)
    updated_at = serializers.DateTimeField(allow_null=True, help_text="When the item's content last changed, in UTC.")
    catalogs = LookupCatalogSerializer(many=True, help_text="All catalogs of the customer, ascending by title.")
    suggestions = SuggestionSerializer(many=True, help_text=f"At most {MAX_SUGGESTIONS} similar items, best first.")


class CustomerSearchQuerySerializer(serializers.Serializer[object]):
    q = serializers.CharField(
        required=False,
        default="",
        allow_blank=True,
        max_length=255,
        help_text="The beginning of a name, in any case, or a UUID.",
    )


class CustomerSerializer(serializers.Serializer[object]):
    uuid = serializers.UUIDField()
    name = serializers.CharField()
    slug = serializers.CharField()


class CustomerSearchSerializer(serializers.Serializer[object]):
    results = CustomerSerializer(many=True)
