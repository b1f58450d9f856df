"""What a draft is made of: phrasings that differ, passages that agents speak against, and what is about the matter."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lacuna.models.text.amounts import amounts
from lacuna.models.text.markup import bare
from lacuna.models.text.salience import Salience, counted
from lacuna.models.writing.agent_sentences import statements
from lacuna.models.writing.passages import Line, against, left_out, lines, taken_back
from lacuna.models.writing.phrasings import different
from lacuna.models.writing.resolution_steps import distil
from lacuna.pipelines.io.store import read_parquet, write_parquet
from lacuna.pipelines.run import make_job
from lacuna.pipelines.runtime.job import Job
from lacuna.pipelines.steps.rank.gap_evidence import gather

CUSTOMS = [f"customs fee on parcel {i}, who pays? I love your shop." for i in range(6)]
OTHERS = [f"my tent {i} leaks. I love your shop." for i in range(40)]
CUSTOMS_SALIENCE = Salience.of(CUSTOMS, counted(CUSTOMS + OTHERS), len(CUSTOMS + OTHERS))


def test_a_sentence_that_everybody_says_is_no_part_of_the_gist() -> None:
    """What all topics' customers write is cut, what only these write stays, and an omission in the middle shows."""
    assert CUSTOMS_SALIENCE.summary("I love your shop. A customs fee on my parcel?") == "A customs fee on my parcel?"
    assert (
        CUSTOMS_SALIENCE.summary("Customs fee? I love your shop. Who pays customs?")
        == "Customs fee? … Who pays customs?"
    )
    assert (
        CUSTOMS_SALIENCE.summary("guys, quick one: customs fee on my parcel, who pays")
        == "customs fee on my parcel, who pays"
    )
    assert CUSTOMS_SALIENCE.worth("I love your shop.") == 0


def test_a_dump_of_settings_is_no_question() -> None:
    """A log that names the matter does not stand for what a person asked."""
    dump = "Customs: 1 Fee: 2 Parcel: 3 Port: 993 Auth: OAuth2 Server: imap Host: x Path: y Size: 4 Mode: z User: q"
    assert CUSTOMS_SALIENCE.summary(f"{dump}.\nWho pays the customs fee?") == "Who pays the customs fee?"


def test_phrasings_differ_and_near_duplicates_count_once() -> None:
    """Slips of the pen and other days are the same way to ask; the most usual way comes first."""
    questions = [
        "parcel stuck in customs since Monday", "pacel stuck in customs since Tuesday",
        "parcel stuck in customs since Friday", "who pays the import fee?", "who pays the import fee",
        "the courier wants cash at the door",
    ]  # fmt: skip
    phrasings = different(questions, [0.9, 0.95, 0.8, 0.7, 0.6, 0.5])
    assert [p.times for p in phrasings] == [3, 2, 1]
    assert questions[phrasings[0].at].startswith("parcel")
    assert len(different(questions, [1.0] * 6, count=2)) == 2


@given(st.lists(st.text(max_size=30), max_size=12))
def test_phrasings_are_texts_that_were_asked_and_count_each_once(questions: list[str]) -> None:
    """Positions are real, none is empty or twice, and no more are counted than there are."""
    phrasings = different(questions, [1.0] * len(questions))
    assert len({p.at for p in phrasings}) == len(phrasings) <= 5
    assert all(questions[p.at].strip() for p in phrasings)
    assert sum(p.times for p in phrasings) <= len(questions)


def test_an_article_is_read_sentence_by_sentence() -> None:
    """Headings, lists, tables and bold text: each sentence with its section, without marks."""
    body = (
        "Intro here.\n\n## Collect\n\n1. Show the **code**.\n2. Bring an ID. Sign.\n\n| a | b |\n|-|-|\n| UK | 3 days |"
    )
    assert lines(body) == [
        Line("", "Intro here."), Line("Collect", "Show the code."), Line("Collect", "Bring an ID."),
        Line("Collect", "Sign."), Line("Collect", "a – b"), Line("Collect", "UK – 3 days"),
    ]  # fmt: skip
    assert bare("2. Bring **an ID**") == "Bring an ID"


