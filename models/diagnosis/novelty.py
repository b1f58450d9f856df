"""New or known: whether the knowledge base has something on a topic already."""

from __future__ import annotations

import pandas as pd

NEW, KNOWN, UNCLEAR = "new", "known", "unclear"
SERVED_SHARE, SERVED_TIMES = 0.25, 2
HALF = 0.5


def new_or_known(facts: pd.DataFrame, gaps: pd.DataFrame) -> pd.DataFrame:
    """Whether each topic is new or known, as knowledge managers count it (New vs Known in KCS).

    *Known*: an article has answered it, in at least a quarter of its conversations and twice, or an article is named
    that should (a gap that is stale, incomplete, contradictory or unfindable). *New*: no article answers it (a missing
    gap), or neither bot nor agents have named any. *Unclear*: articles were tried, and hardly ever did. A gap speaks
    for a topic where at least half of its conversations are of the gap's subtopics.

    Parameters
    ----------
    facts : DataFrame
        topic_id, subtopic_id, cited_first (str or null), agent_cited (list of str), p_failed (float), in_window (bool).
    gaps : DataFrame
        kind, subtopics (list of str).

    Returns
    -------
    DataFrame, by topic_id
        novelty (str), served (int, conversations that an article answered well).
    """
    own = facts[facts["in_window"] & facts["topic_id"].notna()]
    by_agent = own["agent_cited"].map(len) > 0
    per_conversation = pd.DataFrame(
        {
            "topic_id": own["topic_id"],
            "served": (own["cited_first"].notna() & own["p_failed"].le(0.5)) | by_agent,
            "tried": own["cited_first"].notna() | by_agent,
            "size": 1,
        }
    )
    sums = per_conversation.groupby("topic_id").sum()
    served = (sums["served"] >= SERVED_TIMES) & (sums["served"] >= SERVED_SHARE * sums["size"])
    novelty = pd.Series(UNCLEAR, index=sums.index, dtype="str")
    novelty[served] = KNOWN
    novelty[sums["tried"] == 0] = NEW
    for kind, subtopics in zip(gaps["kind"], gaps["subtopics"], strict=True):
        inside = own["subtopic_id"].isin(list(subtopics)).groupby(own["topic_id"]).mean()
        novelty[inside >= HALF] = NEW if kind == "missing" else KNOWN
    return pd.DataFrame({"novelty": novelty, "served": sums["served"].astype(int)})
