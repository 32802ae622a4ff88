#!/usr/bin/env python3
"""telescope run on a veth pair, in a network namespace that lives as long as this test: rates, the report at the end,
batches to a hub, an interface that goes away."""
import json
import os
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time

import harness
import namespace
from harness import YAGURA
from hub_client import Hub
from namespace import pair_delete, pair_make

HUB = None
DIRECTORY = tempfile.mkdtemp(prefix="yagura-run-")


def syns(count, first=0, header_words=5, darknet="198.18.0.9"):
    """SYNs for port 23 of an address, each from a source of its own; one in ten goes elsewhere."""
    sender = namespace.Sender()
    for i in range(first, first + count):
        source = socket.inet_ntoa(struct.pack("!I", 0x08080000 + i))
        target = darknet if i % 10 else "192.0.2.1"
        sender.send(namespace.ipv4(source, target, 6, namespace.tcp(40000, 23, i, words=header_words), number=i))
    sender.close()


class Run:
    """A running `telescope run`; its lines of standard output as they come."""
    def __init__(self, *options, name="run", darknet="198.18.0.0/15"):
        self.out = open(os.path.join(DIRECTORY, name + ".out"), "w+")
        self.err = open(os.path.join(DIRECTORY, name + ".err"), "w+")
        self.process = subprocess.Popen([YAGURA, "telescope", "run", "--interface", "ygb", "--darknet", darknet, "--every", "100ms", *options], stdout=self.out, stderr=self.err,
                                        stdin=subprocess.DEVNULL, env=self.environment("--to" in options))

    @staticmethod
    def environment(leaks):
        """Without --to the process itself is confined: then the leak sanitizer cannot look into it."""
        sanitizer = os.environ.get("ASAN_OPTIONS", "") + ("" if leaks else ":detect_leaks=0")
        return {**os.environ, "LC_ALL": "C.UTF-8", "ASAN_OPTIONS": sanitizer.strip(":")}

    def text(self, file):
        with open(file.name) as again:
            return again.read()

    def lines(self):
        return [line for line in self.text(self.out).split("\n")[:-1]]

    def wait(self, what, seconds=60):
        until = time.monotonic() + seconds
        while not what():
            assert time.monotonic() < until, self.text(self.err) + self.text(self.out)
            assert self.process.poll() is None, self.text(self.err)
            time.sleep(0.05)

    def end(self, number=None):
        if number:
            self.process.send_signal(number)
        status = self.process.wait(60)
        assert "Sanitizer" not in self.text(self.err), self.text(self.err)
        return status, self.text(self.out), self.text(self.err)


def packets_of(run):
    return max([json.loads(line)["packets"] for line in run.lines()] or [0])


def rates_and_a_report():
    for number in (signal.SIGINT, signal.SIGTERM):
        run = Run("--json")
        run.wait(run.lines)
        syns(1000)
        run.wait(lambda: packets_of(run) == 1000)
        status, out, err = run.end(number)
        assert status == 0 and not err, (status, err)
        lines = [json.loads(line) for line in out.splitlines()]
        assert all(line["packets_per_second"] >= 0 and "time" in line for line in lines[:-1])
        assert max(line["packets_per_second"] for line in lines[:-1]) > 0
        report = lines[-1]
        assert report["packets"] == 1000 and report["outside"] == 100 and report["lost"] == 0, report
        assert report["kinds"]["scan"] == 900 and report["sources"] == 900
        assert report["ports"] == [{"protocol": "tcp", "port": 23, "packets": 900, "sources": 900}]
        assert report["countries"][0] == {"country": "US", "packets": 900, "sources": 900}, report["countries"]


def plain_text():
    run = Run()
    run.wait(run.lines)
    syns(10)
    run.wait(lambda: " 10 packets, 0 lost" in run.text(run.out))
    status, out, _ = run.end(signal.SIGINT)
    assert status == 0 and "9 sources" in out and "tcp/23" in out and out.endswith("0 lost\n"), out


