"""The endpoint model against a strict server: what is sent, bit by bit, and what comes back."""

import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from harness_plugins.models import harness_models
from harness_plugins.models.openai_chat import OpenAIChat
from openai_server import OpenAIServer, Request, status

from harness import Answer, Clip, HarnessError, Prompt, Status, UsageError
from harness.interfaces import Model

KEY = "sk-test-0123456789abcdef"


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    monkeypatch.setenv("OPENAI_API_KEY", KEY)


def noise(*shape: int, seed: int = 0) -> Any:
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def clip_of(frames: Any, every: int = 1, fps: float = 1.0) -> Clip:
    """Frames that were taken ``every`` so many of a video of ``fps``."""
    indices = np.arange(len(frames)) * every
    return Clip(frames, indices / fps, indices, fps)


def asked(server: OpenAIServer, prompt: Prompt, **options: Any) -> Answer:
    model = OpenAIChat(**{"model": "gpt-4o", "base_url": server.url} | options)
    assert isinstance(model, Model)
    [answer] = model.generate([prompt])
    return answer


@pytest.mark.parametrize("shape", [(5, 36, 48, 3), (1, 7, 5, 3), (3, 1, 1, 3)])
def test_the_frames_arrive_bit_for_bit_and_in_order(shape: tuple[int, ...]) -> None:
    frames = noise(*shape)
    with OpenAIServer("red") as server:
        answer = asked(server, Prompt((clip_of(frames), "What colour?")))
    assert answer.text == "red"
    [request] = server.requests
    assert np.array_equal(np.stack(request.images), frames)


def test_a_view_of_a_larger_array_arrives_intact() -> None:
    frames = noise(4, 20, 30, 6)[::2, ::-1, 3:20, ::2]
    with OpenAIServer() as server:
        asked(server, Prompt((clip_of(frames),)))
    assert np.array_equal(np.stack(server.requests[0].images), frames)


def test_parts_keep_their_order_and_the_system_text_its_place() -> None:
    image, clip = noise(8, 8, 3), clip_of(noise(2, 8, 8, 3))
    with OpenAIServer() as server:
        asked(server, Prompt(("before", image, "between", clip, "after"), system="Be brief."))
    system, user = server.requests[0].body["messages"]
    assert system == {"role": "system", "content": "Be brief."}
    kinds = [part.get("text", part["type"]) for part in user["content"]]
    assert kinds == ["before", "image_url", "between", "image_url", "image_url", "after"]
    assert np.array_equal(server.requests[0].images[0], image)


def test_without_system_text_there_is_no_system_message() -> None:
    with OpenAIServer() as server:
        asked(server, Prompt(("only text {with} braces",)))
    [message] = server.requests[0].body["messages"]
    assert message["role"] == "user"
    assert server.requests[0].text == "only text {with} braces"


def test_jpeg_is_near_and_declared_as_such() -> None:
    frame = np.full((32, 32, 3), (200, 40, 90), np.uint8)
    with OpenAIServer() as server:
        asked(server, Prompt((frame,)), image_format="jpeg")
    url = server.requests[0].body["messages"][0]["content"][0]["image_url"]["url"]
    assert url.startswith("data:image/jpeg;base64,")
    assert np.abs(server.requests[0].images[0].astype(int) - frame).max() < 8


@pytest.mark.parametrize(
    ("shape", "long_side", "sent"),
    [
        ((40, 80, 3), 20, (10, 20)),
        ((80, 40, 3), 20, (20, 10)),
        ((10, 20, 3), 64, (10, 20)),
        ((2, 90, 3), 9, (1, 9)),
    ],
)
def test_long_side_scales_down_and_never_up(
    shape: tuple[int, ...], long_side: int, sent: tuple[int, int]
) -> None:
    frame = noise(*shape)
    with OpenAIServer() as server:
        asked(server, Prompt((frame,)), long_side=long_side)
    image = server.requests[0].images[0]
    assert image.shape[:2] == sent
    assert abs(float(image.mean()) - float(frame.mean())) < 8


def test_detail_is_sent_only_where_it_is_not_the_default() -> None:
    with OpenAIServer() as server:
        asked(server, Prompt((noise(4, 4, 3),)))
        asked(server, Prompt((noise(4, 4, 3),)), detail="low")
    details = [r.body["messages"][0]["content"][0]["image_url"].get("detail") for r in server.requests]
    assert details == [None, "low"]


