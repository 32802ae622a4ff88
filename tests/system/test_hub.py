#!/usr/bin/env python3
"""A hub as people and machines meet it: rights, accounts, live stream, answers that keep to their description, and
processes that are killed and come back."""
import http.client
import json
import os
import re
import signal
import struct
import sys
import time
import urllib.parse

import harness
from hub_client import Hub

SHARED_HUB = None
TOKENS = {}


def hub():
    return SHARED_HUB


def bearer(role):
    if role is None:
        return {}
    if role not in TOKENS:
        answer = hub().local("POST", "/api/v1/tokens", {"name": f"test-{role}", "role": role})
        assert answer.status == 201, answer.body
        TOKENS[role] = answer.json()["token"]
    return {"Authorization": "Bearer " + TOKENS[role]}


# ---- what a schema asks for: the words that data/openapi.json uses

def fits(value, schema, document, where="answer"):
    if "$ref" in schema:
        return fits(value, document["components"]["schemas"][schema["$ref"].split("/")[-1]], document, where)
    if "anyOf" in schema:
        faults = [fits(value, one, document, where) for one in schema["anyOf"]]
        return [] if any(not f for f in faults) else faults[-1]
    types = schema.get("type")
    if types:
        types = [types] if isinstance(types, str) else types
        is_type = {"object": isinstance(value, dict), "array": isinstance(value, list), "string": isinstance(value, str),
                   "integer": isinstance(value, int) and not isinstance(value, bool),
                   "number": isinstance(value, (int, float)) and not isinstance(value, bool),
                   "boolean": isinstance(value, bool), "null": value is None}
        if not any(is_type[t] for t in types):
            return [f"{where}: {value!r} is not {types}"]
    faults = []
    if "enum" in schema and value not in schema["enum"]:
        faults.append(f"{where}: {value!r} is none of {schema['enum']}")
    if isinstance(value, dict):
        for name in schema.get("required", []):
            if name and name not in value:
                faults.append(f"{where}: {name} is missing")
        rest = schema.get("additionalProperties", True)
        for name, inner in value.items():
            if name in schema.get("properties", {}):
                faults += fits(inner, schema["properties"][name], document, f"{where}.{name}")
            elif rest is False:
                faults.append(f"{where}: {name} is not described")
            elif isinstance(rest, dict):
                faults += fits(inner, rest, document, f"{where}.{name}")
    if isinstance(value, list) and "items" in schema:
        for i, inner in enumerate(value):
            faults += fits(inner, schema["items"], document, f"{where}[{i}]")
    if isinstance(value, str) and schema.get("format") == "date-time":
        if not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z", value):
            faults.append(f"{where}: {value!r} is no RFC 3339 time")
    return faults


def description():
    return json.load(open(os.path.join(harness.ROOT, "data", "openapi.json")))


EXAMPLES = {  # what stands for {...}, and what is asked and sent, where a bare request would be wrong
    "{address}": "8.8.8.1", "{year}": str(time.gmtime().tm_year), "{name}": "nobody", "{id}": "999999",
    "/api/v1/query.csv": "?q=" + urllib.parse.quote('{"kind":"tuple","from":"-1h","limit":3}'),
    "/api/v1/query.json": "?q=" + urllib.parse.quote('{"kind":"tuple","from":"-1h","limit":3}'),
    "/api/v1/search": "?q=8.8.8.8", "/api/v1/members/whose": "?address=8.8.8.8",
}


def example_path(path):
    path = path.replace("members/{id}", "members/example")
    return re.sub(r"\{\w+\}", lambda m: EXAMPLES[m.group()], path) + EXAMPLES.get(path, "")


def operations(document):
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield method.upper(), path, operation


# ---- tests

def every_route_for_every_role():
    """Each route x nobody and each role: 401, 403, or let in (which may then be 400 or 404 for want of sense)."""
    let_in = {"anyone": {None, "sensor", "viewer", "analyst", "operator", "admin"},
              "viewer": {"viewer", "analyst", "operator", "admin"}, "admin": {"admin"}, "operator": {"operator", "admin"},
              "admin, signed in": {"admin"}, "viewer, signed in": {"viewer", "analyst", "operator", "admin"},
              "viewer, or public": {"viewer", "analyst", "operator", "admin"},  # public where an option says so
              "analyst, signed in": {"analyst", "operator", "admin"}, "sensor or admin": {"sensor", "admin"}}
    tried = 0
    for method, path, operation in operations(description()):
        if path.endswith("/live"):
            continue  # a stream: below
        for role in (None, "sensor", "viewer", "analyst", "operator", "admin"):
            status = hub().request(method, example_path(path), b"{}" if method in ("POST", "PUT") else None,
                                   bearer(role)).status
            tried += 1
            if role in let_in[operation["x-roles"]]:
                wanted = {200, 201, 204, 400, 404, 409}
                if path in ("/api/v1/users/{name}",) and role != "admin":
                    wanted = {400, 403}  # not one's own
                if path in ("/api/v1/session", "/api/v1/session/redeem") and method == "POST":
                    wanted = {400}
                if path.startswith(("/taxii2/", "/feeds/")):
                    wanted = {400, 401, 403, 404, 405, 415}  # these have readers of their own
            else:
                wanted = {401} if role is None else {403}
            assert status in wanted, f"{method} {path} as {role}: {status}, {wanted} was expected"
    assert tried >= 27 * 6, tried


