"""What Django's reports of errors show, in mails and on its page for developers: names, and no values.

The variables of a program that talks to learning systems are tokens, passwords, and requests and answers full of them;
its settings and requests hold the rest. This goes for ``DEBUG``, too: a local site may be connected to somebody's real
learning system.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from django.views.debug import ExceptionReporter, SafeExceptionReporterFilter

if TYPE_CHECKING:
    from collections.abc import ItemsView
    from types import FrameType

    from django.http import HttpRequest

_HIDDEN: Final = SafeExceptionReporterFilter.cleansed_substitute
_PASSWORD_IN_URL: Final = re.compile(r"(?<=://)[^/@\s]*@")


class NamesOnlyFilter(SafeExceptionReporterFilter):
    """Hides values of variables and parameters, and of settings that hold secrets."""

    # The last three hold the address, in which a person who consents to a connection brings a code.
    hidden_settings = re.compile(
        f"{SafeExceptionReporterFilter.hidden_settings.pattern}|QUERY|URI|REFERER", re.IGNORECASE
    )

    def is_active(self, request: HttpRequest | None) -> bool:
        return True

    def cleanse_setting(self, key: str | int, value: Any) -> Any:
        """Hide what is named like a secret, and who we are in the addresses of databases, caches and brokers."""
        cleansed = super().cleanse_setting(key, value)
        return _PASSWORD_IN_URL.sub(f"{_HIDDEN}@", str(cleansed)) if isinstance(cleansed, str) else cleansed

    def get_post_parameters(self, request: HttpRequest | None) -> dict[str, Any]:
        return dict.fromkeys(request.POST, _HIDDEN) if request is not None else {}

    def get_traceback_frame_variables(self, request: HttpRequest | None, tb_frame: FrameType) -> ItemsView[str, Any]:
        return dict.fromkeys(tb_frame.f_locals, _HIDDEN).items()


class NamesOnlyReporter(ExceptionReporter):
    """Hides what the address of a request says after its question mark."""

    def get_traceback_data(self) -> dict[str, Any]:
        data = super().get_traceback_data()
        if self.request is not None:
            data["request_GET_items"] = [(name, _HIDDEN) for name in self.request.GET]
            data["request_insecure_uri"] = str(data["request_insecure_uri"]).partition("?")[0]
        return data
