"""The bundled demo: same seed, same bytes; what was promised is in it; its truth says what its data show."""

from __future__ import annotations

import gzip
import hashlib
import json
import re
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from lacuna.pipelines.demo import Fix, Truth, load_truth, write_demo
from lacuna.pipelines.demo.world import SHOP, load_shop

FAILED = {"partial", "wrong", "no_answer", "misclassified"}


@dataclass(frozen=True)
class DemoBundle:
    folder: Path
    truth: Truth
    conversations: pd.DataFrame
    messages: pd.DataFrame
    articles: pd.DataFrame
    outcomes: pd.DataFrame
    revisions: pd.DataFrame
    owners: pd.DataFrame
    searches: pd.DataFrame
    releases: pd.DataFrame

    def of(self, name: str) -> pd.DataFrame:
        """The good conversations of one topic."""
        return self.conversations[self.conversations["conversation_id"].isin(self.truth.topics[name].conversation_ids)]

    def of_kind(self, kind: str) -> list[str]:
        """The names of the topics of one kind."""
        return [name for name, topic in self.truth.topics.items() if topic.kind == kind]

    def cited_by_bot(self, name: str) -> pd.Series:
        """For each of the topic's conversations, the article that the bot cited first, or none."""
        bot = self.messages[
            (self.messages["role"] == "bot") & self.messages["conversation_id"].isin(self.of(name)["conversation_id"])
        ]
        first = bot.drop_duplicates("conversation_id").set_index("conversation_id")["article_ids"]
        return first.map(lambda ids: ids[0] if isinstance(ids, list) else None)

    def failing(self, ids: pd.Series) -> float:
        """The share of tagged answers that failed."""
        tags = self.outcomes[self.outcomes["conversation_id"].isin(ids)]["outcome"]
        return float(tags.isin(FAILED).mean())


def fingerprint(folder: Path) -> dict[str, str]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> DemoBundle:
    folder = tmp_path_factory.mktemp("demo")
    truth = write_demo(folder)
    bundle = folder / "bundle"
    conversations = pd.concat(
        [pd.read_parquet(path) for path in sorted((bundle / "conversations").glob("*.parquet"))], ignore_index=True
    )
    return DemoBundle(
        folder=folder,
        truth=truth,
        conversations=conversations.drop_duplicates("conversation_id"),
        messages=pd.read_json(bundle / "messages.jsonl.gz", lines=True, dtype=False),
        articles=pd.read_json(bundle / "articles.jsonl", lines=True, dtype=False),
        outcomes=pd.read_csv(bundle / "outcomes.csv"),
        revisions=pd.read_parquet(bundle / "article_revisions.parquet"),
        owners=pd.read_json(bundle / "owners.jsonl", lines=True, dtype=False),
        searches=pd.read_csv(bundle / "searches.csv.gz"),
        releases=pd.read_csv(bundle / "releases.csv"),
    )


def test_same_seed_same_bytes(demo: DemoBundle, tmp_path: Path) -> None:
    """Two demos with one seed are the same, byte for byte."""
    write_demo(tmp_path)
    assert fingerprint(tmp_path) == fingerprint(demo.folder)


def test_other_seed_other_conversations(demo: DemoBundle, tmp_path: Path) -> None:
    """Another seed, length or end gives another demo with the same things planted."""
    other = write_demo(tmp_path, seed=8, weeks=3, end=date(2025, 3, 2))
    assert {name: topic.kind for name, topic in other.topics.items()} == {
        name: topic.kind for name, topic in demo.truth.topics.items()
    }
    assert other.window == {"start": "2025-02-10", "end": "2025-03-02", "days": 21, "weeks": 3}
    assert other.topics["track-order"].conversation_ids != demo.truth.topics["track-order"].conversation_ids


def test_truth_survives_the_file(demo: DemoBundle) -> None:
    """The truth that is read back is the truth that was written, and it does not lie in the bundle."""
    assert load_truth(demo.folder / "truth.json") == demo.truth
    assert not (demo.folder / "bundle" / "truth.json").exists()


def test_promised_size(demo: DemoBundle) -> None:
    """The company is as large as the README says."""
    published = demo.articles[demo.articles["status"] == "published"]
    assert len(published) >= 44
    assert (demo.articles["language"] == "de").sum() >= 4
    assert len(demo.owners) >= 10
    assert (~demo.owners["active"]).sum() == 1
    assert len(demo.conversations) >= 4500
    assert 0.15 < (demo.conversations["language"] == "de").mean() < 0.27
    assert 12 <= demo.conversations["predicted_intent"].nunique() <= 17
    assert demo.truth.window["weeks"] == 12
    assert 0.2 < demo.conversations["csat"].notna().mean() < 0.3
    words = published["body"].str.split().map(len)
    assert words.between(110, 400).all(), published.loc[~words.between(110, 400), "article_id"].tolist()


