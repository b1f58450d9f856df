"""What a writer opens: the article first and in the house's form, changes as a diff, sources, and duplicates named."""

from __future__ import annotations

import re
from typing import Any

from lacuna.models.backlog.gap_records import PlannedSentence
from lacuna.models.writing.duplicates import covering
from lacuna.models.writing.house_form import HouseForm, learn_house_form
from lacuna.pipelines.drafts import draft
from lacuna.pipelines.drafts.article import sentence, tidy
from tests.unit.models.writing.test_resolution_steps import missing
from tests.unit.pipelines.drafts.test_polish import planned

HOUSE = [
    {
        "article_id": f"kb-{i}", "title": f"Topic {i}", "language": "en", "status": "published", "helpful": i,
        "unhelpful": 0, "url": f"https://help.example.org/{i}",
        "body": "Bring it back whenever you like, it is free for you. " * 4
        + "\n\n### How to do it\n\n1. Open **My account > Orders**.\n2. Press Return.\n\n### See also\n\n- Something",
    }
    for i in range(6)
]  # fmt: skip
PLAN = [
    planned("title", "Who pays customs?", ["c-1"]),
    planned("answer", "All deliveries are duty paid", ["c-1", "c-2"], 9),
    planned("step", "Please open My account > Orders and press Report.", ["c-3", "c-4"], group=1),
    planned("step", "then upload a photo within 5 days.", ["c-3", "c-4"], group=1),
    planned("case", "If you've paid, send us the receipt.", ["c-5", "c-6"], group=1, condition="If you've paid",
            condition_by="agents"),
    planned("open", "It takes 3 days.", ["c-7", "c-8"], group=1),
    planned("open", "It takes 7 days.", ["c-9"], group=1),
    planned("title", "Wer zahlt den Zoll?", ["d-1"], language="de"),
    planned("answer", "Der Zoll ist im Preis enthalten.", ["d-1", "d-2"], language="de"),
]  # fmt: skip


def text_of(kind: str = "missing", plan: list[PlannedSentence] | None = None, **over: Any) -> str:
    """A draft in the house's form."""
    gap = missing(kind=kind, plan=PLAN if plan is None else plan, languages=["en", "de"], conversations=40, **over)
    articles = {str(row["article_id"]): row for row in HOUSE}
    return draft(gap, articles, {}, "", {"en": learn_house_form(HOUSE, "en")})


def test_the_article_comes_first_in_the_form_of_the_best_articles() -> None:
    """The question as title, the answer, steps under the house's own heading, cases by condition; then the rest."""
    text = text_of()
    article, evidence = text.split("\n## Evidence\n")
    in_order = (
        "# Who pays customs?", "All deliveries are duty paid.[^", "### How to do it",
        "1. Open **My account > Orders** and press Report.[^", "2. Upload a photo within 5 days.[^",
        "### If you've paid\n\nSend us the receipt.[^", "## In German: Wer zahlt den Zoll?",
        "Der Zoll ist im Preis enthalten.[^", "## To settle before it is published",
    )  # fmt: skip
    places = [article.index(part) for part in in_order]
    assert places == sorted(places)
    assert "“It takes 3 days.”" in article
    assert "5 days[^" in article
    assert "### What customers ask" in evidence


def test_german_is_tidied_as_english_is() -> None:
    """Without "bitte" where the house says none; a menu is bold from its first word to its last."""
    told = "Bitte unter Mein Konto > Trail-Punkte > Nachtragen die Bestellnummer eingeben."
    shown = sentence(told, HouseForm(bold_paths=True))
    assert shown == "Unter **Mein Konto > Trail-Punkte > Nachtragen** die Bestellnummer eingeben."
    assert tidy("Laden Sie bitte ein Foto hoch", HouseForm()) == "Laden Sie ein Foto hoch."


def test_a_figure_to_confirm_ends_at_a_comma() -> None:
    """What follows a comma is not what the number counts."""
    plan = [
        planned("title", "Who takes a battery?", ["c-1"]),
        planned("answer", "Our forwarder takes it for 49, booked five working days ahead.", ["c-1", "c-2"], 5),
        planned("fact", "It may have up to 1,000.5 Wh.", ["c-3", "c-4"], 2),
    ]
    text = text_of(plan=plan)
    assert "confirmed the figures: 49[^3], five working days[^3], 1,000.5 Wh[^4]" in text


def test_every_sentence_has_a_footnote_that_names_its_conversations() -> None:
    """Each mark has its line, each line its conversations, and no sentence of the article is without."""
    article = text_of().split("\n## Evidence\n")[0]
    notes = dict(re.findall(r"^\[\^(\d+)\]: (.+?) *$", article, flags=re.MULTILINE))
    marks = re.findall(r"\[\^(\d+)\](?!:)", article)
    assert set(marks) == set(notes)
    assert notes[re.search(r"duty paid\.\[\^(\d+)\]", article)[1]] == "9 conversations; such as c-1, c-2."  # type: ignore[index]
    lines = [line for line in article.split("To settle")[0].splitlines() if re.match(r"(?:[-\d]|[A-Z])", line)]
    assert all(re.search(r"\[\^\d+\]", line) for line in lines if line.endswith((".", "]")) and "gap_id" not in line)