def test_options_reach_the_server() -> None:
    with OpenAIServer() as server:
        asked(server, Prompt(("q",)), max_tokens=7, temperature=0.5)
        asked(server, Prompt(("q",)), temperature=None)
    first, second = (request.body for request in server.requests)
    assert (first["max_tokens"], first["temperature"]) == (7, 0.5)
    assert "temperature" not in second and second["max_tokens"] == 512


VIDEO = ["openrouter", "vllm", "sglang", "lmdeploy"]


@pytest.mark.parametrize("provider", VIDEO)
@pytest.mark.parametrize("shape", [(40, 36, 48, 3), (1, 7, 5, 3), (3, 1, 1, 3), (2, 2, 2, 3)])
def test_the_frames_of_a_video_arrive_bit_for_bit(provider: Any, shape: tuple[int, ...]) -> None:
    """vLLM and LMDeploy would take 32 of the 40 if they were not told otherwise."""
    frames = noise(*shape)
    with OpenAIServer("red", dialect=provider) as server:
        asked(server, Prompt(("before", clip_of(frames), "after")), frames="video", provider=provider)
    [request] = server.requests
    assert request.images == () and np.array_equal(request.videos[0], frames)
    kinds = [part.get("text", part["type"]) for part in request.body["messages"][0]["content"]]
    assert kinds == ["before", "video_url", "after"]


@pytest.mark.parametrize("provider", ["vllm", "lmdeploy"])
@pytest.mark.parametrize("shape", [(40, 36, 48, 3), (1, 7, 5, 3)])
def test_so_do_those_of_a_sequence_with_their_times(provider: Any, shape: tuple[int, ...]) -> None:
    clip = clip_of(noise(*shape), every=3, fps=30.0)
    with OpenAIServer("red", dialect=provider) as server:
        asked(server, Prompt((clip, "q")), frames="sequence", provider=provider)
    [request] = server.requests
    assert np.array_equal(request.videos[0], clip.frames)
    told = request.body["media_io_kwargs"]["video"]
    if provider == "lmdeploy":  # which takes each frame for the one after the last
        assert told == {"num_frames": -1, "fps": pytest.approx(10.0 if len(clip.frames) > 1 else 1.0)}
        return
    last = int(clip.indices[-1])
    assert told["frames_indices"] == clip.indices.tolist() == list(range(0, last + 1, 3))
    assert (told["fps"], told["total_num_frames"], told["do_sample_frames"]) == (30.0, last + 1, False)
    assert told["num_frames"] == -1 and told["duration"] == pytest.approx((last + 1) / 30)


def test_a_frame_that_is_sent_several_times_makes_no_video_shorter_than_its_frames() -> None:
    clip = clip_of(noise(4, 8, 8, 3), every=0, fps=25.0)
    with OpenAIServer(dialect="vllm") as server:
        asked(server, Prompt((clip,)), frames="sequence", provider="vllm")
    assert server.requests[0].body["media_io_kwargs"]["video"]["total_num_frames"] == 4


def test_places_are_not_told_of_one_video_for_another() -> None:
    clips = [clip_of(noise(2, 8, 8, 3, seed=seed)) for seed in (1, 2)]
    with OpenAIServer(dialect="vllm") as server:
        asked(server, Prompt((*clips, noise(4, 4, 3))), frames="sequence", provider="vllm")
    [request] = server.requests
    assert [np.array_equal(got, clip.frames) for got, clip in zip(request.videos, clips, strict=True)]
    assert request.body["media_io_kwargs"] == {"video": {"num_frames": -1}} and len(request.images) == 1


@pytest.mark.parametrize(
    ("every", "fps", "count", "asks", "claims"),
    [(15, 30.0, 8, None, 2.0), (300, 30.0, 4, None, 0.1), (1, 25.0, 1, None, 1.0), (300, 30.0, 4, 1.0, 1.0)],
)
def test_a_video_claims_the_rate_of_its_frames_or_what_is_asked(
    every: int, fps: float, count: int, asks: float | None, claims: float
) -> None:
    clip = clip_of(noise(count, 8, 8, 3), every, fps)
    with OpenAIServer(dialect="sglang") as server:
        asked(server, Prompt((clip,)), frames="video", provider="sglang", video_fps=asks)
    assert server.requests[0].rates == (pytest.approx(claims),)
    assert len(server.requests[0].videos[0]) == count


