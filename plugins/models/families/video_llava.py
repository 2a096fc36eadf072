"""Video-LLaVA: clips as videos of 224 x 224 pixels, cut out of the middle, 257 tokens a frame.

Source: the model card of LanguageBind/Video-LLaVA-7B-hf and Lin et al., arXiv 2311.10122. It was trained on
eight frames a video, and says little of use on another number.
"""

from __future__ import annotations

from .framewise import Framewise


class VideoLlava(Framewise):
    template = (
        "{%- for message in messages -%}"
        "{%- if message['role'] == 'user' -%}{{- 'USER: ' -}}"
        "{%- elif message['role'] == 'assistant' -%}{{- 'ASSISTANT: ' -}}{%- endif -%}"
        "{%- for part in message['content'] -%}"
        "{{- part['text'] + ' ' if part['type'] == 'text' else '<' + part['type'] + '>\\n' -}}"
        "{%- endfor -%}"
        "{%- endfor -%}"
        "{%- if add_generation_prompt -%}{{- 'ASSISTANT:' -}}{%- endif -%}"
    )
    """That of the card, which Vicuna's is: ``USER: <video>\\nWhy is this funny? ASSISTANT:``."""
