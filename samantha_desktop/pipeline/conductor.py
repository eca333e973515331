"""Carries out what the conversation decides: one inbox, one thread, one worker per engine."""

from __future__ import annotations

import logging
import queue
import threading
import time
import traceback
from collections.abc import Callable
from typing import Protocol, TypeVar

import numpy as np

from samantha_desktop.core import messages as m
from samantha_desktop.core.conversation import Conversation
from samantha_desktop.core.errors import Cancelled, EngineDied, EngineError, SamanthaError
from samantha_desktop.core.ports import IsCancelled, LanguageModel, Pcm, SpeechToText, TextToSpeech
from samantha_desktop.core.prompt import build_messages
from samantha_desktop.pipeline.player import Player
from samantha_desktop.pipeline.worker import Worker

INBOX_SIZE = 256
"""More events than this waiting means that something is stuck: a bug, told loudly."""

CANCEL_POLL_S = 0.05

_log = logging.getLogger(__name__)

_Command = TypeVar("_Command")


class Ears(Protocol):
    """What the conductor asks of the listener."""

    def start_capture(self, turn: int) -> None: ...
    def end_capture(self, turn: int) -> None: ...
    def utterance(self, turn: int, n_samples: int) -> Pcm: ...


class DeafEars:
    """For conversations without a microphone."""

    def start_capture(self, turn: int) -> None:
        """There is nothing to capture with."""

    def end_capture(self, turn: int) -> None:
        """Nothing was captured."""

    def utterance(self, turn: int, n_samples: int) -> Pcm:
        """Nothing was heard."""
        return np.zeros(0, np.float32)


