"""Says the same of other people: names and terms for groups are swapped while training.

What someone feels must not depend on what they are called or whom they belong to. So
every epoch sees the placeholders of the data filled with other names, terms for groups
replaced by others of their kind, and people described by a term that was not there,
always under the label that was there.

Source: counterfactual data augmentation, Zmigrod et al. 2019 (arXiv 1906.04571) and
Garg et al. 2019 (arXiv 1809.10610). The lists are our own.
"""

from __future__ import annotations

import re

import numpy as np

# fmt: off
NAMES = (
    "Emily", "Greg", "Lakisha", "Jamal", "Mary", "John", "Aisha", "Omar", "Priya", "Raj", "Mei",
    "Wei", "Sofia", "Carlos", "Ingrid", "Lars", "Fatima", "Ahmed", "Chloe", "Jack", "Destiny",
    "Darnell", "Yuki", "Hiroshi", "Olga", "Dmitri", "Ana", "Luis", "Grace", "Peter", "Leila",
    "Hassan", "Naomi", "David", "Keisha", "Tyrone", "Sarah", "Michael", "Ling", "Chen", "Kofi",
    "Amara", "Zoe", "Liam", "Emma", "Noah", "Ruth", "Samuel", "Nadia", "Ivan", "Tom", "Anna",
    "Paul", "Lucy", "Sam", "Alex", "Robin", "Kim",
)
# fmt: on
"""Given to people: first names of many places, about as many women's as men's."""

TERM_KINDS: tuple[tuple[str, ...], ...] = (
    ("black", "white", "asian", "latino", "hispanic", "arab", "native american", "african"),
    (
        "muslim", "christian", "jewish", "hindu", "buddhist", "atheist", "catholic", "sikh",
        "mormon", "religious",
    ),
    (
        "american", "mexican", "chinese", "indian", "russian", "german", "french", "nigerian",
        "polish", "japanese", "british", "canadian", "turkish", "iranian", "korean",
    ),
    ("gay", "lesbian", "straight", "bisexual", "transgender", "trans", "queer"),
    ("disabled", "blind", "deaf", "autistic", "paralyzed", "able-bodied", "dyslexic"),
    ("young", "old", "elderly", "middle-aged", "teenage"),
)  # fmt: skip
"""Terms of one kind stand for each other. Short words with many other meanings are left out
of swapping (`_AMBIGUOUS`), but are put before people."""

_AMBIGUOUS = {"black", "white", "straight", "old", "young", "blind", "native american"}

_RELIGIONS = ("Islam", "Christianity", "Judaism", "Hinduism", "Buddhism", "atheism")

_GENDER = {
    "he": "she", "she": "he", "him": "her", "himself": "herself", "herself": "himself",
    "man": "woman", "woman": "man", "men": "women", "women": "men", "boy": "girl",
    "girl": "boy", "boys": "girls", "girls": "boys", "father": "mother", "mother": "father",
    "dad": "mom", "mom": "dad", "brother": "sister", "sister": "brother", "son": "daughter",
    "daughter": "son", "husband": "wife", "wife": "husband", "guy": "girl", "sir": "madam",
    "boyfriend": "girlfriend", "girlfriend": "boyfriend", "his": "her", "uncle": "aunt",
    "aunt": "uncle", "king": "queen", "queen": "king",
}  # fmt: skip
"""Whole sentences only: "her" is left alone, since it is both "his" and "him"."""

_SWAPPED_TERMS = {
    term: tuple(t for t in kind if t != term and t not in _AMBIGUOUS)
    for kind in TERM_KINDS
    for term in kind
    if term not in _AMBIGUOUS
}
_TERM = re.compile(rf"\b({'|'.join(_SWAPPED_TERMS)})\b", re.IGNORECASE)
_GENDER_WORD = re.compile(rf"\b({'|'.join(_GENDER)})\b", re.IGNORECASE)
_PERSON = re.compile(
    r"(?<![\w-])(person|people|man|woman|men|women|guy|guys|girl|girls|boy|boys|kid|kids|friend|"
    r"friends|child|children|neighbor|neighbors|mother|father|brother|sister)\b",
    re.IGNORECASE,
)


def augment(text: str, random: np.random.Generator) -> str:
    """The text as it might have been said of someone else; often unchanged.

    Args:
        text: with the placeholders of GoEmotions, `[NAME]` and `[RELIGION]`.
        random: moves on; the same state gives the same text.
    """
    if "[" in text and random.random() < 0.7:
        while "[NAME]" in text:
            text = text.replace("[NAME]", str(random.choice(NAMES)), 1)
        while "[RELIGION]" in text:
            text = text.replace("[RELIGION]", str(random.choice(_RELIGIONS)), 1)
    if random.random() < 0.5:
        text = _TERM.sub(lambda match: str(random.choice(_SWAPPED_TERMS[match[0].lower()])), text)
    if random.random() < 0.3 and not re.search(r"\bher\b", text, re.IGNORECASE):
        text = _GENDER_WORD.sub(lambda match: _GENDER[match[0].lower()], text)
    if random.random() < 0.25:
        kind = TERM_KINDS[int(random.integers(len(TERM_KINDS)))]
        text = _PERSON.sub(lambda match: f"{random.choice(kind)} {match[0]}", text, count=1)
    return text
