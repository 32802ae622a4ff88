#!/usr/bin/env python3
"""The TAXII 2.1 server of a hub, asked by curl as any client would: discovery to objects, filters, pages, adding, and who
may see what. What it serves is judged by ajv with OASIS' schemas where npm is there."""
import json
import os
import shutil
import subprocess
import tempfile
import threading
import uuid

import harness
from harness import SHARED, yagura
from hub_client import Hub

TYPE = "application/taxii+json;version=2.1"
HUB = None
TOKENS = {}
COLLECTIONS = {}
COLLECTION_OPTIONS = {
    "all": ("--clearance", "red", "--automatic", "--writable"),
    "green": ("--clearance", "green", "--automatic", "--readers", "reader other"),
    "hand": ("--clearance", "green", "--writable"),
    "attack": ("--clearance", "red"),
}
UUID = "00000000-0000-4000-8000-%012d"


def curl(path, user="analyst", method="GET", body=None, accept=TYPE, content=TYPE):
    """Status, headers, JSON of one request."""
    command = ["curl", "-sS", "-g", "-i", "-X", method, "--max-time", "60", f"http://127.0.0.1:{HUB.port}{path}"]
    if user:
        command += ["-u", f"{user}:{TOKENS[user]}"]
    if accept:
        command += ["-H", f"Accept: {accept}"]
    if body is not None:
        command += ["-H", f"Content-Type: {content}", "--data-binary", "@-"]
    done = subprocess.run(command, input=(body or "").encode(), capture_output=True, timeout=90)
    assert done.returncode == 0, done.stderr
    head, _, text = done.stdout.decode().partition("\r\n\r\n")
    lines = head.split("\r\n")
    return int(lines[0].split()[1]), {k.lower(): v for k, v in (line.split(": ", 1) for line in lines[1:])}, json.loads(text) if text else None


def objects_of(name, query="", user="analyst", what="objects"):
    return curl(f"/taxii2/api/collections/{COLLECTIONS[name]}/{what}/{query}", user)


def indicator(number, modified="2026-01-01T00:00:00.000Z", **more):
    return {"type": "indicator", "spec_version": "2.1", "id": f"indicator--{UUID % number}", "created": "2026-01-01T00:00:00.000Z", "modified": modified,
            "pattern": f"[ipv4-addr:value = '198.51.100.{number % 250}']", "pattern_type": "stix", "valid_from": "2026-01-01T00:00:00Z"} | more


def discovery_leads_to_the_collections():
    status, headers, found = curl("/taxii2/")
    assert status == 200 and headers["content-type"] == TYPE, (status, headers)
    root = found["default"].split(str(HUB.port), 1)[1]
    assert found["api_roots"] == [found["default"]]
    status, _, found = curl(root)
    assert found["versions"] == [TYPE] and found["max_content_length"] > 0
    status, _, found = curl(root + "collections/")
    assert {c["alias"] for c in found["collections"]} == set(COLLECTION_OPTIONS), found
    assert curl(f"{root}collections/{COLLECTIONS['all']}/")[2]["can_write"] is True
    assert all(c["media_types"] == ["application/stix+json;version=2.1"] for c in found["collections"])


def errors_are_told_as_the_standard_says():
    status, headers, found = curl("/taxii2/", user=None)
    assert status == 401 and headers["www-authenticate"].startswith("Basic") and found["title"], (status, headers)
    assert curl("/taxii2/", accept="application/taxii+json;version=2.0")[0] == 406
    assert curl("/taxii2/", accept="text/html")[0] == 406
    assert curl("/taxii2/", accept="application/taxii+json")[0] == 200
    for path in ("/taxii2/other/", "/taxii2/api/collections/none/", "/taxii2/api/status/none/", f"/taxii2/api/collections/{COLLECTIONS['all']}/objects/none/"):
        assert curl(path)[0] == 404, path
    for query in ("?limit=0", "?limit=x", "?added_after=yesterday", "?added_after=2026-02-30T00:00:00Z", "?next=x", "?match[version]=x"):
        assert objects_of("all", query.replace("[", "%5B").replace("]", "%5D"))[0] == 400, query
    assert curl(f"/taxii2/api/collections/{COLLECTIONS['all']}/objects/{'indicator--' + UUID % 1}/", method="DELETE")[0] == 403
    assert curl(f"/taxii2/api/collections/{COLLECTIONS['all']}/objects/", method="POST", body="{}", content="text/plain")[0] == 415


