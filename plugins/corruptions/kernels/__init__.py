"""Noises as functions of arrays: no clips, no draws, no options.

A kernel takes ``source`` (uint8 [H, W, 3], C-contiguous, never written to), parameters, for a random
noise a 64-bit key, and ``out`` (like source), which it fills. Same arguments, same bytes, in any
thread; the compiled ones let go of the GIL. Keys are drawn by the noises; a kernel's own randomness
is the counter-based stream of ``words``.
"""
