"""Python processes that start warm: forks of a process that has already imported the third-party libraries.

The tests start hundreds of processes, and these imports take a second of CPU time each. A process that starts warm is
real: it has its own process ID, environment, files and signals, it is a child of the test's process, and it imports the
project and its settings itself. Only its hash seed and its command line in ``/proc`` come from the process that forks.

The command lines that users run start cold in some tests: ``manage.py``, ``celery`` and ``gunicorn``.
"""

from __future__ import annotations

import atexit
import contextlib
import ctypes
import functools
import gc
import importlib
import json
import os
import runpy
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

#: Together they import nearly all modules that a process needs and that do not read Django's settings.
_LIBRARIES: Final = (
    *("celery.apps.worker", "celery.bin.celery", "celery.concurrency.prefork"),
    *("django.contrib.admindocs.views", "django.contrib.auth.apps", "django.contrib.sessions.middleware"),
    *("django.core.management.commands.makemigrations", "django.db.backends.sqlite3.base"),
    *("corsheaders.apps", "django_prometheus.apps", "drf_spectacular.utils", "whitenoise.middleware"),
    *("gunicorn.app.wsgiapp", "gunicorn.workers.sync"),
    *("edx_rest_api_client.client", "jwcrypto.jwt", "oauthlib.oauth2.rfc6749.utils", "opaque_keys.edx.keys"),
    *("cron_descriptor", "httpx", "kombu.transport.redis", "pydantic.type_adapter", "signxml", "structlog"),
)
_MESSAGE_BYTES: Final = 2**20
#: From Linux's prctl.h: orphaned descendants of this process become its children.
_PR_SET_CHILD_SUBREAPER: Final = 36


class Popen(subprocess.Popen[Any]):
    """Like :class:`subprocess.Popen` for Python: ``args`` are ``-m module …``, ``-c code`` or ``script …``.

    Supports ``cwd``, ``env``, ``process_group`` and all arguments for streams. ``cold`` starts a new Python, and so do
    systems other than Linux, because their processes cannot adopt forks.
    """

    def __init__(
        self,
        args: Sequence[str],
        *,
        env: Mapping[str, str],
        process_group: int | None = None,
        cold: bool = False,
        **popen: Any,
    ) -> None:
        self._is_cold = cold or sys.platform != "linux"
        group = os.getpgrp() if process_group is None else process_group
        self._start = {"args": args, "env": dict(env), "group": group, "folder": str(popen.get("cwd") or Path.cwd())}
        super().__init__([sys.executable, *args], env=env, process_group=process_group, **popen)

    def _execute_child(self, *arguments: Any) -> None:
        """Override the private method of the standard library that starts a process on POSIX."""
        if self._is_cold:
            super()._execute_child(*arguments)  # type: ignore[misc]  # private
            return
        pipes = arguments[10:16]  # The child's and our end for stdin; our end and the child's for stdout and stderr.
        ends = (pipes[0], pipes[3], pipes[5])
        streams = [inherited if end == -1 else end for inherited, end in enumerate(ends)]
        self.pid = _forker().fork(self._start, streams)
        self._child_created = True
        self._close_pipe_fds(*pipes)  # type: ignore[attr-defined]  # private


def run(args: Sequence[str], *, text: str | None = None, **popen: Any) -> subprocess.CompletedProcess[str]:
    """Run Python to its end with ``text`` as its standard input; return its exit code and its output."""
    pipe = subprocess.PIPE
    with Popen(args, stdin=pipe, stdout=pipe, stderr=pipe, text=True, **popen) as process:
        output, errors = process.communicate(text)
    return subprocess.CompletedProcess(process.args, process.returncode, output, errors)


class _Forker:
    """The process that forks, started with the first warm process. It ends with this process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._channel, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1)
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, __file__, str(theirs.fileno())],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                process_group=0,  # Ctrl+C in a terminal does not reach it.
            )
        atexit.register(self._end)

    def _end(self) -> None:
        self._channel.close()
        self._process.wait()

    def fork(self, start: Mapping[str, object], streams: Sequence[int]) -> int:
        """Start a process and return its ID."""
        with self._lock:
            socket.send_fds(self._channel, [json.dumps(start).encode()], streams)
            pid = self._channel.recv(_MESSAGE_BYTES)
        assert pid, "the process that forks has ended"
        return int(pid)


@functools.cache
def _forker() -> _Forker:
    return _Forker()


def _serve(channel: socket.socket) -> None:
    """Fork one process after another until the other end of ``channel`` is closed; run its program in each fork."""
    gc.disable()  # An import leaves little garbage.
    for name in _LIBRARIES:
        with contextlib.suppress(ModuleNotFoundError):  # Some environments lack a few, such as gunicorn.
            importlib.import_module(name)
    gc.freeze()
    while True:
        message, streams, _, _ = socket.recv_fds(channel, _MESSAGE_BYTES, 3)
        if not message:
            return
        pid = _fork_orphan()
        if pid == 0:
            channel.close()
            gc.enable()
            _run(json.loads(message), streams)
            return
        for stream in streams:
            os.close(stream)
        channel.send(str(pid).encode())


def _fork_orphan() -> int:
    """Fork like :func:`os.fork`. The new process has already become a child of the test's process."""
    read, write = os.pipe()
    parent = os.fork()
    if parent == 0:
        pid = os.fork()
        if pid == 0:
            os.close(read)
            os.close(write)
            return 0
        os.write(write, str(pid).encode())
        os._exit(0)
    os.waitpid(parent, 0)
    pid = int(os.read(read, 32))
    os.close(read)
    os.close(write)
    return pid


def _run(start: Mapping[str, Any], streams: Sequence[int]) -> None:
    """Become the process that ``start`` describes: run its program as ``__main__``, in the same way as Python."""
    os.setpgid(0, start["group"])
    for target, stream in enumerate(streams):
        os.dup2(stream, target)
        os.close(stream)
    os.chdir(start["folder"])
    os.environ.clear()
    os.environ.update(start["env"])
    option, *sys.argv = start["args"]
    sys.path[0] = start["folder"]
    if option == "-m":
        runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
    elif option == "-c":
        code, sys.argv[0] = sys.argv[0], "-c"
        exec(code, {"__name__": "__main__"})  # noqa: S102  (as Python does)
    else:
        sys.argv.insert(0, option)
        sys.path[0] = str(Path(option).resolve().parent)
        runpy.run_path(option, run_name="__main__")


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.default_int_handler)
    _serve(socket.socket(fileno=int(sys.argv[1])))
