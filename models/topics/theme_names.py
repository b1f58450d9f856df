"""Names of themes: the two things that their topics mention and other topics do not."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import chain

from lacuna.models.arrays import Ints
from lacuna.models.text.clauses import clauses
from lacuna.models.text.grammar import LANGUAGES, language_of
from lacuna.models.text.words import NAME_WORD
from lacuna.models.topics.name_cleaning import spelling
from lacuna.models.topics.name_keywords import Things, Words, apart, is_common, names_something, options, terms
from lacuna.models.topics.names import A_THING, capital

__all__ = ["name_themes"]

QUESTIONS = 60  # sampled questions of each topic


def name_themes(
    theme: Ints, texts: Sequence[Sequence[str]], known_names: Mapping[int, str] | None = None
) -> list[str | None]:
    """The name of each topic's theme, unique among themes: the two things that distinguish its topics from others.

    Parameters
    ----------
    theme
        int (topics,), as :func:`group_topics` gives it; −1 for none.
    texts
        The questions of each topic.
    known_names
        Names of themes from the run before (:func:`known_themes`), which are kept while their topics mention the things
        in them.

    Examples
    --------
    >>> import numpy as np
    >>> mail, bill = ["the filter for my inbox", "my inbox has no filter"], ["the invoice of my card", "a card invoice"]
    >>> name_themes(np.array([0, 0, 1, 1]), [mail, mail, bill, bill])
    ['Inbox and filter', 'Inbox and filter', 'Card and invoice', 'Card and invoice']
    """
    cut = [[clauses(text) for text in sorted(topic)[:: max(1, len(topic) // QUESTIONS)]] for topic in texts]
    english = LANGUAGES["en"]
    languages = [language_of(c.folded for question in topic for c in question) or english for topic in cut]
    written = {
        code: spelling(chain.from_iterable(t for t, k in zip(cut, languages, strict=True) if k.code == code), code)
        for code in sorted({language.code for language in languages})
    }
    things = Things([[list(terms(q, k)) for q in topic] for topic, k in zip(cut, languages, strict=True)])
    groups: dict[int, list[int]] = defaultdict(list)
    for topic, number in enumerate(theme.tolist()):
        if number >= 0:
            groups[number].append(topic)
    names = {k: name for k, name in (known_names or {}).items() if _fits(name, groups[k], things)}
    used = {name.casefold() for name in names.values()}
    for number in sorted(groups, key=lambda k: (-len(groups[k]), sorted(map(sorted, (texts[t] for t in groups[k]))))):
        if number in names:
            continue
        here = [languages[t].code for t in groups[number]]
        language = LANGUAGES[max(sorted(set(here)), key=here.count)]
        best = apart(things.ranked(groups[number], A_THING)) or apart(things.ranked(groups[number]))
        spelt = written[language.code]
        names_of_things = [" ".join(spelt.get(w, w) for w in things.surface[term]) for term in best]
        proposed = map(capital, options(names_of_things, language.text("joint", "+")))
        names[number] = next((name for name in proposed if name.casefold() not in used), "")
        if not names[number]:
            names[number] = _numbered("Other topics", used)
        used.add(names[number].casefold())
    return [names.get(k) for k in theme.tolist()]


def _fits(name: str, group: Sequence[int], things: Things) -> bool:
    """Whether enough topics of a theme mention each thing in its name."""
    words = NAME_WORD.findall(name.casefold())
    words = [w for w in words if all(names_something(w, language) for language in LANGUAGES.values())]
    shares = [things.shares[t] for t in group]
    stems: list[set[Words]] = [{(language.stem(word),) for language in LANGUAGES.values()} for word in words]
    return all(is_common(sum(not either.isdisjoint(own) for own in shares), len(group)) for either in stems)


def _numbered(name: str, used: set[str]) -> str:
    number = 1
    while (numbered := name if number == 1 else f"{name} ({number})").casefold() in used:
        number += 1
    return numbered
