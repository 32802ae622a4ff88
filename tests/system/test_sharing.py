#!/usr/bin/env python3
"""Groups, releases and receipts as people and machines meet them: what each member's token reads of feeds and TAXII is what an
oracle of the rules says, and of what is hidden not a trace is found, in no list, count or refusal."""
import json
import os
import random
import shutil
import sys
import tempfile

import harness
from harness import ROOT
from hub_client import Hub

sys.path.insert(0, os.path.join(ROOT, "tests", "unit", "share"))
import sharing_oracle  # noqa: E402

HUB = None
TOKENS = {}
TLPS = ["clear", "green", "amber", "amber+strict", "red"]
TAXII = {"Accept": "application/taxii+json;version=2.1"}


def bearer(name, role, member=None):
    if name not in TOKENS:
        body = {"name": name, "role": role, **({"member": member} if member else {})}
        answer = HUB.local("POST", "/api/v1/tokens", body)
        assert answer.status == 201, answer.body
        TOKENS[name] = answer.json()["token"]
    return {"Authorization": "Bearer " + TOKENS[name]}


def ask(who, method, path, body=None, status=None):
    answer = HUB.request(method, "/api/v1" + path, body, who)
    assert status is None or answer.status == status, (method, path, answer.status, answer.body)
    return answer.json() if answer.body and answer.headers.get("Content-Type", "").startswith("application/json") else answer.body


def analyst():
    return bearer("annika", "analyst")


def operator():
    return bearer("olga", "operator")


def other_operator():
    return bearer("otto", "operator")


def people(member):
    return bearer(f"p-{member}", "member", member)


def member_put(key, clearance="red", **fields):
    ask(operator(), "PUT", f"/members/{key}", {"name": f"Member {key}", "clearance": clearance, **fields})


def group_put(key, members=(), groups=(), confidential=False, status=None, **fields):
    return ask(operator(), "PUT", f"/groups/{key}", {"name": f"Group {key}", "members": list(members), "groups": list(groups),
                                                    "confidential": confidential, **fields}, status)


def propose(who, groups, value, tlp="amber", status=201, **fields):
    return ask(who, "POST", "/releases", {"value": value, "groups": list(groups), "tlp": tlp, **fields}, status)


def decide(who, release, decision="released", status=200, **fields):
    seen = ask(operator(), "GET", f"/releases/{release['id']}")
    body = {"decision": decision, "preview": seen.get("preview", {}).get("digest", ""), "acknowledged": True, **fields}
    return ask(who, "POST", f"/releases/{release['id']}/decide", body, status)


def collection(key):
    return ask(operator(), "GET", f"/groups/{key}", status=200)["collection"]


def listed(who, name):
    """The values of a collection's list; None: it is not there."""
    answer = HUB.request("GET", f"/feeds/{name}/list.txt", headers=who)
    assert answer.status in (200, 404), answer.status
    return set(answer.body.decode().split()) if answer.status == 200 else None


def objects(who, name):
    answer = HUB.request("GET", f"/taxii2/api/collections/{name}/objects/", headers={**who, **TAXII})
    return answer.json().get("objects", []) if answer.status == 200 else None


# ---- groups

def groups_lie_in_groups_and_never_in_themselves():
    for key in ("ash", "birch", "cedar", "doug", "elm"):
        member_put(key)
    member_put("twig", parent="ash")
    group_put("inner", ["birch"], status=201)
    group_put("hidden", ["cedar"], confidential=True, status=201)
    seen = group_put("outer", ["ash"], ["inner", "hidden"], status=201, purpose="to share", name_en="Outer")
    assert seen["members"] == ["ash"] and seen["groups"] == ["hidden", "inner"] and seen["names"] == {"ash": "Member ash"}, seen
    for key, members, groups, why in (("inner", ["birch"], ["outer"], "come to lie in itself"), ("solo", [], ["solo"], "come to lie in itself"),
                                      ("solo", ["nobody"], [], "no member 'nobody'"), ("solo", [], ["nothing"], "no group 'nothing'"),
                                      ("Solo", [], [], "not a key")):
        refusal = group_put(key, members, groups, status=400)
        assert why in refusal["error"]["message"], refusal
    assert ask(operator(), "GET", "/groups/inner")["groups"] == []
    assert "changed meanwhile" in group_put("inner", ["birch"], change=99, status=400)["error"]["message"]
    assert "another group holds" in ask(operator(), "DELETE", "/groups/inner", status=409)["error"]["message"]
    ask(analyst(), "PUT", "/groups/solo", {"name": "x"}, 403)
    ask(people("ash"), "PUT", "/groups/solo", {"name": "x"}, 403)
    entries = [e for e in HUB.local("GET", "/api/v1/audit").json()["entries"] if e["action"] == "group.changed" and e["subject"] == "outer"]
    assert entries and entries[0]["detail"]["members"] == ["ash"] and entries[0]["actor"] == "olga", entries


