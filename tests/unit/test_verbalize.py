"""From a clause as written to what the voice is given."""

import re
import time
from typing import Literal

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from samantha_desktop.core.verbalize import verbalize


def said(text: str, language: str = "en") -> str:
    return verbalize(text, language=language, ends="clause")


def check(written: str, spoken: str) -> None:
    assert said(written) == spoken
    assert said(f"Well, {written}, then") == f"Well, {spoken}, then"  # nor elsewhere in a clause


@pytest.mark.parametrize(
    ("written", "spoken"),
    [
        ("0", "zero"),
        ("1,250", "one thousand two hundred and fifty"),
        ("3.5", "three point five"),
        ("3.50", "three point five zero"),
        (".5", "zero point five"),
        ("-4", "minus four"),
        ("−4.5", "minus four point five"),
        ("1,000,000", "one million"),
        ("1000000", "one million"),
        ("1\u202f000\u202f000", "one million"),
        ("123,400.75", "one hundred and twenty-three thousand four hundred point seven five"),
        ("007", "zero zero seven"),
        ("1st", "first"),
        ("22nd", "twenty-second"),
        ("the 21st-century view", "the twenty-first-century view"),
        ("1,000th", "one thousandth"),
        ("1/2", "one half"),
        ("3/4", "three quarters"),
        ("2/3", "two thirds"),
        ("5/8", "five eighths"),
        ("1 1/2", "one and a half"),
        ("2½", "two and a half"),
        ("¾", "three quarters"),
        ("120/80", "one hundred and twenty over eighty"),
        ("8/10", "eight out of ten"),
        ("50/50", "fifty fifty"),
        ("24/7", "twenty-four seven"),
        ("3-5", "three to five"),
        ("10–12", "ten to twelve"),
        ("10 – 12", "ten to twelve"),
        ("16:9", "sixteen to nine"),
        ("20-minute walk", "twenty-minute walk"),
        ("a 5-year-old", "a five-year-old"),
        ("3,4", "three, four"),
        ("10k users", "ten thousand users"),
        ("1.5M users", "one point five million users"),
        ("GPT-4", "G-P-T-four"),
        ("MP3", "MP three"),
        ("3D", "three D"),
        ("H2O", "H two O"),
        ("H₂O", "H two O"),
        ("CO2", "C-O two"),
        ("7B", "seven B"),
        ("about 100s of them", "about hundreds of them"),
        ("٣", "three"),
    ],
)  # fmt: skip
def test_numbers(written: str, spoken: str) -> None:
    check(written, spoken)


@pytest.mark.parametrize(
    ("written", "spoken"),
    [
        ("555-0199", "five five five, zero one nine nine"),
        ("555-123-4567", "five five five, one two three, four five six seven"),
        ("(555) 123-4567", "five five five, one two three, four five six seven"),
        ("+49 30 123456", "plus four nine, three zero, one two three four five six"),
        ("1-800-555-0199", "one, eight zero zero, five five five, zero one nine nine"),
        ("500-1500", "five hundred to one thousand five hundred"),
        ("5551234567", "five five five one two three four five six seven"),
        ("call 911", "call nine one one"),
        ("error code 404", "error code four zero four"),
        ("Python 3.11", "Python three point eleven"),
        ("3.11.2", "three point eleven point two"),
        ("v1.2", "version one point two"),
        ("192.168.1.1", "one nine two dot one six eight dot one dot one"),
    ],
)
def test_codes(written: str, spoken: str) -> None:
    check(written, spoken)


@pytest.mark.parametrize(
    ("written", "spoken"),
    [
        ("50%", "fifty percent"),
        ("3.5 %", "three point five percent"),
        ("5-10%", "five to ten percent"),
        ("5%–10%", "five to ten percent"),
        ("-2%", "minus two percent"),
        ("$5", "five dollars"),
        ("$1", "one dollar"),
        ("$3.50", "three dollars and fifty cents"),
        ("$1.01", "one dollar and one cent"),
        ("$0.99", "ninety-nine cents"),
        ("$3.00", "three dollars"),
        ("-$5", "minus five dollars"),
        ("£2", "two pounds"),
        ("£2.50", "two pounds and fifty pence"),
        ("€1.2 million", "one point two million euros"),
        ("$5M", "five million dollars"),
        ("$1,250", "one thousand two hundred and fifty dollars"),
        ("$5-10", "five to ten dollars"),
        ("$5–$10", "five to ten dollars"),
        ("5 USD", "five US dollars"),
        ("USD 5", "five US dollars"),
        ("5 €", "five euros"),
        ("¥500", "five hundred yen"),
        ("50¢", "fifty cents"),
        ("$20/hour", "twenty dollars per hour"),
        ("a $5 coffee", "a five dollar coffee"),
    ],
)
def test_money_and_percent(written: str, spoken: str) -> None:
    check(written, spoken)