def test_what_is_planted(demo: DemoBundle) -> None:
    """Every kind of gap is there as often as promised, beside thirty healthy topics."""
    kinds = pd.Series({name: topic.kind for name, topic in demo.truth.topics.items()}).value_counts()
    planted = {"missing": 6, "handoff": 4, "stale": 3, "incomplete": 2, "unfindable": 2, "contradictory": 2}
    assert kinds.to_dict() == planted | {"healthy": 30, "misrouted": 1, "loud": 1}
    assert [name for name in demo.of_kind("missing") if demo.truth.topics[name].closed_on] == ["pre-order"]
    releases = set(demo.releases["version"].str.removeprefix("Ride app "))
    stale = [demo.truth.topics[name].release for name in demo.of_kind("stale")]
    assert sum(release is None for release in stale) == 1
    assert {release for release in stale if release} <= releases


def test_phrasings_are_many() -> None:
    """Every topic has at least ten phrasings in each language that it is asked in, and six agents' answers."""
    for topic in load_shop().topics.values():
        if topic.kind == "loud":
            continue
        for language, phrasings in topic.customer.items():
            assert len(set(phrasings)) >= 10, (topic.name, language)
        assert max(len(replies) for replies in topic.agent.values()) >= 6, topic.name


def test_everything_written_is_used() -> None:
    """Topics point at articles and owners that exist, and no slot is left without a filling."""
    shop = load_shop()
    placeholders = r"\{(order|item|day|n|agent|first|last|email|phone|address|card|iban|title|h)\}"
    for topic in shop.topics.values():
        assert {*topic.articles, *topic.near} <= set(shop.articles), topic.name
        assert topic.near, topic.name
    for path in sorted(SHOP.rglob("*.toml")):
        assert re.findall(r"\{[^}]+\}", re.sub(placeholders, "", path.read_text(encoding="utf-8"))) == [], path.name


def test_first_messages_are_varied(demo: DemoBundle) -> None:
    """Hardly any first message is there twice, and none shows a template's brackets."""
    first = demo.messages[(demo.messages["position"] == 0) & demo.messages["text"].notna()]["text"]
    assert first.nunique() / len(first) > 0.9
    assert not demo.messages["text"].dropna().str.contains(r"[\[\]{}]").any()


def test_owners_follow_the_rule(demo: DemoBundle) -> None:
    """One active owner an intent; inactive owners are passed over; one area belongs to nobody."""
    active = demo.owners[demo.owners["active"]]
    areas = [area for row in active["areas"] for area in row]
    assert len(areas) == len(set(areas))
    inactive = set(demo.owners[~demo.owners["active"]]["owner_id"])
    owners = {name: topic.owner_id for name, topic in demo.truth.topics.items()}
    assert not inactive & {owner for owner in owners.values() if owner}
    assert owners["bike-leasing"] is None
    assert owners["tent-pole"] == "o-callum"
    assert owners["warranty"] == "o-greta"
    assert owners["delivery-times"] == "o-amara"
    collect = demo.revisions[(demo.revisions["article_id"] == "kb-click-collect") & demo.revisions["approved"]]
    assert owners["click-collect"] == collect.sort_values("revised_at")["author_id"].iloc[-1] == "o-ruth"


def test_bundle_fits_the_contract(demo: DemoBundle) -> None:
    """Apart from the rows that the truth lists, every row keeps the contract's rules."""
    bad = pd.DataFrame(demo.truth.bad_rows)
    keys = {table: set(rows["key"]) for table, rows in bad.groupby("table")}
    good = demo.conversations[~demo.conversations["conversation_id"].isin(keys["conversations"])]
    assert good[["conversation_id", "started_at", "escalated"]].notna().all().all()
    assert good["csat"].dropna().between(1, 5).all()
    assert good["intent_confidence"].between(0, 1).all()
    assert (good["escalated_at"].notna() == good["escalated"].astype(bool)).all()
    messages = demo.messages[~demo.messages["conversation_id"].isin(keys["messages"])]
    assert set(messages["role"]) == {"customer", "bot", "agent"}
    assert messages["text"].notna().all()
    assert not messages.duplicated(["conversation_id", "position"]).any()
    assert set(messages["conversation_id"]) <= set(good["conversation_id"]) | keys["conversations"]
    cited = messages["article_ids"].dropna().explode()
    assert set(cited) <= set(demo.articles["article_id"])
    assert not demo.articles[~demo.articles["article_id"].isin(keys["articles"])]["article_id"].duplicated().any()
    tags = demo.outcomes[~demo.outcomes["conversation_id"].isin(keys["outcomes"])]
    assert set(tags["outcome"]) == {"correct", "partial", "wrong", "no_answer", "misclassified"}
    assert set(demo.revisions["author_id"]) <= set(demo.owners["owner_id"])
    assert 10 <= len(bad) <= 15


