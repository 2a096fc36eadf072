"""The embedding judge on a tiny model made here: a word's vector is its own, whatever stands around it."""

from pathlib import Path

import pytest
from harness_plugins.judges.embedding import Embedding

from harness import Case, UsageError
from harness.testing import check_judge, check_options

pytestmark = pytest.mark.slow
WORDS = ("[PAD]", "[UNK]", "red", "car", "blue", "dog", "runs", "away")


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as sentence-transformers saves it: a BERT with random weights of 16 numbers a word."""
    import torch
    from sentence_transformers import SentenceTransformer
    from tokenizers import Tokenizer
    from tokenizers.models import WordLevel
    from tokenizers.pre_tokenizers import Whitespace
    from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

    folder = tmp_path_factory.mktemp("bert")
    words = Tokenizer(WordLevel({word: number for number, word in enumerate(WORDS)}, unk_token="[UNK]"))
    words.pre_tokenizer = Whitespace()
    PreTrainedTokenizerFast(tokenizer_object=words, pad_token="[PAD]", unk_token="[UNK]").save_pretrained(
        folder
    )
    with torch.random.fork_rng():
        torch.manual_seed(0)
        config = BertConfig(
            vocab_size=len(WORDS),
            hidden_size=16,
            num_hidden_layers=1,
            num_attention_heads=2,
            intermediate_size=32,
            max_position_embeddings=32,
        )
        BertModel(config).save_pretrained(folder)
    made = folder.parent / "embedding"
    SentenceTransformer(str(folder), device="cpu").save(str(made))
    return made


def scores(model: Path, pairs: list[tuple[str, str]], **options: float) -> list[float]:
    judge = Embedding(str(model), device="cpu", **options)  # type: ignore[arg-type]
    judge.check()
    verdicts = list(judge.judge([Case("q", *pair) for pair in pairs]))
    assert all(verdict.ok for verdict in verdicts)
    return [verdict.score for verdict in verdicts if verdict.score is not None]


def test_closer_texts_score_higher_and_equal_ones_3(model: Path) -> None:
    same, near, far = scores(
        model, [("red car", "red car"), ("red car", "blue car"), ("red car", "dog runs away")]
    )
    assert same == 3.0
    assert 0 <= far < near < same


def test_low_is_where_the_scale_begins(model: Path) -> None:
    pairs = [("red car", "red car"), ("red car", "blue car")]
    (same, near), (low_same, low_near) = scores(model, pairs), scores(model, pairs, low=0.5)
    assert low_same == same == 3.0
    assert low_near == pytest.approx(3 * max(0.0, (near / 3 - 0.5) / 0.5), abs=2e-3)


def test_a_score_does_not_depend_on_its_batch(model: Path) -> None:
    pairs = [("red car", "blue car"), ("dog runs away", "dog"), ("car", "red"), ("", "red")]
    together = scores(model, pairs)
    assert [scores(model, [pair])[0] for pair in pairs] == pytest.approx(together, abs=2e-3)


def test_the_contract(model: Path) -> None:
    check_options(Embedding)
    check_judge(Embedding(str(model), device="cpu"))


def test_other_weights_are_another_judge(model: Path, tmp_path: Path) -> None:
    import shutil

    other = shutil.copytree(model, tmp_path / "other")
    assert Embedding(str(other)).identity()["weights"] == Embedding(str(model)).identity()["weights"]
    (file,) = other.rglob("model.safetensors")
    file.write_bytes(file.read_bytes()[:-1] + b"\x01")
    assert Embedding(str(other)).identity()["weights"] != Embedding(str(model)).identity()["weights"]


def test_a_model_of_the_hub_is_taken_from_its_cache(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import shutil

    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(UsageError, match="`hf download owner/tiny`"):
        Embedding("owner/tiny").check()
    commit = "0123456789abcdef0123456789abcdef01234567"
    store = tmp_path / "models--owner--tiny"
    shutil.copytree(model, store / "snapshots" / commit)
    (store / "refs").mkdir()
    (store / "refs" / "main").write_text(commit)
    judge = Embedding("owner/tiny", device="cpu")
    judge.check()
    assert judge.identity() == {**Embedding(str(model)).identity(), "model": "owner/tiny"}
    assert [verdict.score for verdict in judge.judge([Case("q", "red car", "red car")])] == [3.0]


def test_what_is_wrong_is_said_before_anything_is_loaded(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(UsageError, match="no embedding model"):
            Embedding(str(folder)).check()
    with pytest.raises(UsageError, match="owner/name"):
        Embedding("a/b/c").check()
    with pytest.raises(UsageError, match="low"):
        Embedding(low=1.0)
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(UsageError, match="--judge_args model"):
        list(Embedding(str(tmp_path)).judge([Case("q", "a", "b")]))
