#!/usr/bin/env python3
"""Members as people meet them: files in and out by command and by HTTP, with and without a running hub; and a member's own
people, who on every route of the API see what is theirs and nothing of another."""
import json
import os
import random
import re
import shutil
import subprocess
import tempfile
import time
import urllib.parse

import harness
from harness import yagura
from hub_client import Hub

HUB = None
ROLES = {}

# Two members and a third; whatever is of B or C carries one of these marks, and A's people must never meet one.
MARKS = ["zebra", "gelbhorn", "83.117", "2a05:d07", "397213", "Quetzal", "7788"]
MEMBERS = [
    {"key": "alpha", "name": "Alpha City", "kind": "municipality", "prefixes": ["11.22.0.0/16", "83.0.0.0/8"],
     "asns": [131000], "domains": ["alpha.example.jp"], "contacts": [{"mail": "soc@alpha.example.jp"}],
     "parent": "zebra-isp", "reports_to": "gelbhorn", "notes": "the staff's word: Quetzal", "clearance": "amber"},
    {"key": "zebra-isp", "name": "Zebra Internet", "kind": "provider", "prefixes": ["83.117.0.0/16", "2a05:d07::/32", "11.0.0.0/8"],
     "asns": [397213], "domains": ["zebra.example.jp"], "endpoints": ["zebra-pc-1"],
     "contacts": [{"mail": "noc@zebra.example.jp", "phone": "+81-3-7788-7788", "name": "Taro Gelbhorn",
                   "webhook": "https://hooks.zebra.example.jp/x"}], "clearance": "red", "notes": "Quetzal of zebra"},
    {"key": "gelbhorn", "name": "Gelbhorn Ministry", "kind": "ministry", "prefixes": ["83.117.7.0/24"], "asns": [397213],
     "contacts": [{"phone": "+81-7788"}], "notes": "zebra"},
]


def hub():
    return HUB


def bearer(role, member=None):
    name = role + (f"-{member}" if member else "")
    if name not in ROLES:
        answer = hub().local("POST", "/api/v1/tokens", {"name": f"test-{name}", "role": role, **({"member": member} if member else {})})
        assert answer.status == 201, answer.body
        ROLES[name] = answer.json()["token"]
    return {"Authorization": "Bearer " + ROLES[name]}


def sign_in(name):
    answer = hub().request("POST", "/api/v1/session", {"name": name, "password": "correct horse battery"})
    assert answer.status == 200, answer.body
    return {"Cookie": answer.headers["Set-Cookie"].split(";")[0], "X-Yagura": "1"}, answer.json()


def everything():
    """What must not change by anything that a member's people do."""
    return [hub().local("GET", path).body for path in ("/api/v1/members/export?format=json", "/api/v1/users", "/api/v1/tokens")]


def document():
    return json.load(open(os.path.join(harness.ROOT, "data", "openapi.json")))


def marks_in(answer):
    text = answer.body.decode(errors="replace") + "\n".join(f"{k}: {v}" for k, v in answer.headers.items())
    return [mark for mark in MARKS if mark.lower() in text.lower()]


# ---- commands

DIR = tempfile.mkdtemp(prefix="yagura-members-")


def write(name, data):
    path = os.path.join(DIR, name)
    with open(path, "wb") as out:
        out.write(data if isinstance(data, bytes) else data.encode())
    return path


def rows(path):
    with open(path, "rb") as file:
        return file.read()