def test_bad_rows_touch_no_topic(demo: DemoBundle) -> None:
    """Quarantine takes nothing away from a planted gap."""
    planted = {cid for topic in demo.truth.topics.values() for cid in topic.conversation_ids}
    assert not planted & {row["key"] for row in demo.truth.bad_rows}
    assert not planted & set(demo.truth.junk_ids)


def test_personal_data_is_listed(demo: DemoBundle) -> None:
    """What the truth lists as personal data stands in the messages, and every address in them is listed."""
    text = "\n".join(demo.messages["text"].dropna())
    assert all(piece in text for piece in demo.truth.pii)
    assert set(re.findall(r"[\w.-]+@example\.(?:com|org|net)", text)) == set(demo.truth.pii_by_kind["email"])


def test_escalation_follows_the_answer(demo: DemoBundle) -> None:
    """In the random audit, wrong answers escalate far more often than right ones."""
    audit = demo.outcomes[demo.outcomes["sample"] == "random"].merge(demo.conversations, on="conversation_id")
    share = audit.groupby("outcome")["escalated"].agg(lambda values: values.astype(float).mean())
    assert share["correct"] < 0.25 < 0.6 < share["wrong"]
    assert share["no_answer"] > 0.65


def test_healthy_topics_are_healthy(demo: DemoBundle) -> None:
    """Three in four conversations of the healthy topics need nobody, in each of them at least two in three."""
    shares = pd.Series({name: demo.of(name)["escalated"].astype(float).mean() for name in demo.of_kind("healthy")})
    assert shares.mean() < 0.25
    assert shares.max() < 0.35


def test_missing_has_no_article(demo: DemoBundle) -> None:
    """An open missing topic has no article, fails nearly always, and what agents say stands in no article."""
    bodies = "\n".join(demo.articles["body"])
    for name in demo.of_kind("missing"):
        topic = demo.truth.topics[name]
        if topic.closed_on:
            continue
        assert not topic.article_ids
        assert demo.of(name)["escalated"].astype(float).mean() > 0.7
        assert demo.of(name)["customer_id"].nunique() > 20
    for fact in ("40718", "Trail points", "near the tip", "160 Wh", "import duty"):
        assert fact not in bodies
        assert demo.messages[demo.messages["role"] == "agent"]["text"].str.contains(fact, regex=False).sum() > 3


def test_closed_gap_closes(demo: DemoBundle) -> None:
    """The missing topic that got an article at the end of week 10 escalates before and hardly after."""
    topic = demo.truth.topics["pre-order"]
    assert topic.closed_on == "2024-06-16"
    created = demo.articles.set_index("article_id")["created_at"]["kb-pre-orders"]
    assert str(created)[:10] == topic.closed_on
    rows = demo.of("pre-order")
    after = rows["started_at"] >= pd.Timestamp(topic.closed_on, tz="UTC")
    assert rows[~after]["escalated"].astype(float).mean() > 0.7
    assert rows[after]["escalated"].astype(float).mean() < 0.45


def test_stale_fails_from_its_change_on(demo: DemoBundle) -> None:
    """A stale article served well before its change; after it, its answers fail, and nobody has touched its text."""
    for name in demo.of_kind("stale"):
        topic = demo.truth.topics[name]
        change = pd.Timestamp(topic.change_date or "", tz="UTC")
        rows = demo.of(name)
        before, after = rows[rows["started_at"] < change], rows[rows["started_at"] >= change]
        assert before["escalated"].astype(float).mean() < 0.35, name
        assert after["escalated"].astype(float).mean() > 0.55, name
        assert demo.failing(after["conversation_id"]) > 0.75, name
        revised = demo.revisions[demo.revisions["article_id"] == topic.article_ids[0]]["revised_at"]
        assert revised.max() < change
        monday = date.fromisoformat(topic.change_week or "")
        assert monday.weekday() == 0
        assert timedelta(0) <= change.date() - monday < timedelta(7)