def passage(text: str, **over: Any) -> dict[str, Any]:
    """A passage of an article."""
    row = {
        "article_id": "kb-9", "section": "Rules", "passage": text, "evidence": "It is 3 days now.", "count": 5,
        "conversation_ids": ["c-1"], "replacement": None, "replacement_ids": [], "comment": None,
    }  # fmt: skip
    return row | over


RULES = "Hello.\n\n## Rules\n\nWe keep it for 7 days.\n\nIt is free.\n"


def diff_of(*passages: dict[str, Any], kind: str = "stale", body: str = RULES, **over: Any) -> list[str]:
    """The diff of an article with two rules."""
    gap = missing(kind=kind, article_id="kb-9", passages=list(passages), **over)
    text = draft(gap, {"kb-9": {"title": "Rules", "body": body}}, {})
    return re.search(r"```diff\n(.*?)\n```", text, re.DOTALL)[1].splitlines()  # type: ignore[index]


def test_a_change_that_agents_agree_on_is_proposed_and_one_they_differ_on_is_a_comment() -> None:
    """The article itself with the old sentence, the new one with its source, and no proposal without agreement."""
    agreed = diff_of(passage("We keep it for 7 days.", replacement="We keep it for 3 days.", replacement_ids=["c-1"]))
    assert agreed == [
        " Hello.", " ## Rules", "-We keep it for 7 days.", "+We keep it for 3 days. [^1]",
        "! Agents say: “It is 3 days now.” [^1]", " It is free.",
    ]  # fmt: skip
    differ = diff_of(passage("We keep it for 7 days.", comment="Agents do not agree: “3 days” (5), “5 days” (4)."))
    assert [line for line in differ if line[0] in "+-"] == []
    assert "! Agents do not agree: “3 days” (5), “5 days” (4). [^1]" in differ


def test_what_an_article_leaves_out_is_added_where_it_belongs() -> None:
    """An addition stands at the end of the section that it is nearest to, under its condition."""
    case = planned("case", "Bring an ID.", ["c-1"], condition="No slip?", condition_by="agents", group=1)
    for plan, text in (([], "Bring an ID."), ([case], "No slip? Bring an ID.")):
        added = diff_of(passage("", replacement="Bring an ID.", replacement_ids=["c-1"]), kind="incomplete", plan=plan)
        assert added[-1] == f"+{text} [^1]"
        assert not [line for line in added if line.startswith("-")]


def test_a_figure_that_changes_is_marked_wherever_it_stands() -> None:
    """The same figure in another sentence gets a comment, so that the article does not contradict itself."""
    change = passage("We keep it for 7 days.", replacement="We keep it for 3 days.", replacement_ids=["c-1"])
    diff = diff_of(change, body="We keep it for 7 days.\n\nAfter 7 days it goes back.\n\nIt takes 2 days.")
    assert diff[-3:] == [
        " After 7 days it goes back.",
        "! The same figure as in a line that changes: see whether it changes too.",
        " It takes 2 days.",
    ]


def test_duplicates_are_told_before_they_are_written() -> None:
    """A gap whose agents say the same, and an article that says it already, are named; others are not."""
    says = [
        planned("answer", "All deliveries to the islands are duty paid.", ["c-1"]),
        planned("do", "Upload a photo of the card under Customs.", ["c-2"]),
    ]
    gap = missing(plan=says, nearest_articles=[{"article_id": "kb-1", "title": "Duty", "similarity": 0.2}])
    same = missing(gap_id="g-2", rank=2, status="accepted", title="Import duty", plan=says[::-1])
    other = missing(gap_id="g-3", rank=3, plan=[planned("answer", "Dry the tent in the shade.", ["c-3"])], examples=[])
    body = "All deliveries to the islands are duty paid.\n\nUpload a photo of the card under Customs, please."
    covers = covering(gap, [gap, same, other], {"kb-1": {"title": "Duty", "body": body, "status": "published"}})
    assert [(cover.kind, cover.key, cover.status) for cover in covers] == [
        ("gap", "g-2", "accepted"),
        ("article", "kb-1", ""),
    ]
    text = draft(gap, {}, {}, covers=covers)
    assert "Covers the same: extend one of these instead?" in text.split("## Evidence")[0]
    assert "“Import duty” (g-2, accepted)" in text


def test_too_few_articles_teach_no_form() -> None:
    """With two articles the form is a plain one, and says so."""
    form = learn_house_form(HOUSE[:2], "en")
    assert (form.articles, form.steps_heading) == (0, "What to do")
    assert "too few articles" in form.in_words()


def test_the_form_is_learned_from_what_readers_find_helpful() -> None:
    """Headings, address and bold menus of the better half; the language's own."""
    worse = [{**row, "unhelpful": 50, "body": "Alles ganz anders hier und da. " * 10, "article_id": f"x-{i}"}
             for i, row in enumerate(HOUSE)]  # fmt: skip
    form = learn_house_form([*HOUSE, *worse], "en")
    assert (form.steps_heading, form.heading_level, form.bold_paths, form.address) == ("How to do it", 3, True, "you")
    assert form.related_heading == "See also"