def a_hidden_group_leaves_no_trace():
    ash, birch, cedar, doug = (people(k) for k in ("ash", "birch", "cedar", "doug"))
    for who in (ash, birch, doug, analyst()):
        text = json.dumps(ask(who, "GET", "/groups"))
        assert "hidden" not in text and "cedar" not in text, text
        absent, hidden = (HUB.request("GET", f"/api/v1/groups/{key}", headers=who) for key in ("nothing", "hidden"))
        assert (absent.status, absent.body) == (hidden.status, hidden.body) and absent.status == 404
        absent, hidden = (HUB.request("POST", "/api/v1/releases", {"value": "203.0.113.1", "groups": [key]}, who) for key in ("nothin", "hidden"))
        assert absent.status == hidden.status == 404 and absent.body == hidden.body.replace(b"hidden", b"nothin"), hidden.body
    groups = {g["key"]: g for g in ask(cedar, "GET", "/groups")["groups"]}
    assert set(groups) == {"inner", "hidden", "outer"} and groups["hidden"]["members"] == ["cedar"]
    assert groups["outer"]["takes_part"] and not groups["inner"]["takes_part"] and groups["inner"]["members"] == []
    groups = {g["key"]: g for g in ask(birch, "GET", "/groups")["groups"]}
    assert groups["outer"]["members"] == ["ash"] and groups["outer"]["groups"] == ["inner"] and "change" not in groups["outer"]
    groups = {g["key"]: g for g in ask(doug, "GET", "/groups")["groups"]}
    assert groups["outer"]["members"] == [] and groups["outer"]["most"] is None and groups["outer"]["collection"] is None, groups
    name = collection("hidden")
    for who in (ash, analyst(), doug):
        assert listed(who, name) is None and objects(who, name) is None
        answer = HUB.request("GET", "/taxii2/api/collections/", headers={**who, **TAXII})
        assert b"hidden" not in answer.body, answer.body
    assert listed(cedar, name) == set() and b"hidden" in HUB.request("GET", "/taxii2/api/collections/", headers={**cedar, **TAXII}).body
    ask(bearer("vic", "viewer"), "GET", "/groups", status=403)
    assert HUB.get("/api/v1/groups").status == 401


# ---- releases

