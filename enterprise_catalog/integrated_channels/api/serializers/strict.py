"""Base class of request bodies."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rest_framework import serializers

if TYPE_CHECKING:
    from collections.abc import Mapping


class StrictSerializer(serializers.Serializer[object]):
    """Rejects unknown fields: a misspelled optional field must not be ignored."""

    def to_internal_value(self, data: Mapping[str, object]) -> object:
        if unknown := sorted(set(data) - set(self.fields)):
            raise serializers.ValidationError({name: ["Unknown field."] for name in unknown}, code="unknown_field")
        return super().to_internal_value(data)
