"""Where the weights of a local model or adapter come from: a folder, or a repository of the hub.

What can be found out before anything heavy is imported is found out here: whether the files are
there, and exactly which weights they are.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any

from harness.errors import UsageError
from harness.video import content_digest

from .families import family_class

_DECIDING = re.compile(
    r"(config|generation_config|(pre|video_pre)?processor_config|tokenizer|tokenizer_config|added_tokens"
    r"|special_tokens_map|vocab|chat_template|model\.safetensors\.index|adapter_config)\.json|merges\.txt"
    r"|.+\.jinja|tokenizer\.model"
)
"""The files beside the weights that can change an answer."""
_WANTED = ["*.json", "*.safetensors", "*.txt", "*.jinja", "*.model"]
_TIMEOUT = 10.0
"""Seconds to wait for the hub's word on whether a repository exists."""


@dataclass(frozen=True, slots=True)
class Folder:
    """A model in a folder of this machine, or an adapter. weights: whether its weights are used."""

    path: Path
    adapter: bool = False
    weights: bool = True

    def check(self, only: str | None = None) -> None:
        """Raise UsageError unless the folder holds a whole model, of ``only`` that type if given."""
        if not self.path.is_dir():
            raise UsageError(f"no {'adapter' if self.adapter else 'model'} at {self.path}: no such folder")
        if self.adapter:
            self._require("configuration", "adapter_config.json")
            self._require("weights", "adapter_model.safetensors")
            return
        _check_type(_read(self.path / "config.json"), str(self.path), only)
        self._require("processor", "processor_config.json", "preprocessor_config.json")
        self._require("tokenizer", "tokenizer.json", "vocab.json", "tokenizer.model")
        for shard in self._shards() if self.weights else ():
            self._require("weights", shard)

    def fetch(self) -> Folder:
        """Itself."""
        return self

    def identity(self) -> dict[str, Any]:
        """Digests that change with the configuration, the tokenizer and the weights that are used."""
        digest = blake2b(digest_size=16)
        for file in sorted(self._parts()):
            digest.update(f"{file.name} {content_digest(file)}\n".encode())
        return {"digest": digest.hexdigest()}

    def _parts(self) -> Iterator[Path]:
        for file in self.path.iterdir():
            if _DECIDING.fullmatch(file.name) or (self.weights and file.suffix == ".safetensors"):
                yield file

    def _shards(self) -> list[str]:
        index = self.path / "model.safetensors.index.json"
        if index.is_file():
            return sorted(set(_read(index).get("weight_map", {}).values()))
        return ["model.safetensors"]

    def _require(self, what: str, *names: str) -> None:
        """One of these files."""
        if not any((self.path / name).is_file() for name in names):
            raise UsageError(f"{self.path} has no {names[0]}: copy the model's {what} there too")


@dataclass(frozen=True, slots=True)
class Repository:
    """A model or adapter on the hub, at the commit that is already in the cache if there is one."""

    name: str
    revision: str = "main"
    adapter: bool = False
    weights: bool = True

    def check(self, only: str | None = None) -> None:
        """Raise UsageError unless the repository is in the cache or can be downloaded."""
        config = _read(self._config())
        if not self.adapter:
            _check_type(config, self.name, only)

    def identity(self) -> dict[str, Any]:
        return {"repository": self.name, "commit": self.commit()}

    def commit(self) -> str:
        """The commit that ``revision`` stands for: what the cache says, else what the hub says."""
        return self._config().parent.name

    def fetch(self) -> Folder:
        """The cached folder of that commit, downloaded first where files are missing."""
        from huggingface_hub import snapshot_download

        commit = self.commit()
        with _hub_errors(self.name):
            folder = snapshot_download(self.name, revision=commit, allow_patterns=_WANTED)
        return Folder(Path(folder), self.adapter, self.weights)

    def _config(self) -> Path:
        """The configuration in the cache; a few kilobytes, so it is simply downloaded when missing."""
        from huggingface_hub import hf_hub_download, try_to_load_from_cache

        file = "adapter_config.json" if self.adapter else "config.json"
        with _hub_errors(self.name):
            found = try_to_load_from_cache(self.name, file, revision=self.revision)
            if not isinstance(found, str):
                found = hf_hub_download(self.name, file, revision=self.revision, etag_timeout=_TIMEOUT)
        return Path(found)


def locate(
    path: str, revision: str = "main", adapter: bool = False, weights: bool = True
) -> Folder | Repository:
    """A folder if it exists or is written like one, else a repository ``owner/name`` of the hub."""
    folder = Path(path).expanduser()
    written_like_one = path.startswith((".", "~", os.sep)) or path.count("/") != 1
    if folder.exists() or written_like_one:
        return Folder(folder, adapter, weights)
    return Repository(path, revision, adapter, weights)


def _check_type(config: dict[str, Any], where: str, only: str | None) -> None:
    kind = config.get("model_type")
    if not isinstance(kind, str):
        raise UsageError(f"{where} holds no model for transformers: its config.json names no model_type")
    family_class(kind)
    if only is not None and kind != only:
        raise UsageError(f"{where} holds a model of type {kind!r}, not {only!r}: use --model hf:{where}")


def _read(file: Path) -> dict[str, Any]:
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except OSError:
        raise UsageError(f"{file.parent} has no {file.name}: is this the folder of a model?") from None
    except ValueError:
        raise UsageError(f"{file} is damaged: copy the folder again") from None
    return found if isinstance(found, dict) else {}


@contextmanager
def _hub_errors(name: str) -> Iterator[None]:
    """What the hub's client raises, as one sentence each."""
    from huggingface_hub.errors import (
        EntryNotFoundError,
        GatedRepoError,
        HfHubHTTPError,
        HFValidationError,
        LocalEntryNotFoundError,
        RepositoryNotFoundError,
        RevisionNotFoundError,
    )

    instead = "or pass a folder that holds the model: --model hf:FOLDER"
    try:
        yield
    except GatedRepoError as error:
        raise UsageError(f"ask for access to {name} on the hub, then log in with: hf auth login") from error
    except (RepositoryNotFoundError, HFValidationError) as error:
        raise UsageError(f"the hub has no model {name!r}: correct the name, {instead}") from error
    except RevisionNotFoundError as error:
        raise UsageError(f"{name} has no such revision on the hub: correct the option revision") from error
    except LocalEntryNotFoundError as error:
        raise UsageError(
            f"{name} is not in the cache and the hub cannot be reached: go online, {instead}"
        ) from error
    except EntryNotFoundError as error:
        raise UsageError(f"{name} on the hub holds no model for transformers: choose another") from error
    except (HfHubHTTPError, OSError) as error:
        raise UsageError(f"the hub failed for {name} ({error}): try again later, {instead}") from error