def two_people_release():
    release = propose(analyst(), ["outer"], "198.51.100[.]7", title="scanner", note="for Olga alone")
    assert release["state"] == "proposed" and release["value"] == "198.51.100.7" and release["value_kind"] == "ipv4", release
    name = collection("outer")
    assert listed(people("ash"), name) == set()
    seen = ask(operator(), "GET", f"/releases/{release['id']}")
    preview = seen["preview"]
    assert preview["count"] == 4 and [m["key"] for m in preview["members"]] == ["ash", "birch", "cedar", "twig"], preview
    assert [w["code"] for w in preview["warnings"]] == ["first"], preview["warnings"]
    path = f"/releases/{release['id']}/decide"
    right = {"decision": "released", "preview": preview["digest"], "acknowledged": True}
    ask(analyst(), "POST", path, right, 403)
    ask(people("ash"), "POST", path, right, 403)
    assert ask(operator(), "POST", path, {**right, "acknowledged": False}, 409)["error"]["code"] == "unusual"
    assert ask(operator(), "POST", path, {**right, "preview": "00"}, 409)["error"]["code"] == "changed"
    member_put("fir")
    group_put("inner", ["birch", "fir"])
    assert ask(operator(), "POST", path, right, 409)["error"]["code"] == "changed"  # one more would see it
    own = propose(operator(), ["outer"], "198.51.100.9")
    assert "second person" in decide(operator(), own, status=409)["error"]["message"]
    assert decide(other_operator(), own)["state"] == "released"
    done = decide(operator(), release)
    assert done["state"] == "released" and done["releaser"] == "olga" and done["proposer"] == "annika" and done["audience"]["count"] == 5
    assert "decided already" in decide(operator(), release, status=409)["error"]["message"]
    for key in ("ash", "birch", "cedar", "twig", "fir"):
        assert listed(people(key), name) == {"198.51.100.7", "198.51.100.9"}, key
    assert listed(people("doug"), name) is None and listed(analyst(), name) == {"198.51.100.7", "198.51.100.9"}
    assert {o["name"] for o in objects(people("birch"), name)} == {"scanner", "198.51.100.9"}
    text = json.dumps(objects(people("birch"), name)) + json.dumps(ask(people("birch"), "GET", "/releases"))
    assert "Olga alone" not in text and "olga" not in text and "annika" not in text, text
    assert ask(people("doug"), "GET", "/releases")["releases"] == []
    refused = propose(analyst(), ["outer"], "198.51.100.10")
    assert decide(operator(), refused, "refused")["state"] == "refused" and "198.51.100.10" not in listed(analyst(), name)
    # Usual by now; a far larger audience is not.
    release = propose(analyst(), ["outer"], "198.51.100.11")
    assert ask(operator(), "GET", f"/releases/{release['id']}")["preview"]["warnings"] == []
    for i in range(20):
        member_put(f"many{i}")
    group_put("crowd", [f"many{i}" for i in range(20)])
    release = propose(analyst(), ["outer", "crowd"], "198.51.100.12")
    assert {w["code"] for w in ask(operator(), "GET", f"/releases/{release['id']}")["preview"]["warnings"]} == {"first", "larger"}


def what_is_released_can_be_taken_back():
    release = propose(analyst(), ["outer"], "192.0.2.99")
    decide(operator(), release)
    name = collection("outer")
    assert "192.0.2.99" in listed(people("ash"), name)
    assert decide(other_operator(), release, "withdrawn")["state"] == "withdrawn"
    assert "192.0.2.99" not in listed(people("ash"), name)
    assert not any(o["name"] == "192.0.2.99" for o in objects(people("ash"), name))
    assert not any(r["value"] == "192.0.2.99" for r in ask(people("ash"), "GET", "/releases")["releases"])


def beyond_the_sector_is_said():
    member_put("power", kind="sector")
    member_put("water", kind="sector")
    member_put("plant", parent="power")
    member_put("dam", parent="water")
    group_put("mixed", ["plant", "dam"])
    release = propose(people("plant"), ["mixed"], "203.0.113.50", tlp="red")
    warnings = {w["code"]: w["detail"] for w in ask(operator(), "GET", f"/releases/{release['id']}")["preview"]["warnings"]}
    assert warnings["sector"] == "water" and "first" in warnings, warnings
    resolver = propose(people("plant"), ["mixed"], "8.8.8.8")
    warnings = {w["code"]: w["detail"] for w in ask(operator(), "GET", f"/releases/{resolver['id']}")["preview"]["warnings"]}
    assert warnings["known-good"], warnings
    briefs = ask(operator(), "GET", f"/releases/{release['id']}")["preview"]["members"]
    assert {b["sector_name"] for b in briefs} == {"Member power", "Member water"}, briefs


def who_brought_it_stays_unnamed():
    release = propose(people("birch"), ["outer"], "203.0.113.77", anonymous=True, note="birch was hit")
    assert release["own"] and release["originator"]["key"] == "birch"
    assert not any(r["id"] == release["id"] for r in ask(analyst(), "GET", "/releases")["releases"])
    assert ask(operator(), "GET", f"/releases/{release['id']}")["originator"]["key"] == "birch"
    decide(operator(), release)
    name = collection("outer")
    marks = ("birch was hit", '"birch"', "p-birch", "Member birch")
    for who in (people("ash"), people("cedar"), people("twig"), analyst()):
        assert "203.0.113.77" in listed(who, name)
        seen = next(r for r in ask(who, "GET", "/releases")["releases"] if r["id"] == release["id"])
        assert seen["originator"] is None and seen["anonymous"] and "proposer" not in seen, seen
        stix = next(o for o in objects(who, name) if o["name"] == "203.0.113.77")
        csv = HUB.request("GET", f"/feeds/{name}/indicators.csv", headers=who).body.decode()
        receipts = HUB.request("GET", "/api/v1/receipts", headers=who)
        text = json.dumps(seen) + json.dumps(stix) + csv + (receipts.body.decode() if receipts.status == 200 else "")
        assert not any(mark in text for mark in marks), text
    assert ask(people("birch"), "GET", f"/releases/{release['id']}")["originator"]["key"] == "birch"
    named = propose(people("birch"), ["outer"], "203.0.113.78")
    decide(operator(), named)
    seen = next(r for r in ask(people("ash"), "GET", "/releases")["releases"] if r["id"] == named["id"])
    assert seen["originator"]["key"] == "birch", seen


