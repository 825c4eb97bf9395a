#!/usr/bin/env python3
"""`cistern serve` as its users meet it. Usage: serve_test.py PROGRAM MODELS_DIR [unittest's arguments]"""
import concurrent.futures
import contextlib
import json
import os
import random
import signal
import sys
import tempfile
import unittest

from program import Server

PROGRAM = sys.argv[1]
MODELS = sys.argv[2]
QUESTION = [{"role": "user", "content": "What is the KV cache?"}]
GREEDY = {"model": "guide", "messages": QUESTION, "temperature": 0, "max_tokens": 24}
LONG = {"model": "guide", "prompt": "One two three", "max_tokens": 900, "ignore_eos": True, "temperature": 0}


def text_of(answer):
    return answer["choices"][0]["message"]["content"]


class OfTheGuide(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Server(PROGRAM, "guide", "--parallel", "8", "--queue", "64")

    @classmethod
    def tearDownClass(cls):
        status = cls.server.stop()
        said = cls.server.stderr()
        cls.server.close()
        assert status == 0, said

    def tearDown(self):
        self.server.wait_until_idle()
        self.assertEqual(self.server.metric("cistern_kv_pages_used"), 0)

    def test_says_where_it_listens_and_what_to_expect(self):
        start = self.server.start
        self.assertEqual(start["model"], "guide")
        self.assertEqual(start["listening"], [f"http://127.0.0.1:{start['port']}"])
        self.assertGreater(start["plan"]["total"], start["plan"]["weights"])
        self.assertGreater(start["forecast"]["decode_tok_s"]["mid"], 0)

    def test_answers_in_every_protocol(self):
        chat = self.server.post("/v1/chat/completions", GREEDY)
        self.assertIn("keys and values", text_of(chat))
        self.assertEqual(chat["choices"][0]["finish_reason"], "length")
        message = self.server.post("/v1/messages", {"model": "guide", "messages": QUESTION, "temperature": 0,
                                                    "max_tokens": 24})
        self.assertEqual(message["content"][0]["text"], text_of(chat))
        ollama = self.server.post("/api/chat", {"model": "guide", "messages": QUESTION, "stream": False,
                                                "options": {"num_predict": 24, "temperature": 0}})
        self.assertEqual(ollama["message"]["content"], text_of(chat))
        response = self.server.post("/v1/responses", {"model": "guide", "input": "What is the KV cache?",
                                                      "temperature": 0, "max_output_tokens": 24})
        self.assertEqual(response["output"][-1]["content"][0]["text"], text_of(chat))

    def test_a_stream_is_the_answer_in_pieces(self):
        whole = text_of(self.server.post("/v1/chat/completions", GREEDY))
        events = list(self.server.events("/v1/chat/completions", {**GREEDY, "stream": True}))
        self.assertEqual(events[-1], "[DONE]")
        pieces = [c["delta"].get("content") or "" for e in events[:-1] for c in e["choices"]]
        self.assertGreater(len(pieces), 10)
        self.assertEqual("".join(pieces), whole)

    def test_completions_continue_text_and_echo_it(self):
        body = {"model": "guide", "prompt": "The KV cache", "max_tokens": 8, "temperature": 0}
        plain = self.server.post("/v1/completions", body)["choices"][0]["text"]
        echoed = self.server.post("/v1/completions", {**body, "echo": True})["choices"][0]["text"]
        self.assertEqual(echoed, "The KV cache" + plain)

    def test_several_choices_have_seeds_of_their_own(self):
        body = {**GREEDY, "n": 3, "temperature": 1.5, "seed": 7, "max_tokens": 12}
        three = [c["message"]["content"] for c in self.server.post("/v1/chat/completions", body)["choices"]]
        second = self.server.post("/v1/chat/completions", {**body, "n": 1, "seed": 8})
        self.assertEqual(len(three), 3)
        self.assertEqual(three[1], text_of(second))

    def test_stops_and_logprobs(self):
        body = {**GREEDY, "stop": ["values"], "logprobs": True, "top_logprobs": 2}
        choice = self.server.post("/v1/chat/completions", body)["choices"][0]
        self.assertEqual(choice["finish_reason"], "stop")
        self.assertNotIn("values", choice["message"]["content"])
        first = choice["logprobs"]["content"][0]
        self.assertEqual(len(first["top_logprobs"]), 2)
        self.assertLessEqual(first["logprob"], 0)

    def test_an_answer_has_the_form_of_a_schema(self):
        schema = {"type": "object", "properties": {"n": {"type": "integer", "minimum": 3, "maximum": 4}},
                  "required": ["n"], "additionalProperties": False}
        body = {**GREEDY, "response_format": {"type": "json_schema",
                                              "json_schema": {"name": "s", "strict": True, "schema": schema}}}
        self.assertIn(json.loads(text_of(self.server.post("/v1/chat/completions", body)))["n"], (3, 4))
        body["response_format"]["json_schema"]["schema"] = {"type": "object", "unheardOf": 1}
        status, _, answer = self.server.ask("POST", "/v1/chat/completions", body)
        self.assertEqual(status, 400)
        self.assertIn("unheardOf", json.dumps(answer))

    def test_a_tool_that_has_to_be_called_is_called(self):
        tool = {"type": "function",
                "function": {"name": "weather",
                             "parameters": {"type": "object", "properties": {"c": {"enum": ["Rome", "Oslo"]}},
                                            "required": ["c"], "additionalProperties": False}}}
        body = {**GREEDY, "tools": [tool], "tool_choice": "required", "max_tokens": 60,
                "parallel_tool_calls": False}
        choice = self.server.post("/v1/chat/completions", body)["choices"][0]
        self.assertEqual(choice["finish_reason"], "tool_calls")
        call = choice["message"]["tool_calls"][0]["function"]
        self.assertEqual(call["name"], "weather")
        self.assertIn(json.loads(call["arguments"])["c"], ("Rome", "Oslo"))

    def test_counts_tokens_as_it_reads_them(self):
        counted = self.server.post("/v1/messages/count_tokens", {"model": "guide", "messages": QUESTION})
        usage = self.server.post("/v1/chat/completions", GREEDY)["usage"]
        self.assertEqual(counted["input_tokens"], usage["prompt_tokens"])

    def test_wrong_requests_are_told_so(self):
        for status, method, path, body in (
                (404, "POST", "/v1/chat/completions", {**GREEDY, "model": "nope"}),
                (404, "POST", "/v1/chat/completions", {**GREEDY, "model": "/etc/passwd"}),
                (400, "POST", "/v1/chat/completions", {**GREEDY, "temperature": "hot"}),
                (400, "POST", "/v1/chat/completions", {**GREEDY, "logit_bias": {"99999999": 1}}),
                (400, "POST", "/v1/chat/completions", b"{"),
                (400, "POST", "/v1/completions", {"model": "guide", "prompt": "word " * 3000}),
                (400, "POST", "/v1/embeddings", {"model": "guide", "input": "x"}),
                (404, "GET", "/nothing", None),
                (405, "GET", "/v1/chat/completions", None)):
            got, _, answer = self.server.ask(method, path, body)
            self.assertEqual(got, status, (path, body if not isinstance(body, dict) else list(body), answer))
            self.assertIn("error", answer)

    def test_lists_models_and_serves_the_page_and_its_description(self):
        self.assertEqual(self.server.ask("GET", "/v1/models")[2]["data"][0]["id"], "guide")
        self.assertEqual(self.server.ask("GET", "/api/tags")[2]["models"][0]["model"].split(":")[0], "guide")
        self.assertEqual(self.server.ask("GET", "/openapi.json")[2]["openapi"][0], "3")
        self.assertIn("<html", self.server.ask("GET", "/")[2])
        self.assertEqual(self.server.ask("GET", "/health")[2], {"status": "ok"})
        model = self.server.ask("GET", "/api/cistern/status")[2]["models"][0]
        self.assertEqual(model["plan"]["verdict"], "fits")

    def test_a_client_that_leaves_frees_its_place(self):
        before = self.server.metric("cistern_generations_total", 'finish="cancelled"')
        self.server.leave_early("/v1/completions", {**LONG, "stream": True}, 600)
        self.server.wait_until_idle()
        after = self.server.metric("cistern_generations_total", 'finish="cancelled"')
        self.assertEqual(after, before + 1)

    def test_a_greedy_answer_is_the_same_alone_and_among_32_others(self):
        alone = text_of(self.server.post("/v1/chat/completions", GREEDY))
        words = ["cache", "model", "disk", "token", "thread", "memory", "batch", "page"]
        others = [{**GREEDY, "messages": [{"role": "user", "content": f"What is a {words[i % 8]} {i}?"}],
                   "temperature": 0.9, "seed": i} for i in range(32)]
        with concurrent.futures.ThreadPoolExecutor(33) as pool:
            for other in others:
                pool.submit(self.server.post, "/v1/chat/completions", other)
            among = text_of(pool.submit(self.server.post, "/v1/chat/completions", GREEDY).result())
        self.assertEqual(among, alone)

    def test_a_common_beginning_is_read_once(self):
        beginning = " ".join(f"fact {i} is {i * i}." for i in range(60))
        read = self.server.metric("cistern_engine_prompt_tokens_total")
        reused = self.server.metric("cistern_engine_reused_tokens_total")
        bodies = [{"model": "guide", "prompt": f"{beginning} Question {i}", "max_tokens": 2} for i in range(16)]
        with concurrent.futures.ThreadPoolExecutor(16) as pool:
            answers = list(pool.map(lambda body: self.server.post("/v1/completions", body), bodies))
        asked = sum(a["usage"]["prompt_tokens"] for a in answers)
        read = self.server.metric("cistern_engine_prompt_tokens_total") - read
        reused = self.server.metric("cistern_engine_reused_tokens_total") - reused
        self.assertGreater(reused, asked * 0.8, (read, asked))

    def test_a_soak_with_clients_that_leave_ends_with_nothing_held(self):
        rng = random.Random(1)
        plans = [(rng.choice(["stream", "leave", "whole"]), rng.randrange(1, 3000), i) for i in range(120)]

        def client(plan):
            kind, count, i = plan
            body = {**LONG, "prompt": f"{i} " * (i % 40 + 1), "max_tokens": 40 + count % 60, "stream": kind != "whole"}
            if kind == "leave":
                self.server.leave_early("/v1/completions", body, count)
            elif kind == "stream":
                list(self.server.events("/v1/completions", body))
            else:
                self.server.post("/v1/completions", body)

        with concurrent.futures.ThreadPoolExecutor(12) as pool:
            list(pool.map(client, plans))
        self.server.wait_until_idle()
        self.assertEqual(self.server.metric("cistern_kv_pages_used"), 0)
        self.assertEqual(self.server.metric("cistern_waiting_for_model"), 0)
        self.assertEqual(self.server.ask("GET", "/health")[2], {"status": "ok"})


@contextlib.contextmanager
def serving(*arguments):
    server = Server(PROGRAM, *arguments)
    try:
        yield server
    finally:
        server.close()


class OfTheCommand(unittest.TestCase):
    def test_a_full_queue_answers_429_and_when_to_come_again(self):
        with serving("guide", "--parallel", "1", "--queue", "0") as server:
            stream = server.events("/v1/completions", {**LONG, "stream": True})
            next(stream)
            status, headers, answer = server.ask("POST", "/v1/chat/completions", GREEDY)
            self.assertEqual(status, 429, answer)
            self.assertGreaterEqual(int(headers["Retry-After"]), 1)
            stream.close()

    def test_sigterm_lets_a_stream_finish_and_ends_with_0(self):
        with serving("guide") as server:
            stream = server.events("/v1/completions", {**LONG, "max_tokens": 300, "stream": True})
            next(stream)
            server.process.send_signal(signal.SIGTERM)
            self.assertEqual(list(stream)[-1], "[DONE]")
            self.assertEqual(server.wait(), 0)

    def test_ctrl_c_ends_with_0(self):
        with serving("guide") as server:
            self.assertEqual(server.stop(signal.SIGINT), 0)

    def test_a_key_is_asked_for_except_by_health(self):
        with serving("guide", "--api-key", "secret") as server:
            self.assertEqual(server.ask("GET", "/health")[0], 200)
            self.assertEqual(server.ask("GET", "/v1/models")[0], 401)
            self.assertEqual(server.ask("GET", "/metrics")[0], 401)
            key = {"Authorization": "Bearer secret"}
            self.assertEqual(server.ask("GET", "/v1/models", headers=key)[0], 200)

    def test_models_of_a_folder_are_loaded_on_demand_and_embed(self):
        with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
            os.symlink(os.path.join(os.path.abspath(MODELS), "bert-mean", "model.gguf"), os.path.join(folder, "embedder.gguf"))
            server = stack.enter_context(serving("--models", folder))
            self.assertIn("guide", server.start["models"])
            self.assertEqual(server.metric("cistern_model_loads_total"), 0)
            self.assertIn("keys and values", text_of(server.post("/v1/chat/completions", GREEDY)))
            vectors = server.post("/v1/embeddings", {"model": "embedder", "input": ["a cat", "a dog"]})["data"]
            self.assertEqual(len(vectors), 2)
            self.assertAlmostEqual(sum(x * x for x in vectors[0]["embedding"]), 1, places=4)
            self.assertEqual(server.metric("cistern_model_loads_total"), 2)

    def test_prompts_are_not_in_the_log(self):
        with serving("guide", "--log", "json") as server:
            server.post("/v1/chat/completions", GREEDY)
            self.assertEqual(server.stop(), 0)
            lines = [json.loads(line) for line in server.stderr().splitlines()]
            self.assertEqual({line["event"] for line in lines}, {"model", "answer", "request"})
            self.assertNotIn("KV", server.stderr())


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *sys.argv[3:]])