class Conductor:
    """Runs a conversation.

    `post` may be called from any thread. Notices are delivered on the conductor's
    thread: observers must return quickly and must not raise.
    """

    def __init__(
        self,
        conversation: Conversation,
        *,
        stt: SpeechToText,
        llm: LanguageModel,
        tts: TextToSpeech,
        voice: str,
        voice_speed: float,
        language: str | None,
        history_tokens: int,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._conversation = conversation
        self._stt = stt
        self._llm = llm
        self._tts = tts
        self._voice = voice
        self._voice_speed = voice_speed
        self._language = language
        self._history_tokens = history_tokens
        self._clock = clock
        self._ears: Ears = DeafEars()
        self._player: Player | None = None
        self._recording: tuple[int, Pcm] = (0, np.zeros(0, np.float32))
        self._observers: list[Callable[[m.Notice], None]] = []
        self._inbox: queue.Queue[m.Event | None] = queue.Queue(INBOX_SIZE)
        self._may_write = threading.Event()
        self._is_token_handled = threading.Event()
        self._workers = {name: Worker(name) for name in ("stt-worker", "llm-worker", "tts-worker")}
        self._thread = threading.Thread(target=self._run, name="conductor", daemon=True)

    # ------------------------------------------------------------- any thread

    def observe(self, observer: Callable[[m.Notice], None]) -> None:
        """Tell `observer` of every notice from now on. Before `start`."""
        self._observers.append(observer)

    def start(self, player: Player, ears: Ears | None = None) -> None:
        """Begin; the first prompt is prepared at once."""
        self._player = player
        self._ears = ears or self._ears
        for worker in self._workers.values():
            worker.start()
        self._thread.start()
        self._carry_out(m.PrepareHistory(self._conversation.history))

    def post(self, event: m.Event) -> None:
        """Something happened.

        Raises:
            queue.Full: the conductor is stuck.
        """
        self._inbox.put_nowait(event)

    def close(self, timeout_s: float = 10.0) -> bool:
        """End the workers and the thread. Returns whether all ended in time."""
        for worker in self._workers.values():
            worker.cancel()
        self._may_write.set()
        if self._thread.is_alive():
            self._inbox.put(None)
            self._thread.join(timeout_s)
        has_ended = not self._thread.is_alive()
        for worker in self._workers.values():
            has_ended = worker.close(timeout_s) and has_ended
        return has_ended

    # -------------------------------------------------------- conductor thread

    def _run(self) -> None:
        assert self._player is not None
        while (event := self._inbox.get()) is not None:
            outputs = self._conversation.handle(
                event, now_s=self._clock(), playback_s=self._player.pending_s()
            )
            for output in outputs:
                self._carry_out(output)
            if isinstance(event, m.TokenDelta):
                self._is_token_handled.set()

    def _carry_out(self, output: m.Command | m.Notice) -> None:
        assert self._player is not None
        match output:
            case m.StartCapture(turn=turn):
                self._ears.start_capture(turn)
            case m.EndCapture(turn=turn):
                self._ears.end_capture(turn)
            case m.KeepRecording(turn=turn, pcm=pcm):
                self._recording = (turn, pcm)
            case m.Transcribe():
                self._work("stt", output.turn, output.revision, self._transcribe, output)
            case m.Prefill():
                self._work("llm", output.turn, output.revision, self._prefill, output)
            case m.Generate():
                self._may_write.set()
                self._work("llm", output.turn, output.revision, self._generate, output)
            case m.PauseGeneration():
                self._may_write.clear()
            case m.ResumeGeneration():
                self._may_write.set()
            case m.Synthesize():
                self._work("tts", output.turn, output.revision, self._synthesize, output)
            case m.CancelWork():
                for worker in self._workers.values():
                    worker.cancel()
                self._may_write.set()
            case m.Play(turn=turn, index=index, pcm=pcm, sample_rate_hz=sample_rate_hz):
                self._player.play(turn, index, pcm, sample_rate_hz)
            case m.EndPlayback(turn=turn):
                self._player.end(turn)
            case m.StopPlayback(turn=turn):
                self._player.stop(turn)
            case m.PrepareHistory():
                self._work("llm", 0, 0, self._prepare, output)
            case _:
                for observer in self._observers:
                    observer(output)

    # --------------------------------------------------------- worker threads

    def _work(
        self,
        kind: m.EngineKind,
        turn: int,
        revision: int,
        do: Callable[[_Command, IsCancelled], None],
        command: _Command,
    ) -> None:
        """Let an engine's worker do this; what goes wrong comes back as an event."""

        def job(is_cancelled: IsCancelled) -> None:
            try:
                do(command, is_cancelled)
            except Cancelled:
                return
            except SamanthaError as error:
                failure = error
            except Exception:  # noqa: BLE001 - the root of a worker's job
                failure = EngineError(
                    "Something went wrong inside Samantha.",
                    recovery="Ask again; if it comes back, report it with the log.",
                    detail=traceback.format_exc(),
                )
            else:
                return
            if is_cancelled():
                return
            _log.warning("%s failed in turn %d: %s", kind, turn, failure.detail or failure)
            is_retryable = isinstance(failure, EngineDied)
            self.post(m.EngineFailed(kind, turn, revision, failure, is_retryable))

        self._workers[f"{kind}-worker"].submit(job)

    def _transcribe(self, command: m.Transcribe, is_cancelled: IsCancelled) -> None:
        recorded_turn, recording = self._recording
        if recorded_turn == command.turn:
            pcm = recording[: command.n_samples]
        else:
            pcm = self._ears.utterance(command.turn, command.n_samples)
        transcript = self._stt.transcribe(pcm, language=self._language, is_cancelled=is_cancelled)
        self.post(m.TranscriptReady(command.turn, command.revision, transcript))

    def _prefill(self, command: m.Prefill, is_cancelled: IsCancelled) -> None:
        self._llm.prefill(command.messages, is_cancelled=is_cancelled)

    def _generate(self, command: m.Generate, is_cancelled: IsCancelled) -> None:
        deltas = self._llm.generate(command.messages, command.options, is_cancelled=is_cancelled)
        for delta in deltas:
            if is_cancelled():
                return
            # The stream is lazy: as long as nothing is pulled, nothing is computed. Whether this
            # token completed a clause, and the voice is to have the cores, is decided first.
            self._is_token_handled.clear()
            self.post(m.TokenDelta(command.turn, command.revision, delta))
            for wanted in (self._is_token_handled, self._may_write):
                while not wanted.wait(CANCEL_POLL_S):
                    if is_cancelled():
                        return
        if not is_cancelled():
            self.post(m.GenerationEnded(command.turn, command.revision))

    def _synthesize(self, command: m.Synthesize, is_cancelled: IsCancelled) -> None:
        began_s = self._clock()
        pieces = list(
            self._tts.synthesize(
                command.text,
                voice=self._voice,
                speed=self._voice_speed,
                is_cancelled=is_cancelled,
            )
        )
        if is_cancelled():
            return
        pcm = np.concatenate(pieces) if pieces else np.zeros(0, np.float32)
        self.post(
            m.ClauseSynthesized(
                command.turn,
                command.revision,
                command.index,
                pcm,
                self._tts.sample_rate_hz,
                self._clock() - began_s,
            )
        )

    def _prepare(self, command: m.PrepareHistory, is_cancelled: IsCancelled) -> None:
        persona = self._conversation.persona
        history = command.history.trimmed(self._history_tokens, self._llm.count_tokens)
        self._llm.prefill(build_messages(persona, history), is_cancelled=is_cancelled)
        if not is_cancelled():
            self.post(m.HistoryPrepared(command.history, history))
