#!/usr/bin/env python3
"""yagura finding: what a hub found in a simulated country is listed, shown, explained and closed; what explains a finding
does derive it again; a stopped hub's store tells the same."""
import json
import os
import shlex
import tempfile
import time

import harness
from harness import ROOT, YAGURA
from hub_client import Hub

SIMULATE = os.path.join(ROOT, "data", "simulate")
FOLDER = tempfile.TemporaryDirectory(prefix="yagura-finding-")
DATA = os.path.join(FOLDER.name, "data")
DERIVED = {"livenet", "victim"}  # whose packets are those of the rows that derive them, one for one


def run(*words, status=0):
    got, out, err = harness.yagura("finding", *words, "--json", "--data", DATA)
    assert got == status, (words, got, err)
    return json.loads(out, parse_float=lambda text: float(f"{float(text):.5g}")) if status == 0 else err


def listed(*words):
    return sorted(run("list", "--limit", 10000, *words), key=lambda finding: finding["id"])


def made_hub():
    pcap = os.path.join(FOLDER.name, "made.pcap")
    if not os.path.exists(pcap):
        status, _, error = harness.yagura("simulate", "telescope", "--description", os.path.join(SIMULATE, "members.yaml"),
                                          "--seconds", 900, "--packets", 30000, "--output", pcap)
        assert status == 0, error
        os.mkdir(DATA)
        status, _, error = harness.yagura("member", "import", "--data", DATA, os.path.join(SIMULATE, "members.csv"))
        assert status == 0, error
        return Hub("--capture", pcap, "--darknet", "198.18.0.0/15", "--darknet", "2001:db8:da7a::/48", "--speed", "0",
                   data=FOLDER.name, program=(YAGURA, "hub"))
    return Hub(data=FOLDER.name, program=(YAGURA, "hub"))


def settled(hub):
    """All that the capture holds was found."""
    hub.wait(lambda: "child.ended" in hub.text(hub.log), seconds=120)
    before = None
    while before != (before := [(f["id"], f["packets"], f["state"]) for f in listed("--state", "any")]) or not before:
        time.sleep(2)


def figures(explained):
    """The command as it stands there, and the packets that it prints."""
    words = shlex.split(explained["derive"]["figures"])
    assert words[0] == "yagura", words
    status, out, err = harness.yagura(*words[1:], "--json")
    assert status == 0, (words, err)
    answer = json.loads(out)
    assert [c["name"] for c in answer["columns"]] == ["sum_packets"], answer
    return answer["rows"][0][0]


def explained_are_derived_again():
    seen = set()
    for finding in listed("--state", "any"):
        explained = run("explain", finding["id"])
        assert explained["rule"] == finding["rule"] and explained["rule_version"] == finding["rule_version"] >= 1
        assert explained["observed"] == finding["ground"]["observed"] and explained["thresholds"], explained
        assert explained["derive"]["observations"].startswith(finding["ground"]["derive"] + " --data"), explained
        if finding["type"] in DERIVED:
            assert figures(explained) == finding["packets"] == explained["observed"]["packets"], explained
        seen.add(finding["type"])
    return seen


def they_are_listed_shown_and_explained():
    with made_hub() as hub:
        settled(hub)
        every = listed("--state", "any")
        api = hub.local("GET", "/api/v1/findings?limit=10000").json()["findings"]
        assert [f["id"] for f in every] == sorted(f["id"] for f in api)
        for option, field, value in (("--type", "type", "livenet"), ("--severity", "severity", "high"),
                                     ("--verdict", "verdict", "infected"), ("--rule", "rule", "livenet.infected"),
                                     ("--subject", "subject", every[0]["subject"])):
            some = listed("--state", "any", option, value)
            assert some and some == [f for f in every if f[field] == value], (option, some)
        key = next(m for m in hub.local("GET", "/api/v1/members?limit=1000").json()["members"]
                   if m["id"] == next(f["member"] for f in every if f["member"]))
        some = listed("--state", "any", "--member", key["key"])
        assert some and {f["member"] for f in some} == {key["id"]}, some
        assert "nobody" in run("list", "--member", "nobody", status=1)
        assert listed("--from", "2100-01-01") == [] and listed("--to", "2001-01-01") == []
        assert len(run("list", "--state", "any", "--limit", 2)) == 2
        open_ones = listed()
        assert open_ones == [f for f in every if not f["ended"]], [f for f in open_ones if f not in every][:1]
        assert run("show", every[0]["id"]) == every[0]
        assert "there is no finding 'nothing'" in run("show", "nothing", status=1)
        assert DERIVED <= explained_are_derived_again()
        status, text, _ = harness.yagura("finding", "explain", every[0]["id"], "--data", DATA)
        assert status == 0 and every[0]["rule"] in text and f"  {run('explain', every[0]['id'])['derive']['figures']}\n" in text, text


