"""Every kind of call of the Python SDKs. Usage: calls.py URL; run starts the server."""
import json
import sys
from importlib.metadata import version

import anthropic
import ollama
import openai

URL = sys.argv[1]
QUESTION = [{"role": "user", "content": "What is the KV cache?"}]
ANSWER = "The KV cache holds the keys and values"
SCHEMA = {"type": "object", "properties": {"n": {"type": "integer", "enum": [3, 4]}}, "required": ["n"],
          "additionalProperties": False}
CITY = {"type": "object", "properties": {"city": {"type": "string", "enum": ["Rome", "Oslo"]}},
        "required": ["city"], "additionalProperties": False}


def check_openai():
    client = openai.OpenAI(base_url=f"{URL}/v1", api_key="none", max_retries=0)
    chat = client.chat.completions.create(model="guide", messages=QUESTION, temperature=0)
    assert chat.choices[0].message.content.startswith(ANSWER) and chat.usage.total_tokens > 20
    yield "chat"

    stream = client.chat.completions.create(model="guide", messages=QUESTION, temperature=0, stream=True,
                                            stream_options={"include_usage": True})
    chunks = list(stream)
    text = "".join(c.choices[0].delta.content or "" for c in chunks if c.choices)
    assert text == chat.choices[0].message.content and chunks[-1].usage.completion_tokens > 20
    yield "chat stream"

    tool = {"type": "function", "function": {"name": "weather", "parameters": CITY}}
    called = client.chat.completions.create(model="guide", messages=QUESTION, tools=[tool], temperature=0,
                                            tool_choice="required", parallel_tool_calls=False)
    call = called.choices[0].message.tool_calls[0].function
    assert call.name == "weather" and json.loads(call.arguments)["city"] in ("Rome", "Oslo")
    yield "tools"

    with client.chat.completions.stream(model="guide", messages=QUESTION, tools=[tool], temperature=0,
                                        tool_choice="required", parallel_tool_calls=False) as events:
        final = events.get_final_completion()
    assert final.choices[0].message.tool_calls[0].function.name == "weather"
    yield "tools stream"

    shaped = client.chat.completions.create(
        model="guide", messages=QUESTION, temperature=0,
        response_format={"type": "json_schema", "json_schema": {"name": "n", "strict": True, "schema": SCHEMA}})
    assert json.loads(shaped.choices[0].message.content)["n"] in (3, 4)
    yield "json_schema"

    scored = client.chat.completions.create(model="guide", messages=QUESTION, max_tokens=3, logprobs=True,
                                            top_logprobs=2)
    assert len(scored.choices[0].logprobs.content[0].top_logprobs) == 2
    yield "logprobs"

    completion = client.completions.create(model="guide", prompt="The KV cache", max_tokens=5, temperature=0)
    assert completion.choices[0].text
    yield "completions"

    response = client.responses.create(model="guide", input="What is the KV cache?", temperature=0)
    assert response.output_text.startswith(ANSWER)
    yield "responses"

    events = list(client.responses.create(model="guide", input="What is the KV cache?", temperature=0, stream=True))
    deltas = "".join(e.delta for e in events if e.type == "response.output_text.delta")
    assert deltas == response.output_text and events[-1].type == "response.completed"
    yield "responses stream"

    vectors = client.embeddings.create(model="embedder", input=["a cat", "a dog"]).data
    assert len(vectors) == 2 and abs(sum(x * x for x in vectors[0].embedding) - 1) < 1e-3
    yield "embeddings"

    assert "guide" in [model.id for model in client.models.list()]
    assert client.models.retrieve("guide").id == "guide"
    yield "models"

    try:
        client.chat.completions.create(model="nope", messages=QUESTION)
        raise AssertionError("an unknown model was answered")
    except openai.NotFoundError:
        yield "errors"


def check_anthropic():
    client = anthropic.Anthropic(base_url=URL, api_key="none", max_retries=0)
    message = client.messages.create(model="guide", max_tokens=100, messages=QUESTION)
    assert message.content[0].text.startswith(ANSWER) and message.stop_reason == "end_turn"
    yield "messages"

    with client.messages.stream(model="guide", max_tokens=100, messages=QUESTION) as stream:
        text = "".join(stream.text_stream)
        assert stream.get_final_message().stop_reason == "end_turn"
    assert text == message.content[0].text
    yield "messages stream"

    called = client.messages.create(
        model="guide", max_tokens=200, messages=QUESTION, tool_choice={"type": "any"},
        tools=[{"name": "weather", "input_schema": CITY}])
    uses = [block for block in called.content if block.type == "tool_use"]
    assert called.stop_reason == "tool_use" and uses[0].input["city"] in ("Rome", "Oslo")
    yield "tools"

    assert client.messages.count_tokens(model="guide", messages=QUESTION).input_tokens > 5
    yield "count_tokens"

    assert "guide" in [model.id for model in client.models.list()]
    yield "models"

    try:
        client.messages.create(model="nope", max_tokens=1, messages=QUESTION)
        raise AssertionError("an unknown model was answered")
    except anthropic.NotFoundError:
        yield "errors"


def check_ollama():
    client = ollama.Client(host=URL)
    options = {"temperature": 0}
    chat = client.chat(model="guide", messages=QUESTION, options=options)
    assert chat.message.content.startswith(ANSWER) and chat.done_reason == "stop"
    yield "chat"

    pieces = client.chat(model="guide", messages=QUESTION, options=options, stream=True)
    assert "".join(piece.message.content for piece in pieces) == chat.message.content
    yield "chat stream"

    shaped = client.chat(model="guide", messages=QUESTION, options=options, format=SCHEMA)
    assert json.loads(shaped.message.content)["n"] in (3, 4)
    yield "format"

    generated = client.generate(model="guide", prompt="What is the KV cache?", options=options)
    assert generated.response.startswith(ANSWER)
    pieces = client.generate(model="guide", prompt="What is the KV cache?", options=options, stream=True)
    assert "".join(piece.response for piece in pieces) == generated.response
    yield "generate"

    assert len(client.embed(model="embedder", input=["a cat", "a dog"]).embeddings) == 2
    yield "embed"

    assert client.show("guide").modelinfo
    yield "show"

    assert "guide" in [model.model.split(":")[0] for model in client.list().models]
    yield "list"

    assert client.ps().models
    yield "ps"

    try:
        client.chat(model="nope", messages=QUESTION)
        raise AssertionError("an unknown model was answered")
    except ollama.ResponseError as error:
        assert error.status_code == 404
        yield "errors"


for name, check in (("openai", check_openai), ("anthropic", check_anthropic), ("ollama", check_ollama)):
    print(f"Python {name} {version(name)}: {', '.join(check())}", flush=True)
