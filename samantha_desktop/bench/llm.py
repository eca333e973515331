"""`samantha bench llm`: time to the first token, cold and warm, and tokens a second.

Cold and warm alternate, so that a slow moment of the machine meets both. The prompt is
a persona and a history of some 500 tokens, then a question. Cold: all of it is new.
Warm: only the question is.

Keys of the document (`--json`):
    first_token_s.cold, .warm: {median, p90, min, max}
    ratio: warm / cold, of the medians (the bar is 0.4)
    decode_tokens_s, prefill_tokens_s: {median, p90, min, max}, tokens a second, of the cold runs
    n_runs, prompt_tokens: of the last cold prompt; answer_tokens: the longest answer
    model, device, threads
    circumstances: version, date and machine
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from samantha_desktop.bench.figures import circumstances, ratio, summary
from samantha_desktop.core.history import History
from samantha_desktop.core.ports import ChatMessage, GenerationOptions, LanguageModel
from samantha_desktop.core.prompt import Persona, build_messages

HISTORY_TOKENS = 500
BAR = 0.4

_OPTIONS = GenerationOptions(max_tokens=48, temperature=0.0)

_INSTRUCTIONS = "You are Samantha, a warm companion. You speak in one to three short sentences."

_PAST = (
    ("I spent the whole weekend in the garden.", "That sounds lovely. What did you plant?"),
    ("Mostly tomatoes, and a few herbs.", "Fresh herbs are a treat. Will you cook with them?"),
    ("Yes, my sister is coming to dinner.", "How nice. You two have a lot to talk about."),
    ("She has just moved to the coast.", "Then she hears the sea at night. I envy her a little."),
)

_QUESTIONS = (
    "What should I cook for her?",
    "Which wine goes well with fish?",
    "How do I keep the herbs fresh?",
    "Tell me something about the sea.",
    "Why do tomatoes turn red?",
    "What could we do after dinner?",
)


def run(model: LanguageModel, *, n_runs: int = 6) -> dict[str, Any]:
    """Measure.

    Args:
        model: loaded.
        n_runs: cold and warm runs, each as many.
    """
    history = _history(model)
    cold_s: list[float] = []
    warm_s: list[float] = []
    decode: list[float] = []
    prefill: list[float] = []
    n_prompt = n_answer = 0
    for number in range(n_runs):
        # A prompt that differs from its first word on finds nothing in the cache.
        prompt = build_messages(
            Persona(f"Number {2 * number}. {_INSTRUCTIONS}"), history, _question(number)
        )
        first_s, rate, n_tokens = _answer(model, prompt)
        cold_s.append(first_s)
        if rate:
            decode.append(rate)
        n_prompt, n_answer = model.count_tokens(prompt), max(n_answer, n_tokens)
        next_prompt = (*prompt[:-1], ChatMessage("user", _question(number + 1)))
        warm_s.append(_answer(model, next_prompt)[0])
        other = build_messages(Persona(f"Number {2 * number + 1}. {_INSTRUCTIONS}"), history)
        started = time.perf_counter()
        n_computed = model.prefill(other)
        prefill.append(n_computed / (time.perf_counter() - started))
    info = model.info()
    cold, warm = summary(cold_s), summary(warm_s)
    return {
        "first_token_s": {"cold": cold, "warm": warm},
        "ratio": ratio(warm["median"], cold["median"]) if cold else None,
        "decode_tokens_s": summary(decode, 1),
        "prefill_tokens_s": summary(prefill, 1),
        "n_runs": n_runs,
        "prompt_tokens": n_prompt,
        "answer_tokens": n_answer,
        "model": info.model,
        "device": info.device,
        "threads": info.detail.get("threads", ""),
        "circumstances": circumstances(),
    }


def as_table(document: dict[str, Any]) -> str:
    """The document's figures for people, in plain text."""
    lines = [
        f"{document['model']} on {document['device']}, {document['prompt_tokens']} tokens of "
        f"prompt, {document['n_runs']} runs",
        f"{'':<24}{'median':>10}{'p90':>10}",
    ]
    first = document["first_token_s"]
    rows = (
        ("first token, cold", first["cold"], "s", 3),
        ("first token, warm", first["warm"], "s", 3),
        ("prompt, tokens/s", document["prefill_tokens_s"], "", 1),
        ("answer, tokens/s", document["decode_tokens_s"], "", 1),
    )
    for name, figures, unit, n_digits in rows:
        values = "".join(
            f"{figures.get(key, 0.0):>8.{n_digits}f} {unit:<1}" for key in ("median", "p90")
        )
        lines.append(f"{name:<24}{values}".rstrip())
    if document["ratio"] is not None:
        verdict = "within" if document["ratio"] <= BAR else "above"
        lines.append(
            f"Warm takes {document['ratio']:.2f} of cold's time, {verdict} the bar of {BAR}."
        )
    return "\n".join(lines)


def _question(number: int) -> str:
    return _QUESTIONS[number % len(_QUESTIONS)]


def _history(model: LanguageModel) -> History:
    """Some turns, until persona and history have `HISTORY_TOKENS`."""
    history = History()
    persona = Persona(_INSTRUCTIONS)
    number = 0
    while model.count_tokens(build_messages(persona, history)) < HISTORY_TOKENS:
        history = history.with_turn(*_PAST[number % len(_PAST)])
        number += 1
    return history


def _answer(model: LanguageModel, prompt: Sequence[ChatMessage]) -> tuple[float, float, int]:
    """Seconds to the first piece, pieces a second after it (0: too few), and their number."""
    started = time.perf_counter()
    at_s = [time.perf_counter() - started for _ in model.generate(prompt, _OPTIONS)]
    if len(at_s) < 2:
        return (at_s[0] if at_s else time.perf_counter() - started), 0.0, len(at_s)
    return at_s[0], (len(at_s) - 1) / (at_s[-1] - at_s[0]), len(at_s)
