"""The rate limit of requests that call an LMS or a subscriber: each occupies a web thread until the other responds."""

from __future__ import annotations

from typing import Final

from enterprise_catalog.web.rest.throttles import CallerThrottle


class LMSThrottle(CallerThrottle):
    """Limits a caller's requests that call an LMS or a subscriber, in addition to the limit of all requests."""

    scope = "lms"
    rate = "20/minute"


#: For the views of such requests.
LMS_THROTTLES: Final = (CallerThrottle, LMSThrottle)