def nothing_goes_round_the_two():
    """A group's collection is filled by releases alone, and what is released to it goes to no other collection."""
    data, name = os.path.join(HUB.data, "data"), collection("outer")
    status, out, err = harness.yagura("indicator", "add", "--data", data, "--collection", name, "--tlp", "green", "192.0.2.200")
    assert status != 0 and "released by two people" in err, (status, err)
    status, out, err = harness.yagura("share", "taxii", name, "--data", data, "--clearance", "red", "--automatic", "--readers", "*")
    assert status != 0 and "is a group's" in err, (status, err)
    for spot in ("before", "after"):
        status, out, err = harness.yagura("share", "taxii", spot, "--data", data, "--clearance", "red", "--automatic", "--readers", "*")
        assert status == 0, err
        decide(operator(), propose(analyst(), ["outer"], "192.0.2.201" if spot == "before" else "192.0.2.202"))
    harness.yagura("indicator", "add", "--data", data, "--tlp", "green", "192.0.2.203")
    assert listed(people("ash"), "before") == listed(people("ash"), "after") == {"192.0.2.203"}


def a_clearance_caps_what_a_collection_shows():
    data = os.path.join(HUB.data, "data")
    for tlp, value in (("clear", "192.0.2.10"), ("amber", "192.0.2.12"), ("red", "192.0.2.14")):
        assert harness.yagura("indicator", "add", "--data", data, "--tlp", tlp, value)[0] == 0
    member_put("low", clearance="green")
    member_put("gone", clearance="red", valid_until="2020-01-01")
    assert {"192.0.2.10"} == listed(people("low"), "after") & {"192.0.2.10", "192.0.2.12", "192.0.2.14"}
    manifest = HUB.request("GET", "/taxii2/api/collections/after/manifest/", headers={**people("low"), **TAXII}).json()["objects"]
    shown = {o["id"] for o in objects(people("low"), "after")}
    assert {o["id"] for o in manifest} == shown and len(shown) == 2, (manifest, shown)
    hidden = next(o["id"] for o in objects(operator(), "after") if o["name"] == "192.0.2.14")
    for what in ("", "versions/"):
        answer = HUB.request("GET", f"/taxii2/api/collections/after/objects/{hidden}/{what}", headers={**people("low"), **TAXII})
        assert answer.status == 404, answer.body
    assert listed(people("gone"), "after") is None


