#!/usr/bin/env python3
"""A carrier that is made up: what it says of itself is what its flows hold, sampled or not, and what the ranking finds in it is
measured family by family."""
import collections
import datetime
import filecmp
import ipaddress
import json
import os
import shutil
import subprocess
import tempfile

from harness import YAGURA, main, yagura

ROOM = None
FLOODS, BOTS = collections.defaultdict(dict), set()
HOMES, HOURS = 100, 5


def room(name):
    return os.path.join(ROOM, name)


def made(name, *options, hours=HOURS, homes=HOMES):
    file, truth, labels = room(f"{name}.ipfix"), room(f"{name}.json"), room(f"{name}.tsv")
    status, out, err = yagura("simulate", "flow", "--json", "--homes", homes, "--duration", f"{hours}h", "-o", file, "--truth", truth,
                              "--labels", labels, *options)
    assert status == 0, err
    with open(truth, encoding="utf-8") as text:
        return file, json.loads(out), json.load(text)


def flows_of(file, *, limit=None):
    """One after another: there are many."""
    command = [YAGURA, "flow", "read", "--records", "--json", *(("--limit", str(limit)) if limit else ()), file]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as reader:
        yield from map(json.loads, reader.stdout)
    assert reader.returncode == 0, command


def seconds(text):
    return datetime.datetime.fromisoformat(text.rstrip("Z")[:26]).replace(tzinfo=datetime.timezone.utc).timestamp()


def the_truth_is_what_the_flows_hold():
    file, report, truth = made("whole")
    homes = {str(ipaddress.ip_address("100.64.0.0") + 1 + number) for number in range(HOMES)}
    outside = ipaddress.ip_network("240.0.0.0/5")
    bots = collections.defaultdict(set)
    for bot in truth["bots"]:
        bots[bot["family"]].add(bot["address"])
    servers = {(server["address"], server["port"]): server for server in truth["servers"]}
    flows, contacts, count = collections.Counter(), collections.defaultdict(lambda: collections.defaultdict(list)), 0
    for row in flows_of(file):
        count += 1
        up = row["source"] in homes
        home, other, port = (row["source"], row["target"], row["target_port"]) if up else (row["target"], row["source"], row["source_port"])
        assert home in homes and ipaddress.ip_address(other) in outside, row
        if (other, port) in servers:
            flows[other, port] += 1
            if up:
                contacts[other, port][home].append(seconds(row["first"]))
        if row["packets"] > 5000 and row["protocol"] == 17 and port == 80 and home in bots["kept"]:
            FLOODS[other].setdefault(home, seconds(row["first"]))
    assert count == report["records"] == sum(behaviour["flows"] for behaviour in truth["behaviours"]) > 50_000, report
    for key, server in servers.items():
        assert flows[key] == server["flows"] > 0, server
        assert set(contacts[key]) <= bots[server["family"]], server
    star = [times for key, server in servers.items() if server["family"] == "star" for times in contacts[key].values()]
    assert len(star) == 60
    for times in star:
        assert abs(len(times) - HOURS * 60) <= HOURS * 60 * 0.05 + 5, len(times)
        gaps = [after - before for before, after in zip(times, times[1:])]
        assert all(54 < gap < 66 for gap in gaps), (min(gaps), max(gaps))
    hopping = [server for server in truth["servers"] if server["family"] == "hopping"]
    assert len(hopping) == 4, "two servers, and two others after four hours"
    assert all(seconds(server["last"]) - seconds(server["first"]) <= 4 * 3600 + 60 for server in hopping)
    BOTS.update(bots["kept"])
    print(f"{count} flows, {len(servers)} servers")


def bots_attack_as_one():
    assert FLOODS, "there was no flood"
    for target, begun in FLOODS.items():
        assert len(begun) > len(BOTS) * 0.9, (target, len(begun))
        assert max(begun.values()) - min(begun.values()) < 5, target


