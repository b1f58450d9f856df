"""A model's folder gives the vectors that its formulas say, whoever runs it, under a version that is its files'."""

from __future__ import annotations

import importlib.util
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from tokenizers import Tokenizer

from lacuna.data_contracts.errors import SettingsInvalid
from lacuna.pipelines.embedders import ctranslate2 as networks
from lacuna.pipelines.embedders import onnx as onnx_files
from lacuna.pipelines.embedders.registry import embedder
from tests.support.model_folders import WORDS, Weights, hidden_states, write_json, write_model, write_tokenizer

KINDS = ("bert", "roberta", "xlm-roberta", "mpnet")
TEXTS = ["How do I reset my password", "the tent pole snapped", "", "unheard-of words", " ".join(WORDS * 6)]


@pytest.fixture(autouse=True)
def _afresh() -> Iterator[None]:
    """A folder that a test changes is another model."""
    embedder.cache_clear()
    yield
    embedder.cache_clear()


def expected(folder: Path, kind: str, w: Weights, pooling: str) -> NDArray[np.float64]:
    """Vectors by the formulas alone, text by text."""
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    states = [hidden_states(kind, w, tokenizer.encode(text).ids) for text in TEXTS]
    vectors = np.array([h[0] if pooling == "cls_token" else h.mean(axis=0) for h in states])
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("pooling", ["mean_tokens", "cls_token"])
def test_a_folder_s_vectors_are_those_of_its_formulas(kind: str, pooling: str, tmp_path: Path) -> None:
    """Each architecture, pooled either way, agrees with the same network in numpy for short and long texts."""
    w = write_model(tmp_path, kind, pooling)
    embedded = embedder(str(tmp_path)).embed(TEXTS)
    assert embedded == pytest.approx(expected(tmp_path, kind, w, pooling), abs=2e-5)
    assert embedded.dtype == np.float32


def test_weights_may_stand_under_a_name(tmp_path: Path) -> None:
    """Files whose weights all begin with ``bert.`` are read as those that do not."""
    w = write_model(tmp_path, "bert", before="bert.")
    embedded = embedder(str(tmp_path)).embed(TEXTS)
    assert embedded == pytest.approx(expected(tmp_path, "bert", w, "mean_tokens"), abs=2e-5)


def test_half_precision_weights_are_read(tmp_path: Path) -> None:
    """Many models come in half precision."""
    from safetensors.numpy import save_file

    w = {name: value.astype(np.float16) for name, value in write_model(tmp_path, "mpnet").items()}
    save_file(w, tmp_path / "model.safetensors")
    embedded = embedder(str(tmp_path)).embed(TEXTS)
    assert embedded == pytest.approx(expected(tmp_path, "mpnet", w, "mean_tokens"), abs=2e-5)


def test_a_text_is_cut_where_the_folder_says(tmp_path: Path) -> None:
    """Beyond ``max_seq_length`` tokens, nothing tells; up to there, all does."""
    write_model(tmp_path, "bert")
    write_json(tmp_path / "sentence_bert_config.json", {"max_seq_length": 5})
    same, longer, other = embedder(str(tmp_path)).embed(["tent pole wind", "tent pole wind card", "tent pole card"])
    assert same == pytest.approx(longer, abs=1e-6)
    assert np.abs(same - other).max() > 0.01


def test_text_is_lowered_where_the_folder_says(tmp_path: Path) -> None:
    """``do_lower_case`` holds for a tokenizer that does not lower by itself."""
    write_model(tmp_path, "bert")
    tokenizer = write_tokenizer(tmp_path)
    tokenizer.normalizer = None
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    low, high = embedder(str(tmp_path)).embed(["tent pole", "TENT pole"])
    assert np.abs(low - high).max() > 0.01
    embedder.cache_clear()
    write_json(tmp_path / "sentence_bert_config.json", {"max_seq_length": 150, "do_lower_case": True})
    low, high = embedder(str(tmp_path)).embed(["tent pole", "TENT pole"])
    assert low == pytest.approx(high, abs=1e-6)


def test_what_a_folder_puts_before_a_text_is_put_there(tmp_path: Path) -> None:
    """A model that wants "query: " before each text, as E5 does, gets it where its folder says so."""
    write_model(tmp_path / "plain", "bert")
    shutil.copytree(tmp_path / "plain", tmp_path / "asks")
    prompts = {"prompts": {"query": "the tent ", "passage": "a card "}, "default_prompt_name": "query"}
    write_json(tmp_path / "asks" / "config_sentence_transformers.json", prompts)
    unprompted, asks = embedder(str(tmp_path / "plain")), embedder(str(tmp_path / "asks"))
    assert asks.embed(TEXTS) == pytest.approx(unprompted.embed([f"the tent {text}" for text in TEXTS]), abs=1e-6)


