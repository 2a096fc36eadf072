"""The words a model reads. They are pinned: who changes them changes ``VERSION``, too."""

from __future__ import annotations

from harness_plugins.datasets.wording import VERSION, ask, reference

OPEN = """\
These are frames of one video, in the order they were filmed. Answer the question about the video, directly \
and without preamble. If the frames leave it open, give the answer you think likeliest.

Question: What is it?"""
CHOICE = """\
These are frames of one video, in the order they were filmed. Choose the option that answers the question \
about the video. If the frames leave it open, choose the likeliest.

This is said at those moments:
Hello.
Bye.

Question: What is it?
A. a dog
B. a cat

Reply with the letter of the right option and nothing else."""


def test_the_words_of_this_version() -> None:
    assert VERSION == 1
    assert ask("What is it?") == OPEN
    assert ask("What is it?", ("a dog", "a cat"), ("Hello.", "Bye.")) == CHOICE


def test_yes_or_no_is_answered_in_words() -> None:
    asked = ask("Is it a dog?", ("No", "Yes"))
    assert "A." not in asked
    assert asked.endswith("\n\nQuestion: Is it a dog?\n\nReply with yes or no and nothing else.")
    assert reference(("No", "Yes"), 1) == "Yes"
    assert reference(("a dog", "a cat"), 1) == "B"
