"""Form encoding and plain text for an LMS written in PHP: nested form fields, and text that ``strip_tags`` keeps."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Final

from pydantic import Field

from enterprise_catalog.integrated_channels.channels.content.text import cut

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

#: PHP's ``max_input_vars``, which limits the size of a request:
#: https://www.php.net/manual/en/info.configuration.php
MaxInputVars = Annotated[
    int, Field(ge=100, description="PHP's max_input_vars. PHP silently drops the excess variables of a request.")
]

#: PHP treats ``<`` as the start of a tag unless C white space follows (``php_strip_tags_ex`` in PHP's source).
_TAG_START: Final = re.compile(r"<(?![ \t\n\v\f\r])")


def bracketed(name: str, rows: Sequence[Mapping[str, object]]) -> dict[str, str]:
    """Return ``rows`` as form fields that PHP parses into a list of arrays: ``courses[0][fullname]`` and so on."""
    return {f"{name}[{index}][{field}]": str(value) for index, row in enumerate(rows) for field, value in row.items()}


def tagless(text: str, length: int | None = None) -> str:
    """Return plain text, cut to ``length``, that PHP's ``strip_tags`` leaves unchanged.

    Adds a space after each ``<`` that has none, also at the end of the text.
    """
    # PHP would treat a ``<`` before the ellipsis as a tag.
    return cut(_TAG_START.sub("< ", text), length).replace("<…", "…")