@pytest.mark.parametrize("change", ["weights", "tokenizer", "pooling", "longest", "prompt"])
def test_a_changed_model_has_another_version(change: str, tmp_path: Path) -> None:
    """Weights, tokenizer and recipe are all in the version; the folder's place is not."""
    write_model(tmp_path / "here" / "mine", "bert")
    shutil.copytree(tmp_path / "here", tmp_path / "there")
    one, moved = embedder(str(tmp_path / "here" / "mine")), embedder(str(tmp_path / "there" / "mine"))
    assert (one.name, one.version) == (moved.name, moved.version) == ("mine", one.version)
    folder = tmp_path / "there" / "mine"
    if change == "weights":
        write_model(folder, "bert", seed=1)
    elif change == "tokenizer":
        path = folder / "tokenizer.json"
        path.write_text(path.read_text().replace('"wind"', '"gale"'))
    elif change == "pooling":
        write_json(folder / "1_Pooling" / "config.json", {"pooling_mode_cls_token": True})
    elif change == "longest":
        write_json(folder / "sentence_bert_config.json", {"max_seq_length": 20})
    else:
        prompts = {"prompts": {"query": "query: "}, "default_prompt_name": "query"}
        write_json(folder / "config_sentence_transformers.json", prompts)
    embedder.cache_clear()
    assert embedder(str(folder)).version != one.version


@pytest.mark.parametrize(
    ("file", "content", "reason"),
    [
        ("config.json", {"model_type": "t5"}, "t5"),
        ("config.json", {"model_type": "bert", "hidden_act": "silu"}, "activation"),
        ("modules.json", [{"type": "x.Transformer"}, {"type": "x.Dense"}], "Dense"),
        ("1_Pooling/config.json", {"pooling_mode_max_tokens": True}, "max_tokens"),
        ("1_Pooling/config.json", {"pooling_mode_mean_tokens": True, "include_prompt": False}, "before a text"),
        ("1_Pooling/config.json", {"pooling_mode_max_tokens": True, "pooling_mode_mean_tokens": True}, "max_tokens"),
    ],
)
def test_a_folder_that_can_t_be_run_right_is_not_run_wrong(
    file: str, content: object, reason: str, tmp_path: Path
) -> None:
    """What CTranslate2 would get wrong is left to others, and the reason is told."""
    write_model(tmp_path, "bert")
    prompts = {"prompts": {"query": "query: "}, "default_prompt_name": "query"}
    write_json(tmp_path / "config_sentence_transformers.json", prompts)
    assert networks.unfit(tmp_path) == ""
    write_json(tmp_path / file, content)
    assert reason in networks.unfit(tmp_path)


def write_onnx(file: Path, pooled: bool = False, second_input: str = "attention_mask") -> NDArray[np.float32]:
    """A network that looks each token up in a table; ``pooled``, it sums the real ones up and offers both."""
    table = np.random.default_rng(3).standard_normal((40, 8)).astype(np.float32)
    names = ["input_ids", second_input] if second_input else ["input_ids"]
    nodes = [helper.make_node("Gather", ["table", "input_ids"], ["last_hidden_state"])]
    outputs = [helper.make_tensor_value_info("last_hidden_state", TensorProto.FLOAT, ["n", "t", 8])]
    if pooled:
        nodes += [
            helper.make_node("Cast", ["attention_mask"], ["mask"], to=TensorProto.FLOAT),
            helper.make_node("Einsum", ["last_hidden_state", "mask"], ["sentence_embedding"], equation="ntd,nt->nd"),
        ]
        outputs.append(helper.make_tensor_value_info("sentence_embedding", TensorProto.FLOAT, ["n", 8]))
    inputs = [helper.make_tensor_value_info(name, TensorProto.INT64, ["n", "t"]) for name in names]
    graph = helper.make_graph(nodes, "tiny", inputs, outputs, [numpy_helper.from_array(table, "table")])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    file.parent.mkdir(parents=True, exist_ok=True)
    onnx.save(model, str(file))
    return table


@pytest.mark.parametrize("place", ["model.onnx", "onnx/model.onnx"])
@pytest.mark.parametrize("pooled", [False, True])
def test_an_onnx_model_s_vectors_leave_padding_out(place: str, pooled: bool, tmp_path: Path) -> None:
    """By folder and by file, pooled by us or by the network: the mean of a text's own tokens."""
    pytest.importorskip("onnxruntime")
    tokenizer = write_tokenizer(tmp_path)
    table = write_onnx(tmp_path / place, pooled)
    means = np.array([table[tokenizer.encode(text).ids].mean(axis=0) for text in TEXTS])
    means /= np.linalg.norm(means, axis=1, keepdims=True)
    by_folder, by_file = embedder(str(tmp_path)), embedder(str(tmp_path / place))
    assert by_folder.embed(TEXTS) == pytest.approx(means, abs=1e-5)
    assert by_file.embed(TEXTS) == pytest.approx(means, abs=1e-5)
    assert (by_folder.name, by_folder.version) == (by_file.name, by_file.version) == (tmp_path.name, by_file.version)


