"""Noises of the category scene: weather, reflections and shadows, a module each."""

from .fog import Foggy
from .frost import Frost
from .rain import Rainy
from .reflection import Reflect
from .shadow import Shadow
from .snow import Snow

__all__ = ["Foggy", "Frost", "Rainy", "Reflect", "Shadow", "Snow"]
