#!/usr/bin/env python3
"""Sensors elsewhere: what a hub did not acknowledge waits in the spool, is sent again, and is stored once."""
import os
import shutil
import struct
import subprocess
import tempfile

import harness
from hub_client import SMALL_HUB, Hub

SENDER = os.path.join(os.path.dirname(SMALL_HUB), "small_sender")
SPOOL = tempfile.mkdtemp(prefix="yagura-spool-")
HUB = None
TOKEN = None


def send(url, token, first, count, wait_ms=30000, boot="abc123"):
    done = subprocess.run([SENDER, url, token, SPOOL, boot, str(first), str(count), str(wait_ms)],
                          capture_output=True, text=True, timeout=120)
    assert "Sanitizer" not in done.stderr, done.stderr
    return done.returncode, done.stderr


def stored():
    answer = HUB.query(kind="tuple", filters=[{"field": "port", "op": "=", "value": 53}], **{"from": "-1h"},
                       aggregates=[{"op": "count"}, {"op": "sum", "field": "packets"}])
    return answer["rows"][0][0]


def spooled():
    return sorted(name for name in os.listdir(SPOOL) if name.endswith(".batch"))


def unreachable_hub_spools():
    status, text = send("http://127.0.0.1:9", "nothing", 1, 20, 1500)
    assert status == 3 and "20 batches wait" in text, (status, text)
    assert len(spooled()) == 20


def spool_is_bounded():
    status, text = send("http://127.0.0.1:9", "nothing", 21, 5000, 100)
    assert status == 1 and "spool is full" in text, (status, text)
    assert sum(os.path.getsize(os.path.join(SPOOL, name)) for name in spooled()) <= 1 << 20
    for name in spooled()[20:]:
        os.unlink(os.path.join(SPOOL, name))


def wrong_token_keeps_the_spool():
    status, text = send(f"http://127.0.0.1:{HUB.port}", "wrong", 1, 0, 1500)
    assert status == 3 and "401" in text and len(spooled()) == 20, (status, text)


def what_waited_arrives_once():
    copy = SPOOL + ".copy"
    shutil.copytree(SPOOL, copy)
    status, text = send(f"http://127.0.0.1:{HUB.port}", TOKEN, 21, 5)
    assert status == 0 and not spooled(), (status, text)
    assert stored() == 250, stored()
    for name in os.listdir(copy):  # as if the acknowledgement had been lost
        shutil.copy(os.path.join(copy, name), SPOOL)
    status, text = send(f"http://127.0.0.1:{HUB.port}", TOKEN, 26, 1)
    assert status == 0 and not spooled(), (status, text)
    assert stored() == 260, stored()
    shutil.rmtree(copy)
    sensor = next(s for s in HUB.status()["sensors"] if s["name"] == "far")
    assert sensor["remote"] and sensor["state"] == "running", sensor


def a_damaged_batch_is_set_aside():
    with open(os.path.join(SPOOL, "0000000000000001.batch"), "wb") as file:
        file.write(struct.pack("<I", 64) + b"x" * 64)
    status, text = send(f"http://127.0.0.1:{HUB.port}", TOKEN, 27, 3)
    assert status == 0, (status, text)
    assert stored() == 290, stored()
    assert os.path.exists(os.path.join(SPOOL, "0000000000000001.refused"))


def nonsense_is_refused():
    headers = {"Authorization": "Bearer " + TOKEN, "Content-Type": "application/x-yagura-batches"}
    for body in (b"", b"\x00", b"\xff\xff\xff\xff", struct.pack("<I", 8) + b"YGB1aaaa", os.urandom(5000)):
        answer = HUB.request("POST", "/api/v1/batches", body, headers)
        assert answer.status == 400, (body[:8], answer.status)
    assert HUB.get("/api/v1/status", headers=headers).status == 403, "a sensor's token does nothing else"


if __name__ == "__main__":
    try:
        with Hub() as HUB:
            answer = HUB.local("POST", "/api/v1/tokens", {"name": "far", "role": "sensor"})
            TOKEN = answer.json()["token"]
            harness.main([unreachable_hub_spools, spool_is_bounded, wrong_token_keeps_the_spool,
                          what_waited_arrives_once, a_damaged_batch_is_set_aside, nonsense_is_refused])
    finally:
        shutil.rmtree(SPOOL, ignore_errors=True)