def a_file_goes_in_and_comes_out_without_a_hub():
    data = os.path.join(DIR, "alone")
    os.mkdir(data)
    sheet = write("sheet.csv", "key,name,kind,prefixes,contact_mail\r\na,Ａ市,自治体,８．８．８．０／２４,soc@a.jp\r\nb,=B,provider,8.8.0.0/16,\r\n".encode("cp932"))
    status, out, err = yagura("member", "diff", "--data", data, sheet)
    assert status == 0 and "+ a  Ａ市" in out and "nothing was changed" in out, (out, err)
    status, out, err = yagura("member", "list", "--data", data, "--json")
    assert status == 0 and json.loads(out) == [], out
    status, out, err = yagura("member", "import", "--data", data, sheet, "--json")
    report = json.loads(out)
    assert status == 0 and report["applied"] and report["added"] == 2, report
    for form in ("csv", "json"):
        once, twice = os.path.join(DIR, "once." + form), os.path.join(DIR, "twice." + form)
        other = os.path.join(DIR, "other-" + form)
        os.mkdir(other)
        assert yagura("member", "export", "--data", data, "--format", form, "--output", once)[0] == 0
        assert yagura("member", "import", "--data", other, once)[0] == 0
        assert yagura("member", "export", "--data", other, "--format", form, "--output", twice)[0] == 0
        assert rows(once) == rows(twice) and rows(once)
        report = json.loads(yagura("member", "diff", "--data", data, "--json", once)[1])
        assert report["same"] == 2 and not report["changes"], report
    assert b"'=B" in rows(os.path.join(DIR, "once.csv"))
    status, out, err = yagura("member", "show", "--data", data, "a", "--history")
    assert status == 0 and "8.8.8.0/24" in out and "add  local" in out, out
    status, out, err = yagura("member", "list", "--data", data, "8.8.8.8")
    assert "Ａ市" in out and "=B" in out, out
    assert yagura("member", "show", "--data", data, "nobody")[0] == 1


def a_bad_file_changes_nothing_and_says_where():
    data = os.path.join(DIR, "bad")
    os.mkdir(data)
    sheet = write("bad.csv", "key,name,prefixes\na,A,8.8.8.0/24\nb,B,0.0.0.0/0\nc,C,8.8.8.8/24\nd,\"D\ne,E,9.9.9.0/24\n")
    status, out, err = yagura("member", "import", "--data", data, sheet)
    assert status == 1 and "3 of its members have faults; nothing was changed" in err, err
    assert "bad.csv:3: b: prefixes: '0.0.0.0/0' is wider" in err and "bad.csv:4: c: prefixes" in err, err
    assert "bad.csv:5: its quotes do not close" in err, err
    assert json.loads(yagura("member", "list", "--data", data, "--json")[1]) == []
    status, out, err = yagura("member", "import", "--data", data, "--skip-bad", sheet)
    assert status == 0 and "2 added" in out, (out, err)
    status, out, err = yagura("member", "import", "--data", data, write("nothing.bin", b"\0\1\2"))
    assert status == 1 and "a zero byte" in err, err
    status, out, err = yagura("member", "import", "--data", data, sheet, LC_ALL="ja_JP.UTF-8", LANG="ja_JP.UTF-8")
    assert "引用符が閉じていない" in err or "quotes" in err, err
    assert yagura("member", "import", "--data", os.path.join(DIR, "absent"), sheet)[0] == 1


def a_hundred_thousand_prefixes_go_in():
    draw, seen, lines = random.Random(7), set(), ["key,name,kind,prefixes,asns"]
    while len(seen) < 100000:
        seen.add(f"{draw.randrange(20, 99)}.{draw.randrange(256)}.{draw.randrange(256)}.{draw.randrange(16) * 16}/28")
    prefixes = sorted(seen)
    for i in range(10000):
        lines.append(f"m{i},Member {i},provider,{' '.join(prefixes[i::10000])},{70000 + i}")
    sheet = write("large.csv", "\n".join(lines))
    answers = []
    for dry in (1, 0, 0):
        begun = time.monotonic()
        answer = hub().local("POST", f"/api/v1/members/import?dry_run={dry}", rows(sheet))
        answers.append((answer.json(), time.monotonic() - begun))
        assert answer.status == 200
    (trial, _), (done, seconds), (again, _) = answers
    assert (trial["added"], trial["applied"], done["added"], done["applied"]) == (10000, False, 10000, True), done
    assert again["same"] == 10000 and len(done["changes"]) == 1000
    print(f"     10,000 members with 100,000 prefixes through the hub: {seconds:.1f} s")
    assert seconds < 30
    answer = hub().local("GET", "/api/v1/members/whose?address=" + prefixes[4242].split("/")[0]).json()
    assert [m["key"] for m in answer["members"]] == ["m4242"], answer
    empty = hub().local("POST", "/api/v1/members/import?remove_absent=1", b"[]")
    assert empty.status == 200 and empty.json()["removed"] == 10000, empty.body[:300]


