"""Questions in another language are described by the questions of the main language that mean the same."""

from __future__ import annotations

import numpy as np
import pytest

from lacuna.models.arrays import F32
from lacuna.models.text.vectors import unit
from lacuna.models.topics.language_bridge import LanguageBridge, round_trip

PROBLEMS, EACH = 6, 20


def planted(understood: bool) -> tuple[F32, list[str], F32, np.ndarray]:
    """English and German questions about the same problems: meaning, languages, words, problem."""
    rng = np.random.default_rng(0)
    problem = np.tile(np.repeat(np.arange(PROBLEMS), EACH), 2)
    languages = ["en"] * (len(problem) // 2) + ["de"] * (len(problem) // 2)
    german = np.array(languages) == "de"
    middles = unit(rng.normal(size=(2 * PROBLEMS, 40)))
    # A model of English alone sees in a German question little but its letters, and none of its problem's English.
    meaning = middles[problem + (0 if understood else PROBLEMS) * german]
    loose = np.where(german & (not understood), 2.0, 0.5)[:, None]
    meaning = unit(meaning + loose * unit(rng.normal(size=meaning.shape)))
    words = np.eye(2 * PROBLEMS, dtype=np.float32)[problem + PROBLEMS * german]
    # one question more keeps English the main language
    return (
        np.vstack([meaning, meaning[:1]]).astype(np.float32), [*languages, "en"],
        np.vstack([words, words[:1]]), np.append(problem, problem[0]),
    )  # fmt: skip


def test_what_means_the_same_is_described_alike() -> None:
    """A German question gets the words of its problem's English questions; English ones keep theirs."""
    meaning, languages, words, problem = planted(understood=True)
    bridge = LanguageBridge.learn(meaning, languages, [words])
    (across,) = bridge.taken_across(meaning, languages, [words])
    german = np.array(languages) == "de"
    assert bridge.languages == ("de",)
    assert across[german].argmax(axis=1).tolist() == problem[german].tolist()
    assert (across[~german] == words[~german]).all()


@pytest.mark.parametrize("change", ["not understood", "few", "one language", "unknown language"])
def test_everything_stays_where_there_is_nothing_to_join(change: str) -> None:
    """An embedder that does not know the language, too few questions, no second language: not a byte is changed."""
    meaning, languages, words, _ = planted(understood=change != "not understood")
    if change == "few":
        rows = np.r_[0 : PROBLEMS * EACH + 30]
        meaning, languages, words = meaning[rows], [languages[row] for row in rows], words[rows]
    if change == "one language":
        languages = ["en"] * len(languages)
    if change == "unknown language":
        languages = ["" if language == "de" else language for language in languages]
    bridge = LanguageBridge.learn(meaning, languages, [words])
    assert bridge.languages == ()
    assert bridge.arrays() == {}
    assert (bridge.taken_across(meaning, languages, [words])[0] == words).all()


def test_a_question_s_place_is_the_same_by_itself_and_after_reading_the_bridge() -> None:
    """Blocks and files make no difference."""
    meaning, languages, words, _ = planted(understood=True)
    bridge = LanguageBridge.learn(meaning, languages, [words, words])
    again = LanguageBridge.of_arrays(bridge.arrays())
    whole = bridge.taken_across(meaning, languages, [words, words])
    for row in (0, 130, 200):
        one = slice(row, row + 1)
        for part, of_all in zip(
            again.taken_across(meaning[one], languages[one], [words[one], words[one]]), whole, strict=True
        ):
            assert (part == of_all[one]).all()


def test_a_round_trip_shows_what_an_embedder_understands() -> None:
    """Near 1 where both languages are one to it, far below where they are not, 0 where there is no way back."""
    figures = []
    for understood in (True, False):
        meaning, languages, _, _ = planted(understood)
        german = np.array(languages) == "de"
        figures.append(round_trip(meaning[german], meaning[~german]))
    assert figures[0] > 0.8
    assert figures[1] < 0.55
    assert round_trip(meaning[:1], meaning) == 0
    assert round_trip(meaning, meaning[:0]) == 0
