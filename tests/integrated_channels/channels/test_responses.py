"""Decoding of LMS responses into models. Errors name the position of an invalid value and never the value."""

from __future__ import annotations

from dataclasses import replace

import pytest
from pydantic import BaseModel

from enterprise_catalog.integrated_channels.channels.responses import read, read_or_none, require_there, validated
from enterprise_catalog.integrated_channels.exceptions import ConfigurationError, RetryableError
from enterprise_catalog.integrated_channels.lms.client import LMSResponse


class Course(BaseModel):
    id: int


def an_answer(text: str) -> LMSResponse:
    return LMSResponse(200, text.encode(), text, {})


def test_an_answer_is_read_as_a_model_or_as_a_list_or_dictionary() -> None:
    assert read(Course, an_answer('{"id": 7}')) == Course(id=7)
    assert read(list[Course], an_answer('[{"id": 7}]')) == [Course(id=7)]
    assert read(dict[str, bool], an_answer('{"read_sis": true}')) == {"read_sis": True}


def test_a_response_with_wrong_content_is_retried_and_reported_by_position_only() -> None:
    with pytest.raises(RetryableError) as raised:
        read(list[Course], an_answer('[{"id": 7}, {"id": "a secret"}]'))

    assert raised.value.message.startswith("The LMS returned an unexpected response (1.id): ")
    assert (raised.value.status_code, "a secret" in raised.value.message) == (200, False)


def test_a_response_of_another_type_is_reported_by_its_type() -> None:
    with pytest.raises(RetryableError, match=r"unexpected response \(list\)"):
        validated(Course, [], status_code=200)


@pytest.mark.parametrize("status", [404, 405])
def test_where_each_lms_has_something_nothing_is_a_wrong_address(status: int) -> None:
    require_there(an_answer("[]"), "There is no such endpoint.")

    with pytest.raises(ConfigurationError, match="There is no such endpoint") as raised:
        require_there(replace(an_answer(""), status_code=status), "There is no such endpoint.")

    assert raised.value.status_code == status


@pytest.mark.parametrize("text", ["", "<html>", "[]", '{"id": "x"}'])
def test_what_need_not_be_readable_is_nothing_if_it_is_not(text: str) -> None:
    assert read_or_none(Course, an_answer('{"id": 7}')) == Course(id=7)
    assert read_or_none(Course, an_answer(text)) is None