def closing_needs_a_reason_is_audited_and_says_who():
    with made_hub() as hub:
        one = listed("--type", "victim", "--state", "any")[0]
        path = f"/api/v1/findings/{one['id']}/close"
        assert "--reason" in run("close", one["id"], status=2)
        for body in ({}, {"reason": ""}, {"reason": 7}, {"reason": "x" * 1001}):
            assert hub.local("POST", path, body).status == 400, body
        assert run("show", one["id"]) == one, "a refused closing changed it"
        closed = run("close", one["id"], "--reason", "回線事業者が遮断した")
        assert closed["state"] == "closed" and closed["ground"]["closed"]["by"] == "local", closed
        assert closed["ground"]["closed"]["reason"] == "回線事業者が遮断した"
        assert [f["id"] for f in listed("--state", "closed")] == [one["id"]]
        assert run("explain", one["id"])["closed"] == closed["ground"]["closed"]
        assert "closed already, by 'local'" in run("close", one["id"], "--reason", "again", status=1)
        assert hub.local("POST", path, {"reason": "again"}).status == 409
        status, out, _ = harness.yagura("audit", "list", "--data", DATA, "--json", "--action", "POST /findings/*")
        audited = [e for e in json.loads(out) if e["subject"] == one["id"] and "refused" not in e["detail"]
                   and e["detail"].get("reason") == "回線事業者が遮断した"]
        assert status == 0 and [e["actor"] for e in audited] == ["local"], out


def somebody_who_may_not_close_does_not():
    with made_hub() as hub:
        one = listed("--type", "livenet", "--state", "any")[0]
        token = hub.local("POST", "/api/v1/tokens", {"name": "reader", "role": "viewer"}).json()["token"]
        status, _, err = harness.yagura("finding", "close", one["id"], "--reason", "mine", "--url",
                                        f"http://127.0.0.1:{hub.port}", "--token", token)
        assert status == 1 and run("show", one["id"])["state"] != "closed", err


def a_stopped_hubs_store_tells_the_same():
    with made_hub() as hub:
        hub.status()
        every, infected = listed("--state", "any"), listed("--state", "any", "--verdict", "infected")
    after = listed("--state", "any")
    assert every and after == every, [(a, b) for a, b in zip(after, every) if a != b][:1]
    assert listed("--state", "any", "--verdict", "infected") == infected != every
    assert listed() == [f for f in every if not f["ended"]]
    assert "nobody" in run("list", "--member", "nobody", status=1)
    one = next(f for f in every if f["type"] == "livenet")
    assert run("show", one["id"]) == one and figures(run("explain", one["id"])) == one["packets"]
    assert "there is no finding" in run("show", "nothing", status=1)
    assert "no hub runs here" in run("close", one["id"], "--reason", "over", status=1)
    status, _, err = harness.yagura("finding", "list", "--data", os.path.join(FOLDER.name, "elsewhere"))
    assert status == 1 and "--data DIR" in err, err


try:
    harness.main([they_are_listed_shown_and_explained, closing_needs_a_reason_is_audited_and_says_who,
                  somebody_who_may_not_close_does_not, a_stopped_hubs_store_tells_the_same])
finally:
    FOLDER.cleanup()