def random_worlds_show_what_the_oracle_says():
    draw, world = random.Random(7), sharing_oracle.World()
    members = {i: f"w{i}" for i in range(1, 11)}
    groups = {i: f"wg{i}" for i in range(1, 7)}
    for i, key in members.items():
        world.members[i] = (draw.choice((0, draw.randrange(1, i) if i > 1 else 0)), draw.randrange(5))
        member_put(key, TLPS[world.members[i][1]], **({"parent": members[world.members[i][0]]} if world.members[i][0] else {}))
    for i, key in groups.items():
        world.groups[i] = draw.random() < 0.4
        world.named |= {(i, m) for m in draw.sample(list(members), 2)}
        world.nested |= {(i, g) for g in draw.sample(range(1, i), min(i - 1, draw.randrange(3)))}
        group_put(key, [members[m] for g, m in world.named if g == i], [groups[h] for g, h in world.nested if g == i], world.groups[i], 201)
    world.derive()
    released = {i: [] for i in groups}
    for n in range(24):
        tlp, to, value = draw.randrange(5), draw.sample(list(groups), draw.choice((1, 1, 2))), f"100.64.0.{n}"
        decide(other_operator(), propose(operator(), [groups[g] for g in to], value, TLPS[tlp]))
        for g in to:
            released[g].append((tlp, value))
    names, checked, shown = {g: collection(key) for g, key in groups.items()}, 0, 0
    for member, key in members.items():
        for g in groups:
            most = world.most(sharing_oracle.MEMBER, member, g)
            right = {v for tlp, v in released[g] if tlp <= most} if most >= 0 else None
            feed, stix = listed(people(key), names[g]), objects(people(key), names[g])
            assert feed == right, (key, groups[g], most, feed, right)
            assert (None if stix is None else {o["name"] for o in stix}) == right, (key, groups[g], stix, right)
            checked, shown = checked + 1, shown + len(right or ())
        known = world.known(sharing_oracle.MEMBER, member)
        told = {x["key"]: set(x["members"]) for x in ask(people(key), "GET", "/groups")["groups"] if x["key"].startswith("wg")}
        assert set(told) == {groups[g] for g in known}, (key, told)
        for g in known:
            named = {m for h, m in world.named if h == g}
            right = {members[m] for m in named if world.knows_participant(sharing_oracle.MEMBER, member, g, m)}
            assert told[groups[g]] == right, (key, groups[g], told[groups[g]], right)
    print(f"     {checked} collections of members, {shown} values shown, each as the oracle says")
    assert shown > 30


# ---- receipts

def receipts_of(name, who=None):
    return [r for r in ask(who or operator(), "GET", "/receipts?limit=500")["receipts"] if r["subject"] == name]


def what_was_given_is_receipted_once():
    member_put("reader")
    group_put("library", ["reader"])
    name = collection("library")
    for n in range(7):
        decide(operator(), propose(analyst(), ["library"], f"100.65.0.{n}"))
    assert receipts_of(name) == []
    assert listed(people("reader"), name) and len(receipts_of(name)) == 1
    entry = receipts_of(name)[0]
    assert entry["detail"]["objects"] == 7 and entry["actor"] == "token p-reader" and entry["name"] == "Member reader", entry
    assert entry["detail"]["way"] == "feed list.txt" and entry["detail"]["after"] is None and entry["detail"]["until"], entry
    for _ in range(3):
        listed(people("reader"), name)
    assert len(receipts_of(name)) == 1  # nothing new was given
    decide(operator(), propose(analyst(), ["library"], "100.65.0.100"))
    listed(people("reader"), name)
    newest = receipts_of(name)[0]
    assert len(receipts_of(name)) == 2 and newest["detail"]["objects"] == 1 and newest["detail"]["after_us"] == entry["detail"]["until_us"], newest
    pages, path = 0, f"/taxii2/api/collections/{name}/objects/?limit=2"
    while path:
        answer = HUB.request("GET", path, headers={**people("reader"), **TAXII}).json()
        path, pages = f"/taxii2/api/collections/{name}/objects/?limit=2&next={answer['next']}" if answer.get("more") else None, pages + 1
    assert pages == 4 and len(receipts_of(name)) == 3 and receipts_of(name)[0]["detail"]["objects"] == 8
    HUB.request("GET", f"/taxii2/api/collections/{name}/objects/?match[type]=indicator", headers={**people("reader"), **TAXII})
    assert receipts_of(name)[0]["detail"]["filter"] == "type indicator", receipts_of(name)[0]
    own = receipts_of(name, people("reader"))
    assert len(own) == 4 and not any(k in own[0] for k in ("id", "hash", "peer")), own[0]
    assert receipts_of(name, people("doug")) == []
    ask(analyst(), "GET", "/receipts", status=403)
    assert HUB.local("GET", "/api/v1/audit/state").json()["sound"]


