"""An engine in a process of its own: started, watched, and started again.

A native crash costs one engine and a second, not the conversation and the
window; inference does not hold the interpreter that feeds the audio; each engine
has its own number of threads; several load side by side.

Threads: one supervisor per engine starts the process, waits for its end (also
when nothing is asked of it) and starts it again. Callers use the pipe
themselves, so that no thread lies between a caller and its answer.
"""

from __future__ import annotations

import atexit
import copy
import logging
import multiprocessing
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from enum import StrEnum
from multiprocessing import connection
from pathlib import Path
from typing import Any

from samantha_desktop.core.errors import Cancelled, EngineDied, EngineError, SamanthaError
from samantha_desktop.core.ports import EngineInfo, IsCancelled, never_cancelled
from samantha_desktop.engines import wire
from samantha_desktop.engines.child_process import ChildProcess, LifeEnded
from samantha_desktop.engines.limits import Limits
from samantha_desktop.engines.registry import EngineSpec

_LOGGER = logging.getLogger(__name__)

_READY_POLL_S = 0.01
_OBITUARY_WAIT_S = 5.0


class EngineState(StrEnum):
    """What an engine's process is doing, for whoever shows it."""

    CLOSED = "closed"
    STARTING = "starting"
    READY = "ready"
    DEAD = "dead"
    FAILED = "failed"


def _ignore_state(state: EngineState) -> None:
    """The `on_state` of those who do not show it."""


