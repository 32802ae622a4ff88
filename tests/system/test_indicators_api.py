#!/usr/bin/env python3
"""Indicators over the API: asked for, brought, looked at one by one, ended; and collections in the forms they are served in.
Who may see what, what the audit log says of it, and that the answers are as data/openapi.json describes them."""
import json
import os
import re
import shutil
import tempfile

import harness
from harness import ROOT, yagura
from hub_client import Hub
from test_hub import fits

HUB = None
TOKENS = {}
DOCUMENT = json.load(open(os.path.join(ROOT, "data", "openapi.json")))


def ask(method, path, user="analyst", body=None, status=200):
    answer = HUB.request(method, "/api/v1" + path, body, {"Authorization": f"Bearer {TOKENS[user]}"} if user else {})
    assert answer.status == status, (method, path, user, answer.status, answer.body[:400])
    answer = answer.json()
    described = re.sub(r"/indicator--[\w-]+", "/{id}", re.sub(r"^/collections/\w+$", "/collections/{id}", path.split("?")[0]))
    content = DOCUMENT["paths"]["/api/v1" + described][method.lower()]["responses"].get(str(status), {}).get("content")
    if content:
        faults = fits(answer, content["application/json"]["schema"], DOCUMENT)
        assert not faults, (path, faults[:5])
    return answer


def bring(text, query="", user="analyst", status=200):
    return ask("POST", f"/indicators/import?{query}", user, text.encode() if isinstance(text, str) else text, status)


def listed(query="", user="analyst"):
    return [one["value"] for one in ask("GET", f"/indicators?{query}", user)["indicators"]]


def one_of(value, user="operator"):
    return ask("GET", f"/indicators?value={value}", user)["indicators"][0]


def changes(action):
    return [entry for entry in HUB.local("GET", "/api/v1/audit?sort=changes&limit=500").json()["entries"] if entry["action"] == action]


def a_file_is_judged_before_it_is_taken():
    text = "45.66.77.45\nhxxp://evil[.]example/x\nnot a value\nevil.example\n8.8.8.8\n300.1.2.3\n"
    judged = bring(text, "dry=1&tlp=green&name=list.txt")
    assert judged["dry"] and (judged["taken"], judged["known"], judged["refused"], judged["warned"]) == (4, 0, 2, 1), judged
    assert [fault["where"] for fault in judged["faults"]] == ["line 3", "line 6"], judged["faults"]
    assert all(len(fault["why"]) > 5 for fault in judged["faults"])
    shown = {one["value"]: one for one in judged["values"]}
    assert set(shown) == {"45.66.77.45", "http://evil.example/x", "evil.example", "8.8.8.8"}, shown
    assert shown["8.8.8.8"]["warning"] and not shown["45.66.77.45"]["warning"], shown
    assert listed() == []
    done = bring(text, "tlp=green&name=list.txt&confidence=80")
    assert not done["dry"] and (done["taken"], done["refused"]) == (4, 2), done
    assert set(listed()) == set(shown)
    again = bring(text, "dry=1&tlp=green&name=list.txt")
    assert (again["taken"], again["known"]) == (0, 4) and all(one["known"] for one in again["values"]), again
    assert "neither" in bring('{"type": "bundle", ', status=400)["error"]["message"]
    assert bring("x\n", "format=nothing", status=400)
    assert changes("POST /indicators/import"), "it is not in the audit log"


def it_is_found_by_what_it_says():
    bring("203.0.113.9\n", "tlp=amber&confidence=20")
    bring("d41d8cd98f00b204e9800998ecf8427e\n", "tlp=clear&confidence=90&days=3&name=hashes.txt")
    assert set(listed("find=EVIL")) == {"http://evil.example/x", "evil.example"}
    assert set(listed("find=evil%5B.%5Dexample")) == {"http://evil.example/x", "evil.example"}
    assert listed("find=45%5B.%5D66.77.45") == ["45.66.77.45"]
    assert listed("find=100%25_") == [] and listed("value=evil") == []
    assert listed("kind=md5") == listed("tlp=clear") == listed("confidence=90") == ["d41d8cd98f00b204e9800998ecf8427e"]
    assert "8.8.8.8" in listed() and "8.8.8.8" not in listed("unwarned=1")
    assert listed("source=manual") == ["203.0.113.9"] and "203.0.113.9" not in listed("source=file&score=10")
    assert set(listed("score=75")) == set(listed()) - {"203.0.113.9"}
    ask("GET", "/indicators?kind=nothing", status=400)
    pages, before = [], ""
    for _ in range(9):
        page = ask("GET", f"/indicators?limit=2{before}")
        pages += [one["value"] for one in page["indicators"]]
        if page["next"] is None:
            break
        before = f"&before={page['next']}"
    assert pages == listed() and len(pages) == 6, pages


