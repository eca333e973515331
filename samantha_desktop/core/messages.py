"""Every event and command of a conversation, in the order they flow.

Events are past tense: something happened. Commands are imperative: the shell is
to do something. Every message of a turn carries `turn`; what was begun before
the speaker had finished carries `revision` too, so that what belongs to an
older guess is recognised and dropped.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from samantha_desktop.core.errors import SamanthaError
from samantha_desktop.core.history import History
from samantha_desktop.core.ports import ChatMessage, GenerationOptions, Pcm, Transcript

EngineKind: TypeAlias = Literal["stt", "llm", "tts", "vad", "emotion"]

# ------------------------------------------------------------ events: the person


@dataclass(frozen=True)
class TalkPressed:
    """The talk key went down."""


@dataclass(frozen=True)
class TalkReleased:
    """The talk key came up."""


@dataclass(frozen=True)
class TextSubmitted:
    """Something was typed; `is_spoken` tells whether the answer is to be heard."""

    text: str
    is_spoken: bool = True


@dataclass(frozen=True)
class RecordingSubmitted:
    """A whole recording, (n_samples,) at 16 kHz, is to be heard as one utterance."""

    pcm: Pcm = field(repr=False, compare=False)
    is_spoken: bool = True


@dataclass(frozen=True)
class StopRequested:
    """She is to be silent at once; what was heard by then stays in the history."""


# ---------------------------------------------------------- events: the listener


@dataclass(frozen=True)
class SpeechGrew:
    """The speaker has said some more; the utterance so far has `n_samples`."""

    turn: int
    n_samples: int


@dataclass(frozen=True)
class PauseHeard:
    """The speaker fell silent; the utterance so far has `n_samples`."""

    turn: int
    n_samples: int


@dataclass(frozen=True)
class SpeechResumed:
    """The speaker went on after a pause."""

    turn: int


@dataclass(frozen=True)
class UtteranceEnded:
    """The utterance is complete.

    Attributes:
        n_samples: its whole length.
        speech_end_sample: where the last speech was; 0 when there was none.
        speech_ended_at_s: the clock's time of that sample.
    """

    turn: int
    n_samples: int
    speech_end_sample: int
    speech_ended_at_s: float


@dataclass(frozen=True)
class CaptureFailed:
    """The microphone is gone; `UtteranceEnded` follows with what was heard before."""

    turn: int
    error: SamanthaError


# ----------------------------------------------------------- events: the engines


@dataclass(frozen=True)
class TranscriptReady:
    """Recognition of a revision is done."""

    turn: int
    revision: int
    transcript: Transcript


@dataclass(frozen=True)
class TokenDelta:
    """The language model wrote something more."""

    turn: int
    revision: int
    text: str = field(repr=False)


@dataclass(frozen=True)
class GenerationEnded:
    """The language model has finished its answer."""

    turn: int
    revision: int


@dataclass(frozen=True)
class ClauseSynthesized:
    """A clause is ready to be heard; it took `took_s` of computing."""

    turn: int
    revision: int
    index: int
    pcm: Pcm = field(repr=False, compare=False)
    sample_rate_hz: int
    took_s: float


@dataclass(frozen=True)
class HistoryPrepared:
    """The next prompt is in the language model's cache, its history cut to the budget."""

    source: History = field(repr=False)
    history: History = field(repr=False)


@dataclass(frozen=True)
class EngineFailed:
    """An engine could not do what it was asked for this turn."""

    kind: EngineKind
    turn: int
    revision: int
    error: SamanthaError
    is_retryable: bool


# ------------------------------------------------------------ events: the player


@dataclass(frozen=True)
class ClauseStarted:
    """The first sample of a clause leaves the speaker at `at_s` of the clock."""

    turn: int
    index: int
    at_s: float


@dataclass(frozen=True)
class PlaybackEnded:
    """Everything was heard, or stopped.

    Attributes:
        heard_s: seconds heard of each clause, in order.
    """

    turn: int
    heard_s: tuple[float, ...]


@dataclass(frozen=True)
class PlaybackFailed:
    """The speaker is gone; the answer goes on as text."""

    turn: int
    error: SamanthaError


Event: TypeAlias = (
    TalkPressed
    | TalkReleased
    | TextSubmitted
    | RecordingSubmitted
    | StopRequested
    | SpeechGrew
    | PauseHeard
    | SpeechResumed
    | UtteranceEnded
    | CaptureFailed
    | TranscriptReady
    | TokenDelta
    | GenerationEnded
    | ClauseSynthesized
    | HistoryPrepared
    | EngineFailed
    | ClauseStarted
    | PlaybackEnded
    | PlaybackFailed
)

