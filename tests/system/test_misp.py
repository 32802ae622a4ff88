#!/usr/bin/env python3
"""MISP in and out: every event of ../shared/data/share goes in, comes out of the feed, and is the same, member for member;
patterns are those that misp-stix makes of the same attributes."""
import glob
import hashlib
import json
import os
import shutil
import subprocess
import tempfile

import harness
from harness import SHARED, yagura
from hub_client import Hub

FOLDER = tempfile.mkdtemp(prefix="yagura-misp-")
UUID = "5c066053-0e94-46eb-9746-4b7d950d21%02x"
EVENT = {"Event": {"uuid": UUID % 1, "info": "Scan of 日本", "date": "2026-01-02", "threat_level_id": "3", "analysis": "2", "published": True, "timestamp": "1767312000",
                   "publish_timestamp": "1767312060", "Orgc": {"name": "CIRCL", "uuid": "55f6ea5e-2c60-40e5-964f-47a8950d210f"},
                   "Tag": [{"name": "tlp:green", "colour": "#fff"}, {"name": "type:OSINT"}],
                   "Attribute": [{"uuid": UUID % 2, "type": "ip-dst|port", "category": "Network activity", "value": "198.51.100.7|443", "to_ids": True, "comment": "c2", "timestamp": "1767312000",
                                  "Sighting": [{"type": "0", "date_sighting": "1767312100", "source": ""}]},
                                 {"uuid": UUID % 3, "type": "domain", "category": "Network activity", "value": "Evil.Example", "to_ids": True, "timestamp": "1767312000", "x": None},
                                 {"uuid": UUID % 4, "type": "comment", "category": "Other", "value": "it's \"so\"", "to_ids": False, "timestamp": "1767312000"}],
                   "Object": [{"uuid": UUID % 5, "name": "file", "meta-category": "file", "template_uuid": UUID % 6, "template_version": "7", "timestamp": "1767312000",
                               "Attribute": [{"uuid": UUID % 7, "type": "md5", "object_relation": "md5", "category": "Payload delivery", "value": "44d88612fea8a8f36de82e1278abb02f", "to_ids": True,
                                              "timestamp": "1767312000"}], "ObjectReference": []}]}}


def events_of(value):
    if isinstance(value, dict):
        if isinstance(value.get("Event"), dict):
            yield value["Event"]
        elif "response" in value:
            yield from events_of(value["response"])
        elif "info" in value and "uuid" in value:
            yield value
    elif isinstance(value, list):
        for item in value:
            yield from events_of(item)


def through(*paths):
    """Import files into a fresh store, write its feed. Results of the imports, the feed's folder, the data directory."""
    data = tempfile.mkdtemp(dir=FOLDER)
    assert yagura("share", "taxii", "all", "--data", data, "--clearance", "red", "--automatic")[0] == 0
    results = []
    for path in paths:
        status, out, err = yagura("indicator", "import", "--data", data, "--json", path)
        assert status == 0, (path, out[:500], err)
        results.append(json.loads(out))
    status, out, err = yagura("share", "misp", "all", "--data", data, "--output", data + "/feed")
    assert status == 0, err
    return results, data + "/feed", data


def write(name, value):
    path = os.path.join(FOLDER, name)
    with open(path, "w") as file:
        json.dump(value, file)
    return path


def an_event_comes_out_as_it_went_in():
    results, feed, data = through(write("event.json", EVENT))
    assert results[0]["refused"] == 0 and results[0]["taken"] == 8, results
    assert json.load(open(f"{feed}/{UUID % 1}.json")) == EVENT
    manifest = json.load(open(feed + "/manifest.json"))
    assert manifest[UUID % 1]["info"] == "Scan of 日本" and manifest[UUID % 1]["Orgc"]["name"] == "CIRCL", manifest
    hashes = open(feed + "/hashes.csv").read().split()
    for value in ("198.51.100.7", "443", "Evil.Example", "44d88612fea8a8f36de82e1278abb02f"):
        assert f"{hashlib.md5(value.encode()).hexdigest()},{UUID % 1}" in hashes, value
    listed = {row["value"]: row for row in json.loads(yagura("indicator", "list", "--data", data, "--json")[1])}
    assert listed["evil.example"]["tlp"] == "green" and listed["44d88612fea8a8f36de82e1278abb02f"]["kind"] == "md5", listed
    assert listed[""]["sightings"] == 1, "an address with a port is a part of a match: it stands in no list"


def other_indicators_make_events_by_source():
    path = os.path.join(FOLDER, "list.txt")
    with open(path, "w") as file:
        file.write("evil.example\n93.184.216.34\n")
    _, feed, _ = through(path, write("event.json", EVENT))
    manifest = json.load(open(feed + "/manifest.json"))
    assert len(manifest) == 2, manifest
    uuid = next(key for key in manifest if key != UUID % 1)
    event = json.load(open(f"{feed}/{uuid}.json"))["Event"]
    assert sorted((a["type"], a["value"]) for a in event["Attribute"]) == [("domain", "evil.example"), ("ip-dst", "93.184.216.34")], event
    assert event["Tag"] == [{"name": "tlp:red"}] and event["info"].endswith("list.txt")


