#!/usr/bin/env python3
"""A hub whose threads all have something to do at once, for the thread sanitizer: sensors here and elsewhere, streams,
queries, downloads, roll-ups, accounts, backups. What it says to its log decides; Hub.close() looks there. The keeper is
confined and cannot look up its own symbols: addr2line -e build-thread/tests/system/small_hub tells what +0x... is."""
import json
import os
import shutil
import subprocess
import tempfile
import threading
import time
import urllib.parse

import harness
from hub_client import SMALL_HUB, Hub
from test_hub import events

SECONDS = 6
SENDER = os.path.join(os.path.dirname(SMALL_HUB), "small_sender")


def again(what):
    """A thread that does it until its time is over; its failure is kept."""
    def main():
        until = time.monotonic() + SECONDS
        try:
            while time.monotonic() < until:
                what()
        except Exception as failure:
            failures.append(f"{what.__name__}: {failure!r}")
    return threading.Thread(target=main)


failures = []


def everything_at_once():
    with Hub() as hub:
        headers = {"Authorization": "Bearer " + hub.local("POST", "/api/v1/tokens", {"name": "reader", "role": "admin"}).json()["token"]}
        token = hub.local("POST", "/api/v1/tokens", {"name": "far", "role": "sensor"}).json()["token"]
        spool = tempfile.mkdtemp(prefix="yagura-spool-")
        sequence = [1]

        def get(path):
            answer = hub.get(path, headers=headers)
            assert answer.status in (200, 503), (path, answer.status, answer.body[:300])

        def queries():
            hub.query(kind="tuple", keys=["port"], aggregates=[{"op": "sum", "field": "packets"}], **{"from": "-1h"})

        def downloads():
            get("/api/v1/query.csv?q=" + urllib.parse.quote(json.dumps({"kind": "tuple", "from": "-1h"})))

        def figures():
            for path in ("/api/v1/status", "/metrics", "/api/v1/findings", "/api/v1/sources/8.8.8.1", "/api/v1/users"):
                get(path)

        def stream():
            connection = hub.connection()
            connection.request("GET", "/api/v1/live", headers=headers)
            events(connection, 10)
            connection.close()

        def sender():
            done = subprocess.run([SENDER, f"http://127.0.0.1:{hub.port}", token, spool, "abc", str(sequence[0]), "20",
                                   "30000"], capture_output=True, text=True, timeout=60)
            sequence[0] += 20
            assert done.returncode == 0, done.stderr

        def unreached():
            done = subprocess.run([SENDER, "http://127.0.0.1:9", token, spool + ".2", "abd", "1", "20", "300"],
                                  capture_output=True, text=True, timeout=60)
            assert done.returncode == 3 and "Sanitizer" not in done.stderr, done.stderr
            shutil.rmtree(spool + ".2")

        def accounts():
            answer = hub.local("POST", "/api/v1/users", {"name": "aya", "password": "a long password", "role": "viewer"})
            assert answer.status == 201, answer.body
            assert hub.request("POST", "/api/v1/session", {"name": "aya", "password": "a long password"}).status == 200
            assert hub.local("DELETE", "/api/v1/users/aya").status == 204

        def backups():
            answer = hub.local("POST", "/api/v1/backup", {"dir": "copy"})
            assert answer.status == 200, answer.body
            shutil.rmtree(os.path.join(hub.data, "data", "backups", "copy"))

        threads = [again(what) for what in (queries, downloads, figures, stream, stream, sender, unreached, accounts, backups)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert not failures, failures
        assert hub.process_of("keeper")["restarts"] == 0
        rows = hub.query(kind="tuple", filters=[{"field": "port", "op": "=", "value": 53}], **{"from": "-1h"},
                         aggregates=[{"op": "count"}])["rows"]
        assert rows == [[10 * (sequence[0] - 1)]], (rows, sequence)
        shutil.rmtree(spool)


harness.main([everything_at_once])
