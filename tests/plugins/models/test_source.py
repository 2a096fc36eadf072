"""Folders and hub repositories: what is missing is said before anything heavy is imported."""

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from harness_plugins.models.source import Folder, Repository, locate

from harness import UsageError

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "qwen2_5_vl"}))
    (tmp_path / "processor_config.json").write_text("{}")
    (tmp_path / "tokenizer.json").write_text("{}")
    (tmp_path / "model.safetensors").write_bytes(b"x" * 100)
    return tmp_path


def test_a_whole_folder_passes(folder: Path) -> None:
    Folder(folder).check()


@pytest.mark.parametrize(
    "name", ["config.json", "processor_config.json", "tokenizer.json", "model.safetensors"]
)
def test_a_missing_file_is_named(folder: Path, name: str) -> None:
    (folder / name).unlink()
    with pytest.raises(UsageError, match=name):
        Folder(folder).check()


def test_older_names_of_the_same_files_pass(folder: Path) -> None:
    (folder / "processor_config.json").rename(folder / "preprocessor_config.json")
    (folder / "tokenizer.json").rename(folder / "vocab.json")
    Folder(folder).check()


def test_untrained_needs_no_weights(folder: Path) -> None:
    (folder / "model.safetensors").unlink()
    Folder(folder, weights=False).check()


def test_a_missing_shard_is_named(folder: Path) -> None:
    index = {"weight_map": {"a": "model-1.safetensors", "b": "model-2.safetensors"}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    (folder / "model-1.safetensors").touch()
    with pytest.raises(UsageError, match=r"model-2\.safetensors"):
        Folder(folder).check()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "damaged"),
        ("{}", "names no model_type"),
        ('{"model_type": "internvl_chat"}', "OpenGVLab/InternVL3-8B-hf"),
        ('{"model_type": "qwen2_vl"}', "of type 'qwen2_vl', not 'qwen2_5_vl': use --model hf:"),
    ],
)
def test_another_kind_of_model_is_refused(folder: Path, text: str, message: str) -> None:
    (folder / "config.json").write_text(text)
    with pytest.raises(UsageError, match=message):
        Folder(folder).check("qwen2_5_vl")


def test_any_kind_of_model_passes_where_none_is_promised(folder: Path) -> None:
    (folder / "config.json").write_text('{"model_type": "of_tomorrow"}')
    Folder(folder).check()


def test_an_adapter_has_its_configuration_and_weights(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no adapter at"):
        locate(str(tmp_path / "nope"), adapter=True).check()
    for name in ("adapter_config.json", "adapter_model.safetensors"):
        with pytest.raises(UsageError, match=name):
            locate(str(tmp_path), adapter=True).check()
        (tmp_path / name).write_text("{}")
    locate(str(tmp_path), adapter=True).check()
    before = locate(str(tmp_path), adapter=True).identity()
    (tmp_path / "adapter_config.json").write_text("{} ")
    assert locate(str(tmp_path), adapter=True).identity() != before


def test_a_folder_that_does_not_exist(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such folder"):
        Folder(tmp_path / "nope").check()


def test_the_identity_changes_with_what_can_change_an_answer_and_with_nothing_else(folder: Path) -> None:
    before = Folder(folder).identity()
    assert Folder(folder).identity() == before
    (folder / "training.json").write_text("{}")
    (folder / "README.md").write_text("hello")
    assert Folder(folder).identity() == before
    (folder / "model.safetensors").write_bytes(b"x" * 99 + b"y")
    weights = Folder(folder).identity()
    assert weights != before
    assert Folder(folder, weights=False).identity() == Folder(folder, weights=False).identity() != weights
    (folder / "tokenizer.json").write_text("{} ")
    assert Folder(folder).identity() not in (before, weights)


def test_a_copy_elsewhere_has_the_same_identity(
    folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    copy = tmp_path_factory.mktemp("copy")
    for file in folder.iterdir():
        (copy / file.name).write_bytes(file.read_bytes())
    assert Folder(copy).identity() == Folder(folder).identity()


def test_what_is_a_folder_and_what_is_on_the_hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert locate("Qwen/Qwen2.5-VL-3B-Instruct", "main") == Repository("Qwen/Qwen2.5-VL-3B-Instruct", "main")
    for path in ("./a/b", "/a/b", "a/b/c", "a"):
        assert locate(path, "main") == Folder(Path(path))
    assert locate("~/a/b", "main") == Folder(Path("~/a/b").expanduser())
    (tmp_path / "Qwen" / "mine").mkdir(parents=True)
    assert locate("Qwen/mine", "main") == Folder(Path("Qwen/mine"))


# The hub's client reads its settings when it is imported, hence processes of their own.

SCRIPT = """
import sys
from harness import UsageError
from harness_plugins.models.qwen2_5_vl import Qwen25VL
model = Qwen25VL(sys.argv[1])
try:
    model.check()
    print(model.identity())
except UsageError as error:
    print("usage:", error)
print("heavy:", sorted({"torch", "transformers"} & set(sys.modules)))
"""


def ask_hub(name: str, home: Path, endpoint: str, **environment: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, name],
        env={
            "PATH": "/usr/bin:/bin",
            "HF_HOME": str(home),
            "HF_ENDPOINT": endpoint,
            "HF_HUB_DISABLE_PROGRESS_BARS": "1",
            **environment,
        },
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert "heavy: []" in done.stdout
    return done.stdout


@pytest.fixture
def hub() -> Iterator[str]:
    """A hub on loopback that knows one model's configuration, one of another family, and nothing else."""
    known = {"good/model": "qwen2_5_vl", "other/model": "llama"}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            name = self.path.split("/resolve/")[0].strip("/")
            body = json.dumps({"model_type": known.get(name)}).encode()
            if name in known:
                self.send_response(200)
                self.send_header("ETag", '"abc"')
                self.send_header("X-Repo-Commit", COMMIT)
            else:
                body = b""
                self.send_response(404)
                self.send_header("X-Error-Code", "RepoNotFound")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(body)

        do_HEAD = do_GET  # noqa: N815

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


def test_a_hub_model_is_known_by_its_commit_and_asked_for_once(tmp_path: Path, hub: str) -> None:
    said = ask_hub("good/model", tmp_path, hub)
    assert COMMIT in said and "good/model" in said
    offline = ask_hub("good/model", tmp_path, "http://127.0.0.1:9", HF_HUB_OFFLINE="1")
    assert offline == said


def test_what_the_hub_does_not_have_is_one_sentence(tmp_path: Path, hub: str) -> None:
    assert "no model 'bad/model'" in ask_hub("bad/model", tmp_path, hub)
    assert "llama" in ask_hub("other/model", tmp_path, hub)


def test_without_the_hub_a_sentence_says_so(tmp_path: Path) -> None:
    said = ask_hub("good/model", tmp_path, "http://127.0.0.1:9", HF_HUB_OFFLINE="1")
    assert "usage: good/model is not in the cache" in said and "--model hf:FOLDER" in said
