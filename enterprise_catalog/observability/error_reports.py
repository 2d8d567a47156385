"""Redacts Django's error reports (emails and the debug page): they show names, not values.

This program talks to LMSs. Its variables hold tokens, passwords, and requests and responses that contain them. Its
settings and requests hold further secrets. The same filter applies with ``DEBUG``: a local site may be connected to a
customer's real LMS.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from django.views.debug import ExceptionReporter, SafeExceptionReporterFilter

if TYPE_CHECKING:
    from collections.abc import ItemsView
    from types import FrameType

    from django.http import HttpRequest

_HIDDEN: Final = SafeExceptionReporterFilter.cleansed_substitute
_PASSWORD_IN_URL: Final = re.compile(r"(?<=://)[^/@\s]*@")


class NamesOnlyFilter(SafeExceptionReporterFilter):
    """Hides the values of variables and parameters, and of settings that hold secrets."""

    # The last three contain the request's URL. After a user authorizes a connection, the URL contains an authorization
    # code.
    hidden_settings = re.compile(
        f"{SafeExceptionReporterFilter.hidden_settings.pattern}|QUERY|URI|REFERER", re.IGNORECASE
    )

    def is_active(self, request: HttpRequest | None) -> bool:
        return True

    def cleanse_setting(self, key: str | int, value: object) -> object:
        """Hide values named like a secret, and the credentials in the URLs of databases, caches and brokers."""
        cleansed = super().cleanse_setting(key, value)
        return _PASSWORD_IN_URL.sub(f"{_HIDDEN}@", str(cleansed)) if isinstance(cleansed, str) else cleansed

    def get_post_parameters(self, request: HttpRequest | None) -> dict[str, object]:
        return dict.fromkeys(request.POST, _HIDDEN) if request is not None else {}

    def get_traceback_frame_variables(self, request: HttpRequest | None, tb_frame: FrameType) -> ItemsView[str, object]:
        return dict.fromkeys(tb_frame.f_locals, _HIDDEN).items()


class NamesOnlyReporter(ExceptionReporter):
    """Hides the query string of a request's URL."""

    def get_traceback_data(self) -> dict[str, object]:
        data = super().get_traceback_data()
        if self.request is not None:
            data["request_GET_items"] = [(name, _HIDDEN) for name in self.request.GET]
            data["request_insecure_uri"] = str(data["request_insecure_uri"]).partition("?")[0]
        return data