class EngineProcess:
    """Runs the engine of a spec in a process. Calls: any thread, one after another.

    Args:
        spec: the engine.
        settings: its settings dataclass.
        environment: variables for the process, set before native libraries are
            loaded: OMP_NUM_THREADS and the like.
        log_path: file for everything the process prints; its last lines become
            the detail of a crash. None: thrown away.
        limits: see `Limits`.
        on_state: told each change of state, by the thread that makes it. It must
            return soon and not call back.
    """

    def __init__(
        self,
        spec: EngineSpec,
        settings: object,
        *,
        environment: Mapping[str, str] | None = None,
        log_path: Path | None = None,
        limits: Limits | None = None,
        on_state: Callable[[EngineState], None] = _ignore_state,
    ) -> None:
        self.spec = spec
        self.limits = limits or Limits()
        self._settings = settings
        self._environment = dict(environment or {})
        self._log_path = log_path
        self._on_state = on_state
        self._lifecycle = threading.Lock()  # held by `start` and `close`
        self._supervisor: threading.Thread | None = None
        self._closing = threading.Event()
        self._wake: connection.Connection | None = None
        self._changed = threading.Condition()  # guards what follows
        self._state = EngineState.CLOSED
        self._life: ChildProcess | None = None
        self._loaded: wire.Loaded | None = None
        self._error: SamanthaError | None = None
        self._last_death: EngineDied | None = None

    # --------------------------------------------------------------- lifecycle

    def start(self) -> None:
        """Begin loading and return. Does nothing while it runs; tries again if it failed."""
        with self._lifecycle:
            with self._changed:
                if self._state not in (EngineState.CLOSED, EngineState.FAILED):
                    return
            self._end_supervisor()
            self._closing.clear()
            wake_reader, self._wake = multiprocessing.Pipe(duplex=False)
            self._enter(EngineState.STARTING)
            # A daemon, so that a program that forgot `close` still reaches atexit, which closes.
            self._supervisor = threading.Thread(
                target=self._supervise,
                args=(wake_reader,),
                name=f"{self.spec.kind}-supervisor",
                daemon=True,
            )
            atexit.register(self.close)
            self._supervisor.start()

    def load(self) -> None:
        """Start it if it is not running, and wait until it is ready.

        Raises:
            ModelError: the engine cannot use its model. Not tried again by itself.
            EngineDied: its process ended meanwhile; it is being started again.
            EngineError: anything else.
            Cancelled: closed meanwhile.
        """
        with self._changed:
            earlier_death = self._last_death
        self.start()
        with self._changed:
            self._changed.wait_for(
                lambda: (
                    self._last_death is not earlier_death
                    or self._state not in (EngineState.STARTING, EngineState.DEAD)
                )
            )
            if self._state is EngineState.CLOSED:
                raise Cancelled
            if self._state is EngineState.FAILED and self._error is not None:
                raise copy.copy(self._error)
            if self._last_death is not None and self._last_death is not earlier_death:
                raise copy.copy(self._last_death)

    def close(self) -> None:
        """End the process and the supervisor: asked, then terminated, then killed.

        Idempotent; not to be called from `on_state`.
        """
        with self._lifecycle:
            self._end_supervisor()
            self._enter(EngineState.CLOSED)
        atexit.unregister(self.close)

    def _end_supervisor(self) -> None:
        if self._supervisor is None or self._wake is None:
            return
        self._closing.set()
        self._wake.close()  # the supervisor's end becomes readable
        self._supervisor.join()
        self._supervisor = self._wake = None

    # ------------------------------------------------------------------- facts

    @property
    def state(self) -> EngineState:
        """What it is doing right now."""
        with self._changed:
            return self._state

    @property
    def pid(self) -> int | None:
        """Of the process; None while there is none."""
        with self._changed:
            return self._life.pid if self._life else None

    def resident_bytes(self) -> int:
        """Physical memory of the process; 0 while there is none."""
        with self._changed:
            life = self._life
        return life.resident_bytes() if life else 0

    def info(self) -> EngineInfo:
        """What the engine said of itself when it was last loaded.

        Raises:
            EngineError: it never was.
        """
        return self._last_loaded().info

    def fixed_property(self, name: str) -> Any:
        """A property of the port that does not change once loaded.

        Raises:
            EngineError: the engine was never loaded.
        """
        return self._last_loaded().properties[name]

    def _last_loaded(self) -> wire.Loaded:
        with self._changed:
            if self._loaded is None:
                raise self._not_loaded()
            return self._loaded

    # ------------------------------------------------------------------- calls

    def call(
        self,
        method: str,
        *args: Any,
        is_cancelled: IsCancelled | None = None,
        timeout_s: float | None = None,
        **kwargs: Any,
    ) -> Any:
        """Call a method of the engine and wait for what it returns.

        Args:
            is_cancelled: None: the method takes none and is not cancelled.
            timeout_s: a longer or shorter one than `limits.call_timeout_s`.

        Raises:
            Cancelled: within milliseconds of `is_cancelled` becoming true, whether
                or not the engine has noticed; what it still answers is dropped.
            EngineDied: the process ended, or was ended because it hung.
            SamanthaError: what the engine raised.
        """
        cancelled = is_cancelled or never_cancelled
        life = self._ready_life(cancelled)
        request = wire.Call(
            life.next_number(), method, args, kwargs, takes_cancel=is_cancelled is not None
        )
        timeout_s = self.limits.call_timeout_s if timeout_s is None else timeout_s
        answer = self._request(life, request, cancelled, timeout_s)
        assert isinstance(answer, wire.Answer)
        return answer.value

    def stream(
        self, method: str, *args: Any, is_cancelled: IsCancelled, **kwargs: Any
    ) -> Iterator[Any]:
        """Call a method that yields, item by item.

        Lazy: the first `next` calls it, and each `next` asks for exactly one item;
        between them the engine computes nothing. Closing the iterator, or
        `is_cancelled` becoming true, ends it in the process as well.

        Raises:
            EngineDied: as in `call`; also when the process that began the stream
                has been replaced meanwhile.
            SamanthaError: what the engine raised.
        """
        try:
            life = self._ready_life(is_cancelled)
        except Cancelled:
            return
        number = life.next_number()
        request: wire.Request = wire.Call(
            number, method, args, kwargs, takes_cancel=True, is_stream=True
        )
        timeout_s = self.limits.call_timeout_s
        is_open = True
        try:
            while True:
                answer = self._request(life, request, is_cancelled, timeout_s)
                if isinstance(answer, wire.End):
                    is_open = False
                    return
                yield answer.value
                request = wire.Pull(number)
                timeout_s = self.limits.item_timeout_s
        except Cancelled:
            return
        finally:
            if is_open:
                life.cancel(number)

    def _request(
        self, life: ChildProcess, request: wire.Request, is_cancelled: IsCancelled, timeout_s: float
    ) -> wire.Answer | wire.End:
        try:
            return life.request(request, is_cancelled=is_cancelled, timeout_s=timeout_s)
        except LifeEnded:
            # The supervisor is collecting it; only then is known what it died of.
            life.ended.wait(_OBITUARY_WAIT_S)
            if self._closing.is_set():
                raise Cancelled from None
            raise self._obituary(life) from None

    def _ready_life(self, is_cancelled: IsCancelled) -> ChildProcess:
        deadline_s = time.monotonic() + self.limits.ready_timeout_s
        with self._changed:
            while True:
                if is_cancelled():
                    raise Cancelled
                match self._state:
                    case EngineState.READY if self._life and not self._life.ended.is_set():
                        return self._life
                    case EngineState.FAILED if self._error is not None:
                        raise copy.copy(self._error)
                    case EngineState.CLOSED:
                        raise self._not_loaded()
                if time.monotonic() > deadline_s:
                    raise EngineError(
                        f"The {self.spec.plain_name} is still not ready.",
                        recovery="Try again in a moment, or choose a smaller model.",
                    )
                self._changed.wait(_READY_POLL_S)

    # ------------------------------------------------------- supervisor thread

    def _supervise(self, wake: connection.Connection) -> None:
        # The root of this thread: whatever goes wrong here is told to who calls next.
        try:
            with wake:
                self._keep_alive(wake)
        except SamanthaError as error:
            self._enter(EngineState.FAILED, error=error)
        except Exception as error:
            _LOGGER.exception("The supervisor of %s failed", self.spec.name)
            self._enter(EngineState.FAILED, error=self._unexpected(error))

    def _keep_alive(self, wake: connection.Connection) -> None:
        died_at_s: list[float] = []
        while not self._closing.is_set():
            life = ChildProcess(self.spec, self._settings, self._environment, self._log_path)
            try:
                self._live(life, wake)
            finally:
                if self._closing.is_set():
                    life.close(self.limits.close_grace_s)
                else:
                    life.bury()
            if self._closing.is_set():
                return
            died_at_s.append(time.monotonic())
            died = self._obituary(life)
            _LOGGER.warning("%s died. %s", self.spec.name, died.detail)
            self._enter(EngineState.DEAD, death=died)
            delay_s = self.limits.restart_delay_s(died_at_s)
            if delay_s is None:
                raise self._gave_up(died)
            self._closing.wait(delay_s)

    def _live(self, life: ChildProcess, wake: connection.Connection) -> None:
        """Load the engine, then wait until its process ends or `close` is called."""
        self._enter(EngineState.STARTING, life=life)
        try:
            answer = life.request(
                wire.Load(life.next_number()),
                is_cancelled=self._closing.is_set,
                timeout_s=self.limits.load_timeout_s,
            )
        except (LifeEnded, Cancelled):
            return
        assert isinstance(answer, wire.Answer)
        self._enter(EngineState.READY, life=life, loaded=answer.value)
        connection.wait([life.sentinel, wake])

    def _enter(
        self,
        state: EngineState,
        *,
        life: ChildProcess | None = None,
        loaded: wire.Loaded | None = None,
        error: SamanthaError | None = None,
        death: EngineDied | None = None,
    ) -> None:
        with self._changed:
            is_new = state is not self._state
            self._state = state
            self._life = life
            self._loaded = loaded or self._loaded
            self._error = error
            self._last_death = death or self._last_death
            self._changed.notify_all()
        if is_new:
            self._on_state(state)

    # ------------------------------------------------------------------ errors

    def _obituary(self, life: ChildProcess) -> EngineDied:
        what = "did not answer and was stopped" if life.kill_reason else "stopped unexpectedly"
        return EngineDied(
            f"The {self.spec.plain_name} {what}.",
            recovery="It is being started again; please try once more.",
            detail=life.describe_end(),
        )

    def _gave_up(self, died: EngineDied) -> EngineError:
        return EngineError(
            f"The {self.spec.plain_name} stopped {self.limits.max_deaths} times in a row.",
            recovery="Run `samantha doctor`, or choose another model or fewer GPU layers in the "
            "settings; then start Samantha again.",
            detail=died.detail,
            is_fatal=True,
        )

    def _not_loaded(self) -> EngineError:
        return EngineError(
            f"The {self.spec.plain_name} is not loaded.", recovery="Start Samantha again."
        )

    def _unexpected(self, error: Exception) -> EngineError:
        return EngineError(
            f"The {self.spec.plain_name} could not be started.",
            recovery="Free some memory and disk space, and start Samantha again.",
            detail=repr(error),
        )
