"""What every `LanguageModel` promises."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

import pytest

from samantha_desktop.core.errors import EngineError
from samantha_desktop.core.ports import ChatMessage, Engine, GenerationOptions

KIND = "llm"

PROMPT = (
    ChatMessage("system", "You are Samantha. Answer briefly."),
    ChatMessage("user", "Tell me a short story about a lighthouse."),
)
GREEDY = GenerationOptions(max_tokens=12, temperature=0.0, seed=1)


def test_close_before_load_and_twice(unloaded: Engine) -> None:
    unloaded.close()
    unloaded.close()


def test_info_says_what_runs_where(engine: Any, implementation: Any) -> None:
    info = engine.info()
    assert info.engine == implementation.spec.name
    assert info.model
    assert info.device.partition(":")[0] in ("cpu", "cuda", "metal")
    assert all(isinstance(value, str) for value in info.detail.values())


def test_tokens_are_counted(engine: Any) -> None:
    assert isinstance(engine.context_tokens, int)
    n_short, n_long = engine.count_tokens(PROMPT[:1]), engine.count_tokens(PROMPT)
    assert 0 < n_short < n_long < engine.context_tokens


def test_what_was_prefilled_is_not_computed_again(engine: Any) -> None:
    other = (ChatMessage("system", "Something else altogether."), PROMPT[1])
    engine.prefill(other)
    n_cold = engine.prefill(PROMPT)
    assert 0 < n_cold <= engine.count_tokens(PROMPT)
    assert engine.prefill(PROMPT) == 0


def test_an_answer_comes_in_pieces(engine: Any) -> None:
    answer = engine.generate(PROMPT, GREEDY)
    assert isinstance(answer, Iterator)
    deltas = list(answer)
    assert len(deltas) > 1
    assert all(isinstance(delta, str) and delta for delta in deltas)
    assert "�" not in "".join(deltas)
    assert list(answer) == []


def test_greedy_answers_repeat(engine: Any) -> None:
    assert "".join(engine.generate(PROMPT, GREEDY)) == "".join(engine.generate(PROMPT, GREEDY))


def test_an_answer_ends_at_its_length(engine: Any) -> None:
    options = GenerationOptions(max_tokens=3, temperature=0.0)
    assert 1 <= len(list(engine.generate(PROMPT, options))) <= 3


def test_an_answer_ends_before_a_stop_word(engine: Any) -> None:
    whole = "".join(engine.generate(PROMPT, GREEDY))
    stop = whole.split()[2]
    options = GenerationOptions(max_tokens=12, temperature=0.0, seed=1, stop=(stop,))
    assert "".join(engine.generate(PROMPT, options)) == whole.partition(stop)[0]


def test_an_answer_that_was_begun_is_continued(engine: Any) -> None:
    whole = "".join(engine.generate(PROMPT, GREEDY))
    begun = whole[: len(whole) // 2].rsplit(" ", 1)[0]
    rest = "".join(engine.generate((*PROMPT, ChatMessage("assistant", begun)), GREEDY))
    assert rest
    assert not rest.startswith(begun)


def test_other_calls_may_come_between(engine: Any) -> None:
    answer = engine.generate(PROMPT, GREEDY)
    assert next(answer)
    assert engine.count_tokens(PROMPT) > 0
    assert next(answer)
    answer.close()


def test_closed_or_left_it_works_on(engine: Any) -> None:
    expected = "".join(engine.generate(PROMPT, GREEDY))
    answer = engine.generate(PROMPT, GREEDY)
    next(answer)
    answer.close()
    assert list(answer) == []
    assert "".join(engine.generate(PROMPT, GREEDY)) == expected


def test_cancelled_it_ends_without_an_error(
    engine: Any, cancelled_after: Callable[[int], Callable[[], bool]]
) -> None:
    assert list(engine.generate(PROMPT, GREEDY, is_cancelled=cancelled_after(1))) == []
    is_cancelled = False
    answer = engine.generate(PROMPT, GREEDY, is_cancelled=lambda: is_cancelled)
    assert len(list(islice(answer, 2))) == 2
    is_cancelled = True
    assert list(answer) == []
    assert isinstance(engine.prefill(PROMPT, is_cancelled=cancelled_after(1)), int)


def test_a_prompt_that_does_not_fit_is_told(engine: Any) -> None:
    long = (ChatMessage("user", "word " * (2 * engine.context_tokens)),)
    with pytest.raises(EngineError) as caught:
        list(engine.generate(long, GREEDY))
    assert caught.value.user_message
    assert list(engine.generate(PROMPT, GREEDY))


@pytest.mark.parametrize("content", ["", "🙂", "שלום עולם", "a\x00b\x07c", "\n\n"])
def test_any_text_is_taken(engine: Any, content: str) -> None:
    options = GenerationOptions(max_tokens=4, temperature=0.0)
    deltas = list(engine.generate((ChatMessage("user", content),), options))
    assert all(isinstance(delta, str) for delta in deltas)
