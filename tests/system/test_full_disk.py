#!/usr/bin/env python3
"""A disk that fills up while a hub writes to it: a tmpfs in a mount namespace of this test's own. Intake stops with an
alarm, questions are answered, nothing that was acknowledged is lost, the database opens (also after kill -9 in the midst
of it), and intake goes on by itself when there is room."""
import ctypes
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

import harness
from hub_client import SMALL_HUB, Hub

CLONE_NEWNS, MS_PRIVATE, MS_REC = 0x00020000, 1 << 18, 1 << 14
SENDER = os.path.join(os.path.dirname(SMALL_HUB), "small_sender")
DISK_BYTES = 96 << 20
ROWS = 10    # of a batch
COUNT = 70   # batches that the sensor elsewhere puts


def namespace_enter():
    libc = ctypes.CDLL(None, use_errno=True)
    return (os.geteuid() == 0 and libc.unshare(CLONE_NEWNS) == 0
            and libc.mount(None, b"/", None, MS_REC | MS_PRIVATE, None) == 0)


class Disk:
    """Mounted where the hub keeps its data; its logs and the sender's spool lie beside it."""
    def __init__(self):
        self.directory = tempfile.mkdtemp(prefix="yagura-full-")
        self.data = os.path.join(self.directory, "data")
        os.mkdir(self.data)
        libc = ctypes.CDLL(None, use_errno=True)
        options = f"size={DISK_BYTES}".encode()
        if libc.mount(b"tmpfs", self.data.encode(), b"tmpfs", 0, options) != 0:
            print(f"skipped: no tmpfs can be mounted here ({os.strerror(ctypes.get_errno())})")
            sys.exit(77)
        self.ballast = os.path.join(self.data, "ballast")

    def free(self):
        return (lambda s: s.f_bavail * s.f_frsize)(os.statvfs(self.data))

    def fill(self, left):
        """All but so many bytes."""
        with open(self.ballast, "ab", buffering=0) as file:
            while (much := min(self.free() - left, 1 << 20)) > 0:
                try:
                    file.write(bytes(much))
                except OSError:
                    break

    def empty(self):
        os.unlink(self.ballast)

    def done(self):
        subprocess.run(["umount", self.data], check=True)
        shutil.rmtree(self.directory)


class Sender:
    """A sensor elsewhere, ten batches a second."""
    def __init__(self, disk, hub, first, count):
        token = hub.local("POST", "/api/v1/tokens", {"name": "far", "role": "sensor"}).json()["token"]
        self.out = open(os.path.join(disk.directory, "sender.out"), "w")
        self.process = subprocess.Popen([SENDER, f"http://127.0.0.1:{hub.port}", token, os.path.join(disk.directory, "spool"),
                                         "abc", str(first), str(count), "60000", "100"], stdout=self.out, stderr=self.out)

    def acknowledged(self):
        with open(self.out.name) as file:
            numbers = [line for line in file.read().split("\n")[:-1] if line.isdigit()]
        return int(numbers[-1]) if numbers else 0

    def end(self):
        assert self.process.wait(90) == 0, open(self.out.name).read()[-2000:]


def stored(hub, port):
    rows = hub.query(kind="tuple", keys=["payload"], aggregates=[{"op": "count"}], limit=100000, **{"from": "-1h"},
                     filters=[{"field": "port", "op": "=", "value": port}])["rows"]
    assert all(count == ROWS for _, count in rows), "a batch is there in part or twice"
    return {int(str(payload), 0) for payload, _ in rows}


def gapless(own):
    starts = {}
    for name in own:
        starts.setdefault(name >> 32, set()).add(name & 0xffffffff)
    return all(numbers == set(range(1, len(numbers) + 1)) for numbers in starts.values())


