import json
from pathlib import Path

import numpy as np
import pytest
from tokenizers import Tokenizer

from samantha_desktop.core.emotions import LABELS
from samantha_desktop.core.errors import SettingsError
from samantha_desktop.training.emotion.augment import NAMES, TERM_KINDS, augment
from samantha_desktop.training.emotion.goemotions import read_split
from samantha_desktop.training.emotion.tokens import emoji_in, teach_tokenizer


def written(folder: Path, text: str) -> Path:
    (folder / "goemotions").mkdir()
    (folder / "goemotions" / "dev.tsv").write_text(text, encoding="utf-8")
    return folder


def test_reads_texts_and_labels(tmp_path: Path) -> None:
    data = read_split(written(tmp_path, "I’m glad\t17,0\tid1\nno\t27\tid2\n"), "dev")
    assert data.texts == ("I'm glad", "no")
    assert [LABELS[i] for i in np.flatnonzero(data.truth[0])] == ["admiration", "joy"]
    assert data.without(["no"]).texts == ("I'm glad",)
    assert len(data.first(1)) == 1 and len(data.first(None)) == 2


@pytest.mark.parametrize("line", ["only text", "text\tjoy\tid", "text\t28\tid"])
def test_names_the_line_that_is_wrong(tmp_path: Path, line: str) -> None:
    with pytest.raises(SettingsError, match=r"Line 2 of dev\.tsv"):
        read_split(written(tmp_path, f"fine\t0\tid\n{line}\n"), "dev")


def test_a_folder_without_data_is_told(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="--data"):
        read_split(tmp_path, "train")


def variants(text: str, n: int = 200) -> set[str]:
    random = np.random.default_rng(3)
    return {augment(text, random) for _ in range(n)}


def test_names_are_filled_in_and_sometimes_left() -> None:
    said = variants("[NAME] is great")
    assert "[NAME] is great" in said
    assert sum(f"{name} is great" in said for name in NAMES) > len(NAMES) / 2


def test_terms_are_swapped_within_their_kind() -> None:
    said = variants("a muslim teacher")
    assert said <= {f"a {term} teacher" for term in TERM_KINDS[1]}
    assert len(said) > 5


def test_people_are_described_by_what_was_not_said() -> None:
    assert "my disabled friend" in variants("my friend", 2000)


def test_gender_is_swapped_and_her_is_left_alone() -> None:
    assert variants("he hates dad") == {"he hates dad", "she hates mom"}
    assert variants("he saw her") == {"he saw her"}


def test_what_speaks_of_nobody_stays() -> None:
    assert variants("What a lovely day!") == {"What a lovely day!"}


@pytest.fixture
def tokenizer_path(tmp_path: Path) -> Path:
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", *(f"[unused{i}]" for i in range(120))]
    words += ["face", "with", "tears", "of", "joy", "someone", "ha", "!"]
    document = {
        "version": "1.0",
        "truncation": {
            "direction": "Right", "max_length": 9, "strategy": "LongestFirst", "stride": 0,
        },
        "padding": None,
        "added_tokens": [],
        "normalizer": {
            "type": "BertNormalizer", "clean_text": True, "handle_chinese_chars": True,
            "strip_accents": None, "lowercase": True,
        },
        "pre_tokenizer": {"type": "BertPreTokenizer"},
        "post_processor": None,
        "decoder": None,
        "model": {
            "type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##",
            "max_input_chars_per_word": 100,
            "vocab": {word: i for i, word in enumerate(words)},
        },
    }  # fmt: skip
    path = tmp_path / "tokenizer.json"
    path.write_text(json.dumps(document), encoding="utf-8")
    return path


def test_emoji_and_placeholders_get_places_of_their_own(tokenizer_path: Path) -> None:
    before = len(json.loads(tokenizer_path.read_text(encoding="utf-8"))["model"]["vocab"])
    document, new = teach_tokenizer(tokenizer_path, ["haha😂", "😂!", "🎉"])
    tokenizer = Tokenizer.from_str(json.dumps(document))
    assert tokenizer.encode("HA😂😂 [NAME]!").tokens == ["ha", "😂", "😂", "[NAME]", "!"]
    assert tokenizer.get_vocab_size() == before
    assert next(token.meaning for token in new if token.text == "😂") == "face with tears of joy"
    assert tokenizer.encode("ha " * 50).ids == [document["model"]["vocab"]["ha"]] * 50


def test_only_emoji_seen_often_enough() -> None:
    assert emoji_in(["😂 a", "😂😂", "🎉"]) == ["😂"]