def objects_are_added_and_their_fate_told():
    bad = indicator(3) | {"confidence": 101}
    status, _, found = curl(f"/taxii2/api/collections/{COLLECTIONS['all']}/objects/", method="POST", body=json.dumps({"objects": [indicator(1), indicator(2), bad]}))
    assert status == 202 and found["status"] == "complete", (status, found)
    assert (found["total_count"], found["success_count"], found["failure_count"], found["pending_count"]) == (3, 2, 1, 0), found
    assert "/confidence" in found["failures"][0]["message"] and found["failures"][0]["id"] == "/objects/2", found
    assert found["successes"][0] == {"id": "indicator--" + UUID % 1, "version": "2026-01-01T00:00:00.000Z"}, found
    assert curl(f"/taxii2/api/status/{found['id']}/")[2] == found
    assert curl(f"/taxii2/api/status/{found['id']}/", user="reader")[0] == 404
    assert curl(f"/taxii2/api/collections/{COLLECTIONS['green']}/objects/", user="reader", method="POST", body='{"objects":[]}')[0] == 403
    status, _, found = curl(f"/taxii2/api/collections/{COLLECTIONS['all']}/objects/", method="POST", body='{"objects":[[[')
    assert status == 422 and found["description"], (status, found)
    status, headers, found = objects_of("all")
    assert [o["id"] for o in found["objects"]] == ["indicator--" + UUID % 1, "indicator--" + UUID % 2] and found["more"] is False, found
    assert found["objects"][0] == indicator(1)
    assert headers["x-taxii-date-added-first"] < headers["x-taxii-date-added-last"], headers


def versions_and_filters_answer():
    newer = indicator(1, "2026-02-01T00:00:00.123456Z")
    malware = {"type": "malware", "spec_version": "2.1", "id": f"malware--{UUID % 9}", "created": "2026-01-01T00:00:00.000Z", "modified": "2026-01-01T00:00:00.000Z", "is_family": False}
    status, _, found = curl(f"/taxii2/api/collections/{COLLECTIONS['all']}/objects/", method="POST", body=json.dumps({"objects": [newer, malware]}))
    assert found["success_count"] == 2, found
    one = "indicator--" + UUID % 1
    assert curl(f"/taxii2/api/collections/{COLLECTIONS['all']}/objects/{one}/versions/")[2]["versions"] == ["2026-01-01T00:00:00.000Z", "2026-02-01T00:00:00.123456Z"]

    def ids(query):
        status, _, answer = objects_of("all", query)
        assert status == 200, (query, status, answer)
        return [o["id"][:11] + o.get("modified", "")[5:7] for o in answer.get("objects", [])]
    assert ids("?match[id]=" + one) == ["indicator--02"] and ids("?match%5Bid%5D=" + one) == ["indicator--02"]
    assert ids(f"?match[id]={one}&match[version]=all") == ["indicator--01", "indicator--02"]
    assert ids(f"?match[id]={one}&match[version]=first") == ["indicator--01"]
    assert ids("?match[version]=2026-02-01T00:00:00.123456Z") == ["indicator--02"]
    assert ids("?match[type]=malware") == ["malware--0001"] or ids("?match[type]=malware")[0].startswith("malware--"), ids("?match[type]=malware")
    assert len(ids("?match[type]=malware,indicator")) == 3 and ids("?match[type]=tool") == []
    assert ids("?match[spec_version]=2.0") == [] and len(ids("?match[spec_version]=2.1")) == 3
    status, _, manifest = objects_of("all", what="manifest")
    assert [m["id"] for m in manifest["objects"]] == ["indicator--" + UUID % 2, one, f"malware--{UUID % 9}"], manifest
    assert manifest["objects"][1]["version"] == "2026-02-01T00:00:00.123456Z" and manifest["objects"][1]["media_type"] == "application/stix+json;version=2.1"
    after = manifest["objects"][1]["date_added"]
    assert [o["type"] for o in objects_of("all", "?added_after=" + after)[2]["objects"]] == ["malware"]
    assert objects_of("all", "?added_after=2999-01-01T00:00:00Z")[2] == {}


