"""Judges by the words that answer and reference share: token F1, ROUGE-L, BLEU.

They know nothing of meaning: "not red" is close to "red". They are free, repeatable and known from other
papers; use them beside a judge that reads.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from typing import Any, Literal

from harness import Case, Verdict

from .words import plain, spaced


class Lexical:
    """Gives 3 times the similarity, which is 0 to 1, of answer and reference: 0.0 to 3.0, not in steps.

    metric: ``f1``, of the words as the judge ``exact`` makes them one (SQuAD's token F1; Rajpurkar et al.,
    2016, arXiv 1606.05250); ``rouge_l``, the F1 of the longest common subsequence of words (Lin, 2004;
    the package rouge-score, no stemming); ``bleu``, of one sentence (Papineni et al., 2002; the package
    sacrebleu, its 13a tokens, exponential smoothing, effective order). In scripts without spaces each
    character is a word.
    """

    version = 1

    def __init__(self, metric: Literal["f1", "rouge_l", "bleu"] = "f1") -> None:
        self.metric = metric

    def judge(self, cases: Sequence[Case]) -> Iterator[Verdict]:
        for case in cases:
            similarity = self._similarity(spaced(case.reference), spaced(case.prediction))
            yield Verdict(3 * min(similarity, 1.0), meta={self.metric: round(similarity, 6)})

    @cached_property
    def _similarity(self) -> Callable[[str, str], float]:
        return {"f1": lambda: token_f1, "rouge_l": _rouge_l, "bleu": _bleu}[self.metric]()


def token_f1(reference: str, prediction: str) -> float:
    """Harmonic mean of the shares of words that each side has in common with the other, 0 to 1.

    Two texts without words are equal.
    """
    ours, theirs = plain(reference).split(), plain(prediction).split()
    if not ours or not theirs:
        return float(ours == theirs)
    common = (Counter(ours) & Counter(theirs)).total()
    return 2 * common / (len(ours) + len(theirs))


def _rouge_l() -> Callable[[str, str], float]:
    from rouge_score.rouge_scorer import RougeScorer

    scorer = RougeScorer(["rougeL"], tokenizer=_Words())
    return lambda reference, prediction: float(scorer.score(reference, prediction)["rougeL"].fmeasure)


class _Words:
    """Tokens for rouge-score, whose own keep ASCII letters alone; the same where there are no others."""

    def tokenize(self, text: str) -> list[str]:
        return re.findall(r"[^\W_]+", text.lower())


def _bleu() -> Callable[[str, str], float]:
    from sacrebleu.metrics import BLEU

    bleu: Any = BLEU(effective_order=True)
    return lambda reference, prediction: float(bleu.sentence_score(prediction, [reference]).score) / 100
