#!/usr/bin/env python3
"""Flow information in a hub: a real exporter's flows are asked by the API as by the command, each question is noted, exporters'
figures are shown and measured, and a collector that is killed comes back with all that was kept."""
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import harness
from harness import SHARED, YAGURA
from hub_client import Hub
from mail_server import free_port

CAPTURE = os.path.join(SHARED, "flow", "slips", "test-cc-capture-1.pcap.zst")
HUB = None
PORT = 0
FOLDER = tempfile.mkdtemp(prefix="yagura-flow-")


def export(version):
    """softflowd tells the hub of the capture; flows, packets and bytes that it says it sent."""
    done = subprocess.run(["softflowd", "-d", "-a", "-r", os.path.join(FOLDER, "cc.pcap"), "-v", str(version), "-n", f"127.0.0.1:{PORT}",
                           "-p", os.path.join(FOLDER, "softflowd.pid"), "-c", "none"], capture_output=True, text=True, timeout=60)
    told = re.search(r"tcp \(6\):\s+(\d+)\s+(\d+)", done.stdout + done.stderr)
    return int(told.group(2)), int(told.group(1))


def flow():
    return HUB.local("GET", "/api/v1/flow").json()


def ask(status=200, **question):
    answer = HUB.local("POST", "/api/v1/flow/query", {"from": "2000-01-01", **question})
    assert answer.status == status, (answer.status, answer.body)
    return answer.json()


def stored(records):
    return HUB.wait(lambda: (c := flow()["collector"]) and c["stored"] >= records and c, seconds=20)


def what_an_exporter_tells_is_asked():
    assert ask(statistic="srcip")["flows"] == 0
    packets, octets = export(9)
    told = stored(1)
    exporter, = told["exporters"]
    assert (exporter["exporter"], exporter["format"], exporter["lost"]) == ("127.0.0.1", "netflow9", 0), exporter
    assert exporter["records"] == told["stored"] > 500 and exporter["skew_seconds"] < -1e6 and told["running"], told
    top = ask(statistic="ip/bytes", limit=2)
    assert (top["packets"] / 2, top["bytes"] / 2) == (packets, octets) and len(top["groups"]) == 2, top
    by_command = harness.yagura("flow", "query", "-r", os.path.join(HUB.data, "data", "flow"), "-s", "ip/bytes", "-n", 2, "--json")
    assert json.loads(by_command[1])["groups"] == top["groups"], by_command
    pairs = ask(aggregate="srcip,dstport", filter="dst port 443", limit=10000)
    assert pairs["of"] == len(pairs["groups"]) and all(g["dstport"] == 443 for g in pairs["groups"]), pairs
    rows = ask(filter="dst port 443", limit=5)["rows"]
    assert len(rows) == 5 and all(r["target_port"] == 443 and r["exporter"] == "127.0.0.1" for r in rows), rows
    first, last = flow()["archive"]["first"], flow()["archive"]["last"]
    bins = ask(**{"from": first, "to": last, "bins": 10})
    assert sum(bins["bins"]["bytes"]) == bins["bytes"] and len(bins["bins"]["flows"]) == 10 and 0 <= told["stored"] - bins["flows"] < 5, bins
    assert "yagura_flow_records_total{exporter=\"127.0.0.1\",domain=\"0\",format=\"netflow9\"} %d\n" % told["stored"] in \
        HUB.local("GET", "/metrics").body.decode()


def mistakes_are_said():
    for question, word in (({"filter": "proto tcq"}, "\"tcq\" at 7"), ({"statistic": "nothing"}, "nothing"), ({"limit": 10001}, "limit"),
                           ({"statistic": "srcip", "aggregate": "srcip"}, "exclude"), ({"filtre": "x"}, "'filtre' is not known"),
                           ({"from": "yesterday"}, "yesterday"), ({"bins": 5, "to": "1999-01-01"}, "an end after"), ({"filter": 7}, "text was expected")):
        refusal = ask(400, **question)
        assert word in refusal["error"]["message"], (question, refusal)


def who_asks_is_noted_and_who_may_not_is_refused():
    def token(name, role):
        return {"Authorization": "Bearer " + HUB.local("POST", "/api/v1/tokens", {"name": name, "role": role}).json()["token"]}
    HUB.ready()
    analyst, viewer = token("annika", "analyst"), token("vic", "viewer")
    for who, status in ((analyst, 200), (viewer, 403), ({}, 401)):
        assert HUB.request("GET", "/api/v1/flow", headers=who).status == status
        assert HUB.request("POST", "/api/v1/flow/query", {"filter": "host 192.0.2.1", "statistic": "dstip"}, who).status == status
    noted = [e for e in HUB.local("GET", "/api/v1/audit").json()["entries"] if e["action"] == "POST /flow/query" and e["actor"] == "token annika"]
    assert noted and noted[0]["detail"]["filter"] == "host 192.0.2.1" and noted[0]["detail"]["statistic"] == "dstip", noted


def a_killed_collector_comes_back():
    before = ask(statistic="srcip")["flows"]
    os.kill(HUB.process_of("flow")["pid"], signal.SIGKILL)
    HUB.wait(lambda: HUB.process_of("flow")["state"] == "running" and HUB.process_of("flow")["restarts"] == 1, seconds=20)
    time.sleep(0.5)
    assert ask(statistic="srcip")["flows"] == before
    export(10)
    HUB.wait(lambda: ask(statistic="srcip")["flows"] == 2 * before, seconds=20)
    # softflowd numbers a message by the records up to its end, not to its beginning: that is no loss
    ipfix = HUB.wait(lambda: next((e for e in flow()["collector"]["exporters"] if e["format"] == "ipfix"), None), seconds=20)
    assert (ipfix["lost"], ipfix["late"], ipfix["restarts"]) == (0, 0, 0), ipfix


def an_address_that_cannot_be_listened_to_ends_the_hub():
    with tempfile.TemporaryDirectory() as data:
        status, _, err = harness.yagura("hub", "--data", data, "--listen", "127.0.0.1:0", "--flow-listen", "192.0.2.1:2055")
        assert status == 1 and "192.0.2.1" in err, (status, err)


def main():
    global HUB, PORT
    if not shutil.which("softflowd") or not os.path.exists(CAPTURE):
        print("skipped: softflowd and the captures are needed")
        sys.exit(77)
    try:
        subprocess.run(["zstd", "-q", "-d", CAPTURE, "-o", os.path.join(FOLDER, "cc.pcap")], check=True)
        PORT = free_port()
        HUB = Hub("--flow-listen", f"127.0.0.1:{PORT}", program=(YAGURA, "hub"))
        HUB.wait(lambda: (flow()["collector"] or {}).get("running"))
        harness.main([what_an_exporter_tells_is_asked, mistakes_are_said, who_asks_is_noted_and_who_may_not_is_refused, a_killed_collector_comes_back,
                      an_address_that_cannot_be_listened_to_ends_the_hub])
    finally:
        if HUB:
            HUB.close()
        shutil.rmtree(FOLDER)


main()