def what_is_red_is_for_operators():
    assert bring("192.0.2.66\n", "tlp=red", status=403)
    bring("192.0.2.66\n", "tlp=red", "operator")
    red = one_of("192.0.2.66")
    assert "192.0.2.66" not in listed() and listed("value=192.0.2.66") == [] and "192.0.2.66" in listed("", "operator")
    ask("GET", f"/indicators/{red['id']}", status=404)
    ask("POST", f"/indicators/{red['id']}/state", body={"state": "expired"}, status=404)
    assert one_of("192.0.2.66")["state"] == "active"
    ask("GET", "/indicators", None, status=401)
    for method, path in (("GET", "/indicators"), ("GET", f"/indicators/{red['id']}"), ("POST", "/indicators/import"), ("POST", f"/indicators/{red['id']}/state")):
        ask(method, path, "viewer", b"{}" if method == "POST" else None, status=403)


def sighting(of, uuid, count, seen):
    return {"type": "sighting", "spec_version": "2.1", "id": f"sighting--{uuid}", "created": seen, "modified": seen, "sighting_of_ref": of,
            "first_seen": seen, "last_seen": seen, "count": count}


def its_life_is_told():
    found = one_of("45.66.77.45")
    seen = "2026-01-05T06:07:08.000Z"
    bundle = {"type": "bundle", "id": "bundle--11111111-1111-4111-8111-111111111111",
              "objects": [sighting(found["id"], "22222222-2222-4222-8222-222222222222", 3, seen)]}
    assert bring(json.dumps(bundle), "name=seen.json&tlp=green")["taken"] == 1
    bring("45.66.77.45\n", "tlp=green&name=other.txt")
    one = ask("GET", f"/indicators/{found['id']}")
    assert one["sightings"] == 3 and len(one["seen_by"]) == 1, one["seen_by"]
    last = one["seen_by"][0]
    assert last["seen"].startswith("2026-01-05T06:07:08") and (last["count"], last["source"]) == (3, "seen.json"), last
    assert one["origin"]["kind"] == "file" and one["origin"]["name"] == "list.txt" and one["origin"]["by"] == "analyst" and one["origin"]["first"], one["origin"]
    assert [other["source"] for other in one["also"]] == ["other.txt"], one["also"]
    assert [each["name"] for each in one["collections"]] == ["green"] and one["collections"][0]["added"]
    assert one["object"]["id"] == found["id"] and one["lists"] == 1
    scores = [score for _, score in one["decay"]]
    assert scores[0] == 80 and scores[-1] == 0 and scores == sorted(scores, reverse=True) and len(scores) > 20, scores
    assert 0 < one["score"] <= 80
    ask("GET", "/indicators/indicator--33333333-3333-4333-8333-333333333333", status=404)


def a_release_is_part_of_it():
    assert HUB.local("PUT", "/api/v1/members/alpha", {"name": "Alpha", "clearance": "amber"}).status == 201
    assert HUB.local("PUT", "/api/v1/groups/circle", {"name": "Circle", "members": ["alpha"]}).status in (200, 201)
    found = one_of("203.0.113.9")
    proposed = HUB.request("POST", "/api/v1/releases", {"indicator": found["id"], "groups": ["circle"]}, {"Authorization": f"Bearer {TOKENS['analyst']}"})
    assert proposed.status == 201, proposed.body
    told = ask("GET", f"/indicators/{found['id']}", "operator")["releases"]
    assert [(one["state"], one["groups"], one["proposer"]) for one in told] == [("proposed", ["circle"], "analyst")], told
    assert ask("GET", f"/indicators/{found['id']}")["releases"] == []