def test_stale_agents_say_something_new(demo: DemoBundle) -> None:
    """After the change agents name the new fact, while the article still has the old one."""
    new = {
        "delivery-times": ("4 to 6", "2 to 3"),
        "ebike-pairing": ("QR code", "Bluetooth button"),
        "click-collect": ("3 days", "7 days"),
    }
    body = demo.articles.set_index("article_id")["body"]
    agent = demo.messages[demo.messages["role"] == "agent"]
    for name, (fact, old) in new.items():
        topic = demo.truth.topics[name]
        replies = agent[
            agent["conversation_id"].isin(topic.conversation_ids) & agent["text"].str.contains(fact, regex=False)
        ]
        started = demo.conversations.set_index("conversation_id").loc[replies["conversation_id"], "started_at"]
        assert started.min() >= pd.Timestamp(topic.change_date or "", tz="UTC"), name
        assert old in body[topic.article_ids[0]]
        assert fact not in body[topic.article_ids[0]], name


def test_incomplete_fails_for_the_uncovered(demo: DemoBundle) -> None:
    """The part that the article leaves out fails, the part that it covers does not, all weeks alike."""
    for name in demo.of_kind("incomplete"):
        topic, rows = demo.truth.topics[name], demo.of(name)
        left_out = rows["conversation_id"].isin(topic.uncovered_ids)
        assert 0.35 < left_out.mean() < 0.75
        assert demo.failing(rows[left_out]["conversation_id"]) > 0.75
        assert (
            rows[left_out]["escalated"].astype(float).mean()
            > 0.45
            > 0.35
            > rows[~left_out]["escalated"].astype(float).mean()
        )


def test_unfindable_is_cited_by_agents(demo: DemoBundle) -> None:
    """The bot hardly reaches an unfindable article, agents link it, and customers' own words find nothing."""
    for name in demo.of_kind("unfindable"):
        topic = demo.truth.topics[name]
        assert (demo.cited_by_bot(name) == topic.article_ids[0]).mean() < 0.25
        agent = demo.messages[
            (demo.messages["role"] == "agent") & demo.messages["conversation_id"].isin(topic.conversation_ids)
        ]
        linked = agent["article_ids"].map(
            lambda ids, article=topic.article_ids[0]: isinstance(ids, list) and article in ids
        )
        assert linked.groupby(agent["conversation_id"]).any().mean() > 0.35
        spec = load_shop().topics[name]
        searched = demo.searches[demo.searches["query"].isin([*spec.searches_en, *spec.searches_de])]
        assert (searched["results"] == 0).mean() > 0.7
        assert searched["conversation_id"].notna().mean() > 0.5


def test_contradictory_articles_are_both_cited(demo: DemoBundle) -> None:
    """The bot cites both articles about equally, the one that is right fails less."""
    for name in demo.of_kind("contradictory"):
        topic, cited = demo.truth.topics[name], demo.cited_by_bot(name)
        counts = cited.value_counts()
        assert 0.6 < counts[topic.article_ids[0]] / counts[topic.article_ids[1]] < 1.7
        rows = demo.of(name).set_index("conversation_id")["escalated"].astype(float)
        wrong = next(article for article in topic.article_ids if article != topic.right_article_id)
        assert rows[cited[cited == topic.right_article_id].index].mean() < rows[cited[cited == wrong].index].mean()


def test_handoffs_end_with_people(demo: DemoBundle) -> None:
    """Where only a person may act, nearly everybody ends with one, and no article is to blame."""
    for name in demo.of_kind("handoff"):
        assert demo.of(name)["escalated"].astype(float).mean() > 0.8
        assert not demo.truth.topics[name].article_ids
        assert demo.truth.topics[name].reason in ("handoff by policy", "account action needed")


def test_misrouted_intent(demo: DemoBundle) -> None:
    """The bot takes a battery that does not charge for a payment; where it does not, the article answers."""
    topic, rows = demo.truth.topics["ebike-charge"], demo.of("ebike-charge")
    lost = rows["predicted_intent"] == topic.predicted_intent
    assert lost.mean() > 0.75
    assert rows[lost]["escalated"].astype(float).mean() > 0.6 > rows[~lost]["escalated"].astype(float).mean()
    tags = demo.outcomes[
        demo.outcomes["conversation_id"].isin(rows["conversation_id"]) & (demo.outcomes["outcome"] == "misclassified")
    ]
    assert len(tags) >= 10
    assert set(tags["true_intent"].dropna()) == {"ebike"}


