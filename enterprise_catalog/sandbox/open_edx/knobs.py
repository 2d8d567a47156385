"""Settings that make the sandbox misbehave in ways that a single faulty response cannot imitate."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(kw_only=True, eq=False)
class Knobs:
    """Every field can be set while the sandbox runs (``POST /_sandbox/knobs``), and is kept by a reset."""

    accepts_any_token: bool = False  #: Accepts every JWT, such as those of a local site. Otherwise only its own.
    search_is_empty: bool = False  #: Searches find nothing, and count nothing.
    lost_results: int = 0  #: Number of results missing at the end of each page of a search. ``count`` includes them.
    nameless_results: int = 0  #: Number of results at the start of each page of a search without ``key`` and ``uuid``.
    unanswered: list[str] = field(default_factory=list)  #: Keys of courses that ``/courses/`` leaves out.
    product_source_is_text: bool = False  #: In full documents. In search results, the product source is always a text.
    is_restless: bool = False  #: Counters grow, and lists without an order are rotated, with every response.