@pytest.mark.parametrize(
    ("written", "spoken"),
    [
        ("5 km", "five kilometers"),
        ("1 km", "one kilometer"),
        ("5km", "five kilometers"),
        ("3.5 kg", "three point five kilograms"),
        ("1/2 km", "half a kilometer"),
        ("3/4 mi", "three quarters of a mile"),
        ("1 1/2 h", "one and a half hours"),
        ("20 °C", "twenty degrees Celsius"),
        ("20°C", "twenty degrees Celsius"),
        ("1 °C", "one degree Celsius"),
        ("-5 °F", "minus five degrees Fahrenheit"),
        ("15–20 °C", "fifteen to twenty degrees Celsius"),
        ("45°", "forty-five degrees"),
        ("60 km/h", "sixty kilometers per hour"),
        ("100 MB/s", "one hundred megabytes per second"),
        ("9.8 m/s²", "nine point eight meters per second squared"),
        ("20 m²", "twenty square meters"),
        ("20 m^2", "twenty square meters"),
        ("3 cm³", "three cubic centimeters"),
        ("16 GB", "sixteen gigabytes"),
        ("a 16 GB card", "a sixteen gigabyte card"),
        ("a 16-GB card", "a sixteen-gigabyte card"),
        ("the 5 km run", "the five kilometer run"),
        ("the 5 km between us", "the five kilometers between us"),
        ("2 GHz", "two gigahertz"),
        ("5'10\"", "five foot ten"),
        ("5' 10\"", "five foot ten"),
        ("10–12 km", "ten to twelve kilometers"),
        ("5 km–10 km", "five kilometers to ten kilometers"),
        ("6 ft", "six feet"),
        ("5 min", "five minutes"),
        ("5 min. walk", "five minutes walk"),
        ("30 s", "thirty seconds"),
        ("10/day", "ten per day"),
        ("3 sq ft", "three square feet"),
        ("5 m wide", "five meters wide"),
        ("100 mph", "one hundred miles per hour"),
    ],
)
def test_units(written: str, spoken: str) -> None:
    check(written, spoken)


@pytest.mark.parametrize(
    ("written", "spoken"),
    [
        ("2026-03-05", "March fifth, twenty twenty-six"),
        ("2026-03", "March twenty twenty-six"),
        ("March 5, 2026", "March fifth, twenty twenty-six"),
        ("March 5", "March fifth"),
        ("Mar. 5", "March fifth"),
        ("March 5th", "March fifth"),
        ("March 5–7", "March fifth to seventh"),
        ("5 March 2026", "the fifth of March, twenty twenty-six"),
        ("the 5th of March", "the fifth of March"),
        ("March 2026", "March twenty twenty-six"),
        ("Jan. 2026", "January twenty twenty-six"),
        ("3/4/2026", "March fourth, twenty twenty-six"),
        ("25/12/2025", "December twenty-fifth, twenty twenty-five"),
        ("3/4/26", "March fourth, twenty twenty-six"),
        ("5.3.2026", "March fifth, twenty twenty-six"),
        ("Mon, Mar 5", "Monday, March fifth"),
        ("in 1984", "in nineteen eighty-four"),
        ("in 2008", "in two thousand and eight"),
        ("in 2026", "in twenty twenty-six"),
        ("in 1905", "in nineteen oh five"),
        ("in 1984 sales rose", "in nineteen eighty-four sales rose"),
        ("1984 pages", "one thousand nine hundred and eighty-four pages"),
        ("1914–1918", "nineteen fourteen to nineteen eighteen"),
        ("1914–18", "nineteen fourteen to eighteen"),
        ("2007-08", "two thousand and seven to oh eight"),
        ("the 1990s", "the nineteen nineties"),
        ("the 80s", "the eighties"),
        ("the '80s", "the eighties"),
        ("the 2010s", "the twenty tens"),
        ("mid-1984", "mid-nineteen eighty-four"),
        ("500 AD", "five hundred A-D"),
    ],
)
def test_dates_and_years(written: str, spoken: str) -> None:
    check(written, spoken)


