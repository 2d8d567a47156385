"""Base class of request bodies."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers


class StrictSerializer(serializers.Serializer[object]):
    """Rejects unknown fields: a misspelled optional field must not be ignored."""

    def to_internal_value(self, data: dict[str, Any]) -> Any:
        if unknown := sorted(set(data) - set(self.fields)):
            raise serializers.ValidationError({name: ["Unknown field."] for name in unknown}, code="unknown_field")
        return super().to_internal_value(data)
