"""Questions: every group asked, answers balanced, nothing a tokenizer would not know."""

from collections import Counter, defaultdict

import pytest
from harness_plugins.datasets.shapes_questions import INSTRUCTION, KINDS, ROTATION, questions, texts
from harness_plugins.datasets.taxonomy import MMBENCH_VIDEO

COARSE = {fine: coarse for coarse, every in MMBENCH_VIDEO.coarse.items() for fine in every}
ASKED = {"test": [q for i in range(120) for q in questions("test", i)]}
ASKED["train"] = [q for i in range(400) for q in questions("train", i)]


def test_test_set_asks_every_group_and_kind_often() -> None:
    groups = Counter(COARSE[question.kind.label] for question in ASKED["test"])
    assert set(groups) == set(MMBENCH_VIDEO.coarse)
    assert min(groups.values()) >= 30
    assert set(Counter(question.kind.name for question in ASKED["test"]).values()) == {15}
    assert len({question.kind.label for question in ASKED["test"]}) == 18


def test_test_video_asks_three_kinds_of_three_groups() -> None:
    assert len(KINDS) == 3 * ROTATION
    for index in range(ROTATION):
        assert len({COARSE[question.kind.label] for question in questions("test", index)}) == 3


def test_training_video_asks_every_kind() -> None:
    assert [question.kind for question in questions("train", 5)] == list(KINDS)


@pytest.mark.parametrize(("split", "most"), [("test", 1.25), ("train", 1.25)])
def test_no_constant_answer_scores(split: str, most: float) -> None:
    by_kind: dict[str, Counter[str]] = defaultdict(Counter)
    for question in ASKED[split]:
        by_kind[question.kind.name][question.answer] += 1
    for kind in KINDS:
        answers = by_kind[kind.name]
        assert set(answers) <= set(kind.answers)
        # In a question answered from the scene's free draws, 15 draws may lean further to one side.
        share = max(answers.values()) / answers.total()
        assert share <= most / len(kind.answers) or (split == "test" and share <= 0.4), (kind.name, answers)
    blind = sum(max(answers.values()) for answers in by_kind.values()) / len(ASKED[split])
    assert blind < 0.36


def test_wording_gives_nothing_away() -> None:
    """Knowing the whole text of a question is no better than knowing its kind."""
    by_text: dict[str, Counter[str]] = defaultdict(Counter)
    for index in range(400, 2000):
        for question in questions("train", index):
            by_text[question.text][question.answer] += 1
    total = sum(answers.total() for answers in by_text.values())
    # "left or right" excludes above and below, which halves the choices of that one kind.
    assert sum(max(answers.values()) for answers in by_text.values()) / total < 0.37


def test_texts_hold_everything_that_is_asked_and_answered() -> None:
    known = set(texts())
    assert INSTRUCTION in known
    for split in ASKED:
        for question in ASKED[split]:
            assert {question.text, question.answer} <= known


def test_answers_are_single_words() -> None:
    for kind in KINDS:
        assert all(answer.isalpha() and answer.islower() for answer in kind.answers)
        assert len(set(kind.answers)) == len(kind.answers)