# ---------------------------------------------------------------------- commands


@dataclass(frozen=True)
class StartCapture:
    """Keep what the microphone hears from now on (and a little before)."""

    turn: int


@dataclass(frozen=True)
class EndCapture:
    """The utterance is over: report its length."""

    turn: int


@dataclass(frozen=True)
class KeepRecording:
    """Take this recording as the turn's utterance."""

    turn: int
    pcm: Pcm = field(repr=False, compare=False)


@dataclass(frozen=True)
class Transcribe:
    """Recognise the first `n_samples` of the utterance; replaces any earlier request."""

    turn: int
    revision: int
    n_samples: int


@dataclass(frozen=True)
class Prefill:
    """Compute what is known of the next prompt; replaces any earlier request."""

    turn: int
    revision: int
    messages: tuple[ChatMessage, ...] = field(repr=False)


@dataclass(frozen=True)
class Generate:
    """Write the answer; replaces any earlier request."""

    turn: int
    revision: int
    messages: tuple[ChatMessage, ...] = field(repr=False)
    options: GenerationOptions


@dataclass(frozen=True)
class PauseGeneration:
    """Compute no further token for now: the voice needs the cores."""


@dataclass(frozen=True)
class ResumeGeneration:
    """Go on writing."""


@dataclass(frozen=True)
class Synthesize:
    """Speak a clause; replaces any earlier request."""

    turn: int
    revision: int
    index: int
    text: str = field(repr=False)


@dataclass(frozen=True)
class CancelWork:
    """Whatever the engines still do for a turn is not wanted any more."""


@dataclass(frozen=True)
class Play:
    """Queue a clause for the speaker."""

    turn: int
    index: int
    pcm: Pcm = field(repr=False, compare=False)
    sample_rate_hz: int


@dataclass(frozen=True)
class EndPlayback:
    """Nothing more will be queued: report `PlaybackEnded` once all was heard."""

    turn: int


@dataclass(frozen=True)
class StopPlayback:
    """Silence at once; report `PlaybackEnded` with what was heard."""

    turn: int


@dataclass(frozen=True)
class PrepareHistory:
    """Cut the history to its budget and compute the next prompt's beginning."""

    history: History = field(repr=False)


# ------------------------------------------- notices: for windows, terminals, logs


@dataclass(frozen=True)
class TurnStarted:
    """A turn began."""

    turn: int


@dataclass(frozen=True)
class CaptionChanged:
    """What the person said, as far as it is known; `is_final` once it will not change."""

    turn: int
    text: str = field(repr=False)
    is_final: bool


@dataclass(frozen=True)
class AnswerGrew:
    """Something was added to the answer's text."""

    turn: int
    text: str = field(repr=False)


@dataclass(frozen=True)
class Problem:
    """Something to tell the person; the turn goes on as well as it can."""

    turn: int
    error: SamanthaError


@dataclass(frozen=True)
class TurnRecord:
    """What is kept of a turn.

    Attributes:
        question, answer: the whole texts.
        heard_answer: the part of the answer that was heard, when it was spoken.
        was_interrupted: the answer was stopped before its end.
        marks_s: when each stage was reached, by the clock: speech_ended,
            utterance_ended, transcript, first_token, first_clause, first_speech,
            first_sound, answer_written, last_sound. Only those that were reached.
        language: of the question.
        error: what went wrong, when the turn could not be completed.
        was_prepared: the answer was begun before the key was let go.
    """

    turn: int
    question: str = field(repr=False)
    answer: str = field(repr=False)
    heard_answer: str = field(repr=False)
    was_interrupted: bool
    marks_s: dict[str, float]
    language: str = "en"
    error: SamanthaError | None = None
    was_prepared: bool = False


@dataclass(frozen=True)
class TurnEnded:
    """A turn is over."""

    record: TurnRecord


Command: TypeAlias = (
    StartCapture
    | EndCapture
    | KeepRecording
    | Transcribe
    | Prefill
    | Generate
    | PauseGeneration
    | ResumeGeneration
    | Synthesize
    | CancelWork
    | Play
    | EndPlayback
    | StopPlayback
    | PrepareHistory
)
Notice: TypeAlias = TurnStarted | CaptionChanged | AnswerGrew | Problem | TurnEnded
