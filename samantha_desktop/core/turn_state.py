"""Everything that is known of the turn under way."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from samantha_desktop.core.errors import SamanthaError
from samantha_desktop.core.messages import EngineKind
from samantha_desktop.core.ports import Pcm
from samantha_desktop.core.reply import Reply, SpokenClause

Phase: TypeAlias = Literal["listening", "hearing", "answering", "closing"]
"""The key is held; the utterance is being recognised; it is answered; it was interrupted."""


@dataclass
class TurnState:
    """Everything about the turn that is under way. Owned by its `Conversation`.

    Attributes:
        revision: of what was heard; `reply.revision` is that of what is answered.
        n_samples: of the utterance, that the newest recognition covers.
        question: what was recognised; None while the speaker may go on.
        synthesizing: the clause the voice is computing.
        waiting: (index, sound, rate) of clauses made before the key came up.
        n_played: clauses handed to the player.
        attempts: how often each engine was asked for the same work.
        marks_s: see `messages.TurnRecord`.
    """

    turn: int
    phase: Phase
    is_spoken: bool = True
    revision: int = 0
    n_samples: int = 0
    is_pausing: bool = False
    is_transcribing: bool = False
    question: str | None = None
    language: str = "en"
    reply: Reply | None = None
    is_generating: bool = False
    is_paused: bool = False
    synthesizing: SpokenClause | None = None
    waiting: list[tuple[int, Pcm, int]] = field(default_factory=list)
    n_played: int = 0
    is_playback_ending: bool = False
    was_interrupted: bool = False
    was_prepared: bool = False
    attempts: dict[EngineKind, int] = field(default_factory=dict)
    marks_s: dict[str, float] = field(default_factory=dict)
    error: SamanthaError | None = None

    @property
    def is_committed(self) -> bool:
        """The person has finished: what is prepared may be shown and heard."""
        return self.phase in ("hearing", "answering")

    def mark(self, stage: str, at_s: float) -> None:
        """Note when a stage was reached, the first time."""
        self.marks_s.setdefault(stage, at_s)