@pytest.mark.parametrize(
    ("written", "spoken"),
    [
        ("10:30", "ten thirty"),
        ("7:05", "seven oh five"),
        ("07:05", "seven oh five"),
        ("10:00", "ten o'clock"),
        ("15:00", "fifteen hundred"),
        ("00:00", "midnight"),
        ("3 pm", "three P-M"),
        ("3pm", "three P-M"),
        ("3 p.m. today", "three P-M today"),
        ("10:00 a.m. today", "ten A-M today"),
        ("10:30 AM", "ten thirty A-M"),
        ("5–6 pm", "five to six P-M"),
        ("9am-5pm", "nine A-M to five P-M"),
        ("9:00-17:00", "nine o'clock to seventeen hundred"),
        ("10:30:15", "ten thirty and fifteen seconds"),
        ("2h 30m", "two hours and thirty minutes"),
        ("2026-03-05 10:30", "March fifth, twenty twenty-six, at ten thirty"),
    ],
)
def test_times(written: str, spoken: str) -> None:
    check(written, spoken)


@pytest.mark.parametrize(
    ("written", "spoken"),
    [
        ("World War II", "World War two"),
        ("WWII", "World War two"),
        ("Chapter IV", "Chapter four"),
        ("Henry VIII", "Henry the eighth"),
        ("Queen Elizabeth II", "Queen Elizabeth the second"),
        ("Elizabeth I was queen", "Elizabeth I was queen"),
        ("Rocky III", "Rocky three"),
        ("Mary I think so", "Mary I think so"),
        ("an IV drip", "an IV drip"),
        ("I am", "I am"),
        ("vitamin C", "vitamin C"),
    ],
)
def test_roman_numerals(written: str, spoken: str) -> None:
    check(written, spoken)


@pytest.mark.parametrize(
    ("written", "spoken"),
    [
        ("Dr. Smith", "Doctor Smith"),
        ("Mr. and Mrs. Brown", "Mister and Missus Brown"),
        ("Mr. Brown", "Mister Brown"),
        ("St. Paul", "Saint Paul"),
        ("Main St. is", "Main Street is"),
        ("42nd St. is", "forty-second Street is"),
        ("12 Oak St", "twelve Oak Street"),
        ("e.g. this", "for example this"),
        ("i.e. that", "that is that"),
        ("nuts, etc. and more", "nuts, et cetera and more"),
        ("us vs. them", "us versus them"),
        ("approx. five", "approximately five"),
        ("No. 5", "Number five"),
        ("no. 5", "number five"),
        ("p. 5", "page five"),
        ("#1", "number one"),
        ("~10", "about ten"),
        ("U.S. policy", "U-S policy"),
        ("J. K. Rowling", "J K Rowling"),
        ("Smith, Jr. is", "Smith, Junior is"),
        ("w/o sugar", "without sugar"),
        ("FAQ", "F-eh-Q"),
        ("IQ", "I-Q"),
        ("three CPUs", "three C-P-U's"),
        ("USB", "USB"),
        ("NASA", "NASA"),
        ("plan A", "plan eh"),
        ("ann@example.com", "ann at example dot com"),
        ("ann.b@example.co.uk", "ann dot b at example dot co dot U-K"),
        ("example.com", "example dot com"),
        ("Node.js", "Node dot J-S"),
        (".NET", "dot NET"),
        ("the end.Next", "the end. Next"),
        ("don’t", "don’t"),
        ("naïve café", "naïve café"),
    ],
)
def test_abbreviations_and_names(written: str, spoken: str) -> None:
    check(written, spoken)


