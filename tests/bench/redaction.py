"""Redaction beside Presidio: what is found by kind and language, what harmless texts lose, and how fast."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from lacuna.models.redaction.redact import redact
from tests.bench.redaction_texts import LANGUAGES, Labelled, made_up_texts
from tests.support.name_sentences import SENTENCES, shares_right
from tests.support.paths import SHARED

__all__ = ["redaction"]

SAMPLE = SHARED / "data" / "redaction" / "sample.jsonl"
THEIRS = Path(".venv-bench/bin/python")
ROUNDS = 3
# Presidio as it comes, without a model: all its recognizers for a text's language, on an empty pipeline of spaCy.
PRESIDIO = """
import json, sys, time, spacy
from presidio_analyzer import AnalyzerEngine, RecognizerRegistry
from presidio_analyzer.nlp_engine import SpacyNlpEngine
class Empty(SpacyNlpEngine):
    def __init__(self, languages):
        super().__init__()
        self.nlp = {one: spacy.blank(one) for one in languages}
languages, texts = json.load(sys.stdin)
registry = RecognizerRegistry(supported_languages=languages)
registry.load_predefined_recognizers(languages=languages)
engine = AnalyzerEngine(nlp_engine=Empty(languages), registry=registry, supported_languages=languages)
engine.analyze("warm", language="en")
began, spans = time.process_time(), []
for language, text in texts:
    spans.append([(found.start, found.end) for found in engine.analyze(text, language=language)])
json.dump({"seconds": time.process_time() - began, "spans": spans}, sys.stdout)
"""


def redaction() -> int:
    """Print the tables: on texts that the benchmark makes, and on the shared sample where it is there."""
    sets = {"made-up": made_up_texts()}
    if SAMPLE.is_file():
        sets["sample"] = _sample()
    for name, texts in sets.items():
        redact([text.text for text in texts])  # patterns are compiled when they are first used
        began = time.process_time()  # other work on the machine plays no part
        for _ in range(ROUNDS):
            after, _ = redact([text.text for text in texts])
        rate = ROUNDS * len(texts) / (time.process_time() - began)
        ours = [now or "" for now in after]
        print(f"\n{name}: {len(texts):,} texts; Lacuna {rate:,.0f} texts a second")
        _show("Lacuna", texts, ours)
        theirs = _presidio(texts)
        if theirs is not None:
            print(f"\n{name}: Presidio without a model {len(texts) / theirs[1]:,.0f} texts a second")
            _show("Presidio", texts, theirs[0])
    for file in SENTENCES:
        shares = "  ".join(f"{kind} {share:.2f}" for kind, share in shares_right(file).items())
        print(f"\n{file}: {shares}")
    return 0


def kept_or_gone(text: Labelled, after: str) -> bool:
    """Whether all that must go is gone, or nothing was touched where nothing may be."""
    if text.harmless:
        return after == text.text
    low = after.lower()
    return text.value.lower() not in low and not any(part.lower() in low for part in text.parts)


def _sample() -> list[Labelled]:
    rows = [json.loads(line) for line in SAMPLE.read_text(encoding="utf-8").splitlines()]
    return [
        Labelled(row["lang"], row["kind"], row["sub"], row["text"], row["value"], tuple(row["core"]), row["negative"])
        for row in rows
    ]


def _show(name: str, texts: Sequence[Labelled], after: Sequence[str]) -> None:
    """The share found by kind and language, harmless texts apart; order numbers count by themselves."""
    right: dict[tuple[str, str], list[bool]] = defaultdict(list)
    for text, now in zip(texts, after, strict=True):
        good = kept_or_gone(text, now)
        every = "harmless texts kept" if text.harmless else "found in all"
        kinds = [text.kind] if text.kind == "order number" else [every] if text.harmless else [text.kind, every]
        for kind in kinds:
            for language in (text.language, "all"):
                right[kind, language].append(good)
    languages = ("all", *(one for one in LANGUAGES if any(of == one for _, of in right)))
    print(f"{name:<20}{'texts':>7}" + "".join(f"{language:>7}" for language in languages))
    for kind in sorted({kind for kind, _ in right}):
        shares = [right.get((kind, language)) for language in languages]
        print(
            f"{kind:<20}{len(right[kind, 'all']):>7}"
            + "".join(f"{sum(s) / len(s):7.2f}" if s else " " * 7 for s in shares)
        )


def _presidio(texts: Sequence[Labelled]) -> tuple[list[str], float] | None:
    """The texts as Presidio leaves them and the seconds it took; None where its environment is not there."""
    if not THEIRS.exists():
        print(f"{THEIRS} is not there: make .venv-bench/.done", file=sys.stderr)
        return None
    asked = json.dumps([list(LANGUAGES), [(text.language, text.text) for text in texts]])
    done = subprocess.run([THEIRS, "-c", PRESIDIO], input=asked, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stderr[-2000:])
    answer = json.loads(done.stdout)
    return [_without(text.text, spans) for text, spans in zip(texts, answer["spans"], strict=True)], answer["seconds"]


def _without(text: str, spans: Sequence[Sequence[int]]) -> str:
    for start, end in sorted(spans, reverse=True):
        text = text[:start] + "<>" + text[end:]
    return text