def test_videos_for_every_decoder_are_near_and_of_even_sides() -> None:
    smooth = np.full((3, 9, 13, 3), (200, 40, 90), np.uint8)
    with OpenAIServer(dialect="openrouter") as server:
        asked(
            server,
            Prompt((clip_of(smooth),)),
            frames="video",
            provider="openrouter",
            video_format="yuv420",
            video_fps=1,
        )
    [video] = server.requests[0].videos
    assert video.shape == (3, 10, 14, 3)
    assert np.abs(video[:, :9, :13].astype(int) - smooth).max() < 8


@pytest.mark.parametrize("frames", ["video", "sequence"])
def test_long_side_scales_videos_too(frames: str) -> None:
    with OpenAIServer(dialect="vllm") as server:
        asked(server, Prompt((clip_of(noise(2, 40, 80, 3)),)), frames=frames, provider="vllm", long_side=20)
    assert server.requests[0].videos[0].shape == (2, 10, 20, 3)


@pytest.mark.parametrize(
    "said",
    [
        "Invalid value: 'video_url'. Supported values are: 'text', 'image_url', and 'input_audio'.",
        "Unknown part type: video_url",
    ],
)
def test_a_server_without_videos_ends_the_run_which_says_what_to_type(said: str) -> None:
    prompt = Prompt((clip_of(noise(2, 8, 8, 3)),))
    with (
        OpenAIServer(status(400, said), dialect="vllm") as server,
        pytest.raises(HarnessError, match="--model_args frames=images"),
    ):
        asked(server, prompt, frames="video", provider="vllm")


def test_further_fields_reach_the_server_and_go_before_ours() -> None:
    with OpenAIServer() as server:
        asked(server, Prompt(("q",)), extra_body={"reasoning_effort": "low", "seed": 3})
    assert server.requests[0].body["reasoning_effort"] == "low" and server.requests[0].body["seed"] == 3
    more = {"media_io_kwargs": {"video": {"num_frames": 2}}}
    with OpenAIServer(dialect="vllm") as server:
        prompt = Prompt((clip_of(noise(5, 8, 8, 3)),))
        asked(server, prompt, frames="video", provider="vllm", extra_body=more)
    assert len(server.requests[0].videos[0]) == 2


def test_usage_and_model_id_are_recorded() -> None:
    with OpenAIServer(" dark red \n", model="gpt-4o-2024-11-20") as server:
        answer = asked(server, Prompt((noise(4, 4, 3), "What colour?")))
    assert answer.text == "dark red"
    assert answer.meta["model"] == "gpt-4o-2024-11-20"
    assert answer.meta["usage"] == {"prompt_tokens": 87, "completion_tokens": 2, "total_tokens": 89}


@pytest.mark.parametrize("text", ["", "  \n", None])
def test_an_empty_answer_is_a_failure(text: str | None) -> None:
    with OpenAIServer({"text": text}) as server:
        answer = asked(server, Prompt(("q",)))
    assert (answer.text, answer.status, answer.error) == ("", Status.MODEL_ERROR, "empty answer")
    assert answer.meta["usage"]["prompt_tokens"] == 1


def test_an_answer_cut_off_before_it_began_says_what_to_raise() -> None:
    with OpenAIServer({"text": "", "finish_reason": "length"}) as server:
        answer = asked(server, Prompt(("q",)), max_tokens=9)
    assert "max_tokens=9" in answer.error


def test_a_cut_off_answer_is_an_answer_and_says_so() -> None:
    with OpenAIServer({"text": "The red", "finish_reason": "length"}) as server:
        answer = asked(server, Prompt(("q",)))
    assert (answer.text, answer.status, answer.meta["finish_reason"]) == ("The red", Status.OK, "length")


def test_too_large_a_request_says_how_to_make_it_smaller() -> None:
    with OpenAIServer([status(413), "ok"]) as server:
        answer = asked(server, Prompt(("q",)))
    assert answer.status is Status.MODEL_ERROR and "long_side=768" in answer.error


def test_a_failed_prompt_leaves_the_others_alone() -> None:
    with OpenAIServer(["one", status(400), "three"]) as server:
        answers = list(OpenAIChat("gpt-4o", server.url).generate([Prompt((text,)) for text in "abc"]))
    assert [answer.text for answer in answers] == ["one", "", "three"]
    assert [answer.status for answer in answers] == [Status.OK, Status.MODEL_ERROR, Status.OK]