@pytest.mark.parametrize("body", ["", "\n\n", "# \n", "|||", "- ", "<script>x</script>", "```\ncode\n```", "1. "])
def test_an_odd_article_is_read_as_well(body: str) -> None:
    """Nothing in an article breaks its reading."""
    assert all(line.text for line in lines(body))


def vectors(*rows: list[float]) -> np.ndarray:
    """Rows of length 1."""
    matrix = np.array(rows, dtype=np.float32)
    return matrix / np.linalg.norm(matrix, axis=1, keepdims=True)


def test_a_passage_stands_beside_the_agents_sentence_that_speaks_against_it() -> None:
    """Another amount of the same, or an amount taken back, finds its sentence; agreement finds none."""
    article = [Line("Collect", "We keep your order for 7 days."), Line("Bikes", "Bring your pedals.")]
    article_vectors = vectors([1, 0.1], [0.1, 1])
    sentences = ["It is kept for 3 days now, not 7.", "We keep your order for seven days.", "Bring a lock."]
    pairs = against(article, article_vectors, sentences, vectors([1, 0.9], [1, 0.9], [0.9, 1]), [5, 9, 9])
    assert pairs == [(0, [0])]


def test_figures_that_agents_take_back_lead_to_the_passage_that_gives_them() -> None:
    """Of two passages with other figures the one is meant whose figures somebody calls out of date."""
    article = [Line("Post", "Germany – DHL – 2 to 3 working days"), Line("Bikes", "Allow 5 to 7 working days.")]
    article_vectors = vectors([1, 0.1], [0, 1])
    sentences = ["Parcels need 4 to 6 working days.", "The 2 to 3 days on that page are out of date."]
    sentence_vectors = vectors([0.5, 0.85], [0.9, 0.6])
    assert against(article, article_vectors, sentences[:1], sentence_vectors[:1], [9]) == [(1, [0])]
    taken = taken_back(sentences)
    assert against(article, article_vectors, sentences[:1], sentence_vectors[:1], [9], retracted=taken) == [
        (0, [0]),
        (1, [0]),
    ]
    assert against(article, article_vectors, sentences, sentence_vectors, [9, 4], retracted=taken) == [
        (0, [0, 1]),
        (1, [0]),
    ]
    assert taken_back([*sentences, *["Standard delivery takes 2 to 3 working days."] * 2]) == set()


def test_what_an_article_does_not_say_is_named_with_the_nearest_section() -> None:
    """A sentence of agents that no sentence of the article is like is left out by it."""
    article = [Line("Shipping", "We ship to the EU."), Line("Returns", "Send it back in 30 days.")]
    article_vectors = vectors([1, 0, 0], [0, 1, 0])
    assert left_out(article, article_vectors, vectors([1, 0.1, 0], [0, 0.6, 1])) == [(1, "Returns")]


def test_amounts_may_be_words() -> None:
    """Three days are 3 days, and other things than days are not compared with them."""
    assert amounts("three days")["day"] == amounts("3 days")["day"] == {"3"}
    assert "day" not in amounts("3 pieces")


SHOP = "For a purchase in the shop, enter the receipt number under Points > Claim. Sale items earn half the points."
GUEST = "Sign in and open the order, then press Claim points. That works for 60 days after the order."


def replies() -> list[tuple[str, str]]:
    """Two answers that never come together, three times each."""
    return [(f"s{i}", f"Hello <NAME>, {SHOP} Bye!") for i in range(3)] + [(f"g{i}", f"Hi, {GUEST}") for i in range(3)]