def an_interface_that_goes_away():
    for away in (["ip", "link", "set", "ygb", "down"], ["ip", "link", "del", "yga"]):
        run = Run("--json")
        run.wait(run.lines)
        syns(100)
        run.wait(lambda: packets_of(run) == 100)
        subprocess.run(away, check=True)
        status, out, err = run.end()
        assert status == 1 and "ygb" in err and "went away" in err, (status, err)
        assert json.loads(out.splitlines()[-1])["kinds"]["scan"] == 90
        pair_delete()
        pair_make()


def mistakes_are_named():
    run = "telescope", "run", "--darknet", "198.18.0.0/15"
    for options, wanted, part in [
        ((), 2, "--interface IF is needed"),
        (("--interface", "nowhere0"), 1, "nowhere0"),
        (("--interface", "ygb", "--to", "http://127.0.0.1:1"), 2, "belong together"),
        (("--interface", "ygb", "--to", "http://127.0.0.1:1", "--token-file", "/nonexistent"), 1, "/nonexistent"),
    ]:
        status, _, err = harness.yagura(*run, *options)
        assert status == wanted and part in err, (options, status, err)
    spool = os.path.join(DIRECTORY, "unused")
    token = os.path.join(DIRECTORY, "token")
    for url, part in (("http://192.0.2.1", "https://"), ("ftp://127.0.0.1", "https://")):
        status, _, err = harness.yagura(*run, "--interface", "ygb", "--to", url, "--token-file", token, "--spool", spool)
        assert status == 1 and part in err, (url, status, err)
    status, _, err = harness.yagura(*run, "--interface", "nowhere0", "--to", "http://127.0.0.1:1", "--token-file", token,
                                    "--spool", spool)
    assert status == 1 and "nowhere0" in err, (status, err)


def stored(name="far"):
    return HUB.query(kind="tuple", filters=[{"field": "sensor", "op": "=", "value": sensor(name)["id"]}], **{"from": "-1h"},
                     aggregates=[{"op": "sum", "field": "packets"}])["rows"][0][0] or 0


def sensor(name="far"):
    return next(s for s in HUB.status()["sensors"] if s["name"] == name)


def far(*options, url=None, name="far", **more):
    return Run("--json", "--to", url or f"http://127.0.0.1:{HUB.port}", "--token-file",
               os.path.join(DIRECTORY, "token" + name.removeprefix("far")), "--spool",
               os.path.join(DIRECTORY, "spool" + name.removeprefix("far")), *options, name=name, **more)


def token_write(hub, name="far"):
    with open(os.path.join(DIRECTORY, "token" + name.removeprefix("far")), "w") as file:
        file.write(hub.local("POST", "/api/v1/tokens", {"name": name, "role": "sensor"}).json()["token"] + "\n")


def batches_to_a_hub():
    run = far()
    run.wait(run.lines)
    syns(997)
    syns(3, first=997, header_words=3)
    run.wait(lambda: packets_of(run) == 1000)
    status, out, err = run.end(signal.SIGINT)
    assert status == 0, err
    report = json.loads(out.splitlines()[-1])
    assert report["packets"] == 1000 and report["outside"] == 100 and report["lost"] == 0, report
    assert report["batches"]["waiting"] == 0 and report["batches"]["acknowledged"] == report["batches"]["made"] > 0
    assert stored() == 900
    assert sensor()["remote"] and sensor()["packets"] == 1000 and sensor()["outside"] == 100, sensor()
    assert sensor()["malformed"] == {"tcp_header_length": 3}, sensor()


def a_hub_that_is_away_misses_nothing():
    before = stored()
    run = far(url="http://127.0.0.1:9")
    run.wait(run.lines)
    syns(500)
    run.wait(lambda: packets_of(run) == 500)
    subprocess.run(["ip", "link", "set", "ygb", "down"], check=True)
    status, out, err = run.end()
    report = json.loads(out.splitlines()[-1])
    assert status == 1 and "went away" in err, err
    assert report["packets"] == 500 and report["batches"]["waiting"] > 0 and not report["batches"]["reachable"], report
    subprocess.run(["ip", "link", "set", "ygb", "up"], check=True)
    run = far()
    run.wait(lambda: stored() == before + 450)
    assert run.end(signal.SIGTERM)[0] == 0
    assert not [name for name in os.listdir(os.path.join(DIRECTORY, "spool")) if name.endswith(".batch")]


