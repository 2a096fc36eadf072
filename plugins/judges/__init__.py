"""The judges vidharness ships: a light catalogue, nothing heavy is imported here."""

from harness import Spec, hookimpl
from harness.providers import PROVIDERS

_RUBRIC = "harness_plugins.judges.rubric:Rubric"


@hookimpl
def harness_judges() -> list[Spec]:
    return [
        Spec(
            "exact",
            "harness_plugins.judges.exact:Exact",
            "offline: 3 for the reference answer up to case, punctuation, articles and number words, else 0",
        ),
        Spec(
            "choice",
            "harness_plugins.judges.choice:Choice",
            "multiple choice: 3 for the right option, else 0; replies read by rules, or a fallback model",
        ),
        Spec(
            "lexical",
            "harness_plugins.judges.lexical:Lexical",
            "offline: words shared with the reference, times 3; metric=f1, rouge_l or bleu",
            extra="lexical",
        ),
        Spec(
            "embedding",
            "harness_plugins.judges.embedding:Embedding",
            "offline: cosine of sentence embeddings, times 3; any sentence-transformers model",
            extra="embedding",
        ),
        Spec(
            "panel",
            "harness_plugins.judges.panel:Panel",
            "the median of several judges, or of one asked several times (judges=..., repeats=...)",
        ),
        Spec(
            "gpt-4o",
            _RUBRIC,
            "0-3 rubric judged by GPT-4o; needs OPENAI_API_KEY",
            options={"model": "gpt-4o"},
        ),
        Spec(
            "gpt-4o-mini",
            _RUBRIC,
            "0-3 rubric judged by GPT-4o mini; needs OPENAI_API_KEY",
            options={"model": "gpt-4o-mini"},
        ),
        Spec(
            "gpt-4-turbo",
            _RUBRIC,
            "0-3 rubric judged by GPT-4 Turbo; needs OPENAI_API_KEY",
            options={"model": "gpt-4-turbo"},
        ),
        *(
            Spec(
                f"{name}:{{model}}",
                _RUBRIC,
                provider.summary("0-3 rubric judged by any model", "--judge_base_url"),
                options={"provider": name},
                examples=(f"{name}:{provider.example}",),
            )
            for name, provider in PROVIDERS.items()
        ),
    ]