@pytest.mark.parametrize(
    ("written", "spoken"),
    [
        ("2 + 2 = 4", "two plus two equals four"),
        ("2+2=4", "two plus two equals four"),
        ("8 - 3 = 5", "eight minus three equals five"),
        ("8-3=5", "eight minus three equals five"),
        ("8 − 3", "eight minus three"),
        ("5 × 6 = 30", "five times six equals thirty"),
        ("5*6", "five times six"),
        ("10 ÷ 2", "ten divided by two"),
        ("10 / 2 = 5", "ten divided by two equals five"),
        ("x² + 1", "x squared plus one"),
        ("x^2", "x squared"),
        ("2^10", "two to the power of ten"),
        ("10⁶", "ten to the power of six"),
        ("√9", "the square root of nine"),
        ("±5", "plus or minus five"),
        ("5 > 3", "five is greater than three"),
        ("3 ≤ x", "three is at most x"),
        ("1920×1080", "nineteen twenty by one thousand and eighty"),
        ("3 x 4 m", "three by four meters"),
        ("2x faster", "two times faster"),
        ("R&D", "R and D"),
        ("AT&T", "A-T-and-T"),
        ("salt & pepper", "salt and pepper"),
        ("A → B", "A to B"),
        ("C++", "C plus plus"),
        ("C#", "C-sharp"),
        ("#music", "hashtag music"),
        ("and/or", "and or"),
        ("he/she", "he or she"),
        ("TCP/IP", "TCP IP"),
        ("A/C", "A-C"),
        ("five times/week", "five times per week"),
        ("well – this", "well — this"),
        ("well-known", "well-known"),
    ],
)
def test_symbols_and_mathematics(written: str, spoken: str) -> None:
    check(written, spoken)


@pytest.mark.parametrize(
    ("written", "spoken"),
    [
        (
            "The meeting is on Mon., Jan. 5 at 3:30 p.m.",
            "The meeting is on Monday, January fifth at three thirty P-M.",
        ),
        (
            "Water boils at 100 °C (212 °F) at sea level.",
            "Water boils at one hundred degrees Celsius "
            "(two hundred and twelve degrees Fahrenheit) at sea level.",
        ),
        (
            "Mix 1/2 cup sugar, 2 1/2 cups flour & 3 tbsp oil!",
            "Mix one half cup sugar, two and a half cups flour and three tablespoons oil!",
        ),
        (
            "It takes 30-45 min, max. 1 h.",
            "It takes thirty to forty-five minutes, maximum one hour.",
        ),
        ("He moved to the U.S.", "He moved to the U-S."),
        ("Apples, pears, etc.", "Apples, pears, et cetera."),
        ("No. That is wrong.", "No. That is wrong."),
        ("Dr. Dre lives on Oak Dr. in L.A.", "Doctor Dre lives on Oak Drive in L-A."),
        ("St. John's St. is near St. Mary.", "Saint John's Street is near Saint Mary."),
        ('A 27" monitor and "42"', 'A twenty-seven" monitor and "forty-two".'),
        ('A 27" monitor', "A twenty-seven inch monitor."),
        ("Between 1939 and 1945.", "Between nineteen thirty-nine and nineteen forty-five."),
        ("f(x) = 2x + 3", "f(x) equals two x plus three."),
        ("It was 2026-03-05T10:30:00Z.", "It was March fifth, twenty twenty-six, at ten thirty."),
        ('"Really?!" she said (twice) ... yes.', '"Really?!" she said (twice)... yes.'),
    ],
)
def test_whole_sentences(written: str, spoken: str) -> None:
    assert verbalize(written) == spoken


# ------------------------------------------------------------------ how it ends


@pytest.mark.parametrize(
    ("text", "ends", "spoken"),
    [
        ("so we went", "cut", "so we went,"),
        ("so we went", "clause", "so we went"),
        ("so we went", "sentence", "so we went."),
        ("so we went,", "cut", "so we went,"),
        ("so we went,", "sentence", "so we went,"),
        ("so we went —", "cut", "so we went —"),
        ("so we went -", "cut", "so we went —"),
        ("so we went!", "sentence", "so we went!"),
        ("so we went…", "sentence", "so we went…"),
        ('"so we went."', "sentence", '"so we went."'),
        ('"so we went"', "sentence", '"so we went".'),
        ("(so we went)", "cut", "(so we went),"),
        ("at 5 p.m.", "sentence", "at five P-M."),
        ("さようなら。", "sentence", "さようなら。"),
        ("it costs $5", "cut", "it costs five dollars,"),
    ],
)
def test_the_end_tells_the_voice_how_to_end(
    text: str, ends: Literal["sentence", "clause", "cut"], spoken: str
) -> None:
    assert verbalize(text, ends=ends) == spoken


