"""Fields that settings of several channels have: what is allowed, and the help that people see in the admin's form."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

#: A channel turns it into its ``rate_limit``.
CallsPerMinute = Annotated[int, Field(ge=1, description="The most calls in a minute that the learning system grants.")]
#: How long a text may be.
TextLength = Annotated[int, Field(ge=50, description="In characters; what is longer is cut.")]
#: An address without user name or password; empty for the base URL.
TokenBaseURL = Annotated[
    str, Field(pattern=r"^(https?://[^\s@]+)?$", description="Where tokens are given out, if not at the base URL.")
]
