#!/usr/bin/env python3
"""kill -9 for the whole hub at random moments, while a sensor of its own and one elsewhere feed it: what was acknowledged
or once seen stays, of what a sensor elsewhere put nothing is missing in the end, nothing is counted twice, and of the
hub's own sensor at most the last minute is lost."""
import datetime
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time

import harness
from hub_client import SMALL_HUB, Hub

ROUNDS = 22
SENDER = os.path.join(os.path.dirname(SMALL_HUB), "small_sender")
ROWS = 10  # of a batch
SEED = int(sys.argv[1]) if len(sys.argv) > 1 else random.randrange(1 << 32)


class Sender:
    """A sensor elsewhere that puts ten batches a second and spools what the hub does not take."""
    def __init__(self, directory, port, token, count):
        self.out = open(os.path.join(directory, "sender.out"), "w")
        self.err = open(os.path.join(directory, "sender.err"), "w")
        self.process = subprocess.Popen([SENDER, f"http://127.0.0.1:{port}", token, os.path.join(directory, "spool"), "abc",
                                         "1", str(count), "60000", "100"], stdout=self.out, stderr=self.err)

    def acknowledged(self):
        with open(self.out.name) as file:
            lines = file.read().split("\n")[:-1]
        return int(lines[-1]) if lines else 0


def stored(hub, port):
    """Rows of each batch; its name is the payload."""
    rows = hub.query(kind="tuple", keys=["payload"], aggregates=[{"op": "count"}], limit=100000, **{"from": "-1h"},
                     filters=[{"field": "port", "op": "=", "value": port}])["rows"]
    return {int(str(payload), 0): count for payload, count in rows}


def check_once(batches, seen):
    wrong = {name: rows for name, rows in batches.items() if rows != ROWS}
    assert not wrong, f"{len(wrong)} of {len(batches)} batches are there in part or twice"
    missing = seen - batches.keys()
    assert not missing, f"{len(missing)} batches that had been seen are gone"


def newest(hub, before):
    """When the newest record of the hub's own sensor was made, of those made before then; 0: there is none."""
    limit = datetime.datetime.fromtimestamp(before, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    last = hub.query(kind="tuple", aggregates=[{"op": "max", "field": "last"}], **{"from": "-1h"},
                     filters=[{"field": "port", "op": "=", "value": 23}, {"field": "last", "op": "<", "value": limit}])["rows"][0][0]
    return datetime.datetime.fromisoformat(last.replace("Z", "+00:00")).timestamp() if last else 0


def roll_ups_add_up(hub):
    """A starting hub makes the roll-ups that are due; those of each closed minute must be what its tuples are."""
    now = datetime.datetime.now(datetime.timezone.utc).replace(second=0, microsecond=0)
    span = {"from": "-1h", "to": now.strftime("%Y-%m-%dT%H:%M:%SZ"), "aggregates": [{"op": "sum", "field": "packets"}]}
    tuples = hub.query(kind="tuple", keys=["minute"], **span)["rows"]

    def rolled():
        rows = hub.query(kind="rollup", keys=["time"], **span,
                         filters=[{"field": "level", "op": "=", "value": "minute"}, {"field": "dimension", "op": "=", "value": "total"}])["rows"]
        return sorted(rows) == sorted(tuples)
    if tuples:
        hub.wait(rolled, 15)
    return len(tuples)


class Story:
    """What the rounds have seen so far."""
    def __init__(self):
        self.own, self.acknowledged, self.looked, self.lost = set(), 0, 0, []

    def look(self, hub):
        own, far = stored(hub, 23), stored(hub, 53)
        check_once(own, self.own)
        check_once(far, set(range(1, self.acknowledged + 1)))
        self.own |= own.keys()
        self.looked += 1

    def came_back(self, hub, born, killed):
        """How much of what the sensor gave from its birth to the kill is not there."""
        self.lost.append(killed - max(born, newest(hub, killed)))


def killed_at_random_moments():
    chance = random.Random(SEED)
    directory = tempfile.mkdtemp(prefix="yagura-killed-")
    options = ("--batches", "10")
    story, sender = Story(), None
    try:
        born = time.time()
        hub = Hub(*options, data=directory, group=True).ready()
        token = hub.local("POST", "/api/v1/tokens", {"name": "far", "role": "sensor"}).json()["token"]
        port = hub.port
        sender = Sender(directory, port, token, ROUNDS * 12)
        for _ in range(ROUNDS):
            until = time.monotonic() + chance.uniform(0.0, 2.0)
            while time.monotonic() < until:
                time.sleep(0.02)
                if hub.port and chance.random() < 0.1:
                    story.look(hub)
            story.acknowledged = sender.acknowledged()
            hub.kill()
            lived, born = (born, time.time()), time.time()
            hub = Hub(*options, "--listen", f"127.0.0.1:{port}", data=directory, group=True)
            if chance.random() < 0.7:
                hub.ready()
                story.came_back(hub, *lived)
                story.look(hub)
        if not hub.port:
            hub.ready()
        assert sender.process.wait(90) == 0, open(sender.err.name).read()
        far = stored(hub, 53)
        assert far.keys() == set(range(1, ROUNDS * 12 + 1)) and set(far.values()) == {ROWS}, (len(far), set(far.values()))
        story.look(hub)
        check_gaps(story.own)
        assert story.looked >= ROUNDS / 2 and story.lost and max(story.lost) < 60, story.lost
        print(f"     {ROUNDS} kills, {story.looked} looks, {len(story.own)} batches of the hub's own sensor, {len(far)} of "
              f"the one elsewhere; the kill took up to {max(story.lost):.1f} s of the former, none of the latter")
        hub.close()
        hub = Hub(*options, data=directory, group=True).ready()
        minutes = roll_ups_add_up(hub)
        print(f"     roll-ups of {minutes} minutes add up")
        hub.close()
    finally:
        if sender and sender.process.poll() is None:
            sender.process.kill()
            sender.process.wait()
        if hub.process.poll() is None:
            hub.kill()
        shutil.rmtree(directory)


def check_gaps(own):
    """Of each start of the hub's own sensor only the end may be missing."""
    starts = {}
    for name in own:
        starts.setdefault(name >> 32, []).append(name & 0xffffffff)
    for numbers in starts.values():
        assert sorted(numbers) == list(range(1, len(numbers) + 1)), sorted(numbers)


print(f"     seed {SEED}", flush=True)
harness.main([killed_at_random_moments])
