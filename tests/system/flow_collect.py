"""Collectors of flow information that run beside a test: ours, nfcapd, and a relay that feeds both."""
import json
import os
import re
import select
import signal
import socket
import struct
import subprocess
import threading
import time

from harness import YAGURA, yagura


# A confined process cannot be looked through for leaks: that takes ptrace.
WITHOUT_LEAKS = {**os.environ, "ASAN_OPTIONS": (os.environ.get("ASAN_OPTIONS", "") + ":detect_leaks=0").strip(":")}


def udp_port():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def messages(path):
    """Those of an IPFIX file, each as it would come in a datagram."""
    with open(path, "rb") as stream:
        whole = stream.read()
    at = 0
    while at < len(whole):
        length = int.from_bytes(whole[at + 2:at + 4], "big")
        assert 16 <= length <= 65507, "a message must fit a datagram"
        yield whole[at:at + length]
        at += length


class Receiver:
    """Something with a port."""

    def send(self, payloads, source="127.0.0.1"):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
            out.bind((source, 0))
            for payload in payloads:
                out.sendto(payload, ("127.0.0.1", self.port))


class Collector(Receiver):
    """`yagura flow run` until finish() or kill()."""

    def __init__(self, archive, *arguments):
        self.archive, self.port = archive, udp_port()
        self.process = subprocess.Popen([YAGURA, "flow", "run", "--listen", f"127.0.0.1:{self.port}", "-w", archive, "--json", *arguments],
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=WITHOUT_LEAKS)
        self.log, self.waiting = [], ""
        self.line_with("flow.listening")

    def line_with(self, word):
        """The next line of its log that holds this. Not by readline(): that keeps lines which select() no longer sees."""
        seen = len(self.log)
        while not any(word in line for line in self.log[seen:]):
            ready, _, _ = select.select([self.process.stderr], [], [], 60)
            assert ready, f"it does not say {word}: {self.log}, {self.sums()}"
            read = os.read(self.process.stderr.fileno(), 65536).decode()
            assert read, self.log
            *lines, self.waiting = (self.waiting + read).split("\n")
            self.log += lines
        return next(line for line in self.log[seen:] if word in line)

    def sums(self, text="any"):
        """(flows, packets, bytes) that can be asked for now."""
        status, out, err = yagura("flow", "query", "-r", self.archive, text, "-A", "proto", "--json")
        assert status == 0, err
        answer = json.loads(out)
        return answer["flows"], answer["packets"], answer["bytes"]

    def wait_for(self, flows, seconds):
        until = time.monotonic() + 10 * seconds  # a busy machine takes its time
        while self.sums()[0] < flows and time.monotonic() < until:
            time.sleep(0.1)
        assert self.sums()[0] == flows, (self.sums(), flows)

    def finish(self, number=signal.SIGTERM):
        """The report that it ends with."""
        self.process.send_signal(number)
        out, err = self.process.communicate(timeout=60)
        assert self.process.returncode == 0, err
        return json.loads(out.splitlines()[-1])

    def kill(self):
        self.process.kill()
        self.process.wait(60)


class Nfcapd(Receiver):
    def __init__(self, directory):
        self.directory, self.port = directory, udp_port()
        os.makedirs(directory, exist_ok=True)
        with open(f"{directory}.log", "w", encoding="utf-8") as log: # not within: nfdump -R takes all files there for its own
            self.process = subprocess.Popen(["nfcapd", "-p", str(self.port), "-b", "127.0.0.1", "-w", directory, "-t", "3600", "-T", "all"],
                                            stdout=log, stderr=log)
        time.sleep(1)
        assert self.process.poll() is None, open(log.name, encoding="utf-8").read()

    def file(self, path):
        """Ends it; all that it collected as one file of nfdump's."""
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(20)
        subprocess.run(["nfdump", "-R", self.directory, "-w", path, "any"], stdout=subprocess.PIPE, check=True)  # at a full hour it has begun another
        return path

    def finish(self):
        """(flows, packets, bytes) that nfdump finds."""
        path = self.file(f"{self.directory}.collected")
        done = subprocess.run(["nfdump", "-r", path, "-N", "-n", "1", "any"], stdout=subprocess.PIPE, text=True, check=True)
        found = re.search(r"total flows: (\d+), total bytes: (\d+), total packets: (\d+)", done.stdout)
        flows, bytes_, packets = map(int, found.groups())
        return flows, packets, bytes_


class Relay(threading.Thread):
    """Every datagram that comes goes to all ports."""

    def __init__(self, *ports):
        super().__init__(daemon=True)
        self.ports, self.count, self.stop = ports, 0, False
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        self.socket.bind(("127.0.0.1", 0))
        self.socket.settimeout(0.1)
        self.port = self.socket.getsockname()[1]
        self.start()

    def run(self):
        while not self.stop:
            try:
                payload = self.socket.recv(65536)
            except socket.timeout:
                continue
            for port in self.ports:
                self.socket.sendto(payload, ("127.0.0.1", port))
            self.count += 1

    def finish(self):
        time.sleep(0.5)
        self.stop = True
        self.join()
        self.socket.close()


# --- datagrams ---------------------------------------------------------------------------------------------------------

FIELDS = [(8, 4), (12, 4), (7, 2), (11, 2), (4, 1), (2, 4), (1, 4)]


def v5(sequence, records, seconds=None):
    """NetFlow v5: `records` flows of 2 packets and 100 bytes."""
    seconds = int(time.time()) if seconds is None else seconds
    record = struct.pack(">4s4s4sHHIIIIHHBBBBHHBBH", b"\n\0\0\1", b"\n\0\0\2", bytes(4), 1, 2, 2, 100, 59000, 59500, 40000, 443, 0,
                         0x1B, 6, 0, 0, 0, 24, 24, 0)
    return struct.pack(">HHIIIIBBH", 5, records, 60000, seconds, 0, sequence, 0, 0, 0) + record * records


def ipfix(sequence, sets, domain=1):
    return struct.pack(">HHIII", 10, 16 + len(sets), int(time.time()), sequence, domain) + sets


def template(number=256):
    body = struct.pack(">HH", number, len(FIELDS)) + b"".join(struct.pack(">HH", *field) for field in FIELDS)
    return struct.pack(">HH", 2, 4 + len(body)) + body


def data(records, number=256):
    """Flows of 3 packets and 300 bytes."""
    record = struct.pack(">4s4sHHBII", b"\n\0\0\1", b"\n\0\0\2", 40000, 23, 6, 3, 300)
    return struct.pack(">HH", number, 4 + records * len(record)) + record * records