def a_seed_makes_the_same_flows():
    file, _, _ = made("again", "--seed", 1, hours=1)
    same, _, _ = made("same", "--seed", 1, hours=1)
    other, _, _ = made("other", "--seed", 2, hours=1)
    assert filecmp.cmp(file, same, shallow=False)
    assert not filecmp.cmp(file, other, shallow=False)


def sampling_sees_few_and_stands_for_all():
    _, whole, _ = made("one", hours=1)
    for one_in in (10, 1000):
        file, report, _ = made(f"of{one_in}", "--sampling", one_in, hours=1)
        assert report["records"] < whole["records"] / 2, report
        # floods of few make much of all packets: their number is drawn anew, so the estimate is wide
        assert 0.5 < report["packets"] / whole["packets"] < 2, (one_in, report, whole)
        status, out, err = yagura("flow", "read", "--json", file)
        again = json.loads(out)
        assert status == 0 and again["packets"] == report["packets"] and again["records"] == report["records"], (again, report, err)
        rows = list(flows_of(file, limit=200))
        assert {row["sampling"] for row in rows} == {one_in}
        assert all(row["packets"] % one_in == 0 for row in rows)


def the_ranking_is_measured_by_family():
    status, out, err = yagura("cnc", "eval", "--json", "--quick", "--labels", room("whole.tsv"), room("whole.ipfix"), timeout=300)
    report = json.loads(out)
    assert status == 0, err
    families = {family["family"]: family for family in report["families"]}
    assert set(families) == {"star", "kept", "chat", "tiered", "hopping", "patient"}, families
    assert families["kept"]["average_precision"] > 0.3, families["kept"]
    hosts = {capture["family"]: capture["hosts"] for capture in report["captures"]}
    servers = {capture["family"]: capture["servers"] for capture in report["captures"]}
    assert len({hosts[family] - servers[family] for family in hosts}) == 1, "other families' servers count as nothing"
    print({family: round(one["average_precision"], 2) for family, one in families.items()})


def a_description_is_checked_with_its_line():
    head = "carrier: {inside: 100.64.0.0/10, outside: 240.0.0.0/5}\n"
    for text, expected in (
            ("web: {homes: 1}\n", "inside and outside were expected"),
            (head, "there is no behaviour"),
            (head + "web: {homes: 5, prot: udp}\n", ":2: "),
            (head + "web: {homes: 5, packets: 9-3}\n", ":2: web: packets: '9-3'"),
            (head + "web: {servers: 3}\n", ":2: web: one of homes, clients and of"),
            (head + "web: {of: nobody}\n", "'nobody' is no behaviour above"),
            (head + "web: {homes: 5, port: 70000}\n", "port: '70000'"),
            (head + "web: {homes: 5, servers: 2, keeps-to: 3}\n", "keeps-to"),
            ("carrier: {inside: 100.64.0.0/30, outside: 240.0.0.0/5}\nweb: {homes: 5}\n", "with room for"),
            ("- a\n- b\n", "bad.yaml"),
            ("web: [", "bad.yaml")):
        with open(room("bad.yaml"), "w", encoding="utf-8") as file:
            file.write(text)
        status, _, err = yagura("simulate", "flow", "--description", room("bad.yaml"), "--records")
        assert status == 1 and expected in err, (text, err)
    status, _, err = yagura("simulate", "flow", "--description", room("nowhere.yaml"), "--records")
    assert status == 1 and "nowhere.yaml" in err, err
    status, _, err = yagura("simulate", "flow")
    assert status == 2 and "--output" in err, err


if __name__ == "__main__":
    ROOM = tempfile.mkdtemp(prefix="yagura-simulate-flow-")
    try:
        main([the_truth_is_what_the_flows_hold, bots_attack_as_one, a_seed_makes_the_same_flows, sampling_sees_few_and_stands_for_all,
              the_ranking_is_measured_by_family, a_description_is_checked_with_its_line])
    finally:
        shutil.rmtree(ROOM, ignore_errors=True)