def what_is_bad_is_refused_and_the_rest_goes_on():
    bad = json.loads(json.dumps(EVENT))
    bad["Event"]["Attribute"][1:1] = [{"type": "ip-dst"}, 7, {"uuid": UUID % 2, "type": "ip-dst", "value": "192.0.2.1", "category": "x", "to_ids": True, "timestamp": "1767312000"}]
    results, _, _ = through(write("bad.json", [bad, 7, {"Event": {}}]))
    where = [refusal["where"] for refusal in results[0]["refusals"]]
    assert where[:3] == ["/0/Event/Attribute/1", "/0/Event/Attribute/2", "/0/Event/Attribute/3"] and len(where) == 5, results
    assert results[0]["taken"] == 8, results


def every_real_event_makes_the_round():
    archive = os.path.join(SHARED, "share", "misp_events_and_stix_pairs.tar.xz")
    if not os.path.exists(archive):
        print("     (skipped: no ../shared/data/share)")
        return
    subprocess.run(["tar", "-C", FOLDER, "-xf", archive], check=True)
    made = 0
    for path in sorted(glob.glob(FOLDER + "/misp_events_and_stix_pairs/**/*.json", recursive=True)):
        try:
            events = list(events_of(json.load(open(path))))
        except ValueError:
            continue
        if "stix2" in path or not events:
            continue
        results, feed, _ = through(path)
        # One file gives ten attributes one UUID; all but the first are refused.
        again = path.endswith("japanese_test_heavy.json")
        assert results[0]["refused"] == (9 if again else 0), (path, results)
        for event in events:
            out = json.load(open(f"{feed}/{event['uuid'].lower()}.json"))["Event"]
            wanted = {"Attribute": [], "Object": []} | event
            wanted["Object"] = [{"Attribute": []} | inner for inner in wanted["Object"]]
            assert again or out == wanted, (path, [key for key in out if out.get(key) != wanted.get(key)])
            made += 1
    assert made >= 25, made
    print(f"     {made} events")


def patterns_are_those_of_misp_stix():
    twins = glob.glob(FOLDER + "/misp_events_and_stix_pairs/misp-stix/tests/test_events_collection_[12].json")
    same = 0
    for path in twins:
        _, _, data = through(path)
        done = subprocess.run(["sqlite3", data + "/indicators.sqlite", "SELECT json FROM object WHERE json LIKE '%\"type\":\"indicator\"%'"], capture_output=True, text=True, check=True)
        own = {value["id"]: value for value in map(json.loads, done.stdout.splitlines())}
        twin = json.load(open(os.path.join(os.path.dirname(path), "test_events_collection_stix21.json")))
        for value in twin["objects"]:
            if value["id"] in own:
                assert own[value["id"]]["pattern"] == value["pattern"], (own[value["id"]], value)
                same += 1
    assert not twins or same >= 2, same


def a_hub_serves_the_feed():
    hub = Hub().ready()
    try:
        data = os.path.join(hub.data, "data")
        token = hub.local("POST", "/api/v1/tokens", {"name": "misp", "role": "viewer"}).json()["token"]
        assert yagura("share", "taxii", "all", "--data", data, "--clearance", "green", "--automatic", "--readers", "misp")[0] == 0
        assert yagura("indicator", "import", "--data", data, write("event.json", EVENT))[0] == 0
        headers = {"Authorization": f"Bearer {token}"}
        manifest = hub.get("/feeds/all/misp/manifest.json", headers=headers)
        assert list(manifest.json()) == [UUID % 1] and manifest.headers["Content-Type"] == "application/json"
        assert hub.get("/feeds/all/misp/manifest.json", headers=headers | {"If-None-Match": manifest.headers["ETag"]}).status == 304
        assert hub.get(f"/feeds/all/misp/{UUID % 1}.json", headers=headers).json() == EVENT
        assert hub.get(f"/feeds/all/misp/{UUID % 9}.json", headers=headers).status == 404
        assert hub.get("/feeds/all/misp/other", headers=headers).status == 404
        assert len(hub.get("/feeds/all/misp/hashes.csv", headers=headers).body.split()) == 5
    finally:
        hub.close()


if __name__ == "__main__":
    try:
        harness.main([an_event_comes_out_as_it_went_in, other_indicators_make_events_by_source, what_is_bad_is_refused_and_the_rest_goes_on, every_real_event_makes_the_round,
                      patterns_are_those_of_misp_stix, a_hub_serves_the_feed])
    finally:
        shutil.rmtree(FOLDER)
