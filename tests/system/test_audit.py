#!/usr/bin/env python3
"""The audit log of a hub: every change by somebody known is there, before it is made; reading and asking are not; it is
verified through the hub and on a stopped hub's files, and a changed file is found out."""
import csv
import io
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
        hub.wait(lambda: len(asked(hub)) == before["entries"] + 3)  # a refusal is noted behind its answer
        entries = hub.local("GET", "/api/v1/audit").json()["entries"][::-1]
        new = [(e["action"], e["actor"], e["detail"]) for e in entries][before["entries"]:]
        made = {"name": "hanako", "role": "analyst"}
        assert new == [("POST /users", "local", made), ("POST /users", "local", made), ("POST /users", "local", {"refused": 409})], new
        assert {e["subject"] for e in entries if e["action"] == "POST /users"} == {"hanako"}
        assert "correct horse" not in json.dumps(entries)
        status, state, err = audit(DIRECTORY, "verify", "--head", entries[0]["hash"])  # through the running hub
        assert status == 0 and state["sound"] and state["noted"] == 1, (state, err)


def asked(hub, query=""):
    answer = hub.local("GET", "/api/v1/audit" + query)
    assert answer.status == 200, answer.body
    return [(e["action"], e["subject"]) for e in answer.json()["entries"]]


def changed_ones(hub):
    """The command asks a running hub and a stopped one's files alike."""
    status, listed, err = audit(DIRECTORY, "list", "--actor", "local", "--action", "PUT *", "--subject", "han*", "--sort", "changes", "--from", "-1h")
    assert status == 0 and [(e["subject"], e["detail"]) for e in listed] == [("hanako", {"role": "operator"})], (hub, listed, err)
    assert audit(DIRECTORY, "list", "--to", "-1h")[1] == []
    status, listed, err = audit(DIRECTORY, "list", "--from", "yesterdayish")
    assert status == 1 and "yesterdayish" in err, err


def it_is_asked_by_who_what_whom_when_and_sort_and_leaves_as_a_file():
    with Hub(data=DIRECTORY, **HUB) as hub:
        assert hub.local("PUT", "/api/v1/users/hanako", {"role": "operator"}).status == 200
        assert hub.local("PUT", "/api/v1/users/nobody", {"role": "operator"}).status == 404
        role, refused = ("PUT /users/{name}", "hanako"), ("PUT /users/{name}", "nobody")
        hub.wait(lambda: asked(hub, "?action=PUT+*") == [refused, refused, role])  # a refusal is noted behind its answer
        assert asked(hub, "?action=PUT+*&sort=changes") == [role]
        assert asked(hub, "?sort=refused&limit=2") == [refused, refused]
        assert [e["undone"] for e in hub.local("GET", "/api/v1/audit?action=PUT+*").json()["entries"]] == [False, True, False]
        assert asked(hub, "?subject=HANAKO&action=put%20*") == [role] and asked(hub, "?actor=ken") == []
        assert asked(hub, "?sort=looks") == [] and asked(hub, "?to=-1h") == [] and len(asked(hub, "?from=-1h")) == len(asked(hub))
        changed_ones(hub=True)
        assert hub.local("GET", "/api/v1/audit?sort=colour").status == 400
        assert hub.local("GET", "/api/v1/audit?from=yesterdayish").status == 400
        whole = hub.local("GET", "/api/v1/audit?limit=1000").json()["entries"]
        exported = hub.local("GET", "/api/v1/audit/export?format=json")
        assert exported.json()[1:] == whole and exported.json()[0]["action"] == "GET /audit/export"
        for _ in range(1100):
            assert hub.local("DELETE", "/api/v1/tokens/0").status == 404  # written down twice each: three pages
        sheet = hub.local("GET", "/api/v1/audit/export?bom=1&action=*tokens*")
        assert sheet.headers["Content-Type"] == "text/csv; charset=utf-8" and sheet.body.startswith(b"\xef\xbb\xbf")
        rows = list(csv.DictReader(io.StringIO(sheet.body.decode("utf-8-sig"), newline="")))
        assert len(rows) == 2200 and len({row["id"] for row in rows}) == 2200 and set(rows[0]) == set(whole[0])
        assert rows[0]["detail"] == '{"refused":404}' and rows[0]["subject"] == "0" and rows[0]["member"] == ""
        assert hub.local("GET", "/api/v1/audit/export?format=xml").status == 400


def only_administrators_may_read_it():
    with Hub("--guest-role", "viewer", data=DIRECTORY, **HUB) as hub:
        assert hub.get("/api/v1/audit").status == 401
        token = hub.local("POST", "/api/v1/tokens", {"name": "reader", "role": "operator"}).json()["token"]
        for path in ("/api/v1/audit", "/api/v1/audit/export", "/api/v1/audit/state"):
            assert hub.get(path, headers={"Authorization": "Bearer " + token}).status == 403
            assert hub.get(path).status == 401


def a_stopped_hubs_log_is_verified_too_and_tampering_is_found_out():
    status, state, err = audit(DIRECTORY, "verify")
    assert status == 0 and state["sound"] and state["entries"] >= 4, (state, err)
    head = state["head"]
    changed_ones(hub=False)
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
    harness.main([changes_are_written_down_and_questions_are_not,
                  it_is_asked_by_who_what_whom_when_and_sort_and_leaves_as_a_file, only_administrators_may_read_it,
                  a_stopped_hubs_log_is_verified_too_and_tampering_is_found_out])
finally:
    shutil.rmtree(DIRECTORY)
