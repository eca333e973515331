"""Turns from the first event to the last, in virtual time."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from simulated_shell import Costs, SimulatedShell

from samantha_desktop.core import messages as m
from samantha_desktop.core.conversation import Conversation, ConversationOptions
from samantha_desktop.core.errors import DeviceError, EngineError
from samantha_desktop.core.prompt import Persona

PERSONA = Persona("You are kind.")
ANSWER = (
    "It's Paris.| It is a lovely city,| and many people go there in spring| to walk along"
    " the river.| You would like it."
)


def tokens(text: str) -> list[str]:
    """Cut as a language model writes: a word with the space before it."""
    words = text.replace("|", "").split(" ")
    return [words[0], *(f" {word}" for word in words[1:])]


def shell(answer: str = ANSWER, **options: object) -> SimulatedShell:
    conversation = Conversation(PERSONA, ConversationOptions(**options))  # type: ignore[arg-type]
    return SimulatedShell(conversation, tokens(answer))


def speak(
    sim: SimulatedShell, *, said: str = "Where?", n_samples: int = 32_000, pause_s: float = 0.3
) -> None:
    """Hold the key for two seconds, with a pause heard before it comes up."""
    turn = sim.conversation.turn + 1
    sim.transcripts |= {n_samples: said, n_samples + 2400: said}
    sim.post(m.TalkPressed())
    sim.run(sim.now_s)
    released_s = sim.now_s + 2.15
    sim.post(m.PauseHeard(turn, n_samples), at_s=released_s - pause_s)
    ended = m.UtteranceEnded(turn, n_samples + 2400, n_samples - 1000, released_s - 0.15)
    sim.post(ended, released_s)


def test_a_typed_question_is_answered_and_heard_whole() -> None:
    sim = shell()
    sim.post(m.TextSubmitted("Where?"))
    sim.run()
    (record,) = sim.records
    assert record.answer == record.heard_answer == ANSWER.replace("|", "")
    assert record.error is None and not record.was_interrupted
    assert [index for _, index in sim.played] == list(range(len(sim.played))) and sim.played
    assert sim.conversation.history.turns[0].user_text == "Where?"
    assert sim.conversation.is_idle


def test_silent_answers_need_no_voice() -> None:
    sim = shell()
    sim.post(m.TextSubmitted("Where?", is_spoken=False))
    sim.run()
    assert sim.records[0].answer == ANSWER.replace("|", "")
    assert not any(isinstance(command, m.Synthesize | m.Play) for command in sim.commands)


def test_an_answer_begun_in_the_pause_is_kept_when_the_words_stand() -> None:
    sim = shell()
    speak(sim)
    sim.run()
    (record,) = sim.records
    assert record.was_prepared
    assert sum(isinstance(command, m.Transcribe) for command in sim.commands) == 1
    assert sum(isinstance(command, m.Generate) for command in sim.commands) == 1
    hasty = shell()
    speak(hasty, pause_s=0.08)
    hasty.run()
    assert not hasty.records[0].was_prepared
    assert sum(isinstance(command, m.Transcribe) for command in hasty.commands) == 1
    slow = shell(is_speculative=False)
    speak(slow)
    slow.run()
    assert not slow.records[0].was_prepared
    early_s = record.marks_s["first_sound"] - record.marks_s["speech_ended"]
    late = slow.records[0].marks_s
    assert early_s < late["first_sound"] - late["speech_ended"]


def test_the_words_so_far_are_shown_and_read_while_the_speaker_goes_on() -> None:
    sim = shell()
    sim.transcripts = {8_000: "Where is", 16_000: "Where is the next", 48_000: "Where is it?"}
    sim.post(m.TalkPressed())
    sim.run(sim.now_s)
    sim.post(m.SpeechGrew(1, 8_000), 0.5)
    sim.post(m.SpeechGrew(1, 16_000), 1.0)
    sim.post(m.SpeechGrew(1, 24_000), 1.05)
    sim.post(m.UtteranceEnded(1, 48_000, 47_000, 3.0), 3.0)
    sim.run()
    captions = [notice for notice in sim.notices if isinstance(notice, m.CaptionChanged)]
    assert [(caption.text, caption.is_final) for caption in captions] == [
        ("Where is", False),
        ("Where is the next", False),
        ("Where is it?", True),
    ]
    read = [c.messages[-1].content for c in sim.commands if isinstance(c, m.Prefill)]
    assert read == ["Where is"], "the last words may still change"
    assert sum(isinstance(command, m.Transcribe) for command in sim.commands) == 3
    assert sim.records[0].question == "Where is it?" and not sim.records[0].was_prepared


def test_the_words_so_far_count_as_the_whole_when_nothing_follows() -> None:
    sim = shell()
    sim.transcripts = {16_000: "Where?", 20_000: "Where?"}
    sim.post(m.TalkPressed())
    sim.run(sim.now_s)
    sim.post(m.SpeechGrew(1, 16_000), 1.0)
    sim.post(m.UtteranceEnded(1, 20_000, 15_500, 1.1), 1.1)
    sim.run()
    assert sim.records[0].question == "Where?"
    assert sum(isinstance(command, m.Transcribe) for command in sim.commands) == 1


def test_nothing_prepared_is_shown_or_heard_before_the_key_comes_up() -> None:
    sim = shell()
    sim.transcripts[16_000] = "Where?"
    sim.post(m.TalkPressed())
    sim.run(sim.now_s)
    sim.post(m.PauseHeard(1, 16_000))
    sim.run(10.0)
    assert sim.written, "it was prepared"
    assert not sim.played
    assert not any(isinstance(notice, m.AnswerGrew) for notice in sim.notices)
    sim.post(m.UtteranceEnded(1, 170_000, 15_000, 1.0))
    sim.run()
    assert sim.records[0].heard_answer == ANSWER.replace("|", "")


def test_a_prepared_answer_is_thrown_away_when_the_speaker_goes_on() -> None:
    sim = shell()
    sim.transcripts = {16_000: "Where?", 48_000: "Where is the station?"}
    sim.post(m.TalkPressed())
    sim.run(sim.now_s)
    sim.post(m.PauseHeard(1, 16_000), 1.0)
    sim.post(m.SpeechResumed(1), 1.6)
    sim.post(m.UtteranceEnded(1, 48_000, 47_000, 3.0), 3.0)
    sim.run()
    (record,) = sim.records
    assert record.question == "Where is the station?"
    questions = [c.messages[-1].content for c in sim.commands if isinstance(c, m.Generate)]
    assert questions == ["Where?", "Where is the station?"]
    assert not record.was_prepared


def test_a_cough_after_the_pause_does_not_cost_the_prepared_answer() -> None:
    sim = shell()
    sim.transcripts = {16_000: "Where?", 48_000: "Where?"}
    sim.post(m.TalkPressed())
    sim.run(sim.now_s)
    sim.post(m.PauseHeard(1, 16_000), 1.0)
    sim.post(m.SpeechResumed(1), 1.5)
    sim.post(m.UtteranceEnded(1, 48_000, 30_000, 3.0), 3.0)
    sim.run()
    assert sim.records[0].was_prepared
    assert sum(isinstance(command, m.Generate) for command in sim.commands) == 1


def test_a_resumption_without_new_speech_still_ends() -> None:
    sim = shell()
    sim.transcripts = {16_000: "Where?", 48_000: "Where?"}
    sim.post(m.TalkPressed())
    sim.run(sim.now_s)
    sim.post(m.PauseHeard(1, 16_000), 1.0)
    sim.post(m.SpeechResumed(1), 1.01)
    sim.post(m.UtteranceEnded(1, 48_000, 15_000, 3.0), 3.0)
    sim.run()
    assert sim.records[0].heard_answer


def test_an_empty_hold_sends_nothing() -> None:
    sim = shell()
    sim.post(m.TalkPressed())
    sim.run(sim.now_s)
    sim.post(m.UtteranceEnded(1, 8_000, 0, 1.0))
    sim.run()
    assert sim.records[0].question == "" and sim.conversation.is_idle
    assert not any(isinstance(command, m.Transcribe | m.Generate) for command in sim.commands)
    assert sim.conversation.history.turns == ()


def test_what_is_no_words_ends_without_an_answer() -> None:
    sim = shell()
    speak(sim, said="")
    sim.run()
    assert sim.records[0].question == "" and sim.records[0].error is None
    assert not any(isinstance(command, m.Generate) for command in sim.commands)


def test_keyboard_repeat_does_not_begin_another_turn() -> None:
    sim = shell()
    for _ in range(5):
        sim.post(m.TalkPressed())
    sim.run(sim.now_s)
    assert sum(isinstance(command, m.StartCapture) for command in sim.commands) == 1


def test_on_few_cores_the_model_rests_while_the_voice_computes() -> None:
    sim = shell()
    sim.post(m.TextSubmitted("Where?"))
    sim.run()
    n_clauses = len(sim.played)
    # A token that is being computed when the clause is found may end after it.
    assert sim.both_busy_s <= n_clauses * sim.costs.token_s
    free = shell(is_exclusive=False)
    free.post(m.TextSubmitted("Where?"))
    free.run()
    assert free.both_busy_s > sim.both_busy_s


def test_starting_early_is_not_paid_for_with_gaps() -> None:
    long_answer = " ".join([ANSWER] * 3)
    sim = shell(long_answer)
    sim.post(m.TextSubmitted("Where?"))
    sim.run()
    assert sim.records[0].marks_s["first_sound"] < 0.9
    assert sum(max(0.0, gap - 0.25) for gap in sim.gaps_s) <= 0.3, sim.gaps_s


def test_an_interruption_keeps_what_was_heard_and_answers_the_new_question() -> None:
    sim = shell()
    sim.post(m.TextSubmitted("Where?"))
    sim.run(2.5)
    sim.post(m.TextSubmitted("And when?"))
    sim.run()
    first, second = sim.records
    assert first.was_interrupted and first.answer.startswith(first.heard_answer)
    assert 0 < len(first.heard_answer) < len(ANSWER)
    assert second.question == "And when?" and not second.was_interrupted
    prompt = [c for c in sim.commands if isinstance(c, m.Generate)][-1].messages
    assert [message.content for message in prompt[1:]] == [
        "Where?",
        first.heard_answer,
        "And when?",
    ]


def test_stop_makes_her_silent_and_idle() -> None:
    sim = shell()
    sim.post(m.TextSubmitted("Where?"))
    sim.run(2.0)
    sim.post(m.StopRequested())
    sim.run()
    assert sim.records[0].was_interrupted and sim.conversation.is_idle
    sim.post(m.StopRequested())
    sim.run()
    assert len(sim.records) == 1


@pytest.mark.parametrize("kind", ["stt", "llm", "tts"])
def test_an_engine_that_dies_once_costs_time_and_nothing_else(kind: str) -> None:
    sim = shell()
    sim.dying = [kind]
    speak(sim)
    sim.run()
    (record,) = sim.records
    assert record.heard_answer == ANSWER.replace("|", "") and record.error is None


def test_a_model_that_dies_in_the_middle_goes_on_where_it_was() -> None:
    sim = shell()
    sim.post(m.TextSubmitted("Where?"))
    sim.run(1.2)
    assert 0 < len(sim.written) < len(sim.answer) and sim.played
    sim.post(m.EngineFailed("llm", 1, 0, EngineError("It stopped."), True))
    sim.run()
    assert sim.records[0].heard_answer == ANSWER.replace("|", "")
    assert sim.records[0].error is None


def test_recognition_that_keeps_dying_is_reported() -> None:
    sim = shell()
    sim.dying = ["stt", "stt", "stt"]
    sim.post(m.RecordingSubmitted(np.zeros(32_000, np.float32)))
    sim.transcripts[32_000] = "Where?"
    sim.run()
    assert sim.records[0].error is not None and len(sim.problems) == 1
    assert sim.conversation.is_idle


def test_a_model_that_keeps_dying_is_reported_once() -> None:
    sim = shell()
    sim.dying = ["llm", "llm", "llm"]
    sim.post(m.TextSubmitted("Where?"))
    sim.run()
    assert len(sim.problems) == 1 and sim.records[0].error is not None
    assert sim.conversation.is_idle


@pytest.mark.parametrize("failure", ["tts", "speaker"])
def test_without_a_voice_the_answer_goes_on_as_text(failure: str) -> None:
    sim = shell()
    sim.post(m.TextSubmitted("Where?"))
    sim.run(1.0)
    if failure == "tts":
        sim.dying = ["tts", "tts", "tts"]
    else:
        sim.post(m.PlaybackFailed(1, DeviceError("The speaker is gone.")))
    sim.run()
    (record,) = sim.records
    assert record.answer == ANSWER.replace("|", "") and record.error is not None
    assert len(sim.problems) == 1


def test_a_model_that_says_nothing_is_reported() -> None:
    sim = shell()
    sim.answer = []
    sim.post(m.TextSubmitted("Where?"))
    sim.run()
    assert isinstance(sim.records[0].error, EngineError)


PERSONS_EVENTS = st.lists(
    st.tuples(
        st.sampled_from(
            ["press", "grow", "pause", "resume", "end", "empty", "type", "stop", "recording"]
        ),
        st.floats(0.0, 3.0),
    ),
    max_size=14,
)


@given(PERSONS_EVENTS, st.lists(st.sampled_from(["stt", "llm", "tts"]), max_size=3), st.booleans())
def test_whatever_happens_every_turn_ends_and_nothing_of_it_is_lost(
    happenings: list[tuple[str, float]], dying: list[str], is_exclusive: bool
) -> None:
    sim = shell(is_exclusive=is_exclusive)
    sim.dying = dying
    sim.transcripts = dict.fromkeys([8_000, 16_000, 48_000, 32_000], "Where?")
    sim.costs = Costs(token_s=0.02)
    for what, wait_s in happenings:
        turn = sim.conversation.turn
        event: object = {
            "press": m.TalkPressed(),
            "grow": m.SpeechGrew(turn, 8_000),
            "pause": m.PauseHeard(turn, 16_000),
            "resume": m.SpeechResumed(turn),
            "end": m.UtteranceEnded(turn, 48_000, 40_000, sim.now_s),
            "empty": m.UtteranceEnded(turn, 48_000, 0, sim.now_s),
            "type": m.TextSubmitted("Hello"),
            "stop": m.StopRequested(),
            "recording": m.RecordingSubmitted(np.zeros(32_000, np.float32)),
        }[what]
        is_listening = sim.conversation.is_listening
        if what in ("grow", "pause", "resume", "end", "empty") and not is_listening:
            continue
        sim.post(event)
        sim.run(sim.now_s + wait_s)
    if sim.conversation.is_listening:
        sim.post(m.UtteranceEnded(sim.conversation.turn, 48_000, 40_000, sim.now_s))
    sim.run()
    assert sim.conversation.is_idle
    started = [notice.turn for notice in sim.notices if isinstance(notice, m.TurnStarted)]
    assert sorted(record.turn for record in sim.records) == started
    for record in sim.records:
        assert record.answer.startswith(record.heard_answer.rstrip()) or record.error is not None
        if record.question and not record.was_interrupted and record.error is None:
            assert record.heard_answer == ANSWER.replace("|", "")
    kept = [turn.user_text for turn in sim.conversation.history.turns]
    asked = [record.question for record in sim.records if record.question]
    assert len(kept) <= len(asked)
