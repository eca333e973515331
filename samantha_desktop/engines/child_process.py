"""One life of an engine's process, seen from the parent.

Threads: any thread may make a request; one exchange at a time is on the pipe.
Only the supervisor's thread calls `close` and `bury`, which collect the process.
"""

from __future__ import annotations

import itertools
import logging
import multiprocessing
import os
import pickle
import signal
import tempfile
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil

from samantha_desktop.core.errors import Cancelled
from samantha_desktop.core.ports import IsCancelled
from samantha_desktop.engines import wire, worker
from samantha_desktop.engines.registry import EngineSpec

_LOGGER = logging.getLogger(__name__)

_POLL_S = 0.005
"""How often a waiting caller looks whether it is cancelled; an answer wakes it at once."""

_UNBUFFERED_BYTES = 32_768
"""A message below this fits into any system's pipe buffer, so that sending it cannot block."""

_SIGNAL_WAIT_S = 2.0
"""How long a process gets to end after SIGTERM; after SIGKILL the system needs milliseconds."""

_MAX_LOG_BYTES = 1_000_000
_TAIL_BYTES = 4_000
_TAIL_LINES = 30


class LifeEnded(Exception):
    """The process is gone, or was killed for not answering; `describe_end` tells more."""


class ChildProcess:
    """A process that holds one engine, from its start to its end.

    Args:
        spec: the engine.
        settings: its settings dataclass.
        environment: variables set in the process before any native library is loaded.
        log_path: where its output goes, appended; None: nowhere.
    """

    def __init__(
        self,
        spec: EngineSpec,
        settings: object,
        environment: Mapping[str, str],
        log_path: Path | None,
    ) -> None:
        boot = pickle.dumps((spec, settings))
        self.ended = threading.Event()
        """Set once the process was collected: `describe_end` is complete."""
        self.kill_reason = ""
        """Why we ended it by force; empty when it ended by itself or was asked to."""
        self._log_path = log_path
        self._log_start = _prepare_log(log_path)
        self._numbers = itertools.count(1)
        self._exchange = threading.Lock()
        self._abandoned: deque[int] = deque()
        self._is_closing = False
        self._exit_code: int | None = None
        self._temporary_dir = tempfile.TemporaryDirectory(
            prefix=f"samantha-{spec.kind}-", ignore_cleanup_errors=True
        )
        context = multiprocessing.get_context("spawn")
        self._connection, childs_end = context.Pipe()
        self._process = context.Process(
            target=worker.serve,
            args=(
                childs_end,
                boot,
                dict(environment),
                os.devnull if log_path is None else str(log_path),
                self._temporary_dir.name,
            ),
            name=f"samantha-{spec.kind}",
            daemon=True,
        )
        try:
            with _keyboard_blocked():
                self._process.start()
        except OSError:
            self._connection.close()
            self._temporary_dir.cleanup()
            raise
        finally:
            # The parent must not hold the child's end, or it would never see it close.
            childs_end.close()
        self.sentinel = self._process.sentinel
        self.pid = self._process.pid

    # ------------------------------------------------------------- any thread

    def next_number(self) -> int:
        """A number for a new request."""
        return next(self._numbers)

    def request(
        self, request: wire.Request, *, is_cancelled: IsCancelled, timeout_s: float
    ) -> wire.Answer | wire.End:
        """Send one request and wait for its answer.

        Raises:
            Cancelled: `is_cancelled` became true, or the process is being closed.
            LifeEnded: the process ended, or was killed for taking longer than `timeout_s`.
            SamanthaError: what the engine raised.
        """
        deadline_s = time.monotonic() + timeout_s
        while not self._exchange.acquire(timeout=_POLL_S):
            self._check_cancelled(is_cancelled)
        try:
            self._check_cancelled(is_cancelled)
            if self.ended.is_set():
                raise LifeEnded
            self._forward_abandoned()
            reply = self._exchange_messages(request, is_cancelled, deadline_s, timeout_s)
        finally:
            self._exchange.release()
            self._forward_if_free()
        if isinstance(reply, wire.Failure):
            raise reply.error
        return reply

    def cancel(self, number: int) -> None:
        """Tell the child that nobody waits for this request any more.

        Never waits, since it may be called by a garbage collection in the middle of
        an exchange: whoever has the pipe then forwards it.
        """
        self._abandoned.append(number)
        self._forward_if_free()

    def resident_bytes(self) -> int:
        """Physical memory in use; 0 when the process is gone."""
        if self.ended.is_set():
            return 0
        try:
            return int(psutil.Process(self.pid).memory_info().rss)
        except psutil.NoSuchProcess:
            return 0

    def describe_end(self) -> str:
        """Why it ended: signal or exit code, and the last lines it printed."""
        if self.kill_reason:
            cause = self.kill_reason
        elif self._exit_code is not None and self._exit_code < 0:
            cause = f"ended by {_signal_name(-self._exit_code)}"
        else:
            cause = f"exit code {self._exit_code}"
        return "\n".join([f"Process {self.pid}: {cause}.", *self._last_lines()])

    # ------------------------------------------------------ the pipe's holder

    def _exchange_messages(
        self,
        request: wire.Request,
        is_cancelled: IsCancelled,
        deadline_s: float,
        timeout_s: float,
    ) -> wire.FromChild:
        self._send(request, deadline_s)
        is_answered = False
        try:
            while not is_answered:
                if not self._poll():
                    self._check_cancelled(is_cancelled)
                    self._forward_abandoned()
                    if time.monotonic() > deadline_s:
                        self._kill(f"no answer within {timeout_s:g} s")
                        raise LifeEnded
                    continue
                reply: wire.FromChild = self._transfer(wire.receive, self._connection)
                is_answered = reply.number == request.number
        finally:
            if not is_answered:
                self._abandoned.append(request.number)
                self._forward_abandoned()
        return reply

    def _send(self, message: wire.FromParent, deadline_s: float) -> None:
        payload = wire.encode(message)
        if len(payload) < _UNBUFFERED_BYTES:
            self._transfer(self._connection.send_bytes, payload)
            return
        # A frozen process reads nothing, and a full pipe would hold us for ever.
        watchdog = threading.Timer(
            max(0.0, deadline_s - time.monotonic()), self._kill, ("did not take its input in time",)
        )
        watchdog.start()
        try:
            self._transfer(self._connection.send_bytes, payload)
        finally:
            watchdog.cancel()
            watchdog.join()

    def _transfer(self, move: Callable[..., Any], argument: object) -> Any:
        """Send or receive one whole message."""
        try:
            return move(argument)
        except (EOFError, OSError) as error:
            raise LifeEnded from error
        except BaseException:
            # Interrupted (Ctrl-C) within a message: the pipe is out of step for good.
            self._kill("interrupted")
            raise

    def _poll(self) -> bool:
        try:
            return self._connection.poll(_POLL_S)
        except OSError as error:
            raise LifeEnded from error

    def _check_cancelled(self, is_cancelled: IsCancelled) -> None:
        if self._is_closing or is_cancelled():
            raise Cancelled

    def _forward_abandoned(self) -> None:
        with suppress(LifeEnded, IndexError):
            while True:
                message = wire.encode(wire.Cancel(self._abandoned.popleft()))
                self._transfer(self._connection.send_bytes, message)

    def _forward_if_free(self) -> None:
        while self._abandoned and self._exchange.acquire(blocking=False):
            try:
                self._forward_abandoned()
            finally:
                self._exchange.release()

    def _kill(self, reason: str) -> None:
        self.kill_reason = self.kill_reason or reason
        self._process.kill()

    # ------------------------------------------------------ supervisor thread

    def close(self, grace_s: float) -> None:
        """Ask it to end, wait at most `grace_s` for that, then `bury` it. Idempotent."""
        self._is_closing = True  # whoever is in an exchange leaves within one poll
        with self._exchange:
            if not self.ended.is_set():
                with suppress(LifeEnded):
                    self._send(wire.Stop(), time.monotonic() + grace_s)
                self._process.join(grace_s)
        self.bury()

    def bury(self) -> None:
        """Make sure that it has ended, by force if need be, and free everything. Idempotent."""
        if self.ended.is_set():
            return
        self._process.terminate()
        self._process.join(_SIGNAL_WAIT_S)
        self._process.kill()
        self._process.join()
        self._exit_code = self._collected_exit_code()
        with self._exchange:
            self.ended.set()
            self._connection.close()
            self._process.close()
        self._temporary_dir.cleanup()

    def _collected_exit_code(self) -> int | None:
        # Another thread that starts a process also collects ended ones, and for a
        # moment the code is neither with the system nor with us.
        for _ in range(1000):
            if self._process.exitcode is not None:
                break
            time.sleep(0.001)
        return self._process.exitcode

    def _last_lines(self) -> list[str]:
        if self._log_path is None:
            return []
        try:
            with self._log_path.open("rb") as log:
                end = log.seek(0, os.SEEK_END)
                log.seek(max(self._log_start, end - _TAIL_BYTES))
                return log.read().decode(errors="replace").splitlines()[-_TAIL_LINES:]
        except OSError:
            return []


def _prepare_log(log_path: Path | None) -> int:
    """Make the log's folder, begin a long log anew, and return its size in bytes."""
    if log_path is None:
        return 0
    log_path.parent.mkdir(parents=True, exist_ok=True)
    size = log_path.stat().st_size if log_path.exists() else 0
    if size <= _MAX_LOG_BYTES:
        return size
    os.truncate(log_path, 0)
    return 0


def _signal_name(number: int) -> str:
    try:
        return f"{signal.Signals(number).name} ({number})"
    except ValueError:
        return f"signal {number}"


@contextmanager
def _keyboard_blocked() -> Iterator[None]:
    """Let a process started here begin with SIGINT blocked, until it ignores it itself.

    Otherwise Ctrl-C in its first milliseconds prints a traceback.
    """
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    from multiprocessing import resource_tracker

    # Starting it unblocks SIGINT on Python 3.11; so it has to be running before.
    resource_tracker.ensure_running()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
