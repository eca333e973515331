"""The language model's benchmark, with a model that follows a script."""

import json

from samantha_desktop.bench import llm
from samantha_desktop.core.ports import ChatMessage
from samantha_desktop.engines.scripted import (
    ScriptedLanguageModel,
    ScriptedLanguageModelSettings,
)


class Watched(ScriptedLanguageModel):
    def __init__(self) -> None:
        super().__init__(ScriptedLanguageModelSettings(answers=("One two three four.",)))
        self.n_new: list[int] = []

    def _compute(self, messages: tuple[ChatMessage, ...]) -> int:  # type: ignore[override]
        n_new = super()._compute(messages)
        self.n_new.append(n_new)
        return n_new


def test_cold_prompts_are_cold_and_warm_ones_warm() -> None:
    model = Watched()
    model.load()
    document = llm.run(model, n_runs=3)
    cold, warm, prefilled = model.n_new[0::3], model.n_new[1::3], model.n_new[2::3]
    assert min(cold) > llm.HISTORY_TOKENS - 20
    assert min(prefilled) > llm.HISTORY_TOKENS - 20
    assert max(warm) < 20
    assert document["prompt_tokens"] >= llm.HISTORY_TOKENS
    assert document["answer_tokens"] == 4
    assert document["n_runs"] == 3
    assert set(document["first_token_s"]["cold"]) == {"median", "p90", "min", "max"}
    assert document["ratio"] > 0
    assert document["decode_tokens_s"]["median"] > 0
    assert document["prefill_tokens_s"]["median"] > 0
    json.dumps(document)


def test_the_table_says_it_all() -> None:
    model = Watched()
    model.load()
    document = llm.run(model, n_runs=1)
    table = llm.as_table(document)
    assert document["model"] in table
    assert f"{document['first_token_s']['warm']['median']:.3f}" in table
    document["ratio"] = 0.39
    assert "within the bar" in llm.as_table(document)
    document["ratio"] = 0.41
    assert "above the bar" in llm.as_table(document)