@pytest.mark.parametrize(
    "text", ["", " ", "...", "—", "!?", "\n", "( )", "→", "&", '"', "*", "“…”"]
)
@pytest.mark.parametrize("ends", ["sentence", "clause", "cut"])
def test_nothing_to_say(text: str, ends: Literal["sentence", "clause", "cut"]) -> None:
    assert verbalize(text, ends=ends) == ""


# -------------------------------------------------------------- other languages


@pytest.mark.parametrize(
    ("language", "written", "spoken"),
    [
        ("en-GB", "5 km", "five kilometers"),
        ("de", "1.250 Leute", "eintausendzweihundertfünfzig Leute"),
        ("de", "im Jahr 1984", "im Jahr neunzehnhundertvierundachtzig"),
        ("de", "3,5 Grad", "drei Komma fünf Grad"),
        ("fr", "21 jours", "vingt et un jours"),
        ("es", "tiene 42 años", "tiene cuarenta y dos años"),
        ("it", "3 gatti", "tre gatti"),
        ("pt", "100 000 vezes", "cem mil vezes"),
        ("de", "um 10:30", "um 10:30"),
        ("de", "am 3.4.2026", "am 3.4.2026"),
        ("ja", "3つあります", "3つあります"),
        ("hi", "मेरे पास 3 सेब हैं", "मेरे पास 3 सेब हैं"),
        ("", "3 & 4", "3 & 4"),
    ],
)
def test_other_languages(language: str, written: str, spoken: str) -> None:
    assert said(written, language) == spoken


# --------------------------------------------------------------- for every text

PLAIN_TEXT = (
    "the quick brown fox jumps over a lazy dog while it rains and nobody minds, said Alice; "
    "well-known stories don’t end: they (mostly) begin! Shall we? Yes… NASA, I think —"
)
PLAIN_WORDS = PLAIN_TEXT.split()
NUMBERED = [
    "5",
    "$3",
    "10:30",
    "1984",
    "7 km",
    "3-4",
    "2nd",
    "x²",
    "50%",
    "v1.2",
    "e.g.",
    "Mr.",
    "=",
    "/",
]


@given(st.lists(st.sampled_from(PLAIN_WORDS), min_size=1).map(" ".join))
@settings(deadline=None)
def test_plain_words_stay_as_they_are(text: str) -> None:
    assert said(text) == (text if any(char.isalnum() for char in text) else "")


@given(st.lists(st.sampled_from(PLAIN_WORDS + NUMBERED), min_size=1).map(" ".join))
@settings(deadline=None)
def test_no_plain_word_is_lost_and_their_order_stays(text: str) -> None:
    words = [w for w in re.findall(r"[\w’]+", text) if re.fullmatch(r"[^\W\d]{4,}", w)]
    spoken = iter(re.findall(r"[\w’]+", said(text)))
    assert all(word in spoken for word in words)


@given(st.text(alphabet="0123456789 .,:-–/$%°²½'\"()+=x×kmsIVXapth٣１", max_size=40))
@example("1-1-1.1:1/1")
@example("99999999999999999999999,999.9e9")
@example("0/0 0-0 00:00 00/00/00 0.0.0.0")
@settings(deadline=None, max_examples=400)
def test_no_digit_is_left_in_english(text: str) -> None:
    assert not re.search(r"[\d²½]", said(text))


@given(
    st.text(max_size=60), st.sampled_from(["en", "de", "fr", "es", "it", "pt", "nl", "ja", "xx"])
)
@settings(deadline=None)
def test_any_text_can_be_verbalized(text: str, language: str) -> None:
    spoken = verbalize(text, language=language)
    assert spoken == spoken.strip()
    assert bool(spoken) == any(char.isalnum() for char in text)


@pytest.mark.parametrize(
    "part",
    ["1", "1,111,", "1.", "1-", "a.", "a@", "$1 ", "- 1", "Henry VIII ", "x^", "1 000 ", " ", "A"],
)
def test_long_text_takes_time_in_proportion(part: str) -> None:
    """Each takes some 0.2 s; a pattern that is quadratic would take more than a minute."""
    started_s = time.process_time()
    verbalize("a " + part * (50_000 // len(part)))
    assert time.process_time() - started_s < 10
