"""Carries out a conversation's commands in virtual time, with engines of known speed."""

from __future__ import annotations

import heapq
import itertools
from dataclasses import dataclass, field

import numpy as np

from samantha_desktop.core import messages as m
from samantha_desktop.core.conversation import Conversation
from samantha_desktop.core.errors import EngineDied
from samantha_desktop.core.ports import Transcript

RATE_HZ = 24_000


@dataclass
class Costs:
    """Seconds of computing on a machine that does one thing at a time."""

    recognition_s: float = 0.17
    first_token_s: float = 0.12
    token_s: float = 0.045
    clause_s: float = 0.2
    word_s: float = 0.1
    spoken_word_s: float = 0.33


@dataclass
class SimulatedShell:
    """Runs until nothing is left to happen.

    Attributes:
        answer: what the language model writes, token by token.
        transcripts: what is recognised, by number of samples.
        dying: kinds of engines whose next job ends in a death, once per mention.
    """

    conversation: Conversation
    answer: list[str]
    transcripts: dict[int, str] = field(default_factory=dict)
    costs: Costs = field(default_factory=Costs)
    dying: list[str] = field(default_factory=list)
    now_s: float = 0.0
    notices: list[object] = field(default_factory=list)
    commands: list[object] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._future: list[tuple[float, int, str, object]] = []
        self._numbers = itertools.count()
        self._epoch = {"stt": 0, "llm": 0, "tts": 0}
        self._writing: tuple[m.Generate, list[str]] | None = None
        self._may_write = True
        self._token_due = False
        self._play_from_s = 0.0
        self._play_until_s = 0.0
        self._clauses: list[tuple[float, float]] = []
        self.gaps_s: list[float] = []
        self.both_busy_s = 0.0
        self._tts_until_s = 0.0
        self.written: list[str] = []
        self.played: list[tuple[int, int]] = []

    # ------------------------------------------------------------------ control

    def post(self, event: object, at_s: float | None = None) -> None:
        self._plan("event", event, (self.now_s if at_s is None else at_s) - self.now_s)

    def run(self, until_s: float = 1e9) -> None:
        while self._future and self._future[0][0] <= until_s:
            self.now_s, _, kind, what = heapq.heappop(self._future)
            if kind == "event":
                self._handle(what)
            elif kind == "token":
                self._write_token(what)
            else:
                epoch, event = what
                if epoch == self._epoch[kind]:
                    self._handle(event)
        self.now_s = max(self.now_s, min(until_s, 1e8))

    @property
    def records(self) -> list[m.TurnRecord]:
        return [notice.record for notice in self.notices if isinstance(notice, m.TurnEnded)]

    @property
    def problems(self) -> list[m.Problem]:
        return [notice for notice in self.notices if isinstance(notice, m.Problem)]

    # ------------------------------------------------------------------- engines

    def _plan(self, kind: str, what: object, delay_s: float) -> None:
        heapq.heappush(self._future, (self.now_s + delay_s, next(self._numbers), kind, what))

    def _begin(self, kind: str, event: object, took_s: float, command: object) -> None:
        self._epoch[kind] += 1
        if kind in self.dying:
            self.dying.remove(kind)
            error = EngineDied("It stopped.")
            event = m.EngineFailed(kind, command.turn, command.revision, error, True)
        self._plan(kind, (self._epoch[kind], event), took_s)

    def _handle(self, event: object) -> None:
        pending_s = max(0.0, self._play_until_s - self.now_s)
        for output in self.conversation.handle(event, now_s=self.now_s, playback_s=pending_s):
            if isinstance(output, m.Command):
                self.commands.append(output)
                self._carry_out(output)
            else:
                self.notices.append(output)

    def _carry_out(self, command: object) -> None:
        costs = self.costs
        match command:
            case m.Transcribe():
                text = self.transcripts[command.n_samples]
                event = m.TranscriptReady(command.turn, command.revision, Transcript(text))
                self._begin("stt", event, costs.recognition_s, command)
            case m.Generate():
                self._epoch["llm"] += 1
                self._may_write = True
                self._token_due = True
                if "llm" in self.dying:
                    self._begin("llm", None, costs.first_token_s, command)
                    self._writing = None
                    return
                begun = command.messages[-1]
                n_begun = 0
                if begun.role == "assistant":
                    while "".join(self.answer[:n_begun]) != begun.content:
                        n_begun += 1
                self._writing = (command, self.answer[n_begun:])
                self._plan("token", self._epoch["llm"], costs.first_token_s)
            case m.PauseGeneration():
                self._may_write = False
            case m.ResumeGeneration():
                self._may_write = True
                if self._writing and not self._token_due:
                    self._token_due = True
                    self._plan("token", self._epoch["llm"], costs.token_s)
            case m.Synthesize():
                n_words = len(command.text.split())
                pcm = np.zeros(int(n_words * costs.spoken_word_s * RATE_HZ), np.float32)
                took_s = costs.clause_s + costs.word_s * n_words
                event = m.ClauseSynthesized(
                    command.turn, command.revision, command.index, pcm, RATE_HZ, took_s
                )
                self._tts_until_s = self.now_s + took_s
                self._begin("tts", event, took_s, command)
            case m.CancelWork():
                for kind in self._epoch:
                    self._epoch[kind] += 1
                self._writing = None
            case m.Play():
                self._play(command)
            case m.EndPlayback():
                self._plan("event", self._ended(command.turn), self._play_until_s - self.now_s)
            case m.StopPlayback():
                self._play_until_s = min(self._play_until_s, self.now_s)
                self._handle_later(self._ended(command.turn))
            case m.PrepareHistory():
                self._handle_later(m.HistoryPrepared(command.history, command.history))

    def _handle_later(self, event: object) -> None:
        self._plan("event", event, 0.001)

    def _write_token(self, epoch: object) -> None:
        if epoch != self._epoch["llm"] or self._writing is None:
            return
        command, tokens = self._writing
        self._token_due = False
        if not tokens:
            self._writing = None
            self._handle(m.GenerationEnded(command.turn, command.revision))
            return
        self.both_busy_s += max(0.0, min(self._tts_until_s - self.now_s, self.costs.token_s))
        self.written.append(tokens[0])
        delta = tokens.pop(0)
        self._handle(m.TokenDelta(command.turn, command.revision, delta))
        if self._may_write and not self._token_due:
            self._token_due = True
            self._plan("token", self._epoch["llm"], self.costs.token_s)

    def _play(self, command: m.Play) -> None:
        start_s = max(self.now_s, self._play_until_s)
        if command.index == 0:
            self._clauses = []
        elif start_s > self._play_until_s:
            self.gaps_s.append(start_s - self._play_until_s)
        self._play_until_s = start_s + len(command.pcm) / command.sample_rate_hz
        self._clauses.append((start_s, self._play_until_s))
        self.played.append((command.turn, command.index))
        self._handle_later(m.ClauseStarted(command.turn, command.index, start_s))

    def _ended(self, turn: int) -> m.PlaybackEnded:
        until_s = self._play_until_s
        heard_s = tuple(max(0.0, min(end, until_s) - start) for start, end in self._clauses)
        return m.PlaybackEnded(turn, heard_s)
