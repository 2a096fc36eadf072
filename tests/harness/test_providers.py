"""Names of providers: where they lead, whose key they take, and what is said when either is missing."""

from typing import Any, get_args

import pytest
from chat_dialects import Dialect
from openai_server import Fault, OpenAIServer, status

from harness import Answer, HarnessError, Status, UsageError
from harness.endpoint import Endpoint
from harness.providers import PROVIDERS, ProviderName

HOSTED = [name for name, provider in PROVIDERS.items() if not provider.own]
OWN = [name for name, provider in PROVIDERS.items() if provider.own]


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keys for all; an account and an address of OpenAI, which are nobody else's business."""
    for name, provider in PROVIDERS.items():
        monkeypatch.setenv(provider.key_env, f"key-of-{name}")
    for variable in ("AZURE_OPENAI_ENDPOINT", "AZURE_OPENAI_AD_TOKEN", "OPENAI_API_VERSION"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("OPENAI_BASE_URL", "http://hijacked:1/v1")
    monkeypatch.setenv("OPENAI_ORG_ID", "org-1")
    monkeypatch.setenv("OPENAI_PROJECT_ID", "proj-1")


def ask(name: Any, url: str | None = None, **options: Any) -> Answer:
    endpoint = Endpoint(options.pop("model", "m"), url, provider=name, retries=0, **options)
    endpoint.check()
    return endpoint.ask([{"role": "user", "content": "What colour?"}], max_tokens=8, temperature=0.0)


def test_every_name_has_a_provider() -> None:
    assert set(PROVIDERS) == set(get_args(ProviderName))
    assert len({provider.key_env for provider in PROVIDERS.values()}) == len(PROVIDERS)


@pytest.mark.parametrize("name", PROVIDERS)
def test_each_is_asked_at_its_path_with_its_own_key(name: Any) -> None:
    with OpenAIServer("red", dialect=name, key=f"key-of-{name}") as server:
        assert ask(name, server.url).text == "red"
        assert ask(name, f"{server.url}/chat/completions").text == "red"
    told = {"openai-organization", "openai-project"} & set(server.requests[0].headers)
    assert bool(told) == (name == "openai")


@pytest.mark.parametrize("name", [name for name in PROVIDERS if name not in ("openai", "azure")])
def test_openais_address_leads_no_other_name_astray(name: Any) -> None:
    assert Endpoint("m", provider=name).url == PROVIDERS[name].url
    assert Endpoint("m", "http://mine:2/v1", provider=name).url == "http://mine:2/v1"


@pytest.mark.parametrize("name", HOSTED)
def test_a_missing_key_is_named(name: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(PROVIDERS[name].key_env)
    monkeypatch.delenv("OPENAI_BASE_URL")
    monkeypatch.setenv("AZURE_OPENAI_ENDPOINT", "https://mine.openai.azure.com")
    with pytest.raises(UsageError, match=f"export {PROVIDERS[name].key_env}=.*--base_url"):
        Endpoint("m", provider=name).check()


@pytest.mark.parametrize("name", OWN)
def test_servers_of_ones_own_need_none_and_are_not_called_by_a_check(
    name: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(PROVIDERS[name].key_env)
    Endpoint("m", provider=name).check()
    with OpenAIServer("red", dialect=name) as server:
        assert ask(name, server.url).text == "red"
    assert server.requests[0].key == "none"  # OpenAI's key goes to no other server


def test_a_wrong_key_is_told_by_its_variable() -> None:
    with OpenAIServer(dialect="gemini", key="another") as server:
        with pytest.raises(HarnessError, match=r"refuses the key in GEMINI_API_KEY \(HTTP 401\)"):
            ask("gemini", server.url)
        with pytest.raises(HarnessError, match="MINE"):
            ask("gemini", server.url, key_env="MINE")


GEMINI_KEY = [{"error": {"code": 400, "message": "API key not valid. Please pass a valid API key."}}]
CREDIT = {"error": {"type": "invalid_request_error", "message": "Your credit balance is too low to go on"}}


@pytest.mark.parametrize(
    ("name", "body", "said"),
    [
        ("gemini", GEMINI_KEY, r"refuses the key in GEMINI_API_KEY \(HTTP 400\)"),
        ("anthropic", CREDIT, "no credit left"),
    ],
)
def test_keys_and_credit_refused_as_a_bad_request_end_the_run(name: Any, body: Any, said: str) -> None:
    refusal = Fault("status", 400, body)
    with OpenAIServer(refusal, dialect=name) as server, pytest.raises(HarnessError, match=said):
        ask(name, server.url)


TEMPERATURE = [
    ("anthropic", "`temperature` is deprecated for this model."),
    ("gemini", 'Invalid JSON payload received. Unknown name "temperature": Cannot find field.'),
    ("vllm", "temperature: Extra inputs are not permitted"),
]
DETAIL = 'Unknown name "detail" at "messages[0].content[0].image_url": Cannot find field.'


@pytest.mark.parametrize(("name", "said"), TEMPERATURE)
def test_a_field_refused_in_words_is_understood(name: Any, said: str) -> None:
    with (
        OpenAIServer(status(400, said), dialect=name) as server,
        pytest.raises(HarnessError, match="--model_args temperature=none"),
    ):
        ask(name, server.url)


def test_so_is_a_part_of_an_image() -> None:
    with (
        OpenAIServer(status(400, DETAIL), dialect="gemini") as server,
        pytest.raises(HarnessError, match="--model_args detail=auto"),
    ):
        ask("gemini", server.url)


@pytest.mark.parametrize(
    "said",
    [
        "Unsupported parameter: 'max_tokens' is not supported with this model. "
        "Use 'max_completion_tokens' instead.",
        "max_tokens: unknown field",
    ],
)
def test_the_other_name_of_the_limit_is_tried_where_words_refuse_the_first(said: str) -> None:
    def modern(request: Any) -> Any:
        return status(400, said) if "max_tokens" in request.body else "red"

    with OpenAIServer(modern, dialect="openrouter") as server:
        assert ask("openrouter", server.url).text == "red"


@pytest.mark.parametrize(
    "said",
    [
        "max_tokens is too large: 9000. This model takes at most 4096 tokens.",
        "At most 8 images may be given",
        "unexpected failure: see the log for detail",
        "the picture of the temperature cannot be read",
    ],
)
def test_other_complaints_about_a_field_are_one_questions_failure(said: str) -> None:
    with OpenAIServer([status(400, said), "red"], dialect="vllm") as server:
        answer = ask("vllm", server.url)
    assert answer.status is Status.MODEL_ERROR and said in answer.error


# Azure.

RESOURCE = "https://mine.openai.azure.com"
DEPLOYMENT = f"{RESOURCE}/openai/deployments/my-gpt-4o"


@pytest.mark.parametrize(
    ("given", "used"),
    [
        (RESOURCE, f"{RESOURCE}/openai/v1"),
        (f"{RESOURCE}/openai/v1/", f"{RESOURCE}/openai/v1"),
        (f"{RESOURCE}/openai/v1/chat/completions", f"{RESOURCE}/openai/v1"),
        (f"{RESOURCE}?api-version=2024-10-21", f"{RESOURCE}/openai?api-version=2024-10-21"),
        (
            f"{DEPLOYMENT}/chat/completions?api-version=2024-10-21",
            f"{DEPLOYMENT}?api-version=2024-10-21",
        ),
    ],
)
def test_azures_address_in_all_its_forms(given: str, used: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert Endpoint("m", given, provider="azure").url == used
    monkeypatch.setenv("AZURE_OPENAI_ENDPOINT", given)
    assert Endpoint("m", provider="azure").url == used


@pytest.mark.parametrize("form", ["/openai", "", "/openai/deployments/my-gpt-4o"])
def test_azures_older_api_has_a_path_for_the_deployment_and_a_header_for_the_key(form: str) -> None:
    with OpenAIServer("red", dialect="azure-deployment", key="key-of-azure") as server:
        host = server.url.partition("/openai")[0]
        url = f"{host}{form}?api-version=2024-10-21"
        assert ask("azure", url, model="my-gpt-4o").text == "red"


def test_the_newer_one_may_be_told_a_version() -> None:
    with OpenAIServer("red", dialect=Dialect("/openai/v1", version=True), key="key-of-azure") as server:
        assert ask("azure", f"{server.url}?api-version=2025-04-01-preview").text == "red"


def test_azure_without_address_says_where_to_give_it() -> None:
    with pytest.raises(UsageError, match=r"--base_url https://RESOURCE.*AZURE_OPENAI_ENDPOINT"):
        Endpoint("m", provider="azure").check()
    with pytest.raises(UsageError, match=r"--judge_base_url must read like https://RESOURCE"):
        Endpoint("m", "mine", provider="azure", role="judge").check()


def test_no_version_is_shown_in_errors() -> None:
    with (
        OpenAIServer(status(404), dialect="azure-deployment") as server,
        pytest.raises(HarnessError, match=f"{server.url} knows no model"),
    ):
        ask("azure", f"{server.url}?api-version=2024-10-21")


def test_an_unknown_provider_is_a_usage_error() -> None:
    with pytest.raises(
        UsageError, match=r"--judge_args provider=nobody is unknown: use one of openai, azure"
    ):
        Endpoint("m", provider="nobody", role="judge")  # type: ignore[arg-type]
