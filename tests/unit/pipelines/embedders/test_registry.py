"""Embedders give one unit vector a text, the same in every company, and only from files that were reviewed."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lacuna.data_contracts.errors import SettingsInvalid
from lacuna.pipelines.embedders import encoder as encoders
from lacuna.pipelines.embedders import registry as embedders
from lacuna.pipelines.embedders.encoder import TOKENS_A_BATCH
from lacuna.pipelines.embedders.registry import EMBEDDERS, Embedder, embedder

pytestmark = pytest.mark.slow

TEXTS = [
    "How do I reset my password?",
    "I can't sign in, the password is forgotten",
    "The tent pole snapped in the wind",
    "Zeltstange gebrochen",
    "",
    "?",
    "👍",
    "x",
    "word " * 2000,
]


@pytest.fixture(params=sorted(EMBEDDERS), scope="module")
def model(request: pytest.FixtureRequest) -> Iterator[Embedder]:
    """Each embedder in turn."""
    return embedder(request.param)


def test_every_text_has_a_unit_vector(model: Embedder) -> None:
    """Empty, endless and wordless texts too: one float32 row each, of length 1."""
    vectors = model.embed(TEXTS)
    assert vectors.shape[0] == len(TEXTS)
    assert vectors.dtype == np.float32
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(np.ones(len(TEXTS)), abs=1e-4)


def test_no_text_gives_no_row(model: Embedder) -> None:
    """An empty list keeps the number of dimensions."""
    assert model.embed([]).shape == (0, model.embed(["a"]).shape[1])


def test_a_text_s_vector_does_not_depend_on_its_company(model: Embedder) -> None:
    """Alone, among others or in another order, a text has the same vector."""
    together, backwards = model.embed(TEXTS), model.embed(TEXTS[::-1])[::-1]
    assert together == pytest.approx(backwards, abs=1e-4)
    for i, text in enumerate(TEXTS):
        assert model.embed([text])[0] == pytest.approx(together[i], abs=1e-4)


def test_likes_are_nearer_than_others(model: Embedder) -> None:
    """A slip of the pen changes little; another subject is far."""
    right, slip, other = model.embed(["my tent pole snapped", "my tent poel snapped", "refund of a gift card"])
    assert right @ slip > right @ other + 0.2


def test_the_default_model_knows_meaning() -> None:
    """Two ways to say one thing, with hardly a word in common, are near; that is what the model is for."""
    one, same, other = embedder("minilm").embed(
        ["I forgot my login credentials", "How do I reset my password?", "The tent leaks at the seams"]
    )
    assert one @ same > 0.4
    assert one @ same > one @ other + 0.25


def test_progress_ends_at_the_whole(model: Embedder) -> None:
    """Progress never goes back and ends with all texts done."""
    calls: list[tuple[int, int]] = []
    model.embed(TEXTS, lambda done, total: calls.append((done, total)))
    assert calls[-1] == (len(TEXTS), len(TEXTS))
    assert [done for done, _ in calls] == sorted(done for done, _ in calls)


def test_an_embedder_is_loaded_once_and_known_by_name_and_version(model: Embedder) -> None:
    """Name and version are what caches and registries are keyed by."""
    assert embedder(model.name) is model
    assert model.version


def test_embedders_stand_side_by_side_with_equal_weight() -> None:
    """A cosine of both is the mean of theirs, and both names and versions are kept."""
    parts, both = [embedder(name) for name in ("lexical", "use")], embedder("lexical+use")
    cosines = [vectors @ vectors.T for vectors in (model.embed(TEXTS) for model in (*parts, both))]
    assert cosines[2] == pytest.approx((cosines[0] + cosines[1]) / 2, abs=1e-5)
    assert (both.name, both.version) == ("lexical+use", "+".join(part.version for part in parts))


@pytest.mark.parametrize(
    "sister",
    ["Wie kann ich mein Abo kündigen?", "Comment résilier mon abonnement ?", "¿Cómo cancelo mi suscripción?"],
)
def test_a_question_is_near_its_translation(sister: str) -> None:
    """That is what the multilingual encoder is for."""
    asked, same, *others = embedder("use").embed(
        [sister, "How do I cancel my subscription?", "How do I track my parcel?", "Can I pay by invoice?"]
    )
    assert asked @ same > 0.5
    assert all(asked @ same > asked @ other + 0.2 for other in others)


def test_an_unknown_embedder_is_refused_with_the_choice() -> None:
    """The message names the setting and the embedders that there are."""
    with pytest.raises(SettingsInvalid) as refused:
        embedder("gpt")
    assert "gpt" in str(refused.value)
    assert all(name in str(refused.value) for name in EMBEDDERS)


def test_a_file_that_was_not_reviewed_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another hash than the reviewed one is an error that names both."""
    digest = embedders.MINILM_SHA256["tokenizer.json"]
    monkeypatch.setitem(embedders.MINILM_SHA256, "tokenizer.json", "0" * 64)
    with pytest.raises(SettingsInvalid) as refused:
        embedders.minilm()
    assert "0" * 64 in str(refused.value)
    assert digest in str(refused.value)


def test_a_missing_wheel_is_said_with_the_way_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the model's package, the message says what to install or set."""
    monkeypatch.setattr(embedders.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(SettingsInvalid, match="not installed"):
        embedders.minilm()


@settings(max_examples=60)
@given(st.lists(st.integers(1, 256), max_size=200))
def test_batches_hold_every_text_once_within_the_budget(lengths: list[int]) -> None:
    """No text is lost or doubled, none is padded, and all batches of a length may have the same shape."""
    ids = [[0] * n for n in lengths]
    order = sorted(range(len(ids)), key=lambda i: (len(ids[i]), i))
    batches = encoders.batches(order, ids)
    assert [i for batch in batches for i in batch] == order
    for batch in batches:
        (length,) = {len(ids[i]) for i in batch}
        assert len(batch) <= encoders.rows_of(length)
        assert len(batch) * length <= max(TOKENS_A_BATCH, length)


VOCABULARY = "refund parcel invoice the of my account password courier late never again please tax broken lamp"
WORDS = VOCABULARY.split(" ")


@pytest.mark.parametrize("name", ["minilm", "lexical", "use"])
def test_a_vector_depends_on_its_text_alone(name: str) -> None:
    """Whatever else is embedded with it, in whichever order: the same bytes."""
    rng = np.random.default_rng(0)
    texts = [" ".join(rng.choice(WORDS, n)) for n in rng.integers(1, 45, 160)] + ["", "a", " ".join(WORDS * 13)]
    model = embedder(name)
    together = model.embed(texts)
    order = rng.permutation(len(texts))
    shuffled = np.empty_like(together)
    shuffled[order] = model.embed([texts[i] for i in order])
    halves = np.concatenate([model.embed(texts[:70]), model.embed(texts[70:])])
    alone = np.stack([model.embed([text])[0] for text in texts])
    for vectors in (shuffled, halves, alone):
        assert np.flatnonzero((vectors != together).any(axis=1)).tolist() == []
