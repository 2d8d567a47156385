"""The signed list of rows that a user confirmed an action for, stored in the confirmation page's form."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING, Final, Self

from django.core import signing

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    #: A primary key. The keys of one table have one type.
    Key = int | str | UUID

#: The time after which a confirmation page expires.
MAX_AGE_SECONDS: Final = 3_600
#: The longest text that fits into a form: Django accepts 2.5 MB (``DATA_UPLOAD_MAX_MEMORY_SIZE``).
MAX_LENGTH: Final = 2_000_000
_SALT: Final = "admin_pages.confirmation"


class UnusableError(Exception):
    """The text was changed, has expired, or belongs to another user, action or table."""


class TooManyRowsError(Exception):
    """The keys of the rows do not fit into a form (:data:`MAX_LENGTH`)."""


@dataclass(frozen=True, slots=True)
class Confirmation:
    """The content of a confirmation page: the limits of what the action may do."""

    subject: str  #: Table, action and user.
    keys: tuple[Key, ...]  #: Primary keys, ascending.
    effects: tuple[str, ...] = ()  #: The further effects that the page announces.

    def sign(self) -> str:
        """Return the text for the form.

        Raises:
            TooManyRowsError: the text would be longer than :data:`MAX_LENGTH`. 250,000 integers always fit.
        """
        content = [self.subject, _packed(self.keys), self.effects]
        text = signing.dumps(content, salt=_SALT, compress=True)
        if len(text) > MAX_LENGTH:
            raise TooManyRowsError
        return text

    @classmethod
    def read(cls, text: str, *, subject: str) -> Self:
        """Return the confirmation in ``text``.

        Raises:
            UnusableError: the text is not a confirmation of ``subject``, or is older than :data:`MAX_AGE_SECONDS`.
        """
        try:
            signed_subject, packed, effects = signing.loads(text, salt=_SALT, max_age=MAX_AGE_SECONDS)
        except signing.BadSignature as error:
            raise UnusableError from error
        if signed_subject != subject:
            raise UnusableError
        return cls(subject, _unpacked(packed), tuple(effects))


def _packed(keys: Sequence[Key]) -> list[int] | list[str]:
    """Return integers as differences, most of which are 1 and compress well; other keys as texts."""
    numbers = [key for key in keys if isinstance(key, int)]
    if len(numbers) == len(keys):
        return [*numbers[:1], *(later - earlier for earlier, later in pairwise(numbers))]
    return [str(key) for key in keys]


def _unpacked(packed: Sequence[int | str]) -> tuple[Key, ...]:
    numbers = [key for key in packed if isinstance(key, int)]
    return tuple(accumulate(numbers)) if numbers else tuple(packed)
