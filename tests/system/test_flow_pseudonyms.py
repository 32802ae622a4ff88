#!/usr/bin/env python3
"""Pseudonyms: those that nfanon makes with the same key; on the way in, so that no archive holds an address; keys change; and whose
one is says only who gives a reason, on record."""
import collections
import glob
import json
import os
import shutil
import stat
import subprocess
import tempfile
import time

from flow_collect import Collector, Nfcapd, messages
from harness import SHARED, main, yagura

ROOM = None
KEY = "1522178d33a4cf80130a5b1649907d10d8988f837979652762574c2d2a842202"


def room(name):
    return os.path.join(ROOM, name)


def collected():
    """What nfcapd makes of real packets' flows; None: there are none."""
    captures = sorted(glob.glob(os.path.join(SHARED, "flow", "pcap", "ndpi-*.pcap.zst")))
    if captures and not os.path.exists(room("collected")):
        status, _, err = yagura("flow", "make", "-o", room("all.ipfix"), *captures)
        assert status == 0, err
        theirs = Nfcapd(room("nfcapd"))
        for message in messages(room("all.ipfix")):
            theirs.send([message])
            time.sleep(0.01)
        time.sleep(1)
        theirs.file(room("collected"))
    return room("collected") if captures else None


def keys(name, *lines):
    with open(room(name), "w", encoding="utf-8", opener=lambda path, flags: os.open(path, flags, 0o600)) as file:
        file.write("".join(f"{line}\n" for line in lines))
    return room(name)


def pairs(path, *options):
    status, out, err = yagura("flow", "read", "--records", "--json", *options, path)
    assert status == 0, err
    return collections.Counter((row["source"], row["source_port"], row["target"], row["target_port"], row["first"], row["bytes"])
                               for row in map(json.loads, out.splitlines()))


def they_are_nfanons():
    file = collected()
    if not file:
        print("skipped: no flows are here")
        return
    subprocess.run(["nfanon", "-q", "-K", "0x" + KEY, "-r", file, "-w", room("anonymous")], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=True)
    key = keys("one", f"2020-01-01T00:00:00Z {KEY}")
    ours, theirs, plain = pairs(file, "--pseudonyms", key), pairs(room("anonymous")), pairs(file)
    assert ours == theirs, (list((ours - theirs).items())[:3], list((theirs - ours).items())[:3])
    assert not {row[0] for row in ours} & {row[0] for row in plain}
    print(f"{sum(ours.values())} flows alike")


def only_their_own_network_changes():
    file = collected()
    if not file:
        print("skipped: no flows are here")
        return
    key = keys("one", f"2020-01-01T00:00:00Z {KEY}")
    ours, plain = pairs(file, "--pseudonyms", key, "--pseudonyms-of", "192.168.0.0/16"), pairs(file)

    def count(rows, inside):
        return sum(number for row, number in rows.items() if row[0].startswith("192.168.") == inside)
    assert count(ours, True) == count(plain, True) > 0
    outside = collections.Counter({row: number for row, number in ours.items() if not any(part.startswith("192.168.") for part in (row[0], row[2]))})
    assert not outside - plain, "others keep their addresses"


def a_collector_stores_none_and_a_reason_reveals():
    file = sorted(glob.glob(os.path.join(SHARED, "flow", "pcap", "ndpi-emotet.pcap.zst")))
    if not file:
        print("skipped: no capture is here")
        return
    status, _, err = yagura("flow", "make", "-o", room("made.ipfix"), file[0])
    assert status == 0, err
    status, _, err = yagura("flow", "key", room("rotating"), "--from", "2020-01-01T00:00:00Z")
    assert status == 0, err
    assert stat.S_IMODE(os.stat(room("rotating")).st_mode) == 0o600
    collector = Collector(room("archive"), "--pseudonyms", room("rotating"))
    collector.send(messages(room("made.ipfix")))
    plain = pairs(room("made.ipfix"))
    collector.wait_for(sum(plain.values()), 20)
    collector.finish()
    status, out, err = yagura("flow", "query", "-r", room("archive"), "any", "-A", "srcip,dstip", "-n", "1000", "--json", "--from", "1990-01-01T00:00:00Z")
    assert status == 0, err
    stored = {group[side] for group in json.loads(out)["groups"] for side in ("srcip", "dstip")}
    real = {row[side] for row in plain for side in (0, 2)}
    assert len(stored) == len(real) and not stored & real, (stored & real, len(stored), len(real))

    hub_data(room("hub"))
    told = next(iter(plain))[4]
    ask = ["flow", "reveal", "--json", "--at", told, "--pseudonyms", room("rotating"), "--data", room("hub")]
    status, out, err = yagura(*ask, *sorted(stored), "--reason", "finding 8812, police file 7")
    assert status == 0, err
    assert {row["address"] for row in json.loads(out)} == real
    status, out, err = yagura("audit", "list", "--data", room("hub"), "--action", "flow.reveal", "--json")
    entries = json.loads(out)
    entries = entries["entries"] if isinstance(entries, dict) else entries
    assert len(entries) == 1 and entries[0]["detail"]["reason"] == "finding 8812, police file 7", out
    assert set(entries[0]["detail"]["pseudonyms"]) == stored

    status, _, err = yagura(*ask, sorted(stored)[0])
    assert status == 2 and "reason" in err, err
    status, _, err = yagura(*ask, sorted(stored)[0], "--reason", "why")
    assert status == 2 and "--reason" in err, err
    status, out, err = yagura("flow", "reveal", "--at", told, "--pseudonyms", room("rotating"), "--data", room("nowhere"), "--reason", "finding 8812",
                              sorted(stored)[0])
    assert status == 1 and out == "" and "audit log" in err, "nothing is said that is not on record"


def hub_data(directory):
    """A registry as a hub leaves it."""
    os.makedirs(directory)
    with open(room("members.csv"), "w", encoding="utf-8") as file:
        file.write("key,name,kind\naoba,Aoba,municipality\n")
    status, _, err = yagura("member", "import", "--data", directory, room("members.csv"))
    assert status == 0, err


def keys_are_looked_after():
    file = keys("open", f"2020-01-01T00:00:00Z {KEY}")
    os.chmod(file, 0o640)
    status, _, err = yagura("flow", "read", "--pseudonyms", file, "--records", __file__)
    assert status == 1 and "chmod 600" in err, err
    status, _, err = yagura("flow", "read", "--pseudonyms", keys("bad", "2020-01-01T00:00:00Z 12"), "--records", __file__)
    assert status == 1 and "bad:1: " in err, err
    file = keys("two", f"2020-01-01T00:00:00Z {KEY}")
    status, _, err = yagura("flow", "key", file, "--from", "2019-01-01T00:00:00Z")
    assert status == 1 and "a later time was expected" in err, err
    status, _, err = yagura("flow", "key", file)
    assert status == 0 and len(open(file, encoding="utf-8").read().splitlines()) == 2, err
    status, _, err = yagura("flow", "read", "--pseudonyms-of", "10.0.0.0/8", "--records", __file__)
    assert status == 1 and "--pseudonyms KEYS" in err, err


if __name__ == "__main__":
    ROOM = tempfile.mkdtemp(prefix="yagura-pseudonyms-")
    try:
        main([they_are_nfanons, only_their_own_network_changes, a_collector_stores_none_and_a_reason_reveals, keys_are_looked_after])
    finally:
        shutil.rmtree(ROOM, ignore_errors=True)