def a_hub_that_restarts_misses_nothing():
    """The hub goes away while the sensor observes, and comes back when the sensor has already been told to end."""
    global HUB
    data = tempfile.mkdtemp(prefix="yagura-test-")
    far_hub, kept = Hub(data=data).ready(), HUB
    try:
        token_write(far_hub)
        port = far_hub.port
        run = far(url=f"http://127.0.0.1:{port}")
        run.wait(run.lines)
        syns(300)
        run.wait(lambda: packets_of(run) == 300)
        far_hub.close()
        syns(300, first=300)
        run.wait(lambda: packets_of(run) == 600)
        run.process.send_signal(signal.SIGINT)
        run.wait(lambda: not all(json.loads(line)["batches"]["reachable"] for line in run.lines()) or
                 os.listdir(os.path.join(DIRECTORY, "spool")))
        far_hub = Hub("--listen", f"127.0.0.1:{port}", data=data).ready()
        status, out, err = run.end()
        report = json.loads(out.splitlines()[-1])
        assert status == 0, err
        assert report["packets"] == 600 and report["lost"] == report["lost_batches"] == 0, report
        assert report["batches"]["waiting"] == 0, (report, err)
        HUB = far_hub
        assert stored() == 540 and sensor()["packets"] == 600, sensor()
        far_hub.close()
        HUB = far_hub = Hub(data=data).ready()
        assert sensor()["remote"] and sensor()["last_packet"] and stored() == 540, "it is not forgotten in silence"
    finally:
        HUB = kept
        far_hub.close()
        shutil.rmtree(data)


def two_sensors_feed_one_hub():
    """Each counts its own darknet, both see everything; many sources send to both."""
    darknets = {"far-east": ("203.0.113.0/24", "203.0.113.7", 700), "far-west": ("198.51.100.0/24", "198.51.100.7", 450)}
    runs = {}
    for name, (darknet, _, _) in darknets.items():
        token_write(HUB, name)
        runs[name] = far(name=name, darknet=darknet)
    for run in runs.values():
        run.wait(run.lines)
    senders = [threading.Thread(target=syns, args=(count,), kwargs={"darknet": address})
               for _, address, count in darknets.values()]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join()
    for name, run in runs.items():
        run.wait(lambda: packets_of(run) == 1150)
        run.process.send_signal(signal.SIGINT)
    for name, run in runs.items():
        status, out, err = run.end()
        report = json.loads(out.splitlines()[-1])
        count = darknets[name][2]
        assert status == 0 and report["batches"]["waiting"] == 0, (report, err)
        assert report["packets"] == 1150 and report["outside"] == 1150 - count * 9 // 10, report
        assert sensor(name)["packets"] == 1150 and sensor(name)["outside"] == report["outside"], sensor(name)
        assert sensor(name)["remote"] and sensor(name)["bytes"] == report["bytes"] > 0, sensor(name)
        assert stored(name) == count * 9 // 10
    ids = [sensor(name)["id"] for name in runs]
    assert len(set(ids)) == 2
    figures = {"kind": "tuple", "from": "-1h", "filters": [{"field": "sensor", "op": "in", "value": ids}],
               "aggregates": [{"op": "sum", "field": "packets"}, {"op": "distinct", "field": "source"}]}
    assert HUB.query(**figures)["rows"] == [[630 + 405, 630]], HUB.query(**figures)["rows"]
    rows = HUB.query(**figures, keys=["sensor"])["rows"]
    assert sorted(row[1:] for row in rows) == [[405, 405], [630, 630]], rows


if not namespace.enter():
    print("skipped: telescope run needs root and a network namespace of its own")
    sys.exit(77)
try:
    pair_make()
    with Hub() as HUB:
        token_write(HUB)
        harness.main([rates_and_a_report, plain_text, an_interface_that_goes_away, mistakes_are_named, batches_to_a_hub,
                      a_hub_that_is_away_misses_nothing, a_hub_that_restarts_misses_nothing, two_sensors_feed_one_hub])
finally:
    pair_delete()
    shutil.rmtree(DIRECTORY)