def audiences_are_kept_apart():
    red = indicator(50, object_marking_refs=["marking-definition--5e57c739-391a-4eb3-b6be-7d15ca92d5ed"])
    green = indicator(51, object_marking_refs=["marking-definition--34098fce-860f-48ae-8e50-ebd3cc5e41da"])
    bundle = {"type": "bundle", "id": "bundle--" + UUID % 1, "objects": [red, green]}
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(bundle, file)
        file.flush()
        status, out, err = yagura("indicator", "import", "--data", os.path.join(HUB.data, "data"), file.name)
    assert status == 0 and "2 taken" in out, (out, err)
    assert [o["id"] for o in objects_of("green", user="reader")[2]["objects"]] == [green["id"]]
    assert red["id"] in [o["id"] for o in objects_of("all")[2]["objects"]]
    assert {c["alias"] for c in curl("/taxii2/api/collections/", user="reader")[2]["collections"]} == {"green"}
    assert objects_of("all", user="reader")[0] == 404 and objects_of("all", user="reader", what="manifest")[0] == 404
    status, _, found = curl(f"/taxii2/api/collections/{COLLECTIONS['hand']}/objects/", method="POST", body=json.dumps({"objects": [red]}))
    assert found["failure_count"] == 1 and "clearance" in found["failures"][0]["message"], found


def pages_lose_and_repeat_nothing_while_others_add():
    def add(first):
        for start in range(first, first + 2000, 100):
            status, _, found = curl(f"/taxii2/api/collections/{COLLECTIONS['all']}/objects/", method="POST",
                                    body=json.dumps({"objects": [indicator(n) for n in range(start, start + 100)]}))
            assert status == 202 and found["success_count"] == 100, found
    add(1000)
    other = threading.Thread(target=add, args=(3000,))
    other.start()
    seen, query, cursor = [], "?limit=77", ""
    while True:
        going = other.is_alive()
        status, headers, found = objects_of("all", query + cursor)
        seen += [o["id"] for o in found.get("objects", [])]
        if found.get("more"):
            cursor = "&next=" + found["next"]
        elif "x-taxii-date-added-last" in headers:
            cursor = "&added_after=" + headers["x-taxii-date-added-last"]
        elif not going:
            break
    other.join()
    added = [f"indicator--{UUID % n}" for n in range(1000, 5000)]
    assert len(seen) == len(set(seen)), "an object came twice"
    assert set(added) <= set(seen), "objects were lost"


def real_bundles_come_out_as_they_went_in():
    archive = os.path.join(SHARED, "share", "attack_ics_mobile_stix21.tar.xz")
    if not os.path.exists(archive):
        print("     (skipped: no ../shared/data/share)")
        return
    folder = tempfile.mkdtemp()
    subprocess.run(["tar", "-C", folder, "-xf", archive], check=True)
    path = os.path.join(folder, "attack_ics_mobile_stix21/attack-stix-data/ics-attack/ics-attack.json")
    wanted = {o["id"]: o for o in json.load(open(path))["objects"]}
    status, out, err = yagura("indicator", "import", "--data", os.path.join(HUB.data, "data"), "--collection", "attack", "--json", path)
    result = json.loads(out)
    assert status == 0 and result["refused"] == 0 and result["taken"] == len(wanted), (out[:500], err)
    got, cursor = {}, ""
    while True:
        _, _, page = objects_of("attack", "?match[version]=all" + cursor)
        for found in page["objects"]:
            got[found["id"]] = found
        if not page["more"]:
            break
        cursor = "&next=" + page["next"]
    assert got == wanted, f"{len(got)} of {len(wanted)}"
    shutil.rmtree(folder)


def main():
    global HUB
    HUB = Hub().ready()
    data = os.path.join(HUB.data, "data")
    for name, role in (("analyst", "analyst"), ("reader", "viewer")):
        TOKENS[name] = HUB.local("POST", "/api/v1/tokens", {"name": name, "role": role}).json()["token"]
    for name, options in COLLECTION_OPTIONS.items():
        status, out, err = yagura("share", "taxii", name, "--data", data, "--json", *options)
        assert status == 0, err
        COLLECTIONS[name] = json.loads(out)["id"]
    try:
        harness.main([discovery_leads_to_the_collections, errors_are_told_as_the_standard_says, objects_are_added_and_their_fate_told,
                      versions_and_filters_answer, audiences_are_kept_apart, pages_lose_and_repeat_nothing_while_others_add,
                      real_bundles_come_out_as_they_went_in])
    finally:
        HUB.close()


main()
