"""The plan of an article: what it says, in which order, each sentence with the conversations that hold it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from lacuna.models.arrays import F32
from lacuna.models.backlog.gap_records import PlannedSentence
from lacuna.models.text.amounts import measured_amounts
from lacuna.models.text.salience import Salience
from lacuna.models.text.words import stems
from lacuna.models.writing.agent_sentences import without_condition
from lacuna.models.writing.cases import customers_condition, spoken, title_question
from lacuna.models.writing.claims import Claims, Dispute, leans, settled
from lacuna.models.writing.resolution_steps import SHOWN_IDS, Shared, in_order, ways_of
from lacuna.models.writing.whole_answers import WholeAnswer

__all__ = ["PARTS", "disputes_of", "plan_article", "text_of"]

# In the order in which a reader meets them; the last is for the expert.
PARTS = ("title", "answer", "step", "do", "case", "fact", "open")
ANSWERS, DO, FACTS, CASES, DISPUTES, PROCEDURES = 3, 6, 4, 4, 4, 2  # most of each
OF_BEST = 0.5  # least share of the best answer's conversations that another sentence of the answer has
LEAST_SHARE = 0.08  # of the answered conversations, for a sentence of the article
FEWEST_IN_TURN, FEWEST_WORDS = 3, 4  # sentences of a list that agents give in one order; words of an answer
LEAST_WAY = 3  # conversations of an answer that is a case in customers' words
SAME_CONDITION = 0.5  # least share of stems of two conditions that are one


def plan_article(claims: Claims, vectors: F32, salience: Salience | None = None) -> list[PlannedSentence]:
    """Plan an article from what agents said alike; nothing is rephrased but for a condition that becomes a heading.

    First the answer: the statements of most conversations. Then the steps, a whole list where agents paste one; then
    the cases, each with its condition in agents' words ("if you have paid already"), or in those of the customers who
    got that answer and no other; then facts. What agents do not agree on goes to the questions for the expert.

    Parameters
    ----------
    claims
        What agents said alike.
    vectors
        Of ``claims.texts``, float32 (n, dim), rows of length 1.
    salience
        Weights of the stems that set the gap's questions apart, for the title.

    Returns
    -------
    list of PlannedSentence
        In the order of :data:`PARTS`; empty where agents said nothing alike.
    """
    planner = _Planner(claims)
    sentences, disputes = settled(claims.sentences, vectors)
    least = max(2, round(LEAST_SHARE * len(claims.answered)))
    enough = [one for one in sentences if len(one.ids) >= min(least, 4)]
    in_turn = [] if claims.procedures else _in_turn([one for one in claims.sentences if one not in _of(disputes)])
    enough = [one for one in enough if one not in in_turn]
    rows = [planner.row("step", one, 1) for one in in_turn]
    for number, answer in enumerate(claims.procedures[:PROCEDURES], start=1):
        rows += planner.procedure(answer, number, claims.procedures)
    cases, rest = _cases(enough, claims)
    states = sorted((one for one in rest if not one.instructs), key=lambda one: leans(one.text))
    tells = [one for one in rest if one.instructs]
    answers = [one for one in states if not leans(one.text) and len(one.ids) >= OF_BEST * len(states[0].ids)][:ANSWERS]
    answers.sort(key=lambda one: -_asked_about(one.text, claims))
    if not answers and not rows:
        first = next((one for one in tells if len(one.text.split()) >= FEWEST_WORDS), None)
        answers, tells = ([first], [one for one in tells if one is not first]) if first and not in_turn else ([], tells)
    rows += [planner.row("answer", one) for one in answers]
    rows += planner.instructions(tells, bool(claims.procedures or in_turn))
    for number, (condition, by, ones) in enumerate(cases[:CASES], start=1):
        rows += [planner.row("case", one, number, condition, by) for one in ones]
    facts = [one for one in states if one not in answers]
    facts.sort(key=lambda one: (not measured_amounts(one.text), leans(one.text), -len(one.ids), one.text))
    rows += [planner.row("fact", one) for one in facts if not leans(one.text)][:FACTS]
    for number, dispute in enumerate(disputes[:DISPUTES], start=1):
        rows += [planner.row("open", one, number) for one in dispute]
    if not any(row["part"] != "open" for row in rows):
        return [row for row in rows if row["part"] == "open"]
    title = title_question(list(claims.questions.values()), salience.weight if salience else {})
    if title:
        rows.append(planner.title(title))
    return sorted(rows, key=lambda row: PARTS.index(str(row["part"])))


@dataclass(frozen=True)
class _Planner:
    """Makes rows of sentences."""

    claims: Claims

    def row(self, part: str, one: Shared, group: int = 0, condition: str = "", by: str = "") -> PlannedSentence:
        return self._row(part, one.text, one.held, group, condition, by)

    def procedure(self, answer: WholeAnswer, number: int, procedures: Sequence[WholeAnswer]) -> list[PlannedSentence]:
        """A whole list: what stands before it is the answer, what stands after it a fact."""
        others = {c for other in procedures if other is not answer for c in other.conversations}
        others |= self.claims.answered - answer.conversations
        condition = customers_condition(answer.conversations, others, self.claims.questions) if number > 1 else ""
        rows, began = [], False
        for unit, held in zip(answer.units, answer.held, strict=True):
            began |= unit.is_item
            part = "step" if unit.is_item else "fact" if began else "answer"
            if unit.text.endswith(":") and not unit.is_item:
                part = "step"
            of_step = (number, condition, "customers" if condition else "") if part == "step" else (0, "", "")
            rows.append(self._row(part, unit.text, held, *of_step))
        return rows

    def instructions(self, tells: Sequence[Shared], has_procedure: bool) -> list[PlannedSentence]:
        """What to do: numbered where agents give it in one order, beside a pasted list facts."""
        chosen = sorted(tells[:DO], key=lambda one: (round(one.place, 6), -len(one.ids), one.text))
        if has_procedure:
            return [self.row("fact", one) for one in chosen[:FACTS] if not leans(one.text)]
        together = len(ways_of(chosen)) == 1
        ordered = len(chosen) > 1 and together and in_order(chosen)
        return [self.row("step" if ordered else "do", one, 1 if ordered else 0) for one in chosen]

    def title(self, question: str) -> PlannedSentence:
        words = stems(question)
        ids = [c for c, text in self.claims.questions.items() if words <= stems(text)]
        return self._row("title", question, ids)

    def _row(
        self, part: str, text: str, ids: Collection[str], group: int = 0, condition: str = "", by: str = ""
    ) -> PlannedSentence:
        worked = self.claims.worked
        ordered = sorted(ids, key=lambda c: (c not in worked, c))
        return PlannedSentence(
            language=self.claims.language, part=part, group=group, condition=condition, condition_by=by, text=text,
            count=len(ordered), worked=sum(c in worked for c in ordered), conversation_ids=ordered[:SHOWN_IDS],
        )  # fmt: skip


def _asked_about(text: str, claims: Claims) -> float:
    """How much of what customers ask a sentence takes up: mean share of the questions that have its stems."""
    questions = [stems(question) for question in claims.questions.values()]
    own = stems(text)
    shares = [sum(word in question for question in questions) / max(1, len(questions)) for word in sorted(own)]
    return round(sum(shares) / max(1, len(shares)) ** 0.5, 6)


def _of(disputes: Sequence[Dispute]) -> list[Shared]:
    return [one for dispute in disputes for one in dispute]


def _in_turn(sentences: Sequence[Shared]) -> list[Shared]:
    """Sentences, mostly instructions, that agents who have several of them give in one order; may be empty."""
    for way in sorted(ways_of(sentences), key=lambda way: (-max(len(one.ids) for one in way), way[0].text)):
        ordered = sorted(way, key=lambda one: (round(one.place, 6), -len(one.ids), one.text))
        instructing = sum(one.instructs for one in way)
        if instructing >= FEWEST_IN_TURN and 3 * instructing >= 2 * len(way) and in_order(ordered):
            return ordered
    return []


def _cases(sentences: Sequence[Shared], claims: Claims) -> tuple[list[tuple[str, str, list[Shared]]], list[Shared]]:
    """The cases, as condition, whose words it is in, and sentences; and the sentences that hold for all."""
    cases: list[tuple[str, str, list[Shared]]] = []
    rest: list[Shared] = []
    for one in sentences:
        if not one.condition:
            rest.append(one)
            continue
        like = next((case for case in cases if _same_condition(case[0], spoken(one.condition))), None)
        if like:
            like[2].append(one)
        else:
            cases.append((spoken(one.condition), "agents", [one]))
    ways = ways_of(rest)
    everywhere = {c for one in rest for c in one.ids}
    for way in sorted(ways, key=lambda way: (-max(len(one.ids) for one in way), way[0].text)) if len(ways) > 1 else []:
        ids = {c for one in way for c in one.ids}
        condition = customers_condition(ids, everywhere, claims.questions) if len(ids) >= LEAST_WAY else ""
        if condition and len(rest) > len(way):
            cases.append((condition, "customers", sorted(way, key=lambda one: (one.place, one.text))))
            rest = [one for one in rest if one not in way]
    return cases, rest


def _same_condition(one: str, other: str) -> bool:
    first, second = stems(one), stems(other)
    return len(first & second) >= SAME_CONDITION * max(1, min(len(first), len(second)))


def text_of(row: PlannedSentence) -> str:
    """A planned sentence as it stands below the heading of its case: without the condition that the heading says."""
    text = str(row["text"])
    return without_condition(text) if row["part"] == "case" and row["condition_by"] == "agents" else text


def disputes_of(rows: Sequence[PlannedSentence]) -> list[list[PlannedSentence]]:
    """The sentences that agents do not agree on, dispute by dispute."""
    numbers = sorted({int(row["group"] or 0) for row in rows if row["part"] == "open"})
    return [[row for row in rows if row["part"] == "open" and row["group"] == number] for number in numbers]
