"""The child's side of an engine in a process of its own.

Threads: the main thread computes, one request at a time; a reader thread
receives, so that a cancelled request and a dead parent are noticed while the
main thread is inside a native library. When the parent is gone, however it
went, the reader ends the process at once: nothing is left running.

Nothing but the standard library is imported at the top, because the environment
(numbers of threads) has to be set before the first native library is loaded.
"""

from __future__ import annotations

import faulthandler
import logging
import os
import pickle
import queue
import shutil
import signal
import sys
import tempfile
import threading
import traceback
from collections.abc import Generator, Iterator, Mapping
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING, Any, NoReturn

from samantha_desktop.engines import wire

if TYPE_CHECKING:
    from samantha_desktop.core.errors import SamanthaError
    from samantha_desktop.core.ports import IsCancelled
    from samantha_desktop.engines.registry import EngineSpec

_LOG_FORMAT = "%(asctime)s %(levelname)s %(process)d %(name)s: %(message)s"

_LOGGER = logging.getLogger(__name__)

_ORPHANED_EXIT_CODE = 69
"""The parent is gone. Source: EX_UNAVAILABLE of sysexits.h."""

_DEAF_EXIT_CODE = 76
"""A message that cannot be read. Source: EX_PROTOCOL of sysexits.h."""

_NO_MORE = object()


def serve(
    connection: Connection,
    boot: bytes,
    environment: Mapping[str, str],
    log_path: str,
    temporary_dir: str,
) -> NoReturn:
    """Run one engine until told to stop. The target of the process.

    Args:
        connection: to the parent.
        boot: pickled (EngineSpec, settings); pickled, since reading it imports
            the engine's module, which must not happen before the environment is set.
        environment: variables to set first.
        log_path: where everything printed by the libraries goes.
        temporary_dir: an existing folder of this process alone. Some libraries
            unpack files and clean up only at an orderly exit, which a crash is not.
    """
    _ignore_keyboard()
    os.environ.update(environment)
    os.environ.update(dict.fromkeys(("TMPDIR", "TEMP", "TMP"), temporary_dir))
    tempfile.tempdir = None  # found out again from the environment
    _redirect_output(log_path)
    spec, settings = pickle.loads(boot)
    _Worker(connection, spec, settings, temporary_dir).run()


