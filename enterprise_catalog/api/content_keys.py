"""Decodes ``{"content_keys": […]}`` within a memory limit, for any body.

msgspec decodes into a typed list. It stops at the first element that is not a content key, before it allocates memory
for the rest of the body. Three things would still be allocated before they are checked: the number of strings, the
length of one string, and strings that take four bytes per character. This module limits them before decoding.
"""

from __future__ import annotations

import codecs
import re
import sys
from typing import Annotated, Final

import msgspec
from rest_framework import status
from rest_framework.exceptions import APIException, ValidationError

from enterprise_catalog.db.content_keys import MAX_KEY_LENGTH


class KeysTooLargeError(APIException):
    """The strings of a request body would take more memory than one request may use."""

    status_code = status.HTTP_413_REQUEST_ENTITY_TOO_LARGE
    default_code = "keys_too_large"

    def __init__(self, limit: int) -> None:
        super().__init__(f"The strings in the request body take more than {limit:,} bytes of memory. Send fewer keys.")


class _Body(msgspec.Struct):
    content_keys: list[Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_KEY_LENGTH)]]


_decode: Final = msgspec.json.Decoder(_Body).decode

#: Smaller bodies contain at most 2.8 million strings, which take less than 200 MB. Not counting them saves 1 ms per
#: MiB.
_COUNTED_BODY_BYTES: Final = 8 * 2**20
#: The number of strings that a body may contain in addition to the keys: names and values of ignored fields.
_OTHER_STRINGS: Final = 1_000
#: Smaller bodies take less than 200 MB even if each of their bytes becomes a character of four bytes.
_MEASURED_BODY_BYTES: Final = 32 * 2**20
#: The most memory that the strings of a larger body may take.
_MAX_STRING_BYTES: Final = 160_000_000
#: A key of 255 characters, each written as two escapes (``\\ud83d\\ude00``), and its quotes.
_LONGEST_JSON_KEY: Final = 12 * MAX_KEY_LENGTH + 2
_TOO_LONG: Final = b'"%s"' % (b"k" * (MAX_KEY_LENGTH + 1))
#: Possessive: a long string needs no memory for backtracking.
_STRING: Final = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"', re.DOTALL)
#: The first byte of a character beyond U+FFFF, or the escape of its high surrogate.
_FOUR_BYTE_CHARACTER: Final = re.compile(rb"[\xf0-\xf4]|\\u[dD][89abAB]")
_UTF8_CHUNK_BYTES: Final = 2**16


def decode_content_keys(body: bytes, *, max_keys: int, min_keys: int = 0) -> list[str]:
    """Return the content keys of a request body, in the order sent, including duplicates.

    Takes less than 300 MB in total for any ``body`` up to 64 MiB, including ``body`` itself.

    Raises:
        ValidationError: the body is not valid; contains the position of the first element that is not a key.
        KeysTooLargeError: the strings would take more than 160 MB, as with many strings that mix ASCII and characters
            beyond U+FFFF.
    """
    _check_number_of_strings(body, max_keys)
    _check_utf8(body)
    if len(body) > _MEASURED_BODY_BYTES:
        _check_size_of_strings(body)
    keys = _decode_keys(body)
    if len(keys) > max_keys:
        raise _refusal(f"{len(keys):,} keys; at most {max_keys:,} are allowed.", "too_many_keys")
    if len(keys) < min_keys:
        raise _refusal(f"At least {min_keys} key is required.", "too_few_keys")
    return keys


def _decode_keys(body: bytes | memoryview) -> list[str]:
    try:
        return _decode(body).content_keys
    except msgspec.ValidationError as error:
        raise _refusal(*_explain(str(error))) from None
    except msgspec.DecodeError as error:
        raise _malformed(body, str(error)) from None
    except RecursionError:
        raise _refusal("The body is nested too deeply.", "parse_error") from None


def _refusal(message: str, code: str) -> ValidationError:
    return ValidationError({"content_keys": [message]}, code=code)


# --- messages of msgspec --------------------------------------------------------------------------------------------

_VALIDATION_MESSAGE: Final = re.compile(r"(?P<what>.*?)(?: - at `\$\.content_keys(?:\[(?P<position>\d+)\])?`)?")
_GOT: Final = re.compile(r"got `(\w+)`")


