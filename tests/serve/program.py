"""A running `cistern serve` and a small client of it, for tests of the whole program. Standard library only."""
import contextlib
import http.client
import json
import os
import signal
import socket
import subprocess
import tempfile

# Nothing here asserts a time; a test that hangs fails after this long.
PATIENCE_S = 300


class Server:
    """`cistern serve ARGUMENTS --port 0 --json`, in a home of its own."""

    def __init__(self, program, *arguments):
        self.home = tempfile.TemporaryDirectory()
        env = {"HOME": self.home.name, "PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"}
        for name in ("ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS"):
            if name in os.environ:
                env[name] = os.environ[name]
        self.log = tempfile.TemporaryFile(mode="w+")
        self.process = subprocess.Popen([program, "serve", *arguments, "--port", "0", "--json"],
                                        stdout=subprocess.PIPE, stderr=self.log, env=env, text=True)
        line = self.process.stdout.readline()
        if not line:
            self.process.wait(PATIENCE_S)
            raise RuntimeError(f"cistern serve said nothing: {self.stderr()}")
        self.start = json.loads(line)
        self.port = self.start["port"]

    def stderr(self):
        self.log.seek(0)
        return self.log.read()

    def connect(self):
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_S)

    def ask(self, method, path, body=None, headers=None):
        """Status, headers and body (JSON where it is)."""
        with contextlib.closing(self.connect()) as connection:
            data = body if isinstance(body, (bytes, type(None))) else json.dumps(body).encode()
            connection.request(method, path, data, {"Content-Type": "application/json", **(headers or {})})
            response = connection.getresponse()
            text = response.read().decode()
            is_json = response.headers.get("Content-Type", "").startswith("application/json")
            return response.status, response.headers, json.loads(text) if is_json else text

    def post(self, path, body):
        status, _, answer = self.ask("POST", path, body)
        if status != 200:
            raise AssertionError(f"{path}: status {status}, {answer}")
        return answer

    def events(self, path, body):
        """The data of each event of a stream, JSON decoded; "[DONE]" as it is."""
        with contextlib.closing(self.connect()) as connection:
            connection.request("POST", path, json.dumps(body), {"Content-Type": "application/json"})
            response = connection.getresponse()
            if response.status != 200:
                raise AssertionError(f"{path}: status {response.status}, {response.read()}")
            for line in response:
                if line.startswith(b"data: "):
                    text = line[6:].decode().strip()
                    yield text if text == "[DONE]" else json.loads(text)

    def leave_early(self, path, body, bytes_read):
        """Asks for a stream, reads a little and is gone."""
        data = json.dumps(body).encode()
        with socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE_S) as connection:
            head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
            connection.sendall(head.encode() + f"Content-Length: {len(data)}\r\n\r\n".encode() + data)
            while bytes_read > 0:
                piece = connection.recv(bytes_read)
                if not piece:
                    return
                bytes_read -= len(piece)

    def metric(self, name, labels=""):
        _, _, text = self.ask("GET", "/metrics")
        values = [float(line.rsplit(" ", 1)[1]) for line in text.splitlines()
                  if line.split("{")[0].split(" ")[0] == name and labels in line]
        return sum(values)

    def wait_until_idle(self):
        """Until nothing runs or waits. Ends by the limit of the whole test if that never comes."""
        while self.metric("cistern_running") + self.metric("cistern_queued") > 0:
            pass

    def stop(self, number=signal.SIGTERM):
        """The exit status."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.wait()

    def wait(self):
        status = self.process.wait(PATIENCE_S)
        self.process.stdout.close()
        return status

    def close(self):
        self.stop(signal.SIGKILL)
        self.log.close()
        self.home.cleanup()