def _ignore_keyboard() -> None:
    """Ctrl-C reaches the whole group; what it means is the parent's decision."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if hasattr(signal, "pthread_sigmask"):
        # Blocked by the parent while this process was being started.
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})


def _redirect_output(log_path: str) -> None:
    """Send file descriptors 1 and 2, and all logging, to the log file."""
    log = os.open(log_path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.close(log)
    # Without a console (a windowed program on Windows) these are None.
    sys.stdout = open(1, "w", buffering=1, encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.stderr = open(2, "w", buffering=1, encoding="utf-8", closefd=False)  # noqa: SIM115
    faulthandler.enable(file=sys.stderr, all_threads=False)
    # As in the parent's log, only Samantha's own modules write below WARNING:
    # libraries log what they work on, and logs never hold what was said.
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format=_LOG_FORMAT, force=True)
    logging.getLogger("samantha_desktop").setLevel(logging.INFO)


class _Worker:
    """Serves one engine."""

    def __init__(
        self, connection: Connection, spec: EngineSpec, settings: Any, temporary_dir: str
    ) -> None:
        self._connection = connection
        self._spec = spec
        self._settings = settings
        self._temporary_dir = temporary_dir
        self._engine: Any = None
        self._inbox: queue.SimpleQueue[wire.FromParent] = queue.SimpleQueue()
        self._streams: dict[int, Iterator[Any]] = {}
        # Requests that are not finished; True: cancelled. Written by both threads,
        # one operation at a time, which the interpreter makes atomic.
        self._is_cancelled: dict[int, bool] = {}

    def run(self) -> NoReturn:
        threading.Thread(target=self._read, name="reader", daemon=True).start()
        while True:
            message = self._inbox.get()
            match message:
                case wire.Stop():
                    self._stop()
                case wire.Cancel():
                    self._finish(message.number)
                case _:
                    self._reply(self._answer(message))

    # ------------------------------------------------------------ reader thread

    def _read(self) -> None:
        try:
            while True:
                self._take(wire.receive(self._connection))
        except (EOFError, OSError):
            self._end(_ORPHANED_EXIT_CODE)
        except Exception:
            # The root of this thread: deaf, the process would be of no use.
            _LOGGER.exception("A message could not be read")
            self._end(_DEAF_EXIT_CODE)

    def _take(self, message: wire.FromParent) -> None:
        match message:
            case wire.Call():
                self._is_cancelled[message.number] = False
            case wire.Cancel():
                if message.number in self._is_cancelled:
                    self._is_cancelled[message.number] = True
            case wire.Stop():
                if self._engine is None:
                    self._end(0)  # nothing to close, and loading cannot be cancelled
                for number in list(self._is_cancelled):
                    self._is_cancelled[number] = True
        self._inbox.put(message)

    # -------------------------------------------------------------- main thread

    def _answer(self, request: wire.Request) -> wire.FromChild:
        # The root of this process: whatever the engine raises crosses to the caller.
        try:
            return self._perform(request)
        except Exception as error:  # noqa: BLE001
            self._finish(request.number)
            return wire.Failure(request.number, self._as_own_error(error))

    def _perform(self, request: wire.Request) -> wire.FromChild:
        match request:
            case wire.Load():
                return wire.Answer(request.number, self._load())
            case wire.Pull():
                return self._pull(request.number)
        kwargs = dict(request.kwargs)
        if request.takes_cancel:
            kwargs["is_cancelled"] = self._canceller(request.number)
        result = getattr(self._engine, request.method)(*request.args, **kwargs)
        if request.is_stream:
            self._streams[request.number] = result
            return self._pull(request.number)
        self._finish(request.number)
        return wire.Answer(request.number, result)

    def _load(self) -> wire.Loaded:
        from samantha_desktop.engines.registry import FIXED_PROPERTIES

        engine = self._spec.engine_class()(self._settings)
        engine.load()
        properties = {name: getattr(engine, name) for name in FIXED_PROPERTIES[self._spec.kind]}
        loaded = wire.Loaded(engine.info(), properties)
        self._engine = engine
        return loaded

    def _pull(self, number: int) -> wire.FromChild:
        stream = self._streams.get(number)
        if stream is not None and not self._is_cancelled.get(number, True):
            item = next(stream, _NO_MORE)
            if item is not _NO_MORE:
                return wire.Answer(number, item)
        self._finish(number)
        return wire.End(number)

    def _canceller(self, number: int) -> IsCancelled:
        return lambda: self._is_cancelled.get(number, True)

    def _finish(self, number: int) -> None:
        """Forget a request, closing its stream if it has one."""
        stream = self._streams.pop(number, None)
        if isinstance(stream, Generator):
            stream.close()
        self._is_cancelled.pop(number, None)

    def _as_own_error(self, error: Exception) -> SamanthaError:
        from samantha_desktop.core.errors import EngineError, SamanthaError

        if isinstance(error, SamanthaError):
            return error
        return EngineError(
            f"The {self._spec.plain_name} failed.",
            recovery="Try again; if it happens each time, `samantha doctor` may tell why.",
            detail="".join(traceback.format_exception(error)),
        )

    def _reply(self, reply: wire.FromChild) -> None:
        # A parent that is gone is the reader's business.
        with suppress(OSError):
            self._connection.send_bytes(wire.encode(reply))

    def _stop(self) -> NoReturn:
        for number in list(self._streams):
            self._finish(number)
        self._engine.close()
        self._end(0)

    def _end(self, exit_code: int) -> NoReturn:
        """End without the native libraries' own exit handlers, some of which crash."""
        shutil.rmtree(self._temporary_dir, ignore_errors=True)
        sys.stderr.flush()
        os._exit(exit_code)