def stops(hub):
    hub.wait(lambda: hub.status()["store"]["state"] == "stopped", 20)
    store = hub.status()["store"]
    assert re.search("are free|No space left", store["reason"]), store
    hub.wait(lambda: re.search(r'"level":"error".*"event":"intake.stopped"', hub.text(hub.log)), 10)
    status, out, _ = harness.yagura("status", "--data", os.path.join(hub.data, "data"))
    assert status == 0 and "stopped" in out and store["reason"][:20] in out, out
    token = hub.local("POST", "/api/v1/tokens", {"name": f"reader-{time.monotonic_ns()}", "role": "viewer"})
    if token.status == 201:  # nothing can be written down on a disk without a byte left
        headers = {"Authorization": "Bearer " + token.json()["token"]}
        assert "yagura_store_stopped 1\n" in hub.get("/metrics", headers=headers).body.decode()


def resumes(hub):
    hub.wait(lambda: hub.status()["store"]["state"] == "ok", 20)
    hub.wait(lambda: "intake.resumed" in hub.text(hub.log), 10)
    assert hub.status()["store"]["reason"] is None
    found = hub.wait(lambda: hub.query(kind="finding", keys=["subject", "type"], **{"from": "-1h"},
                                       filters=[{"field": "type", "op": "=", "value": "intake"}])["rows"], 10)
    assert [row[:2] for row in found] == [["store", "intake"]], found


def refuses_to_start(disk, options):
    """Where not even the registry can be opened it says so and ends; nothing is harmed by that."""
    hub = Hub(*options, data=disk.directory, group=True)
    assert hub.process.wait(30) == 1
    assert "registry.sqlite: database or disk is full" in hub.text(hub.log), hub.text(hub.log)


def runs_full(left, floor, killed):
    disk = Disk()
    options = "--batches", "10", "--free-floor", floor
    hub = Hub(*options, data=disk.directory, group=True).ready()
    try:
        sender = Sender(disk, hub, 1, COUNT)
        hub.wait(lambda: len(stored(hub, 23)) > 10 and sender.acknowledged() > 10)
        disk.fill(left)
        stops(hub)
        own, acknowledged = stored(hub, 23), sender.acknowledged()
        time.sleep(2)
        assert sender.acknowledged() <= acknowledged + 2, "what is not stored is not acknowledged"
        assert stored(hub, 23) >= own
        if killed:
            own, acknowledged, port = stored(hub, 23), sender.acknowledged(), hub.port
            hub.kill()
            if left == 0:
                refuses_to_start(disk, options)
                disk.empty()
            hub = Hub(*options, "--listen", f"127.0.0.1:{port}", data=disk.directory, group=True).ready()
            assert stored(hub, 23) >= own and stored(hub, 53) >= set(range(1, acknowledged + 1))
        if os.path.exists(disk.ballast):
            stops(hub)
            disk.empty()
            resumes(hub)
        sender.end()
        assert stored(hub, 53) == set(range(1, COUNT + 1))
        hub.wait(lambda: len(stored(hub, 23)) > len(own) + 20)
        assert gapless(stored(hub, 23)), "the ring kept what the hub's own sensor gave meanwhile"
        before = stored(hub, 23)
        hub.close()
        hub = Hub(*options, data=disk.directory, group=True).ready()
        assert stored(hub, 23) >= before and stored(hub, 53) == set(range(1, COUNT + 1))
        hub.close()
    finally:
        if sender.process.poll() is None:
            sender.process.kill()
            sender.process.wait()
        if hub.process.poll() is None:
            hub.kill()
        disk.done()


def below_the_floor():
    runs_full(8 << 20, "32MiB", killed=False)


def killed_below_the_floor():
    runs_full(8 << 20, "32MiB", killed=True)


def without_a_byte_left():
    runs_full(0, "0", killed=False)


def killed_without_a_byte_left():
    runs_full(0, "0", killed=True)


if not namespace_enter():
    print("skipped: a small disk needs root and a mount namespace of its own")
    sys.exit(77)
harness.main([below_the_floor, killed_below_the_floor, without_a_byte_left,
              killed_without_a_byte_left])