def answers_keep_to_their_description():
    document = description()
    assert hub().get("/api/v1/openapi.json").json() == document
    hub().wait(lambda: hub().status()["store"]["kinds"]["tuple"]["rows"] > 0)
    checked = 0
    assert hub().request("PUT", "/api/v1/members/example", {"name": "Example"}, bearer("operator")).status == 201
    for method, path, operation in operations(document):
        if method != "GET" or path.endswith(("/live", "{path*}")):
            continue
        answer = hub().request(method, example_path(path), headers=bearer("admin"))
        if "{id}" in path and answer.status == 404:
            continue  # there is none yet
        assert answer.status == 200, (path, answer.status, answer.body[:300])
        kind = answer.headers["Content-Type"].split(";")[0]
        content = operation["responses"]["200"]["content"]
        assert kind in content, (path, kind)
        if kind == "application/json":
            faults = fits(answer.json(), content[kind]["schema"], document)
            assert not faults, (path, faults[:5])
        checked += 1
    query = {"kind": "tuple", "from": "-1h", "keys": ["country"], "aggregates": [{"op": "sum", "field": "packets"}]}
    answer = hub().request("POST", "/api/v1/query", query, bearer("viewer"))
    assert not fits(answer.json(), document["components"]["schemas"]["Answer"], document)
    assert answer.json()["rows"][0][0] == "US"
    for path in ("/api/v1/nothing", "/api/v1/sources/not-an-address", "/api/v1/report/x"):
        answer = hub().get(path, headers=bearer("viewer"))
        assert answer.status in (400, 404)
        assert not fits(answer.json(), document["components"]["schemas"]["Error"], document), answer.body
    assert checked >= 15, checked


def one_time_link_and_accounts():
    token = hub().link_token()
    assert hub().request("POST", "/api/v1/session/redeem", {"token": "x" * 43}).status == 401
    answer = hub().request("POST", "/api/v1/session/redeem", {"token": token})
    assert answer.status == 200 and answer.json()["user"] == {"name": "admin", "role": "admin", "must_set_password": True,
                                                                      "member": None}
    cookie = answer.headers["Set-Cookie"]
    assert "HttpOnly" in cookie and "SameSite=Strict" in cookie, cookie
    assert hub().request("POST", "/api/v1/session/redeem", {"token": token}).status == 401, "a link works once"
    session = {"Cookie": cookie.split(";")[0]}
    changed = {"password": "correct horse battery"}
    answer = hub().request("PUT", "/api/v1/users/admin", changed, session)
    assert answer.status == 403 and answer.json()["error"]["code"] == "csrf", "a form of another site cannot send X-Yagura"
    answer = hub().request("PUT", "/api/v1/users/admin", changed, {**session, "X-Yagura": "1"})
    assert answer.status == 200, answer.body
    assert hub().get("/api/v1/users", headers=session).status == 401, "a new password ends old sessions"
    session = {"Cookie": answer.headers["Set-Cookie"].split(";")[0], "X-Yagura": "1"}
    assert hub().get("/api/v1/users", headers=session).status == 200
    assert hub().request("POST", "/api/v1/users", {"name": "aya", "password": "short", "role": "viewer"}, session).status == 400
    assert hub().request("POST", "/api/v1/users", {"name": "aya", "password": "long enough now", "role": "viewer"}, session).status == 201
    answer = hub().request("POST", "/api/v1/session", {"name": "aya", "password": "long enough now"})
    assert answer.status == 200
    aya = {"Cookie": answer.headers["Set-Cookie"].split(";")[0], "X-Yagura": "1"}
    assert hub().request("PUT", "/api/v1/users/aya", {"role": "admin"}, aya).status == 403, "nobody promotes themselves"
    assert hub().request("PUT", "/api/v1/users/admin", {"password": "taken over, taken"}, aya).status == 403
    assert hub().request("PUT", "/api/v1/users/aya", {"password": "another long one"}, aya).status == 200
    invited = hub().request("POST", "/api/v1/users", {"name": "sora", "role": "viewer"}, session)
    assert invited.status == 201 and set(invited.json()) == {"name", "role", "link"}, invited.body
    assert hub().request("POST", "/api/v1/users/nobody/link", None, session).status == 404
    again = hub().request("POST", "/api/v1/users/sora/link", None, session)
    assert again.status == 201 and not fits(again.json(), description()["components"]["schemas"]["Link"], description()), again.body
    listed = {user["name"]: user for user in hub().get("/api/v1/users", headers=session).json()["users"]}
    assert listed["sora"]["link_until"] == again.json()["until"] and not listed["sora"]["has_password"] and listed["aya"]["has_password"]
    assert hub().request("POST", "/api/v1/session/redeem", {"token": invited.json()["link"]["token"]}).status == 401, "the newer link ended it"
    answer = hub().request("POST", "/api/v1/session/redeem", {"token": again.json()["token"]})
    assert answer.status == 200 and answer.json()["user"]["must_set_password"] and answer.json()["user"]["role"] == "viewer"
    sora = {"Cookie": answer.headers["Set-Cookie"].split(";")[0], "X-Yagura": "1"}
    assert hub().request("POST", "/api/v1/users/admin/link", None, sora).status == 403, "only administrators invite"
    assert hub().request("DELETE", "/api/v1/users/admin", None, session).status == 409, "the last administrator stays"
    assert hub().request("DELETE", "/api/v1/session", None, session).status == 204
    assert hub().get("/api/v1/users", headers=session).status == 401