def commands_do_the_same():
    data = os.path.join(HUB.data, "data")

    def run(*arguments, status=0, **env):
        code, out, err = harness.yagura("share", *arguments, **env)
        assert code == status, (arguments, code, out, err)
        return out if status == 0 else err
    run("groups", "shell", "--data", data, "--name", "Shell", "--member", "ash", "--member", "doug", "--group", "inner")
    group = json.loads(run("groups", "shell", "--data", data, "--json"))
    assert group["members"] == ["ash", "doug"] and group["groups"] == ["inner"], group
    run("groups", "shell", "--data", data, "--member", "ash", "--confidential", "yes")
    group = json.loads(run("groups", "shell", "--data", data, "--json"))
    assert group["members"] == ["ash"] and group["groups"] == ["inner"] and group["confidential"] and group["name"] == "Shell", group
    assert "come to lie in itself" in run("groups", "inner", "--data", data, "--group", "shell", status=1)
    assert "shell" in run("groups", "--data", data)
    url = ("--url", f"http://127.0.0.1:{HUB.port}")
    analyst(), operator()
    assert "no group 'shell'" in run("propose", "203.0.113.90", "--to", "shell", *url, status=1, YAGURA_TOKEN=TOKENS["annika"])
    release = json.loads(run("propose", "203.0.113.90", "--to", "shell", *url, "--tlp", "red", "--json", YAGURA_TOKEN=TOKENS["olga"]))
    text = run("release", str(release["id"]), "--data", data)
    assert "1 members would see it" in text and "warning:" in text, text
    digest = text.split("--preview ")[1].split()[0]
    assert "second person" in run("release", str(release["id"]), *url, "--preview", digest, "--acknowledged", status=1, YAGURA_TOKEN=TOKENS["olga"])
    assert "unusual" in run("release", str(release["id"]), "--data", data, "--preview", digest, status=1)
    done = json.loads(run("release", str(release["id"]), "--data", data, "--preview", digest, "--acknowledged", "--json"))
    assert done["state"] == "released" and done["releaser"] == "local", done
    name = group["collection"]
    assert run("list", name, "--data", data) == run("list", name, "--data", data, "--for", "ash") == "203.0.113.90\n"
    assert run("list", name, "--data", data, "--for", "birch") == ""  # in it by another group: not for what is RED
    assert "32.90.113.0.203.rpz-ip" in run("rpz", name, "--data", data, "--for", "ash")
    assert "no collection" in run("nft", name, "--data", data, "--for", "doug", status=1)
    assert "--for MEMBER" in run("rpz", name, "--data", data, "--serve", "127.0.0.1:0", "--key-file", "/nowhere", status=1)
    assert [r["detail"]["way"] for r in receipts_of(name)] == ["rpz", "list"], receipts_of(name)
    assert name in run("receipts", "--data", data)
    run("release", str(release["id"]), "--data", data, "--withdraw")
    assert run("list", name, "--data", data) == ""
    run("groups", "shell", "--data", data, "--remove")
    assert "no such group" in run("groups", "shell", "--data", data, status=1)


def everything_is_there_after_a_restart():
    name = collection("outer")
    before, groups = listed(operator(), name), ask(operator(), "GET", "/groups")
    HUB.kill_keeper()
    HUB.wait(lambda: HUB.request("GET", f"/feeds/{name}/list.txt", headers=operator()).status == 200)
    assert listed(operator(), name) == before
    assert ask(operator(), "GET", "/groups") == groups


def a_group_that_is_gone_shows_nothing():
    name = collection("library")
    ask(operator(), "DELETE", "/groups/library", status=204)
    assert listed(people("reader"), name) is None and listed(operator(), name) is None
    group_put("library", ["doug"], status=201)
    assert collection("library") != name and listed(people("doug"), collection("library")) == set()


def kill_keeper():
    import signal
    os.kill(HUB.process_of("keeper")["pid"], signal.SIGKILL)


def main():
    global HUB
    lists = tempfile.mkdtemp(prefix="yagura-lists-")
    shutil.copy(os.path.join(ROOT, "data", "warninglists", "resolvers.json"), lists)
    HUB = Hub("--warninglists", lists).ready()
    HUB.kill_keeper = kill_keeper
    try:
        harness.main([groups_lie_in_groups_and_never_in_themselves, a_hidden_group_leaves_no_trace, two_people_release,
                      what_is_released_can_be_taken_back, beyond_the_sector_is_said, who_brought_it_stays_unnamed,
                      nothing_goes_round_the_two, a_clearance_caps_what_a_collection_shows, random_worlds_show_what_the_oracle_says,
                      what_was_given_is_receipted_once, commands_do_the_same, everything_is_there_after_a_restart, a_group_that_is_gone_shows_nothing])
    finally:
        HUB.close()


main()