def commands_ask_the_running_hub():
    data = os.path.join(hub().data, "data")
    sheet = write("members.json", json.dumps(MEMBERS))
    status, out, err = yagura("member", "diff", "--data", data, sheet)
    assert status == 0 and "+ zebra-isp" in out and "3 added" in out, (out, err)
    status, out, err = yagura("member", "import", "--data", data, sheet)
    assert status == 0 and "3 added" in out, (out, err)
    entries = hub().local("GET", "/api/v1/audit").json()["entries"]
    assert any(e["action"] == "POST /members/import" for e in entries), entries
    status, out, err = yagura("member", "list", "--data", data, "--kind", "provider")
    assert status == 0 and "zebra-isp" in out and "alpha" not in out, out
    status, out, err = yagura("member", "show", "--data", data, "alpha", "--json", "--history")
    assert json.loads(out)["history"][0]["action"] == "add", out
    url = f"http://127.0.0.1:{hub().port}"
    token = bearer("analyst")["Authorization"].split()[1]
    status, remote, err = yagura("member", "export", "--url", url, "--token", token)
    assert status == 0 and remote == yagura("member", "export", "--data", data)[1] and "zebra" in remote
    status, out, err = yagura("member", "import", "--url", url, sheet, YAGURA_TOKEN=token)
    assert status == 1 and "your role does not allow that" in err, err
    cp932 = write("cp932.csv", "key,notes\nalpha,備考：Quetzal\n".encode("cp932"))
    status, out, err = yagura("member", "import", "--data", data, cp932)  # the hub reads CP932 behind its walls
    assert status == 0 and "1 changed" in out, (out, err)
    assert hub().local("GET", "/api/v1/members/alpha").json()["notes"] == "備考：Quetzal"


# ---- API

def members_one_by_one():
    operator, analyst, viewer = bearer("operator"), bearer("analyst"), bearer("viewer")
    answer = hub().request("PUT", "/api/v1/members/delta", {"name": "Delta", "prefixes": ["12.0.0.0/8"], "parent": "alpha"}, operator)
    assert answer.status == 201 and answer.json()["key"] == "delta", answer.body
    seen = answer.json()
    assert hub().request("PUT", "/api/v1/members/delta", {**seen, "name": "Delta 2"}, operator).status == 200
    answer = hub().request("PUT", "/api/v1/members/delta", {**seen, "name": "Delta 3"}, operator)
    assert answer.status == 400 and "changed meanwhile" in answer.json()["error"]["message"], answer.body
    answer = hub().request("PUT", "/api/v1/members/delta", {"name": "Delta", "prefixes": ["0.0.0.0/0"]}, operator)
    assert answer.status == 400 and answer.json()["report"]["faults"][0]["message_ja"], answer.body
    answer = hub().request("DELETE", "/api/v1/members/alpha", headers=operator)
    assert answer.status == 400 and "'delta' still names it" in answer.json()["error"]["message"], answer.body
    history = hub().request("GET", "/api/v1/members/delta/history", headers=analyst).json()["changes"]
    assert [c["action"] for c in history] == ["change", "add"] and history[0]["who"] == "test-operator"
    assert history[0]["fields"] == [{"field": "name", "before": "Delta", "after": "Delta 2"}], history[0]
    number = seen["id"]
    assert hub().request("DELETE", f"/api/v1/members/{number}", headers=operator).status == 204
    assert hub().request("GET", "/api/v1/members/delta", headers=analyst).status == 404
    assert len(hub().request("GET", f"/api/v1/members/{number}/history", headers=analyst).json()["changes"]) == 3
    answer = hub().request("GET", "/api/v1/members?text=83.117.7.7", headers=viewer).json()
    assert [m["key"] for m in answer["members"]] == ["alpha", "gelbhorn", "zebra-isp"] and answer["total"] == 3
    assert "contacts" not in answer["members"][0] and "notes" not in answer["members"][0]
    assert "contacts" not in hub().request("GET", "/api/v1/members/alpha", headers=viewer).json()
    assert "contacts" in hub().request("GET", "/api/v1/members/alpha", headers=analyst).json()
    page = [hub().request("GET", f"/api/v1/members?limit=1&offset={i}", headers=viewer).json()["members"][0]["key"] for i in range(3)]
    assert page == ["alpha", "gelbhorn", "zebra-isp"]
    whose = hub().request("GET", "/api/v1/members/whose?address=83.117.7.7", headers=viewer).json()
    assert [m["key"] for m in whose["members"]] == ["gelbhorn"], whose
    assert [m["key"] for m in whose["wider"]] == ["zebra-isp", "alpha"]
    entries = hub().local("GET", f"/api/v1/audit?member={hub().local('GET', '/api/v1/members/alpha').json()['id']}").json()["entries"]
    assert any(e["actor"] == "token test-analyst" and e["action"] == "GET /members/{id}" for e in entries), entries


