"""What PHP does to what it is sent, for the learning systems that are written in it: forms, and tags in plain texts."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Any, Final

from pydantic import Field

from enterprise_catalog.integrated_channels.channels.text import cut

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

#: A setting of PHP's own, which a channel has to know: https://www.php.net/manual/en/info.configuration.php
MaxInputVars = Annotated[
    int, Field(ge=100, description="PHP's max_input_vars; what exceeds it in a request is silently dropped.")
]

#: PHP takes ``<`` for the start of a tag unless what C calls white space follows (php_strip_tags_ex in its source).
_TAG_START: Final = re.compile(r"<(?![ \t\n\v\f\r])")


def bracketed(name: str, rows: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Return ``rows`` as PHP reads a list of arrays from a form: ``courses[0][fullname]`` and so on."""
    return {f"{name}[{index}][{field}]": str(value) for index, row in enumerate(rows) for field, value in row.items()}


def tagless(text: str, length: int | None = None) -> str:
    """Return plain text, cut to ``length``, with nothing in it that ``strip_tags`` would take for a tag and remove.

    That makes a space follow each ``<``, at the text's end as well.
    """
    # A ``<`` before the ellipsis would be a tag again.
    return cut(_TAG_START.sub("< ", text), length).replace("<…", "…")
