"""Which citations are on topic: a mixture of citations that a question asks for and those of the bot's habit."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from lacuna.models.arrays import F64, Ints
from lacuna.models.diagnosis.change_point import HEALTHY
from lacuna.models.diagnosis.findability import ENOUGH_TO_CALIBRATE, Blocks, CitationChoice, went_wrong

ROUNDS = 50
SUREST = 1 / 3  # share of citations, the likeliest on topic, from which the questions of an article are learned
# Priors of each article, in citations: on topic; and on topic with the failing share of a healthy article.
PRIOR_SHARE, PRIOR_FAILURE = 0.2, 5.0
LEAST_LUCK, MOST_LUCK = 0.05, 0.9


def on_topic(
    blocks: Blocks, ways: Sequence[str], cited: Ints, failed: F64, weight: F64, off_topic: float
) -> tuple[F64, float]:
    """The chance that each conversation is about the article cited in it, from text, habit and outcome together.

    A citation has one of two causes. Either the question asks for the article: then its text is like the questions that
    the article surely answered, and the answer fails at the article's own rate. Or the bot cites out of habit, as in
    other questions that it failed: then the answer works only by luck. How often each article is asked for, how often
    its answers fail and the chance of luck are estimated together with the chances, by expectation–maximisation
    (Dempster, Laird and Rubin 1977).

    Parameters
    ----------
    blocks
        Gives the candidates of all questions, a block after the other.
    ways
        Ways of matching; a plain word search among them, which is what many bots do.
    cited
        int (n,), number of the article cited first, -1 for none.
    failed
        float (n,), the chance that the answer failed.
    weight, off_topic
        First guess (:func:`models.diagnosis.citations.citation_weights`).

    Returns
    -------
    weight : float (n,), 0 where nothing was cited
    off_topic_failure : float, share of answers that fail where the article is another one

    The first guess is returned where there are fewer than 60 citations, or where it is the same for all.
    """
    rows = np.flatnonzero(cited >= 0)
    own, n = cited[rows], len(cited)
    if len(rows) * SUREST < ENOUGH_TO_CALIBRATE or np.ptp(weight[rows]) == 0:
        return weight, off_topic
    sure = rows[weight[rows] >= np.quantile(weight[rows], 1 - SUREST)]
    asking, tempting = (CitationChoice.learn(blocks, ways, cited, some) for some in (sure, went_wrong(cited, failed)))
    asked, tempts = np.zeros((2, len(rows)))
    start = place = 0
    usual: F64 = np.zeros(1)
    for block in blocks():
        here = cited[start : start + len(block)]
        cites = np.flatnonzero(here >= 0)
        of_all = asking.chances(block)
        usual = usual + of_all.total()
        those = slice(place, place + len(cites))
        asked[those] = of_all.take(cites).at(here[cites])
        tempts[those] = tempting.chances(block.take(cites)).at(here[cites])
        start, place = start + len(block), place + len(cites)
    usual = usual / n
    articles = len(usual)
    likelier = np.maximum(asked / usual[own], 1e-9)
    habit = np.maximum(tempts, 1e-6)
    bad, good = failed[rows], 1 - failed[rows]
    chance, luck = weight[rows], 1 - off_topic
    for _ in range(ROUNDS):
        count = np.bincount(own, chance, articles)
        failing = (np.bincount(own, chance * bad, articles) + PRIOR_FAILURE * HEALTHY) / (count + PRIOR_FAILURE)
        asks = (count + PRIOR_SHARE)[own] / n * likelier * (good * (1 - failing[own]) + bad * failing[own])
        strays = (1 - chance).sum() / n * habit * (good * luck + bad * (1 - luck))
        chance = asks / np.maximum(asks + strays, 1e-300)
        stray = np.maximum((1 - chance).sum(), 1e-9)
        luck = float(np.clip(((1 - chance) * good).sum() / stray, LEAST_LUCK, MOST_LUCK))
    out = np.zeros(n)
    out[rows] = chance
    return out, 1 - luck
