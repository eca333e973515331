"""The voice's benchmark, with a voice that follows a script."""

import json

import pytest

from samantha_desktop.bench import tts
from samantha_desktop.engines.scripted import ScriptedTextToSpeech, ScriptedTextToSpeechSettings


@pytest.fixture
def voice() -> ScriptedTextToSpeech:
    engine = ScriptedTextToSpeech(ScriptedTextToSpeechSettings())
    engine.load()
    return engine


def test_every_text_is_measured(voice: ScriptedTextToSpeech) -> None:
    document = tts.run(voice, voice=voice.voices[0], n_runs=2)
    texts = document["texts"]
    assert [texts[name]["n_words"] for name in texts][:5] == [1, 3, 5, 8, 15]
    assert texts["paragraph"]["n_words"] > 50
    for figures in texts.values():
        for key in ("first_sample_s", "total_s", "real_time_factor"):
            assert set(figures[key]) == {"median", "p90", "min", "max"}
        assert 0 < figures["first_sample_s"]["median"] <= figures["total_s"]["median"]
        assert figures["audio_s"] > 0
    assert texts["15 words"]["audio_s"] > texts["1 word"]["audio_s"]
    assert document["n_runs"] == 2
    json.dumps(document)


def test_the_table_says_it_all(voice: ScriptedTextToSpeech) -> None:
    document = tts.run(voice, voice=voice.voices[0], n_runs=1)
    document["texts"]["3 words"]["first_sample_s"]["median"] = 0.123
    document["fixed_s"], document["per_word_s"] = 0.1, 0.05
    table = tts.as_table(document)
    assert document["model"] in table
    assert "0.123 s" in table
    assert "A clause takes 0.10 s and 0.050 s a word." in table
    assert all(name in table for name in document["texts"])


def test_the_cost_of_a_word_is_told_from_that_of_a_clause() -> None:
    clauses = [
        {"n_words": n, "first_sample_s": {"median": 0.2 + 0.1 * n}} for n in (1, 3, 5, 8, 15)
    ]
    assert tts._line(clauses) == (0.2, 0.1)
