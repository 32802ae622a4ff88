"""A hub with a tiny sensor (small_hub), started as a user starts one, and a plain HTTP client for it."""
import fcntl
import http.client
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time

from harness import ROOT, YAGURA

SMALL_HUB = os.path.join(os.path.dirname(YAGURA), "..", "..", "tests", "system", "small_hub")


class Answer:
    def __init__(self, response):
        self.status, self.headers, self.body = response.status, response.headers, response.read()

    def json(self):
        return json.loads(self.body)


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost", timeout=60)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(60)
        self.sock.connect(self.path)


class Hub:
    """`group` starts it as leader of a process group of its own, which kill() ends at once."""
    def __init__(self, *options, data=None, program=(SMALL_HUB,), group=False):
        self.data = data or tempfile.mkdtemp(prefix="yagura-test-")
        self.made = data is None
        self.out = open(os.path.join(self.data, "out.txt"), "w+b")
        self.log = open(os.path.join(self.data, "log.txt"), "w+b")
        command = [*program, "--data", os.path.join(self.data, "data"), "--listen", "127.0.0.1:0", "--deps",
                   os.path.join(ROOT, "deps"), "--free-floor", "64MiB", "--store-memory", "256MiB", *options]
        self.group = group
        self.process = subprocess.Popen(command, stdout=self.out, stderr=self.log, stdin=subprocess.DEVNULL,
                                        start_new_session=group)
        self.port = None

    def text(self, file):
        file.flush()
        with open(file.name, errors="replace") as again:
            return again.read()

    def wait(self, what, seconds=60):
        """The first true answer of a function, tried until it comes. What is to be quick is measured by who wants it so: a busy
        machine gets four times as long."""
        until = time.monotonic() + 4 * seconds
        while time.monotonic() < until:
            try:
                answer = what()
                if answer:
                    return answer
            except (OSError, http.client.HTTPException, ValueError, KeyError):
                pass
            assert self.process.poll() is None, "the hub ended: " + self.text(self.log)[-2000:]
            time.sleep(0.05)
        raise AssertionError(f"waited {seconds} s in vain: " + self.text(self.log)[-3000:])

    def ready(self):
        found = self.wait(lambda: re.search(r"Yagura is at http://127\.0\.0\.1:(\d+)", self.text(self.out)))
        self.port = int(found.group(1))
        self.wait(lambda: self.get("/api/v1/session").status == 200)
        return self

    def link_token(self):
        return self.wait(lambda: re.search(r"token=([\w-]+)", self.text(self.out))).group(1)

    def connection(self):
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)

    def request(self, method, path, body=None, headers=None, local=False):
        connection = UnixConnection(os.path.join(self.data, "data", "hub.sock")) if local else self.connection()
        if body is not None and not isinstance(body, (bytes, bytearray)):
            body = json.dumps(body)
        connection.request(method, path, body, headers or {})
        answer = Answer(connection.getresponse())
        connection.close()
        return answer

    def get(self, path, **options):
        return self.request("GET", path, **options)

    def local(self, method, path, body=None):
        return self.request(method, path, body, local=True)

    def status(self):
        return self.local("GET", "/api/v1/status").json()

    def process_of(self, name):
        return next(p for p in self.status()["processes"] if p["name"] == name)

    def query(self, **query):
        answer = self.local("POST", "/api/v1/query", query)
        assert answer.status == 200, answer.body
        return answer.json()

    def kill(self, whole=True):
        """SIGKILL for every process of it, or for the first of them, which the others follow but for the courier; back when
        none of them holds the data any more."""
        assert self.group
        (os.killpg if whole else os.kill)(self.process.pid, signal.SIGKILL)
        self.process.wait(60)
        until = time.monotonic() + 10
        for name in ("hub.lock", "lock"):
            while os.path.exists(os.path.join(self.data, "data", name)):
                with open(os.path.join(self.data, "data", name)) as lock:
                    try:
                        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                        break
                    except BlockingIOError:
                        assert time.monotonic() < until, f"{name} is held by a process that should be dead"
                        time.sleep(0.002)
        log = self.text(self.log)
        self.out.close()
        self.log.close()
        assert "Sanitizer" not in log, log[-6000:]

    def close(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(60)
        log = self.text(self.log)
        self.out.close()
        self.log.close()
        if self.made:
            shutil.rmtree(self.data)
        assert status == 0, f"the hub ended with {status}: {log[-3000:]}"
        assert "Sanitizer" not in log, log[-6000:]

    def __enter__(self):
        return self.ready()

    def __exit__(self, kind, value, trace):
        if kind and kind is not SystemExit:
            print(self.text(self.log)[-3000:])
            self.process.kill()
            self.process.wait()
            return
        self.close()
