"""How questions are put to a model: one wording for all data sets whose questions come one at a time.

The wording is ours. Whatever changes it changes ``VERSION``.
"""

from __future__ import annotations

from collections.abc import Sequence

from .choices import LETTERS

VERSION = 1
SYSTEM = "You watch videos closely and answer questions about what they show."
FRAMES = "These are frames of one video, in the order they were filmed."
OPEN = (
    f"{FRAMES} Answer the question about the video, "
    "directly and without preamble. If the frames leave it open, give the answer you think likeliest."
)
CHOICE = (
    f"{FRAMES} Choose the option that answers the question about the video. If the frames leave it open, "
    "choose the likeliest."
)
LETTER = "Reply with the letter of the right option and nothing else."
YES_OR_NO = "Reply with yes or no and nothing else."
SPOKEN = "This is said at those moments:"


def ask(question: str, choices: Sequence[str] = (), spoken: Sequence[str] = ()) -> str:
    """The text that follows the clip.

    choices: the options from A on; a question that offers just ``yes`` and ``no`` is answered with these
    words. spoken: subtitles at the moments of the frames, in their order.
    """
    parts = [CHOICE if choices else OPEN]
    if spoken:
        parts.append("\n".join((SPOKEN, *spoken)))
    lines = [f"Question: {question}"]
    if choices and not is_yes_or_no(choices):
        lines += [f"{letter}. {option}" for letter, option in zip(LETTERS, choices, strict=False)]
    parts.append("\n".join(lines))
    if choices:
        parts.append(YES_OR_NO if is_yes_or_no(choices) else LETTER)
    return "\n\n".join(parts)


def reference(choices: Sequence[str], right: int) -> str:
    """What a model that follows ``ask`` replies when it is right: a letter, or yes or no."""
    return choices[right] if is_yes_or_no(choices) else LETTERS[right]


def is_yes_or_no(choices: Sequence[str]) -> bool:
    """Whether yes and no are all there is to choose from, in whatever order."""
    return sorted(choice.casefold() for choice in choices) == ["no", "yes"]
