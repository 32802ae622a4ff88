#!/usr/bin/env python3
"""The audit log of a hub: every change by somebody known is there, before it is made; reading and asking are not; it is
verified through the hub and on a stopped hub's files, and a changed file is found out."""
import json
import os
import re
import shutil
import sqlite3
import tempfile

import harness
from harness import YAGURA
from hub_client import Hub

DIRECTORY = tempfile.mkdtemp(prefix="yagura-audit-")
HUB = {"program": (YAGURA, "hub")}


def audit(data, *words):
    status, out, err = harness.yagura("audit", *words, "--json", "--data", os.path.join(data, "data"))
    return status, json.loads(out) if out else None, err


def changes_are_written_down_and_questions_are_not():
    with Hub(data=DIRECTORY, **HUB) as hub:
        before = hub.local("GET", "/api/v1/audit/state").json()
        assert before["sound"] and re.fullmatch("[0-9a-f]{64}", before["head"]), before
        assert hub.local("POST", "/api/v1/users", {"name": "hanako", "password": "correct horse battery", "role": "analyst"}).status == 201
        assert hub.local("POST", "/api/v1/users", {"name": "hanako", "password": "correct horse battery", "role": "analyst"}).status == 409
        assert hub.local("POST", "/api/v1/query", {"kind": "tuple", "aggregates": [{"op": "count"}]}).status == 200
        hub.local("GET", "/api/v1/users")
        entries = hub.local("GET", "/api/v1/audit").json()["entries"][::-1]
        new = [(e["action"], e["actor"], e["detail"]) for e in entries][before["entries"]:]
        assert new == [("POST /users", "local", {}), ("POST /users", "local", {}), ("POST /users", "local", {"refused": 409})], new
        assert "correct horse" not in json.dumps(entries)
        status, state, err = audit(DIRECTORY, "verify", "--head", entries[0]["hash"])  # through the running hub
        assert status == 0 and state["sound"] and state["noted"] == 1, (state, err)


def only_administrators_may_read_it():
    with Hub("--guest-role", "viewer", data=DIRECTORY, **HUB) as hub:
        assert hub.get("/api/v1/audit").status == 401
        token = hub.local("POST", "/api/v1/tokens", {"name": "reader", "role": "operator"}).json()["token"]
        assert hub.get("/api/v1/audit", headers={"Authorization": "Bearer " + token}).status == 403


def a_stopped_hubs_log_is_verified_too_and_tampering_is_found_out():
    status, state, err = audit(DIRECTORY, "verify")
    assert status == 0 and state["sound"] and state["entries"] >= 4, (state, err)
    head = state["head"]
    status, listed, err = audit(DIRECTORY, "list", "--limit", "2")
    assert status == 0 and len(listed) == 2 and listed[0]["hash"] == head, (listed, err)
    database = sqlite3.connect(os.path.join(DIRECTORY, "data", "registry.sqlite"))
    try:
        database.execute("UPDATE audit SET actor = 'nobody' WHERE id = 2")
        raise AssertionError("an entry was changed")
    except sqlite3.IntegrityError as refusal:
        assert "only added to" in str(refusal)
    database.executescript("DROP TRIGGER audit_stays; DROP TRIGGER audit_remains; "
                           "DELETE FROM audit WHERE id = (SELECT max(id) FROM audit)")
    status, state, err = audit(DIRECTORY, "verify")
    assert status == 0 and state["sound"], state  # a cut at the end shows only against a note
    status, state, err = audit(DIRECTORY, "verify", "--head", head)
    assert status == 1 and not state["sound"] and state["noted"] is None, state
    database.executescript("UPDATE audit SET actor = 'nobody' WHERE id = 2")
    database.close()
    status, state, err = audit(DIRECTORY, "verify")
    assert status == 1 and state["broken"] == 2 and state["entries"] == 1, state
    status, out, err = harness.yagura("audit", "verify", "--data", os.path.join(DIRECTORY, "data"))
    assert status == 1 and "broken at entry 2" in out and "not what was written" in err, (out, err)
    status, out, err = harness.yagura("audit", "verify", "--head", "abc", "--data", os.path.join(DIRECTORY, "data"))
    assert status == 1 and "64 hexadecimal digits" in err, err


try:
    harness.main([changes_are_written_down_and_questions_are_not, only_administrators_may_read_it,
                  a_stopped_hubs_log_is_verified_too_and_tampering_is_found_out])
finally:
    shutil.rmtree(DIRECTORY)
