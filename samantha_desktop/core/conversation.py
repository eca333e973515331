"""What happens next in a conversation: events in, commands out.

No thread, clock, file or engine is touched here (a "sans I/O" state machine):
the conductor passes the time and what the speaker still has in hand, and does
what it is told. See docs/adr/0003-a-conversation-without-io.md.

An answer may be begun in a pause, before the speaker has let go of the key. It
is kept when the words did not change, and thrown away when they did; until the
utterance is over nothing of it is shown or heard.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias

from samantha_desktop.core import messages as m
from samantha_desktop.core.errors import EngineError, SamanthaError
from samantha_desktop.core.history import History
from samantha_desktop.core.pace import Pace
from samantha_desktop.core.ports import GenerationOptions, Pcm
from samantha_desktop.core.prompt import Persona, build_messages
from samantha_desktop.core.reply import Reply, SpokenClause
from samantha_desktop.core.turn_state import Phase, TurnState

Output: TypeAlias = list[m.Command | m.Notice]

UNSURE_WORDS = 2
"""Of a transcript that was cut in mid-speech, so many words at its end often change."""

MAX_ATTEMPTS = 2
"""An engine that dies twice over the same work would die a third time."""


@dataclass(frozen=True)
class ConversationOptions:
    """What does not change during a turn.

    Attributes:
        is_exclusive: few cores: the language model rests while the voice computes.
        is_speculative: begin the answer in a pause of the speaker.
    """

    generation: GenerationOptions = field(default_factory=GenerationOptions)
    is_exclusive: bool = True
    is_speculative: bool = True


class Conversation:
    """The state of a conversation. Owned by the conductor's thread."""

    def __init__(
        self,
        persona: Persona,
        options: ConversationOptions | None = None,
        history: History | None = None,
    ) -> None:
        self.persona = persona
        self.options = options or ConversationOptions()
        self.history = history or History()
        self._pace = Pace()
        self._last_turn = 0
        self._now: TurnState | None = None
        self._closing: TurnState | None = None
        self._out: Output = []
        self._at_s = 0.0
        self._playback_s = 0.0

    @property
    def turn(self) -> int:
        """The number of the turn under way, or of the last one."""
        return self._last_turn

    @property
    def is_idle(self) -> bool:
        """Nobody is speaking, nothing is being answered."""
        return self._now is None and self._closing is None

    @property
    def is_listening(self) -> bool:
        """The person holds the key."""
        return self._now is not None and self._now.phase == "listening"

    def handle(self, event: m.Event, *, now_s: float, playback_s: float = 0.0) -> Output:
        """Take one event; return what is to be done and told, in order.

        Args:
            now_s: the clock.
            playback_s: seconds of speech queued for the speaker and not heard yet.
        """
        self._out, self._at_s, self._playback_s = [], now_s, playback_s
        match event:
            case m.TalkPressed():
                self._on_talk_pressed()
            case m.TalkReleased():
                if self._now and self._now.phase == "listening":
                    self._out.append(m.EndCapture(self._now.turn))
            case m.TextSubmitted(text=text, is_spoken=is_spoken):
                self._on_text(text.strip(), is_spoken)
            case m.RecordingSubmitted(pcm=pcm, is_spoken=is_spoken):
                self._on_recording(pcm, is_spoken)
            case m.StopRequested():
                self._interrupt()
            case m.HistoryPrepared(source=source, history=history):
                if source is self.history:
                    self.history = history
            case m.PlaybackEnded(turn=turn, heard_s=heard_s):
                self._on_playback_ended(turn, heard_s)
            case _:
                if self._now is not None and event.turn == self._now.turn:
                    self._on_turn_event(self._now, event)
        return self._out

    # ------------------------------------------------------- the person's doing

    def _begin_turn(self, phase: Phase, is_spoken: bool = True) -> TurnState:
        self._interrupt()
        self._last_turn += 1
        self._now = TurnState(self._last_turn, phase, is_spoken)
        self._out.append(m.TurnStarted(self._last_turn))
        return self._now

    def _on_talk_pressed(self) -> None:
        if self.is_listening:
            return  # a keyboard repeats a held key
        turn = self._begin_turn("listening")
        self._out.append(m.StartCapture(turn.turn))

    def _on_text(self, text: str, is_spoken: bool) -> None:
        if not text:
            return
        turn = self._begin_turn("answering", is_spoken)
        turn.question = text
        for stage in ("speech_ended", "utterance_ended", "transcript"):
            turn.mark(stage, self._at_s)
        self._out.append(m.CaptionChanged(turn.turn, text, is_final=True))
        self._begin_reply(turn)

    def _on_recording(self, pcm: Pcm, is_spoken: bool) -> None:
        turn = self._begin_turn("hearing", is_spoken)
        turn.n_samples = len(pcm)
        turn.mark("speech_ended", self._at_s)
        turn.mark("utterance_ended", self._at_s)
        self._out.append(m.KeepRecording(turn.turn, pcm))
        self._out.append(m.Transcribe(turn.turn, turn.revision, turn.n_samples))

    def _interrupt(self) -> None:
        """End the turn under way; what was heard by now is what the history keeps."""
        turn = self._now
        if turn is None:
            return
        self._out.append(m.CancelWork())
        turn.was_interrupted = True
        if turn.phase == "listening":
            self._out.append(m.EndCapture(turn.turn))
        if turn.n_played:
            self._out.append(m.StopPlayback(turn.turn))
            turn.phase = "closing"
            self._now, self._closing = None, turn
        else:
            self._conclude(turn, heard_s=())

    # ------------------------------------------------------------ within a turn

    def _on_turn_event(self, turn: TurnState, event: m.Event) -> None:
        reply = turn.reply
        match event:
            case m.SpeechGrew(n_samples=n_samples) if self.options.is_speculative:
                # A recognition that is under way is worth more than a newer one.
                if turn.phase == "listening" and not turn.is_transcribing:
                    self._transcribe(turn, n_samples)
            case m.PauseHeard(n_samples=n_samples) if self.options.is_speculative:
                turn.is_pausing = True
                self._transcribe(turn, n_samples)
            case m.SpeechResumed():
                self._on_speech_resumed(turn)
            case m.UtteranceEnded():
                self._on_utterance_ended(turn, event)
            case m.TranscriptReady(revision=revision) if revision == turn.revision:
                self._on_transcript(turn, event)
            case m.TokenDelta(revision=revision, text=text) if reply and revision == reply.revision:
                turn.mark("first_token", self._at_s)
                reply.feed(text)
                if turn.is_committed:
                    self._out.append(m.AnswerGrew(turn.turn, text))
                self._schedule(turn, reply)
            case m.GenerationEnded(revision=revision) if reply and revision == reply.revision:
                turn.is_generating = turn.is_paused = False
                turn.mark("answer_written", self._at_s)
                reply.finish()
                self._schedule(turn, reply)
            case m.ClauseSynthesized(revision=revision) if reply and revision == reply.revision:
                self._on_clause(turn, reply, event)
            case m.ClauseStarted(index=index, at_s=at_s):
                if index == 0:
                    turn.mark("first_sound", at_s)
            case m.CaptureFailed(error=error):
                self._problem(turn, error)
            case m.PlaybackFailed(error=error):
                self._go_silent(turn, error)
            case m.EngineFailed():
                self._on_engine_failed(turn, event)
            case _:
                pass  # of an older revision

    def _transcribe(self, turn: TurnState, n_samples: int) -> None:
        turn.revision += 1
        turn.n_samples = n_samples
        turn.is_transcribing = True
        self._out.append(m.Transcribe(turn.turn, turn.revision, n_samples))

    def _on_speech_resumed(self, turn: TurnState) -> None:
        # What is being recognised lacks what is said now; what is being written may still turn
        # out right (a cough is no word), so it only rests.
        turn.revision += 1
        turn.n_samples = 0
        turn.is_pausing = turn.is_transcribing = False
        turn.question = None
        self._pause_generation(turn)

    def _on_utterance_ended(self, turn: TurnState, event: m.UtteranceEnded) -> None:
        turn.mark("speech_ended", event.speech_ended_at_s)
        turn.mark("utterance_ended", self._at_s)
        if event.speech_end_sample == 0:
            self._out.append(m.CancelWork())
            self._conclude(turn, heard_s=())
            return
        turn.phase = "hearing"
        is_covered = turn.n_samples >= event.speech_end_sample
        if turn.question is not None and is_covered:
            self._commit(turn)
        elif not (is_covered and turn.is_transcribing):
            self._transcribe(turn, event.n_samples)

    def _on_transcript(self, turn: TurnState, event: m.TranscriptReady) -> None:
        turn.is_transcribing = False
        text = event.transcript.text
        if turn.phase == "listening" and not turn.is_pausing:
            self._on_words_so_far(turn, text)
            return
        turn.question = text
        turn.language = event.transcript.language
        turn.marks_s["transcript"] = self._at_s
        reply = turn.reply
        if reply is not None and reply.question != turn.question:
            self._out.append(m.CancelWork())
            self._discard_reply(turn)
        if turn.phase == "listening":
            self._out.append(m.CaptionChanged(turn.turn, turn.question, is_final=False))
            if not turn.question:
                return
            if turn.reply is None:
                self._begin_reply(turn)
            else:
                self._schedule(turn, turn.reply)
            return
        self._commit(turn)

    def _on_words_so_far(self, turn: TurnState, text: str) -> None:
        """Show them, and let the language model read those that will not change any more."""
        self._out.append(m.CaptionChanged(turn.turn, text, is_final=False))
        words = text.split()[:-UNSURE_WORDS]
        if words and turn.reply is None and self._closing is None:
            messages = build_messages(self.persona, self.history, " ".join(words))
            self._out.append(m.Prefill(turn.turn, turn.revision, messages))

    def _commit(self, turn: TurnState) -> None:
        """The words are final: show and play what was prepared, or begin now."""
        turn.phase = "answering"
        question = turn.question or ""
        self._out.append(m.CaptionChanged(turn.turn, question, is_final=True))
        if not question:
            self._conclude(turn, heard_s=())
            return
        reply = turn.reply
        if reply is None:
            self._begin_reply(turn)
            return
        turn.was_prepared = True
        if reply.text:
            self._out.append(m.AnswerGrew(turn.turn, reply.text))
        for index, pcm, sample_rate_hz in turn.waiting:
            self._play(turn, index, pcm, sample_rate_hz)
        turn.waiting.clear()
        self._schedule(turn, reply)

    # ---------------------------------------------------------------- the answer

    def _begin_reply(self, turn: TurnState) -> None:
        if self._closing is not None:
            return  # its last heard words belong into the prompt: `_on_playback_ended` comes back
        assert turn.question is not None
        turn.reply = Reply(turn.revision, turn.question, turn.language)
        self._generate(turn, turn.reply)

    def _generate(self, turn: TurnState, reply: Reply) -> None:
        turn.is_generating, turn.is_paused = True, False
        messages = build_messages(self.persona, self.history, reply.question, begun=reply.text)
        self._out.append(m.Generate(turn.turn, reply.revision, messages, self.options.generation))

    def _discard_reply(self, turn: TurnState) -> None:
        turn.reply = None
        turn.is_generating = turn.is_paused = False
        turn.synthesizing = None
        turn.waiting.clear()
        for stage in ("first_token", "first_clause", "first_speech", "answer_written"):
            turn.marks_s.pop(stage, None)

    def _pause_generation(self, turn: TurnState) -> None:
        if turn.is_generating and not turn.is_paused:
            turn.is_paused = True
            self._out.append(m.PauseGeneration())

    def _schedule(self, turn: TurnState, reply: Reply) -> None:
        """Decide who computes next: the voice, when a clause is worth it, else the writing."""
        if turn.synthesizing is not None or turn.question is None:
            return
        clause = None
        if turn.is_spoken:
            in_hand_s = self._playback_s + sum(len(pcm) / rate for _, pcm, rate in turn.waiting)
            shortest, longest = self._pace.clause_words(in_hand_s, is_first=reply.n_clauses == 0)
            clause = reply.next_clause(shortest, longest)
        if clause is not None:
            turn.mark("first_clause", self._at_s)
            if self.options.is_exclusive:
                self._pause_generation(turn)
            self._synthesize(turn, reply, clause)
            return
        if turn.is_paused:
            turn.is_paused = False
            self._out.append(m.ResumeGeneration())
        if reply.is_written:
            self._finish(turn, reply)

    def _synthesize(self, turn: TurnState, reply: Reply, clause: SpokenClause) -> None:
        turn.synthesizing = clause
        self._out.append(m.Synthesize(turn.turn, reply.revision, clause.index, clause.text))

    def _on_clause(self, turn: TurnState, reply: Reply, event: m.ClauseSynthesized) -> None:
        if turn.synthesizing is None or turn.synthesizing.index != event.index:
            return
        self._pace.observe(turn.synthesizing.n_words, event.took_s)
        turn.synthesizing = None
        turn.mark("first_speech", self._at_s)
        reply.set_duration(event.index, len(event.pcm) / event.sample_rate_hz)
        if turn.is_committed:
            self._play(turn, event.index, event.pcm, event.sample_rate_hz)
        else:
            turn.waiting.append((event.index, event.pcm, event.sample_rate_hz))
        self._schedule(turn, reply)

    def _play(self, turn: TurnState, index: int, pcm: Pcm, sample_rate_hz: int) -> None:
        turn.n_played += 1
        self._playback_s += len(pcm) / sample_rate_hz
        self._out.append(m.Play(turn.turn, index, pcm, sample_rate_hz))

    def _finish(self, turn: TurnState, reply: Reply) -> None:
        """All is written and spoken: wait for the ear, or end at once."""
        if not turn.is_committed or turn.is_playback_ending:
            return
        if not reply.text.strip() and turn.error is None:
            self._problem(
                turn,
                EngineError(
                    "The language model gave no answer.",
                    recovery="Ask again, or choose another language model.",
                ),
            )
        if turn.n_played:
            turn.is_playback_ending = True
            self._out.append(m.EndPlayback(turn.turn))
        else:
            self._conclude(turn, heard_s=())

    def _on_playback_ended(self, number: int, heard_s: tuple[float, ...]) -> None:
        closing = self._closing
        if closing is not None and closing.turn == number:
            self._closing = None
            self._conclude(closing, heard_s)
            turn = self._now
            if turn is not None and turn.reply is None and turn.question:
                self._begin_reply(turn)
        elif self._now is not None and self._now.turn == number and self._now.is_playback_ending:
            self._now.mark("last_sound", self._at_s)
            self._conclude(self._now, heard_s)

    def _conclude(self, turn: TurnState, heard_s: tuple[float, ...]) -> None:
        """Keep what is to be kept of a turn, and make ready for the next."""
        if turn is self._now:
            self._now = None
        reply = turn.reply if turn.phase != "listening" else None
        answer = reply.text.strip() if reply else ""
        heard = answer
        if reply and turn.was_interrupted and turn.is_spoken:
            heard = reply.heard(heard_s)
        # What was heard while the key was held was not asked yet.
        question = turn.question or "" if turn.phase != "listening" else ""
        record = m.TurnRecord(
            turn=turn.turn,
            question=question,
            answer=answer,
            heard_answer=heard,
            was_interrupted=turn.was_interrupted,
            marks_s=turn.marks_s,
            language=turn.language,
            error=turn.error,
            was_prepared=turn.was_prepared,
        )
        self._out.append(m.TurnEnded(record))
        if question:
            self.history = self.history.with_turn(
                question, heard, was_interrupted=turn.was_interrupted
            )
            if self._now is None:
                self._out.append(m.PrepareHistory(self.history))

    # -------------------------------------------------------------- what failed

    def _problem(self, turn: TurnState, error: SamanthaError) -> None:
        turn.error = error
        self._out.append(m.Problem(turn.turn, error))

    def _go_silent(self, turn: TurnState, error: SamanthaError) -> None:
        """The answer goes on as text."""
        self._problem(turn, error)
        turn.is_spoken = False
        turn.synthesizing = None
        turn.waiting.clear()
        if turn.reply is not None:
            self._schedule(turn, turn.reply)

    def _on_engine_failed(self, turn: TurnState, event: m.EngineFailed) -> None:
        attempts = turn.attempts.get(event.kind, 1)
        turn.attempts[event.kind] = attempts + 1
        may_retry = event.is_retryable and attempts < MAX_ATTEMPTS
        reply = turn.reply
        if event.kind == "stt":
            if event.revision != turn.revision:
                return
            turn.is_transcribing = False
            if may_retry:
                self._out.append(m.Transcribe(turn.turn, turn.revision, turn.n_samples))
            elif turn.is_committed:
                self._give_up(turn, event.error)
            else:
                turn.n_samples = 0  # tried once more when the utterance ends
        elif reply is None or event.revision != reply.revision:
            return
        elif event.kind == "llm":
            if may_retry:
                self._generate(turn, reply)
            elif turn.is_committed:
                self._problem(turn, event.error)
                turn.is_generating = turn.is_paused = False
                reply.finish()
                self._schedule(turn, reply)
            else:
                self._discard_reply(turn)
        elif event.kind == "tts":
            if may_retry and turn.synthesizing is not None:
                self._synthesize(turn, reply, turn.synthesizing)
            else:
                self._go_silent(turn, event.error)

    def _give_up(self, turn: TurnState, error: SamanthaError) -> None:
        self._problem(turn, error)
        self._out.append(m.CancelWork())
        self._conclude(turn, heard_s=())