def _explain(message: str) -> tuple[str, str]:
    """Return the (message, code) for a msgspec error such as ``Expected `str`, got `int` - at `$.content_keys[2]```."""
    match = _VALIDATION_MESSAGE.fullmatch(message)
    assert match is not None  # The pattern matches any text without a line break.
    what, position = match["what"], match["position"]
    got = _GOT.search(what)
    kind = got[1] if got else "number"  # "Number out of range" is the only message without a type.
    if position is not None:
        return f"content_keys[{position}] {_bad_key(what, kind)}", "bad_key"
    if message.endswith("`$.content_keys`"):
        return f"Must be a list of content keys, not {kind}.", "not_a_list"
    if "missing required field" in what:
        return "This field is required.", "required"
    return "The body must be a JSON object with the field content_keys.", "invalid"


def _bad_key(what: str, kind: str) -> str:
    if "length >=" in what:
        return "is empty."
    if "length <=" in what:
        return f"is longer than {MAX_KEY_LENGTH} characters."
    return f"must be a string, not {kind}."


_BYTE: Final = re.compile(r"(?:JSON is malformed: )?(?P<what>.*?)(?: \(byte (?P<byte>\d+)\))?")


def _malformed(body: bytes | memoryview, message: str) -> ValidationError:
    match = _BYTE.fullmatch(message)
    assert match is not None
    what = match["what"]
    return _not_json(body, what[:1].lower() + what[1:], len(body) if match["byte"] is None else int(match["byte"]))


def _not_json(body: bytes | memoryview, what: str, byte: int) -> ValidationError:
    before = bytes(body[:byte])
    line, column = before.count(b"\n") + 1, byte - before.rfind(b"\n")
    return _refusal(f"The body is not JSON: {what} at line {line} column {column}.", "parse_error")


# --- bounds --------------------------------------------------------------------------------------------------------


def _has_more_strings_than(limit: int, body: bytes, end: int) -> bool:
    """Return True only if there are more strings; False guarantees at most twice as many as ``limit``.

    Each string has an opening quote, which never follows a backslash, and at most one other unescaped quote.
    """
    return body.count(b'"', 0, end) - body.count(b'\\"', 0, end) > 2 * limit


def _check_number_of_strings(body: bytes, max_keys: int) -> None:
    """Reject more strings than a body with ``max_keys`` keys can contain; report an earlier bad element first."""
    if len(body) < _COUNTED_BODY_BYTES:
        return
    end = len(body)
    while _has_more_strings_than(max_keys + _OTHER_STRINGS, body, end):
        end //= 2
    if end < len(body):
        _check_beginning(memoryview(body)[:end])
        raise _refusal(f"Too many keys; at most {max_keys:,} are allowed.", "too_many_keys")


def _check_beginning(beginning: bytes | memoryview) -> None:
    """Reject a body whose beginning contains an element that is not a key. The beginning may end anywhere."""
    try:
        _decode(beginning)
    except msgspec.ValidationError as error:
        raise _refusal(*_explain(str(error))) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        pass


def _check_utf8(body: bytes) -> None:
    """Check the UTF-8 of the fields that msgspec skips without checking. Decodes 64 KiB at a time."""
    if body.isascii():
        return
    decoder, view = codecs.getincrementaldecoder("utf-8")(), memoryview(body)
    for start in range(0, len(body), _UTF8_CHUNK_BYTES):
        is_last = start + _UTF8_CHUNK_BYTES >= len(body)
        pending = len(decoder.getstate()[0])
        try:
            decoder.decode(view[start : start + _UTF8_CHUNK_BYTES], is_last)
        except UnicodeDecodeError as error:
            raise _not_json(body, "invalid UTF-8", start - pending + error.start) from None


def _check_size_of_strings(body: bytes) -> None:
    """Reject strings that would take too much memory in total because their characters take four bytes each."""
    if body.isascii() and b"\\u" not in body:
        return
    if not _FOUR_BYTE_CHARACTER.search(body):
        return
    size = 0
    for match in _STRING.finditer(body):
        start, end = match.span()
        if end - start > _LONGEST_JSON_KEY:
            _check_beginning(body[:start] + _TOO_LONG)  # Gives the position, if the string is a key.
            raise KeysTooLargeError(_MAX_STRING_BYTES)
        text = body[start:end]
        size += sys.getsizeof(text.decode()) * (4 if b"\\u" in text else 1)
        if size > _MAX_STRING_BYTES:
            raise KeysTooLargeError(_MAX_STRING_BYTES)