def test_answers_that_never_come_together_are_alternatives() -> None:
    """Two answers get two numbers, each with its own sentences; none of them is told as a step of the other."""
    texts = [text for _, text in replies()]
    subject = Salience.of(texts, counted([*texts, *OTHERS]), len(texts) + len(OTHERS))
    steps = distil(replies(), {"s0", "s1"}, subject)
    ways = {way: [s["text"] for s in steps if s["way"] == way] for way in (1, 2)}
    assert {len(sentences) for sentences in ways.values()} == {2}
    assert any("Sale items" in text for text in ways[1]) != any("Sale items" in text for text in ways[2])
    shop = next(s for s in steps if "receipt" in s["text"])
    assert (shop["count"], shop["worked"], shop["order"]) == (3, 2, 0)


def test_steps_that_come_in_turn_are_numbered_and_others_are_not() -> None:
    """Instructions that always come in one order are a sequence; where agents differ about the order, they are not."""
    right = [(f"c{i}", "Open the Orders page. Press the Return button.") for i in range(3)]
    assert [s["order"] for s in distil(right)] == [1, 2]
    mixed = [*right[:2], *[(f"d{i}", "Press the Return button. Open the Orders page.") for i in range(2)]]
    assert [s["order"] for s in distil(mixed)] == [0, 0]


def test_talk_is_no_statement() -> None:
    """Greetings, names, questions, and what an agent says of himself or of one customer's case are no article."""
    reply = "Hi <NAME>, <NAME> from the shop here. I've asked them. Your order is late. It takes 3 days. Anything else?"
    assert statements(reply) == ["It takes 3 days."]


def job_of(folder: Path, resolved: list[bool | None], csat: list[float | None], customers: list[str]) -> Job:
    """A job that has been through diagnose, with one topic of conversations that agents answered alike."""
    job = make_job("nowhere", folder, "2024-06-03", "2024-06-30")
    n = len(resolved)
    ids = [f"c{i}" for i in range(n)]
    other = [f"o{i}" for i in range(20)]
    everyone = [*ids, *other]
    questions = [f"customs fee on parcel {i}, who pays?" for i in range(n)] + [f"my tent {i} leaks" for i in range(20)]
    answers = ["Send us the customs receipt and we refund the fee within 5 days."] * n + ["Dry it, please."] * 20
    facts = pd.DataFrame(
        {
            "conversation_id": everyone,
            "started_at": pd.date_range("2024-06-03", periods=n + 20, freq="h", tz="UTC"),
            "resolved": pd.array([*resolved, *[None] * 20], dtype="boolean"),
            "csat": pd.array([*csat, *[None] * 20], dtype="float64"),
            "customer_id": pd.array([*customers, *[f"x{i}" for i in range(20)]], dtype="str"),
            "topic_id": pd.array(["t-1"] * n + ["t-2"] * 20, dtype="str"),
            "subtopic_id": pd.array([None] * (n + 20), dtype="str"),
            "escalated": pd.array([True] * (n + 20), dtype="boolean"),
            "language": pd.array(["en"] * (n + 20), dtype="str"),
        }
    )
    messages = pd.DataFrame(
        {
            "conversation_id": [c for c in everyone for _ in range(2)],
            "position": [p for _ in everyone for p in (0, 1)],
            "role": ["customer", "agent"] * (n + 20),
            "text": [text for pair in zip(questions, answers, strict=True) for text in pair],
        }
    )
    draw = random.Random(3)
    vector = [[draw.random() for _ in range(4)] for _ in everyone]
    for name, frame in (
        ("measure/facts", facts), ("redact/messages", messages),
        ("understand/questions", pd.DataFrame({"conversation_id": everyone, "question": questions})),
        ("understand/vectors", pd.DataFrame({"conversation_id": everyone, "vector": vector})),
    ):  # fmt: skip
        job.path(name).parent.mkdir(parents=True, exist_ok=True)
        write_parquet(job.path(f"{name}.parquet"), frame)
    return job


def gap(n: int, **changes: object) -> dict[str, object]:
    """The gap about customs."""
    return {
        "gap_id": "g-1", "kind": "missing", "article_id": None, "conversation_ids": [f"c{i}" for i in range(n)],
        "passages": [], **changes,
    }  # fmt: skip