def people_of_a_member_are_made():
    for name, member in (("alpha-person", "alpha"), ("zebra-person", "zebra-isp")):
        body = {"name": name, "password": "correct horse battery", "role": "member"}
        assert hub().local("POST", "/api/v1/users", body).status == 400  # of which member?
        assert hub().local("POST", "/api/v1/users", {**body, "member": "nobody"}).status == 404
        assert hub().local("POST", "/api/v1/users", {**body, "member": member, "role": "viewer"}).status == 400
        assert hub().local("POST", "/api/v1/users", {**body, "member": member}).status == 201
    users = {u["name"]: u for u in hub().local("GET", "/api/v1/users").json()["users"]}
    assert users["alpha-person"]["member"] == "alpha" and users["alpha-person"]["role"] == "member"
    _, session = sign_in("alpha-person")
    assert session["user"]["member"]["key"] == "alpha" and session["user"]["role"] == "member", session
    answer = hub().local("DELETE", "/api/v1/members/alpha")
    assert answer.status == 400 and "'alpha-person' is bound to it" in answer.json()["error"]["message"], answer.body
    # A role that is taken away is gone at once, and with it the member.
    cookie, _ = sign_in("zebra-person")
    assert hub().request("GET", "/api/v1/members", headers=cookie).json()["total"] == 1
    assert hub().local("PUT", "/api/v1/users/zebra-person", {"role": "viewer"}).status == 200
    assert hub().request("GET", "/api/v1/members", headers=cookie).json()["total"] == 3
    assert hub().local("PUT", "/api/v1/users/zebra-person", {"role": "member", "member": "zebra-isp"}).status == 200
    assert hub().request("GET", "/api/v1/members", headers=cookie).json()["total"] == 1


def they_see_their_own():
    for headers in (sign_in("alpha-person")[0], bearer("member", "alpha")):
        listed = hub().request("GET", "/api/v1/members", headers=headers).json()
        assert listed["total"] == 1 and [m["key"] for m in listed["members"]] == ["alpha"], listed
        own = hub().request("GET", "/api/v1/members/alpha", headers=headers).json()
        assert own["prefixes"] == ["11.22.0.0/16", "83.0.0.0/8"] and own["contacts"][0]["mail"] == "soc@alpha.example.jp"
        assert not {"parent", "reports_to", "notes", "change"} & set(own), own
        assert hub().request("GET", f"/api/v1/members/{own['id']}", headers=headers).json() == own
        changes = hub().request("GET", "/api/v1/members/alpha/history", headers=headers).json()["changes"]
        assert [c["action"] for c in changes] == ["add"] and "who" not in changes[0], changes  # notes changed: not theirs to see
    cookie = sign_in("alpha-person")[0]
    answer = hub().request("PUT", "/api/v1/users/alpha-person", {"password": "another horse battery"}, cookie)
    assert answer.status == 200
    cookie["Cookie"] = answer.headers["Set-Cookie"].split(";")[0]
    assert hub().request("PUT", "/api/v1/users/alpha-person", {"password": "correct horse battery"}, cookie).status == 200