def whoever_ends_it_stands_by_it():
    found = one_of("evil.example")
    fetched = lambda: HUB.get("/feeds/green/list.txt?kind=domain", headers={"Authorization": f"Bearer {TOKENS['reader']}"}).body
    assert fetched() == b"evil.example\n"
    for state, left in (("false-positive", b""), ("active", b"evil.example\n"), ("expired", b"")):
        assert ask("POST", f"/indicators/{found['id']}/state", body={"state": state})["state"] == state
        assert fetched() == left, (state, fetched())
    ask("POST", f"/indicators/{found['id']}/state", body={"state": "revoked"}, status=400)
    one = ask("GET", f"/indicators/{found['id']}")
    assert one["score"] == 0 and [(each["state"], each["by"]) for each in one["changes"]] == [(state, "token analyst") for state in ("expired", "active", "false-positive")], one["changes"]
    assert listed("state=expired") == ["evil.example"]
    noted = changes("POST /indicators/{id}/state")
    assert {entry["subject"] for entry in noted} >= {found["id"]}
    bring("192.0.2.201\n", "tlp=green&days=1")
    stix = ask("GET", f"/indicators/{one_of('192.0.2.201')['id']}")["object"]
    stix.update(id="indicator--44444444-4444-4444-8444-444444444444", name="old", valid_from="2020-01-01T00:00:00Z", valid_until="2020-02-01T00:00:00Z")
    bring(json.dumps(stix), "format=stix")
    assert "over" in ask("POST", f"/indicators/{stix['id']}/state", body={"state": "active"}, status=409)["error"]["code"]


def collections_say_what_they_serve():
    given = ask("GET", "/collections", "reader")
    assert [one["name"] for one in given["collections"]] == ["green"] and given["url"].startswith("http"), given
    assert ask("GET", "/collections", "viewer")["collections"] == []
    ask("GET", "/collections", None, status=401)
    ask("GET", "/collections/green", "viewer", status=404)
    ask("GET", "/collections/nothing", "reader", status=404)
    green = ask("GET", "/collections/green", "reader")
    forms = {one["file"]: one for one in green["forms"]}
    reader = {"Authorization": f"Bearer {TOKENS['reader']}"}
    for file, form in forms.items():
        answer = HUB.get(f"/feeds/green/{file}", headers=reader)
        assert answer.status == 200 and len(answer.body) == form["bytes"] and answer.headers["ETag"] == form["etag"], (file, form, answer.headers.items())
        assert answer.headers["Content-Type"].split(";")[0] == form["type"].split(";")[0], (file, form)
    lines = HUB.get("/feeds/green/list.txt", headers=reader).body.splitlines()
    assert forms["list.txt"]["values"] == len(lines) > 0, (forms["list.txt"], lines)
    zone = HUB.get("/feeds/green/policy.zone", headers=reader).body.decode()
    assert re.search(rf"SOA .*?\b{forms['policy.zone']['serial']}\b", zone, re.S), (forms["policy.zone"], zone[:300])
    assert green["objects"] >= forms["list.txt"]["values"] and green["last"] and green["most"] == "green"
    receipts = len(HUB.local("GET", "/api/v1/receipts?limit=500").json()["receipts"])
    ask("GET", "/collections/green", "reader")
    assert len(HUB.local("GET", "/api/v1/receipts?limit=500").json()["receipts"]) == receipts, "nobody was given anything"


def a_large_collection_is_counted_when_it_is_fetched():
    many = "\n".join(f"host{i}.large.example" for i in range(20001))
    assert bring(many, "tlp=green&name=large.txt")["taken"] == 20001
    assert ask("GET", "/collections/green", "reader")["forms"] == []
    answer = HUB.get("/feeds/green/list.txt", headers={"Authorization": f"Bearer {TOKENS['reader']}"})
    [form] = ask("GET", "/collections/green", "reader")["forms"]
    assert form["file"] == "list.txt" and form["values"] == answer.body.count(b"\n") > 20000 and form["etag"] == answer.headers["ETag"], form


def main():
    global HUB
    lists = tempfile.mkdtemp(prefix="yagura-lists-")
    shutil.copy(os.path.join(ROOT, "data", "warninglists", "resolvers.json"), lists)
    HUB = Hub("--warninglists", lists).ready()
    for name, role in (("analyst", "analyst"), ("operator", "operator"), ("viewer", "viewer"), ("reader", "viewer")):
        TOKENS[name] = HUB.local("POST", "/api/v1/tokens", {"name": name, "role": role}).json()["token"]
    assert yagura("share", "taxii", "green", "--data", os.path.join(HUB.data, "data"), "--clearance", "green", "--automatic", "--readers", "reader")[0] == 0
    try:
        harness.main([a_file_is_judged_before_it_is_taken, it_is_found_by_what_it_says, what_is_red_is_for_operators, its_life_is_told,
                      a_release_is_part_of_it, whoever_ends_it_stands_by_it, collections_say_what_they_serve,
                      a_large_collection_is_counted_when_it_is_fetched])
    finally:
        HUB.close()
        shutil.rmtree(lists)


main()