NOTHING = pd.DataFrame({"title": [], "body": []}, dtype="str")


@pytest.mark.parametrize(
    ("resolved", "csat", "customers", "count", "worked"),
    [
        ([None] * 4, [None] * 4, list("abcd"), 4, 0),
        ([True, None, None, None], [None, 5.0, None, None], list("abcd"), 4, 2),
        ([False, None, None, None], [None] * 4, list("abcd"), 3, 0),
        ([None] * 4, [1.0, None, None, None], list("abcd"), 3, 0),
        ([True, None, None, None], [None] * 4, list("aabc"), 3, 0),
    ],
    ids=["unknown", "well", "unresolved", "rated badly", "came back"],
)
def test_replies_that_did_not_resolve_it_show_no_way(
    tmp_path: Path,
    resolved: list[bool | None],
    csat: list[float | None],
    customers: list[str],
    count: int,
    worked: int,
) -> None:
    """Unresolved, badly rated, or escalated again by the same customer: not shown, and counted as such."""
    job = job_of(tmp_path, resolved, csat, customers)
    evidence = gather(job, [gap(4)], NOTHING)["g-1"]
    (step,) = evidence["steps"]
    assert (step["count"], step["worked"]) == (4, worked), "a try that failed is a try"
    assert count == 4 or "c0" not in step["conversation_ids"]
    assert evidence["answered"] == {"conversations": 4, "well": worked, "badly": 4 - count}
    assert [(e["count"], "customs fee" in e["quote"]) for e in evidence["examples"]] == [(4, True)]
    assert step["asked"].startswith("customs fee on parcel")


@pytest.mark.parametrize(
    ("last_words", "well"), [("It still doesn't work.", 0), ("Geht immer noch nicht.", 0), ("Great, it works now!", 1)]
)
def test_last_words_count_against_a_flag_that_says_resolved(tmp_path: Path, last_words: str, well: int) -> None:
    """Whoever writes last that it does not work was not helped, whatever the help desk's flag says."""
    job = job_of(tmp_path, [True, None, None, None], [None] * 4, list("abcd"))
    path = job.path("redact/messages.parquet")
    messages = read_parquet(path)
    added = pd.DataFrame({"conversation_id": ["c0"], "position": [2], "role": ["customer"], "text": [last_words]})
    write_parquet(path, pd.concat([messages, added], ignore_index=True))
    evidence = gather(job, [gap(4)], NOTHING)["g-1"]
    assert evidence["answered"] == {"conversations": 4, "well": well, "badly": 1 - well}
    assert ("c0" in evidence["steps"][0]["conversation_ids"]) == bool(well)


def test_an_article_gets_its_passages_and_the_words_that_it_lacks(tmp_path: Path) -> None:
    """Agents' other amount stands beside the sentence of the article; customers' words that it lacks are listed."""
    job = job_of(tmp_path, [True] * 4, [None] * 4, list("abcd"))
    body = "## Refunds\n\nSend us the receipt and we refund the charge within 14 days.\n\nWe ship tents."
    articles = pd.DataFrame({"title": ["Duty"], "body": [body]}, index=["kb-1"])
    evidence = gather(job, [gap(4, kind="stale", article_id="kb-1")], articles)["g-1"]
    (passage,) = evidence["passages"]
    assert passage["section"] == "Refunds"
    assert passage["passage"].endswith("within 14 days.")
    assert "within 5 days" in passage["evidence"]
    assert passage["count"] == 4
    assert "customs" in evidence["customer_words"]
    assert "receipt" not in evidence["customer_words"]


def test_the_order_of_conversations_does_not_matter(tmp_path: Path) -> None:
    """The same gap with its conversations in another order has the same evidence."""
    job = job_of(tmp_path, [True] * 5, [None] * 5, list("abcde"))
    in_order = gather(job, [gap(5)], NOTHING)
    ids = [f"c{i}" for i in (3, 1, 4, 0, 2)]
    assert gather(job, [gap(5, conversation_ids=ids)], NOTHING) == in_order