def they_see_who_looked():
    headers, analyst = sign_in("alpha-person")[0], bearer("analyst")
    ids = {m["key"]: m["id"] for m in hub().local("GET", "/api/v1/members").json()["members"]}
    assert hub().request("GET", f"/api/v1/members/{ids['alpha']}/history", headers=analyst).status == 200
    assert hub().request("GET", "/api/v1/members/zebra-isp", headers=analyst).status == 200
    assert hub().request("GET", f"/api/v1/findings?member={ids['alpha']}", headers=analyst).status == 200
    assert hub().request("GET", "/api/v1/members/export", headers=analyst).status == 200
    before = hub().request("GET", "/api/v1/members/alpha/looks", headers=headers).json()["looks"]
    assert [(look["who"], look["action"]) for look in before[:3]] == [
        ("token test-analyst", action) for action in ("GET /members/export", "GET /findings", "GET /members/{id}/history")], before[:3]
    assert not any("zebra" in look["subject"] or set(look) != {"id", "time", "who", "action", "subject"} for look in before)
    assert hub().request("GET", "/api/v1/members/alpha", headers=headers).status == 200  # to look at one's own is no look
    assert hub().request("GET", "/api/v1/members/alpha/looks", headers=headers).json()["looks"] == before
    assert hub().request("GET", "/api/v1/members/zebra-isp/looks", headers=headers).status == 404
    assert hub().request("GET", "/api/v1/members/alpha/looks", headers=analyst).status == 403


def parts_for(name):
    """What an asker could put for a {part}: what is theirs, what is another's, by every name it has."""
    numbers = [str(m["id"]) for m in hub().local("GET", "/api/v1/members").json()["members"]]
    ids = ["alpha", "zebra-isp", "gelbhorn", "ZEBRA-ISP", "zebra-isp%00", *numbers, "0", "1", "999999", "-1", "..", "%2e%2e%2fusers"]
    return {"id": ids, "name": ["alpha-person", "zebra-person", "admin"], "address": ["83.117.7.7", "2a05:d07::1", "11.22.3.4"],
            "year": [time.strftime("%Y")], "path*": ["", "api/collections/", "zebra/list.txt"]}[name]


QUERIES = ["", "?text=zebra&limit=1000&kind=provider&only=0&offset=0", "?address=83.117.7.7", "?q=zebra", "?q=83.117.7.7",
           "?parent=zebra-isp", "?member=2&limit=1000", "?format=json", "?format=csv&bom=1", "?dry_run=1", "?before=0",
           "?q=" + urllib.parse.quote('{"kind":"finding","from":"-24h"}')]
BODIES = [b"{}", b"[]", json.dumps(MEMBERS).encode(), b"key,name\nalpha,Taken over\nzebra-isp,Taken over\n",
          b'{"name":"Taken over","password":"a new password","role":"admin","member":"zebra-isp"}',
          b'{"role":"member","member":"zebra-isp"}', b'{"password":"a new password"}',
          b'{"kind":"tuple","from":"-24h","keys":["source"]}', b"\0\1"]