def wrong_passwords_are_limited():
    hub().local("POST", "/api/v1/users", {"name": "ken", "password": "a password of ken", "role": "viewer"})
    statuses = [hub().request("POST", "/api/v1/session", {"name": "ken", "password": f"wrong {i}"}).status for i in range(12)]
    assert statuses[0] == 401 and statuses[-1] == 429, statuses
    assert hub().request("POST", "/api/v1/session", {"name": "ken", "password": "a password of ken"}).status == 429


def events(connection, count, seconds=20):
    """So many events (name, data) of the live stream."""
    response = connection.getresponse()
    assert response.status == 200 and response.headers["Content-Type"] == "text/event-stream", response.status
    found, name, until = [], None, time.monotonic() + seconds
    while len(found) < count and time.monotonic() < until:
        line = response.readline().decode().strip()
        if line.startswith("event: "):
            name = line[7:]
        elif line.startswith("data: "):
            found.append((name, json.loads(line[6:]), time.time()))
    return found


def live_frames_arrive_in_time():
    assert hub().get("/api/v1/live").status == 401
    connection = http.client.HTTPConnection("127.0.0.1", hub().port, timeout=20)
    connection.request("GET", "/api/v1/live", headers=bearer("viewer"))
    found = events(connection, 22)
    assert found[0][0] == "hello" and found[0][1]["tick_ms"] == 100 and len(found[0][1]["kinds"]) == 6, found[0]
    frames = [(data, at) for name, data, at in found if name == "frame"]
    assert len(frames) >= 20
    assert sum(data["kinds"][0] for data, _ in frames) > 0
    arc = next(data["arcs"][0] for data, _ in frames if data["arcs"])
    assert len(arc) == 11 and arc[3] == "US" and arc[8] == 23, arc
    spent = frames[-1][0]["t"] - frames[0][0]["t"]
    assert 80 * (len(frames) - 1) < spent < 400 * (len(frames) - 1), "a frame each 100 ms"
    late = max(at * 1000 - data["t"] for data, at in frames)
    assert late < 1000, f"{late} ms from frame to client"
    assert max(data["latency_ms"] for data, _ in frames) < 1000
    print(f"     packet to frame {max(d['latency_ms'] for d, _ in frames)} ms, frame to client {late:.0f} ms")
    connection.close()


def slow_client_loses_frames_not_the_stream():
    connection = http.client.HTTPConnection("127.0.0.1", hub().port, timeout=20)
    connection.request("GET", "/api/v1/live", headers=bearer("viewer"))
    time.sleep(3)  # takes nothing
    found = events(connection, 40)
    assert len(found) == 40
    connection.close()


