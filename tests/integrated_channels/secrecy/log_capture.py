"""Captures all log output at all levels, in the formats of the deployments, and error reports by mail.

Django's template engine logs each failed look-up with a traceback and the whole context. This takes most of the time of
an admin page, and is only captured on request.
"""

from __future__ import annotations

import logging
from contextlib import contextmanager
from typing import TYPE_CHECKING

import structlog
from django.utils.log import AdminEmailHandler

from enterprise_catalog.settings import base

if TYPE_CHECKING:
    from collections.abc import Iterator


class _Capture(logging.Handler):
    """Keeps each record as every formatter writes it, and its arguments."""

    def __init__(self) -> None:
        super().__init__()
        self.logged: list[str] = []
        self._formatters = [_structured(processors) for processors in base._RENDER.values()]

    def emit(self, record: logging.LogRecord) -> None:
        self.logged += [repr(record.args), *(formatter.format(record) for formatter in self._formatters)]


def _structured(processors: list[structlog.types.Processor]) -> logging.Formatter:
    shared, meta = base._SHARED_PROCESSORS, structlog.stdlib.ProcessorFormatter.remove_processors_meta
    return structlog.stdlib.ProcessorFormatter(foreign_pre_chain=shared, processors=[meta, *processors])


@contextmanager
def captured_logs(*, templates: bool = False) -> Iterator[list[str]]:
    """Set every logger to DEBUG until the block ends, and yield the captured output. Mails error reports, too."""
    loggers = [logging.root, *(logging.getLogger(name) for name in logging.root.manager.loggerDict)]
    levels = {logger: (logger.level, logger.propagate, logger.disabled) for logger in loggers}
    capture, post = _Capture(), AdminEmailHandler(include_html=True)
    post.setLevel(logging.ERROR)
    for logger in loggers:
        logger.propagate, logger.disabled = True, False
        logger.setLevel(logging.DEBUG)
    if not templates:
        logging.getLogger("django.template").setLevel(logging.INFO)
    logging.root.addHandler(capture)
    logging.root.addHandler(post)
    try:
        yield capture.logged
    finally:
        logging.root.removeHandler(capture)
        logging.root.removeHandler(post)
        for logger, (level, propagate, disabled) in levels.items():
            logger.propagate, logger.disabled = propagate, disabled
            logger.setLevel(level)
