#!/usr/bin/env python3
"""The simulated country has members: what is found of them is what the simulator's truth file says, no more and no less."""
import csv
import datetime
import ipaddress
import json
import os
import tempfile
import time

import harness
from harness import ROOT, YAGURA
from hub_client import Hub

SIMULATE = os.path.join(ROOT, "data", "simulate")
MEMBERS = os.path.join(SIMULATE, "members.csv")
QUIET = datetime.timedelta(minutes=2)


def instant(text):
    return datetime.datetime.fromisoformat(text[:26].rstrip("Z") + "+00:00")


def findings(hub, **filters):
    query = "&".join(f"{name}={value}" for name, value in {"type": "livenet", "limit": 10000, **filters}.items())
    return hub.local("GET", f"/api/v1/findings?{query}&from=2000-01-01").json()["findings"]


def prefixes_by_key():
    with open(MEMBERS, newline="") as file:
        return {row["key"]: [ipaddress.ip_network(text) for text in row["prefixes"].split()] for row in csv.DictReader(file)}


def owner(prefixes, address):
    """The key of the most specific prefix, told apart from the program's own search."""
    address = ipaddress.ip_address(address)
    held = [(net.prefixlen, key) for key, nets in prefixes.items() for net in nets if address in net]
    return max(held)[1] if held else None


def keys_by_number(hub):
    page = hub.local("GET", "/api/v1/members?limit=1000").json()
    assert page["total"] == len(page["members"]) == len(prefixes_by_key())
    return {member["id"]: member["key"] for member in page["members"]}


def expected(truth):
    """Of each member's address that sent: verdict, first and last packet."""
    verdicts = {"member-camera": "infected", "member-office": "infected", "member-server-six": "infected",
                "member-attacked": "victim", "member-lost-syslog": "misconfigured"}
    return {source["address"]: (verdicts[source["class"]], source["first"], source["last"], source["packets"])
            for source in truth["truth"] if source["class"] in verdicts}


def found_is_the_truth():
    with tempfile.TemporaryDirectory(prefix="yagura-test-") as folder:
        pcap, truth_file = os.path.join(folder, "made.pcap"), os.path.join(folder, "truth.json")
        status, _, error = harness.yagura("simulate", "telescope", "--description", os.path.join(SIMULATE, "members.yaml"),
                                          "--seconds", 1800, "--packets", 90000, "--output", pcap, "--truth", truth_file)
        assert status == 0, error
        with open(truth_file) as file:
            truth = json.load(file)
        wanted = expected(truth)
        assert len(truth["infections"]) >= 15, len(truth["infections"])
        assert {host["address"] for host in truth["infections"]} == {a for a, what in wanted.items() if what[0] == "infected"}
        with Hub("--capture", pcap, "--darknet", "198.18.0.0/15", "--darknet", "2001:db8:da7a::/48", "--speed", "0",
                 "--livenet-quiet", "2m", data=with_members(folder), program=(YAGURA, "hub")) as hub:
            hub.wait(lambda: len(findings(hub)) >= len(wanted) and hub.status()["store"]["state"] == "ok"
                     and sum(f["packets"] for f in findings(hub)) >= sum(what[3] for what in wanted.values()))
            found, keys, prefixes = findings(hub), keys_by_number(hub), prefixes_by_key()
            assert len(found) == len({f["subject"] for f in found}), "an address was found twice"
            assert {f["subject"] for f in found} == wanted.keys()
            for finding in found:
                verdict, first, last, packets = wanted[finding["subject"]]
                assert finding["verdict"] == verdict, (finding, verdict)
                assert (instant(finding["first"]), instant(finding["last"])) == (instant(first), instant(last)), (finding, first, last)
                assert finding["packets"] == packets, (finding, packets)
                assert keys[finding["member"]] == owner(prefixes, finding["subject"]), finding
            end = instant(truth["last"])
            cleaned = {a for a, (_, _, last, _) in wanted.items() if instant(last) + QUIET < end - datetime.timedelta(seconds=70)}
            assert len(cleaned) >= 10, cleaned
            hub.wait(lambda: cleaned <= {f["subject"] for f in findings(hub, state="ended")})
            ended = {f["subject"] for f in findings(hub) if f["ended"]}
            assert all(instant(wanted[a][2]) + QUIET <= end for a in ended), "what goes on has ended"
            print(f"     {len(found)} alerts, {len(ended)} ended, as the truth has it; {len(truth['truth'])} sources")


def with_members(folder):
    os.mkdir(os.path.join(folder, "data"))
    status, _, error = harness.yagura("member", "import", MEMBERS, "--data", os.path.join(folder, "data"))
    assert status == 0, error
    return folder


def alive_within_a_minute():
    with Hub("--simulate", "--simulation-data", os.path.join(ROOT, "data"), "--simulation-deps", os.path.join(ROOT, "deps"),
             "--simulation-history", "1h", "--livenet-quiet", "10m", "--guest-role", "viewer",
             program=(YAGURA, "hub")) as hub:
        hub.wait(lambda: any(f["verdict"] == "infected" and not f["ended"] for f in findings(hub)))
        hub.wait(lambda: any(f["verdict"] == "infected" and f["ended"] for f in findings(hub)))
        rings = hub.get("/api/v1/rings").json()  # a guest: these members are invented
        assert rings["total"] == len(prefixes_by_key()) and rings["alerts"] and not rings["hidden"], rings["total"]
        assert {f["verdict"] for f in findings(hub)} >= {"infected", "victim", "misconfigured"}
        prefixes = prefixes_by_key()
        assert all(owner(prefixes, f["subject"]) for f in findings(hub))


def changes_do_not_wait_while_members_are_told():
    """An hour's findings become notices and messages while accounts are made: each takes its turn."""
    with Hub("--simulate", "--simulation-data", os.path.join(ROOT, "data"), "--simulation-deps", os.path.join(ROOT, "deps"),
             "--simulation-history", "1h", program=(YAGURA, "hub")) as hub:
        hub.wait(lambda: hub.local("GET", "/api/v1/notices").json()["notices"])
        until, slowest, made = time.monotonic() + 6, 0, 0
        while time.monotonic() < until:
            began = time.monotonic()
            answer = hub.local("POST", "/api/v1/users", {"name": f"person-{made}", "role": "viewer"})
            assert answer.status == 201, answer.body
            slowest, made = max(slowest, time.monotonic() - began), made + 1
        print(f"     {made} accounts, {slowest * 1000:.0f} ms at most")
        assert slowest < 5 and made > 20, (slowest, made)


def members_are_brought_in_once():
    """Who removed them does not get them back."""
    folder = tempfile.mkdtemp(prefix="yagura-test-")
    options = ("--simulate", "--simulation", "members", "--simulation-data", os.path.join(ROOT, "data"))
    with Hub(*options, data=folder, program=(YAGURA, "hub")) as hub:
        keys_by_number(hub)
        left = hub.local("POST", "/api/v1/members/import?remove_absent=1", b"key,name\nalone,Alone\n")
        assert left.status == 200, left.body
    with Hub(*options, data=folder, program=(YAGURA, "hub")) as hub:
        assert hub.local("GET", "/api/v1/members").json()["total"] == 1


harness.main([found_is_the_truth, alive_within_a_minute, changes_do_not_wait_while_members_are_told, members_are_brought_in_once])