@pytest.mark.parametrize("second_input", ["", "token_type_ids", "attention_mask"])
def test_an_onnx_model_is_given_the_inputs_that_it_names(second_input: str, tmp_path: Path) -> None:
    """Some exports take no token types, some no mask."""
    pytest.importorskip("onnxruntime")
    write_tokenizer(tmp_path)
    write_onnx(tmp_path / "model.onnx", second_input=second_input)
    assert embedder(str(tmp_path)).embed(TEXTS).shape == (len(TEXTS), 8)


def test_a_broken_onnx_file_is_said(tmp_path: Path) -> None:
    """A file that is none, and one without a tokenizer, are errors that name the file."""
    pytest.importorskip("onnxruntime")
    (tmp_path / "model.onnx").write_bytes(b"no model")
    with pytest.raises(SettingsInvalid, match=r"no tokenizer\.json"):
        embedder(str(tmp_path))
    write_tokenizer(tmp_path)
    with pytest.raises(SettingsInvalid, match=r"model\.onnx can't be loaded"):
        embedder(str(tmp_path)).embed(["tent"])


def test_onnx_without_its_extra_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The message names the extra to install."""
    monkeypatch.setitem(__import__("sys").modules, "onnxruntime", None)
    with pytest.raises(SettingsInvalid, match=r"lacuna-kb\[onnx\]"):
        onnx_files.load(tmp_path / "model.onnx")


def test_a_name_needs_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where sentence-transformers is missing, the message names the model, the extra and the choice without it."""
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(SettingsInvalid) as refused:
        embedder("intfloat/multilingual-e5-small")
    assert "intfloat/multilingual-e5-small" in str(refused.value)
    assert "lacuna-kb[sentence-transformers]" in str(refused.value)


def test_an_unfit_folder_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where only sentence-transformers could run a folder and is missing, the reason is told."""
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    write_model(tmp_path, "bert")
    write_json(tmp_path / "config.json", {"model_type": "t5"})
    with pytest.raises(SettingsInvalid, match="its architecture is 't5'"):
        embedder(str(tmp_path))


@pytest.mark.parametrize("name", ["./nowhere", "/nowhere/model", "model.onnx"])
def test_a_folder_that_is_not_there_is_said(name: str) -> None:
    """What looks like a path is not asked of a hub."""
    with pytest.raises(SettingsInvalid, match="there is no embedder at"):
        embedder(name)


def test_the_library_and_the_folder_agree(tmp_path: Path) -> None:
    """Where sentence-transformers can be imported, it gives the vectors of the same folder that CTranslate2 gives."""
    pytest.importorskip("sentence_transformers", reason="the extra sentence-transformers is not installed")
    from lacuna.pipelines.embedders.sentence_transformers import SentenceTransformers

    write_model(tmp_path, "bert")
    write_json(tmp_path / "tokenizer_config.json", {"tokenizer_class": "PreTrainedTokenizerFast", "pad_token": "<pad>"})
    sizes = {"hidden_size": 16, "intermediate_size": 32, "vocab_size": 4 + len(WORDS), "max_position_embeddings": 200}
    config = {"model_type": "bert", "num_hidden_layers": 2, "num_attention_heads": 4, "hidden_act": "gelu"}
    write_json(tmp_path / "config.json", config | sizes | {"layer_norm_eps": 1e-5, "architectures": ["BertModel"]})
    paths = {"Transformer": "", "Pooling": "1_Pooling"}
    listed = [
        {"idx": i, "name": str(i), "path": path, "type": f"sentence_transformers.models.{kind}"}
        for i, (kind, path) in enumerate(paths.items())
    ]
    write_json(tmp_path / "modules.json", listed)
    pooling = {"word_embedding_dimension": 16, "pooling_mode_mean_tokens": True, "pooling_mode_cls_token": False}
    write_json(tmp_path / "1_Pooling" / "config.json", pooling)
    library = SentenceTransformers(str(tmp_path))
    assert library.embed(TEXTS) == pytest.approx(embedder(str(tmp_path)).embed(TEXTS), abs=2e-5)
    assert library.embed([]).shape == (0, 16)
    assert library.name == tmp_path.name
    assert library.version == SentenceTransformers(str(tmp_path)).version