def test_surge_starts_on_its_day(demo: DemoBundle) -> None:
    """The surging topic jumps on the day that the truth names, in the last week, and is a missing one."""
    surge = demo.truth.surge
    rows = demo.of(surge["topic"])
    daily = (
        rows.groupby(rows["started_at"].dt.date)
        .size()
        .reindex(pd.date_range("2024-04-08", "2024-06-30").date, fill_value=0)
    )
    started = date.fromisoformat(surge["started"])
    assert date(2024, 6, 24) <= started <= date(2024, 6, 30)
    assert daily[daily.index >= started].mean() > 6 * daily[daily.index < started].mean()
    assert demo.truth.topics[surge["topic"]].kind == "missing"


def test_loud_customer_is_alone(demo: DemoBundle) -> None:
    """Twenty-five conversations of one person, who writes about nothing else."""
    loud = demo.truth.loud
    own = demo.conversations[demo.conversations["customer_id"] == loud["customer_id"]]
    assert sorted(own["conversation_id"]) == sorted(loud["conversation_ids"])
    assert len(own) == 25


FIX_DAY = date(2024, 7, 3)
PLANTED_FIXES = [Fix("tent-pole", FIX_DAY), Fix("trail-points", FIX_DAY, works=False), Fix("delivery-times", FIX_DAY)]


@pytest.fixture(scope="module")
def fixed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Path, Truth]]:
    """One world as it was on two days: before three articles came or changed, and three weeks later."""
    out = {}
    for day in (date(2024, 6, 30), date(2024, 7, 21)):
        folder = tmp_path_factory.mktemp(day.isoformat())
        out[day.isoformat()] = (folder, write_demo(folder, weeks=3, later=3, fixes=PLANTED_FIXES, until=day))
    return out


def _said(folder: Path) -> dict[str, list[dict[str, Any]]]:
    talks: dict[str, list[dict[str, Any]]] = {}
    with gzip.open(folder / "bundle" / "messages.jsonl.gz", "rt", encoding="utf-8") as file:
        for row in map(json.loads, file):
            talks.setdefault(row["conversation_id"], []).append(row)
    return talks


def test_what_is_done_later_changes_nothing_of_the_past(fixed: dict[str, tuple[Path, Truth]]) -> None:
    """The earlier bundle holds the same conversations as the later one up to its day, and no article of the future."""
    (first, then), (last, now) = fixed["2024-06-30"], fixed["2024-07-21"]
    early, late = _said(first), _said(last)
    same = set(early) & set(late)
    assert len(same) > 0.99 * len(early)  # a planted bad row hides one or the other
    spoiled = {str(row["key"]) for row in (*then.bad_rows, *now.bad_rows)} if "key" in then.bad_rows[0] else set()
    changed = [key for key in same - spoiled if early[key] != late[key]]
    assert len(changed) <= 12
    articles = [
        {json.loads(line)["article_id"] for line in (f / "bundle" / "articles.jsonl").open()} for f in (first, last)
    ]
    assert articles[1] - articles[0] == {"kb-tent-pole", "kb-trail-points"}


def test_a_fix_that_works_ends_the_failures_and_one_that_does_not_leaves_them(
    fixed: dict[str, tuple[Path, Truth]],
) -> None:
    """Escalations of the mended topics fall from their day on; those of the other stay as they were."""
    folder, truth = fixed["2024-07-21"]
    talks = pd.concat(pd.read_parquet(path) for path in sorted((folder / "bundle" / "conversations").glob("*.parquet")))
    talks = talks[talks["started_at"].notna() & talks["escalated"].notna()].drop_duplicates("conversation_id")
    after = talks.set_index("conversation_id")["started_at"].dt.date >= FIX_DAY
    escalated = talks.set_index("conversation_id")["escalated"].astype(float)
    share = {}
    for topic in ("tent-pole", "trail-points", "delivery-times"):
        own = escalated.index.isin(truth.topics[topic].conversation_ids)
        share[topic] = (escalated[own & ~after].mean(), escalated[own & after].mean())
    assert share["tent-pole"][0] > 0.6 > 0.35 > share["tent-pole"][1]
    assert share["delivery-times"][0] > 0.45 > 0.3 > share["delivery-times"][1]
    assert min(share["trail-points"]) > 0.6
    assert [fix["works"] for fix in truth.fixes] == [True, False, True]