def limits_of_requests():
    port = hub().port
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    connection.request("POST", "/api/v1/query", headers={**bearer("viewer"), "Content-Length": str(2 << 20)})
    assert connection.getresponse().status == 413
    connection.close()
    assert hub().request("POST", "/api/v1/query", b"x" * (1 << 20), bearer("viewer")).status == 400
    assert hub().get("/api/v1/search?q=" + "a" * 20000).status in (414, 431)
    assert hub().get("/api/v1/sources/" + "a" * 3000, headers=bearer("viewer")).status in (404, 414, 431)
    assert hub().request("PATCH", "/api/v1/status").status == 405
    assert hub().request("PUT", "/api/v1/status", b"{}", bearer("admin")).status == 405
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    for _ in range(3):  # one connection, several requests
        connection.request("GET", "/api/v1/session")
        assert connection.getresponse().read()
    connection.close()


def headers_that_protect():
    answer = hub().get("/")
    assert answer.status == 200
    policy = answer.headers["Content-Security-Policy"]
    assert "script-src 'self'" in policy and "frame-ancestors 'none'" in policy and "unsafe-inline' script" not in policy
    assert answer.headers["X-Content-Type-Options"] == "nosniff" and answer.headers["Referrer-Policy"] == "no-referrer"
    assert hub().get("/api/v1/session").headers["Cache-Control"] == "no-store"


def local_socket_is_for_the_owner():
    assert hub().local("GET", "/api/v1/users").status == 200
    path = os.path.join(hub().data, "data", "hub.sock")
    assert os.stat(path).st_mode & 0o077 == 0, "only its owner may connect"


def downloads_of_any_length():
    query = urllib.parse.quote(json.dumps({"kind": "tuple", "from": "-1d"}))
    answer = hub().get("/api/v1/query.csv?q=" + query, headers=bearer("viewer"))
    lines = answer.body.decode().strip().split("\r\n")
    assert lines[0].startswith("minute,sensor,source") and len(lines) > 10
    assert "attachment" in answer.headers["Content-Disposition"]
    rows = hub().get("/api/v1/query.json?q=" + query, headers=bearer("viewer")).json()["rows"]
    assert abs(len(rows) - (len(lines) - 1)) <= 40


def killed_processes_come_back():
    for name, patience in (("keeper", 60), ("front", 30), ("local", 30), ("pulse", 30)):
        before = hub().process_of(name)
        os.kill(before["pid"], signal.SIGKILL)
        after = hub().wait(lambda: (lambda p: p if p["state"] == "running" and p["restarts"] == before["restarts"] + 1
                                    and p["pid"] != before["pid"] else None)(hub().process_of(name)), patience)
        assert after["restarts"] == before["restarts"] + 1
        hub().wait(lambda: hub().get("/api/v1/session").status == 200)
    rows = hub().status()["store"]["kinds"]["tuple"]["rows"]
    hub().wait(lambda: hub().status()["store"]["kinds"]["tuple"]["rows"] > rows)
    text = hub().get("/metrics", headers=bearer("viewer")).body.decode()
    assert 'yagura_hub_process_restarts_total{process="keeper"} 1' in text
    hub().wait(lambda: any(f["type"] == "intake" and "pulse" in f["subject"]
                           for f in hub().get("/api/v1/findings", headers=bearer("viewer")).json()["findings"]))


def processes_are_confined():
    if not hub().status()["confined"]:
        print("     skipped: the hub runs unconfined here")
        return
    for process in hub().status()["processes"]:
        status = open(f"/proc/{process['pid']}/status").read()
        assert re.search(r"^Seccomp:\s*2$", status, re.M), process
        assert re.search(r"^NoNewPrivs:\s*1$", status, re.M), process
        assert re.search(r"^CapEff:\s*0{16}$", status, re.M), process
        assert re.search(r"^CapPrm:\s*0{16}$", status, re.M), process


def backup_while_it_runs():
    import shutil
    import tempfile
    for parent in (None, "/dev/shm"):  # on the same file system, and on another one
        directory = os.path.join(tempfile.mkdtemp(prefix="yagura-backup-", dir=parent), "copy")
        try:
            status, out, err = harness.yagura("backup", "--data", os.path.join(hub().data, "data"), directory)
            assert status == 0, (out, err)
            assert os.path.exists(os.path.join(directory, "manifest.json")), os.listdir(directory)
            status, out, err = harness.yagura("backup", "--data", os.path.join(hub().data, "data"), directory)
            assert status == 1, "a directory that holds something is not written over"
            status, out, err = harness.yagura("restore", directory, "--data", directory + ".restored")
            assert status == 0, (out, err)
        finally:
            shutil.rmtree(os.path.dirname(directory))
    assert os.listdir(os.path.join(hub().data, "data", "backups")) == []
    assert hub().local("POST", "/api/v1/backup", {"dir": "../outside"}).status == 400