def test_answers_are_given_up_one_by_one() -> None:
    with OpenAIServer() as server:
        stream = iter(OpenAIChat("gpt-4o", server.url).generate([Prompt(("a",)), Prompt(("b",))]))
        next(stream)
        assert len(server.requests) == 1


def test_a_bad_key_ends_the_run_without_showing_it() -> None:
    with OpenAIServer(key="sk-another-0123456789") as server:
        with pytest.raises(HarnessError, match="OPENAI_API_KEY") as raised:
            asked(server, Prompt(("q",)))
        assert len(server.requests) == 1
    assert KEY not in str(raised.value)


def test_calls_from_many_threads_run_at_once_and_keep_apart() -> None:
    together = threading.Barrier(4, timeout=30)

    def reply(request: Request) -> str:
        together.wait()
        return f"{request.text}: {int(request.images[0][0, 0, 0])}"

    with OpenAIServer(reply) as server:
        model = OpenAIChat("gpt-4o", server.url)
        assert model.server.gate.limit == 4

        def one(number: int) -> str:
            frame = np.full((6, 6, 3), number, np.uint8)
            [answer] = model.generate([Prompt((frame, f"q{number}"))])
            return answer.text

        with ThreadPoolExecutor(4) as pool:
            assert list(pool.map(one, range(16))) == [f"q{n}: {n}" for n in range(16)]
        assert server.peak == 4


def test_the_check_needs_a_key_and_no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY")
    with pytest.raises(UsageError, match="export OPENAI_API_KEY"):
        OpenAIChat("gpt-4o").check()
    OpenAIChat("gpt-4o", "http://127.0.0.1:9/v1").check()


@pytest.mark.parametrize(
    "options",
    [
        {"image_format": "webp"},
        {"detail": "ultra"},
        {"frames": "gif"},
        {"frames": "video", "provider": "gemini"},
        {"frames": "sequence", "provider": "sglang"},
        {"video_format": "h265"},
        {"video_fps": 0},
        {"extra_body": {"messages": []}},
        {"provider": "nobody"},
        {"max_tokens": 0},
        {"long_side": 0},
        {"concurrency": 0},
        {"model": ""},
    ],
)
def test_wrong_options_are_usage_errors(options: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        OpenAIChat(**{"model": "gpt-4o", **options})


def test_only_what_cannot_change_an_answer_is_transport() -> None:
    assert OpenAIChat.transport == {"provider", "base_url", "concurrency", "timeout", "retries", "key_env"}
    assert OpenAIChat.endpoint is True


@pytest.mark.parametrize(
    ("name", "asks"),
    [
        ("GPT4V", "gpt-4-turbo"),
        ("gpt-4o", "gpt-4o"),
        ("gpt-4o-mini", "gpt-4o-mini"),
        ("openai:Qwen/Qwen2.5-VL-7B-Instruct", "Qwen/Qwen2.5-VL-7B-Instruct"),
        ("openrouter:qwen/qwen2.5-vl-72b-instruct:free", "qwen/qwen2.5-vl-72b-instruct:free"),
        ("gemini:gemini-2.5-flash", "gemini-2.5-flash"),
    ],
)
def test_names_of_the_catalogue(name: str, asks: str) -> None:
    [(spec, fields)] = [(s, f) for s in harness_models() if (f := s.match(name)) is not None]
    assert spec.target == "harness_plugins.models.openai_chat:OpenAIChat"
    frame = noise(100, 1000, 3)
    with OpenAIServer(dialect=spec.options.get("provider", "openai")) as server:
        model = OpenAIChat(**{**spec.options, **fields, "base_url": server.url})
        list(model.generate([Prompt((frame,))]))
    [request] = server.requests
    assert request.body["model"] == asks
    assert request.images[0].shape == ((51, 512, 3) if name == "GPT4V" else frame.shape)


def test_listing_constructing_and_checking_import_nothing_heavy() -> None:
    code = (
        "import sys; from harness_plugins.models import harness_models; harness_models();"
        "from harness_plugins.models.openai_chat import OpenAIChat; OpenAIChat('m').check();"
        "from harness_plugins.judges import harness_judges; harness_judges();"
        "from harness_plugins.judges.rubric import Rubric; Rubric().check(); Rubric().identity();"
        "from harness_plugins.judges.exact import Exact; Exact();"
        "print({'openai', 'cv2', 'torch', 'numpy'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
