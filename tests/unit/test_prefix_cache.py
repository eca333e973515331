"""The prefix cache, on a memory that checks what it is told."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from samantha_desktop.core.errors import EngineError
from samantha_desktop.engines.llm.prefix_cache import PrefixCache, common_prefix


class Memory:
    """Remembers tokens; one that cannot be cut behaves like a recurrent model."""

    def __init__(self, can_cut: bool = True) -> None:
        self.tokens: list[int] = []
        self.has_logits = False
        self.n_computed = 0
        self.can_cut = can_cut
        self.fails_at: int | None = None

    def decode(self, tokens: Sequence[int], *, needs_logits: bool) -> None:
        assert tokens
        if self.fails_at in tokens:
            self.tokens.append(-1)  # half done
            raise EngineError("It failed.")
        self.tokens.extend(tokens)
        self.n_computed += len(tokens)
        self.has_logits = needs_logits

    def keep(self, n_tokens: int) -> bool:
        assert 0 < n_tokens < len(self.tokens)
        if self.can_cut:
            del self.tokens[n_tokens:]
            self.has_logits = False
        return self.can_cut

    def clear(self) -> None:
        self.tokens.clear()
        self.has_logits = False


PROMPTS = st.lists(st.lists(st.integers(0, 2), min_size=1, max_size=12), min_size=1, max_size=6)


@given(PROMPTS, st.booleans(), st.integers(1, 5))
def test_the_memory_holds_the_prompt(
    prompts: list[list[int]], can_cut: bool, chunk_tokens: int
) -> None:
    memory = Memory(can_cut)
    cache = PrefixCache(memory, chunk_tokens)
    before: list[int] = []
    for prompt in prompts:
        n_before = memory.n_computed
        n_computed, is_complete = cache.compute(prompt)
        assert is_complete
        assert memory.tokens == prompt
        assert memory.has_logits
        assert n_computed == memory.n_computed - n_before
        assert cache.holds(prompt)
        if can_cut:
            n_shared = min(common_prefix(before, prompt), len(prompt) - 1)
            assert n_computed == (0 if before == prompt else len(prompt) - n_shared)
        before = prompt


def test_what_was_written_counts_as_computed() -> None:
    memory = Memory()
    cache = PrefixCache(memory, 4)
    cache.compute([1, 2, 3])
    cache.append(7)
    cache.append(8)
    assert cache.compute([1, 2, 3, 7, 8, 9]) == (1, True)
    assert cache.compute([1, 2, 3, 7, 8, 9]) == (0, True)


def test_cancelled_it_keeps_what_is_done() -> None:
    memory = Memory()
    cache = PrefixCache(memory, 2)
    answers = iter([False, False, True])
    assert cache.compute(list(range(10)), is_cancelled=lambda: next(answers)) == (4, False)
    assert not cache.holds(list(range(10)))
    assert cache.compute(list(range(10))) == (6, True)


def test_logits_are_wanted_of_the_last_chunk_only() -> None:
    wanted: list[bool] = []

    class Watched(Memory):
        def decode(self, tokens: Sequence[int], *, needs_logits: bool) -> None:
            wanted.append(needs_logits)
            super().decode(tokens, needs_logits=needs_logits)

    PrefixCache(Watched(), 2).compute(list(range(5)))
    assert wanted == [False, False, True]


def test_after_a_failure_it_starts_anew() -> None:
    memory = Memory()
    cache = PrefixCache(memory, 2)
    memory.fails_at = 4
    with pytest.raises(EngineError):
        cache.compute([1, 2, 3, 4, 5])
    assert memory.tokens == []
    memory.fails_at = None
    assert cache.compute([1, 2, 3, 4, 5]) == (5, True)
    assert memory.tokens == [1, 2, 3, 4, 5]


def test_cleared_it_knows_nothing() -> None:
    memory = Memory()
    cache = PrefixCache(memory, 2)
    cache.compute([1, 2])
    cache.clear()
    assert memory.tokens == []
    assert cache.compute([1, 2]) == (2, True)