def two_hubs_do_not_share_a_directory():
    import subprocess
    from hub_client import SMALL_HUB
    second = subprocess.run([SMALL_HUB, "--data", os.path.join(hub().data, "data"), "--listen", "127.0.0.1:0"],
                            capture_output=True, text=True, timeout=60)
    assert second.returncode == 1 and "another hub" in second.stderr, second.stderr
    assert hub().local("GET", "/api/v1/session").status == 200, "the first one goes on"


TESTS = [every_route_for_every_role, answers_keep_to_their_description, one_time_link_and_accounts,
         wrong_passwords_are_limited, live_frames_arrive_in_time, slow_client_loses_frames_not_the_stream,
         limits_of_requests, headers_that_protect, local_socket_is_for_the_owner, downloads_of_any_length,
         backup_while_it_runs, two_hubs_do_not_share_a_directory, processes_are_confined, killed_processes_come_back]


def guests_see_what_they_may():
    with Hub("--guest-role", "viewer") as guest_hub:
        assert guest_hub.get("/api/v1/session").json()["guest_role"] == "viewer"
        assert guest_hub.get("/api/v1/status").status == 200
        assert guest_hub.get("/api/v1/users").status == 401
        assert guest_hub.request("PUT", "/api/v1/users/admin", {"password": "taken over by a guest"}).status == 401
        assert guest_hub.request("POST", "/api/v1/query", {"kind": "tuple"}).status == 200


def data_survives_a_restart():
    import shutil
    import tempfile
    directory = tempfile.mkdtemp(prefix="yagura-test-")
    try:
        first = Hub(data=directory).ready()
        first.wait(lambda: first.status()["store"]["kinds"]["tuple"]["rows"] >= 20)
        first.close()
        second = Hub(data=directory).ready()
        assert second.status()["store"]["kinds"]["tuple"]["rows"] >= 20
        second.close()
    finally:
        shutil.rmtree(directory)


def what_is_over_is_forgotten():
    import shutil
    import sqlite3
    import tempfile
    directory = tempfile.mkdtemp(prefix="yagura-test-")
    try:
        first = Hub(data=directory).ready()
        first.local("POST", "/api/v1/users", {"name": "aya", "password": "a long password", "role": "viewer"})
        cookies = [first.request("POST", "/api/v1/session", {"name": "aya", "password": "a long password"}).headers["Set-Cookie"]
                   for _ in range(2)]
        first.close()
        registry = sqlite3.connect(os.path.join(directory, "data", "registry.sqlite"))
        registry.execute("UPDATE session SET expires = 1000 WHERE rowid = (SELECT min(rowid) FROM session)")
        registry.execute("INSERT INTO link VALUES (x'00', 'aya', 1, 1000)")
        registry.commit()
        second = Hub(data=directory).ready()
        second.wait(lambda: "registry.cleaned" in second.text(second.log))
        answers = [second.get("/api/v1/users", headers={"Cookie": cookie.split(";")[0]}).status for cookie in cookies]
        assert sorted(answers) == [401, 403], answers  # one session is over, the other is a viewer's
        second.close()
        assert registry.execute("SELECT count(*) FROM session").fetchone() == (1,)
        assert registry.execute("SELECT count(*) FROM link WHERE user = 'aya'").fetchone() == (0,)
        registry.close()
    finally:
        shutil.rmtree(directory)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        names = set(sys.argv[1:])
        TESTS = [test for test in TESTS if test.__name__ in names]
    with Hub() as SHARED_HUB:
        def shared():
            pass
        failed = []
        for test in TESTS:
            try:
                test()
                print(f"ok   {test.__name__}", flush=True)
            except Exception:
                import traceback
                failed.append(test.__name__)
                print(f"FAIL {test.__name__}\n{traceback.format_exc()}", flush=True)
    rest = [guests_see_what_they_may, data_survives_a_restart, what_is_over_is_forgotten]
    rest = [test for test in rest if len(sys.argv) == 1 or test.__name__ in names]
    for test in rest:
        try:
            test()
            print(f"ok   {test.__name__}", flush=True)
        except Exception:
            import traceback
            failed.append(test.__name__)
            print(f"FAIL {test.__name__}\n{traceback.format_exc()}", flush=True)
    print(f"{len(TESTS) + len(rest) - len(failed)} passed, {len(failed)} failed")
    sys.exit(1 if failed else 0)
