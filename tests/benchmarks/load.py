"""Load: many concurrent callers; counts the responses and checks them.

The callers share the CPUs with the server. They send prepared bytes and check each response's status and length; only
some responses are compared byte by byte.
"""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

from tests.benchmarks.over_http import SocketCaller
from tests.benchmarks.results import WrongAnswerError

CLIENTS: Final = 16
_COMPARED_EVERY: Final = 20


@dataclass(frozen=True, slots=True)
class LoadReport:
    """The results of all requests."""

    answers: int
    errors: list[str]  #: One line for each failed request.
    seconds: float  #: From the first request to the last response.

    @property
    def answers_per_second(self) -> float:
        """Correct responses per second."""
        return self.answers / self.seconds


def under_load(port: int, request: bytes, *, expected: bytes, seconds: float) -> LoadReport:
    """Send ``request`` repeatedly from :data:`CLIENTS` callers for ``seconds``; wait for the last responses."""
    errors: list[str] = []
    started = time.perf_counter()
    with ThreadPoolExecutor(CLIENTS) as pool:
        callers = [
            pool.submit(_call_until, started + seconds, SocketCaller(port), request, expected, errors)
            for _ in range(CLIENTS)
        ]
        answers = sum(caller.result() for caller in callers)
    return LoadReport(answers, errors, time.perf_counter() - started)


def _call_until(deadline: float, caller: SocketCaller, request: bytes, expected: bytes, errors: list[str]) -> int:
    """Return the number of correct responses; append a line to ``errors`` for each failure."""
    answers = attempts = 0
    while time.perf_counter() < deadline:
        try:
            _check(caller.exchange(request), expected, compare=attempts % _COMPARED_EVERY == 0)
            answers += 1
        except (OSError, WrongAnswerError) as error:
            errors.append(f"{type(error).__name__}: {error}")
        attempts += 1
    return answers


def _check(body: memoryview, expected: bytes, *, compare: bool) -> None:
    if len(body) != len(expected) or (compare and body != expected):
        raise WrongAnswerError(f"an answer of {len(body):,} bytes differs from that of {len(expected):,} bytes")
