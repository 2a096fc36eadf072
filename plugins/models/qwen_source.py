"""Where the weights of a local model come from: a folder, or a repository of the Hugging Face hub.

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

FAMILY = "qwen2_5_vl"
_DECIDING = re.compile(
    r"(config|generation_config|(pre|video_pre)?processor_config|tokenizer|tokenizer_config|added_tokens"
    r"|special_tokens_map|vocab|chat_template|model\.safetensors\.index)\.json|merges\.txt|.+\.jinja"
)
"""The files beside the weights that can change an answer."""
_WANTED = ["*.json", "*.safetensors", "*.txt", "*.jinja"]
_TIMEOUT = 10.0
"""Seconds to wait for the hub's word on whether a repository exists."""


@dataclass(frozen=True, slots=True)
class Folder:
    """A model in a folder of this machine."""

    path: Path

    def check(self, weights: bool = True) -> None:
        """Raise UsageError unless the folder holds a whole model of the family."""
        if not self.path.is_dir():
            raise UsageError(f"no model at {self.path}: that folder does not exist")
        _family(_read(self.path / "config.json"), str(self.path))
        self._require("processor", "processor_config.json", "preprocessor_config.json")
        self._require("tokenizer", "tokenizer.json", "vocab.json")
        for shard in self._shards() if weights else ():
            self._require("weights", shard)

    def identity(self, weights: bool = True) -> dict[str, Any]:
        """Digests that change with the configuration, the tokenizer and (if asked) the weights."""
        digest = blake2b(digest_size=16)
        for file in sorted(self._parts(weights)):
            digest.update(f"{file.name} {content_digest(file)}\n".encode())
        return {"digest": digest.hexdigest()}

    def _parts(self, weights: bool) -> Iterator[Path]:
        for file in self.path.iterdir():
            if _DECIDING.fullmatch(file.name) or (weights and file.suffix == ".safetensors"):
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
    """A model on the hub, at the commit that is already in the cache if there is one."""

    name: str
    revision: str = "main"

    def check(self) -> None:
        """Raise UsageError unless the repository is in the cache or can be downloaded."""
        _family(_read(self._config()), self.name)

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
            return Folder(Path(snapshot_download(self.name, revision=commit, allow_patterns=_WANTED)))

    def _config(self) -> Path:
        """The configuration in the cache; a few kilobytes, so it is simply downloaded when missing."""
        from huggingface_hub import hf_hub_download, try_to_load_from_cache

        with _hub_errors(self.name):
            found = try_to_load_from_cache(self.name, "config.json", revision=self.revision)
            if not isinstance(found, str):
                found = hf_hub_download(
                    self.name, "config.json", revision=self.revision, etag_timeout=_TIMEOUT
                )
        return Path(found)


def locate(path: str, revision: str) -> Folder | Repository:
    """A folder if it exists or is written like one, else a repository ``owner/name`` of the hub."""
    folder = Path(path).expanduser()
    written_like_one = path.startswith((".", "~", os.sep)) or path.count("/") != 1
    return Folder(folder) if folder.exists() or written_like_one else Repository(path, revision)


def _family(config: dict[str, Any], where: str) -> None:
    kind = config.get("model_type")
    if kind != FAMILY:
        raise UsageError(f"{where} holds a model of type {kind!r}; only {FAMILY!r} is read here")


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

    instead = "or pass a folder that holds the model: --model qwen2.5-vl:FOLDER"
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