def every_route_for_a_members_people():
    """Each operation of the description, with each way to name another, with whatever is asked and sent: refused where the
    table says so, and in no answer a word of another. Nothing changes by it."""
    cookie, token = sign_in("alpha-person")[0], bearer("member", "alpha")
    before, tried, let_in, routes = everything(), 0, 0, 0
    for path, methods in document()["paths"].items():
        for method, operation in methods.items():
            own = operation.get("x-own", "nothing")
            routes += 1
            part = re.search(r"\{(.+?)\}", path)
            for value in parts_for(part.group(1)) if part else [""]:
                for query in QUERIES:
                    for body in BODIES if method in ("post", "put") else [None]:
                        if own == "answer" and method == "put" and value == "alpha-person" and b"password" in (body or b""):
                            continue  # their own password is theirs to change
                        if path == "/api/v1/session" and method == "delete" or path.endswith("/live") and own != "nothing":
                            continue
                        headers = dict(cookie if tried % 2 else token)
                        address = urllib.parse.quote(path.replace(part.group(), value) if part else path, safe="/:%*")
                        answer = hub().request(method.upper(), address + query, body, headers)
                        tried += 1
                        where = f"{method.upper()} {address}{query} {body!r}: {answer.status}"
                        assert answer.status < 500, f"{where} {answer.body[:300]}"
                        assert not marks_in(answer) or same_as_sent(answer, address, query, body), f"{where}: {marks_in(answer)} in {answer.body[:600]}"
                        if own == "nothing":
                            assert answer.status in (400, 403, 404, 405, 413), where
                            assert answer.status == 403 or value in ("..", "%2e%2e%2fusers", "") or "%00" in address, where
                        elif own == "part" and value not in ("alpha", parts_own()):
                            assert answer.status in (400, 404), where
                        let_in += answer.status < 300
    assert everything() == before
    print(f"     {routes} operations, {tried} requests, {let_in} answered, nothing of another")
    assert routes >= 35 and tried > 2000 and let_in > 20, (routes, tried, let_in)


def parts_own():
    return str(next(m["id"] for m in hub().local("GET", "/api/v1/members").json()["members"] if m["key"] == "alpha"))


def same_as_sent(answer, address, query, body):
    """A refusal may quote what the asker wrote."""
    sent = urllib.parse.unquote(address + query) + (body or b"").decode(errors="replace")
    return answer.status in (400, 403, 404, 405) and all(mark.lower() in sent.lower() for mark in marks_in(answer))


def what_is_not_there_and_what_is_anothers_look_alike():
    headers = bearer("member", "alpha")
    for path in ("/api/v1/members/{}", "/api/v1/members/{}/history", "/api/v1/members/{}/looks"):
        other, absent = (hub().request("GET", path.format(key), headers=headers) for key in ("zebra-isp", "nowhere"))
        assert (other.status, other.body) == (absent.status, absent.body) and other.status == 404


def the_marks_are_there_to_be_found():
    """The walk above proves something only if those who may see them do meet the marks."""
    analyst = bearer("analyst")
    text = b"".join(hub().request("GET", path, headers=analyst).body for path in (
        "/api/v1/members", "/api/v1/members/zebra-isp", "/api/v1/members/gelbhorn", "/api/v1/members/zebra-isp/history"))
    assert all(mark.lower() in text.decode().lower() for mark in MARKS), text[:500]


def guests_do_not_meet_members():
    with Hub("--guest-role", "analyst") as other:
        assert other.local("PUT", "/api/v1/members/alpha", MEMBERS[0] | {"parent": None, "reports_to": None}).status == 201
        for path in ("", "/alpha", "/alpha/history", "/alpha/looks", "/export", "/whose?address=11.22.3.4"):
            answer = other.get("/api/v1/members" + path)
            assert answer.status == 401 and b"Alpha" not in answer.body, (path, answer.status, answer.body)


def members_survive_a_restart():
    data = tempfile.mkdtemp(prefix="yagura-members-")
    with Hub(data=data) as first:
        assert first.local("POST", "/api/v1/members/import", json.dumps(MEMBERS).encode()).status == 200
        text = first.local("GET", "/api/v1/members/export").body
    with Hub(data=data) as again:
        assert again.local("GET", "/api/v1/members/export").body == text
        assert again.local("GET", "/api/v1/members/zebra-isp/history").json()["changes"][0]["action"] == "add"
    shutil.rmtree(data)


def main():
    global HUB
    tests = [a_file_goes_in_and_comes_out_without_a_hub, a_bad_file_changes_nothing_and_says_where,
             a_hundred_thousand_prefixes_go_in, commands_ask_the_running_hub, members_one_by_one,
             people_of_a_member_are_made, they_see_their_own, they_see_who_looked, every_route_for_a_members_people,
             what_is_not_there_and_what_is_anothers_look_alike, the_marks_are_there_to_be_found,
             guests_do_not_meet_members, members_survive_a_restart]
    HUB = Hub().ready()
    try:
        harness.main(tests)
    finally:
        HUB.close()
        shutil.rmtree(DIR)


main()
