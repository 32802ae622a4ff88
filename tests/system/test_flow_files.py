#!/usr/bin/env python3
"""Files of flows that are no captures: the sums of Zeek's and Argus' own files, counted here column by column, and nfdump's view of
the IPFIX file; a damaged file is told with its line."""
import csv
import glob
import json
import lzma
import os
import struct
import subprocess
import tempfile
import time

from flow_collect import Nfcapd, data, ipfix, template
from harness import SHARED, main, yagura

FLOW = os.path.join(SHARED, "flow")
NOT_IP = {"arp", "rarp", "llc", "man", "ipx/spx", "stp", "lldp"}
ROOM = None


def room(name):
    return os.path.join(ROOM, name)


def text_of(path):
    if path.endswith(".xz"):
        return lzma.open(path, "rt").read()
    return subprocess.run(["zstd", "-dcq", path], stdout=subprocess.PIPE, check=True).stdout.decode()


def count(text):
    return int(text) if text and text != "-" else 0


def zeek_sums(text):
    """(flows, packets and bytes of who began, packets and bytes of the answers)"""
    rows, names = [], None
    for line in text.splitlines():
        line = line.lstrip()
        if line.startswith("#fields"):
            names = line.split("\t")[1:]
        elif line.startswith("{"):
            rows.append({key: str(value) for key, value in json.loads(line).items()})
        elif names is None and line.startswith("ts\t"):
            names = line.split("\t")
        elif line and not line.startswith("#"):
            rows.append(dict(zip(names, line.split("\t"))))
    return (len(rows), sum(count(row.get("orig_pkts")) for row in rows), sum(count(row.get("orig_ip_bytes")) for row in rows),
            sum(count(row.get("resp_pkts")) for row in rows), sum(count(row.get("resp_ip_bytes")) for row in rows))


def argus_sums(text):
    """(flows, packets of both, bytes of both)"""
    delimiter = "," if "," in text.splitlines()[0] else "\t"
    rows = [row for row in csv.DictReader(text.splitlines(), delimiter=delimiter) if row["Proto"] not in NOT_IP]
    return len(rows), sum(int(row["TotPkts"]) for row in rows), sum(int(row["TotBytes"]) for row in rows)


def our_sums(path):
    status, out, err = yagura("flow", "read", "--records", "--json", path)
    assert status == 0, (path, err)
    rows = [json.loads(line) for line in out.splitlines()]
    return (len(rows), *(sum(row[name] for row in rows) for name in ("packets", "bytes", "reverse_packets", "reverse_bytes")))


def every_zeek_log_is_read():
    paths = sorted(glob.glob(os.path.join(FLOW, "*", "*.conn.log*.zst")))
    flows = 0
    for path in paths:
        ours, theirs = our_sums(path), zeek_sums(text_of(path))
        assert ours == theirs, (path, ours, theirs)
        flows += ours[0]
    print(f"{flows} connections of {len(paths)} logs" if paths else "skipped: no logs of Zeek are here")


def every_binetflow_is_read():
    paths = sorted(glob.glob(os.path.join(FLOW, "*", "*.binetflow*")) + glob.glob(os.path.join(FLOW, "ctu13", "*.labeled.xz")))
    flows = 0
    for path in paths:
        count_, packets, bytes_, reverse_packets, reverse_bytes = our_sums(path)
        ours, theirs = (count_, packets + reverse_packets, bytes_ + reverse_bytes), argus_sums(text_of(path))
        assert ours == theirs, (path, ours, theirs)
        flows += count_
    print(f"{flows} flows of {len(paths)} files" if paths else "skipped: no files of Argus are here")


def messages(path):
    whole = subprocess.run(["zstd", "-dcq", path], stdout=subprocess.PIPE, check=True).stdout
    at = 0
    while at < len(whole):
        length = struct.unpack_from(">H", whole, at + 2)[0]
        yield whole[at:at + length]
        time.sleep(0.01)
        at += length


def an_ipfix_file_is_what_nfdump_makes_of_its_messages():
    path = os.path.join(FLOW, "interop", "ipfixcol2-example_flows.ipfix.zst")
    if not os.path.exists(path):
        print("skipped: no IPFIX file is here")
        return
    theirs = Nfcapd(room("nfcapd"))
    theirs.send(messages(path))
    time.sleep(1)
    flows, packets, bytes_ = theirs.finish()
    status, out, err = yagura("flow", "read", "-w", room("ipfix"), "--json", path)
    report = json.loads(out)
    assert status == 0 and (report["records"], report["packets"], report["bytes"]) == (flows, packets, bytes_), (report, flows, err)
    status, out, err = yagura("flow", "query", "-r", room("ipfix"), "any", "-A", "proto", "--json")
    assert status == 0 and json.loads(out)["bytes"] == bytes_, err


def write(name, text):
    with open(room(name), "wb") as file:
        file.write(text if isinstance(text, bytes) else text.encode())
    return room(name)


def damage_is_told_with_its_place():
    head = "#fields\tts\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto\n"
    good = "1.5\t192.0.2.1\t1\t192.0.2.2\t2\tudp\n"
    for name, text, flows, place in [
            ("conn.log", head + good + "1.5\t192.0.2.1\n" + good, 2, "line 3: 2 columns, of 6"),
            ("long.log", head + good + "x" * 200000 + "\n" + good, 2, "line 3: longer"),
            ("no-end.log", head + good + good.rstrip("\n"), 2, None),
            ("many.log", head + good + "x\n" * 50, 1, "50 faults in all"),
            ("cut.json", '{"ts":1.5,"id.orig_h":', 0, "line 1"),
            ("head.csv", "StartTime,Dur,SrcAddr,DstAddr\n", 0, "line 1: the header has no column Proto"),
            ("cut.ipfix", (ipfix(0, template() + data(2)) + ipfix(2, data(3)))[:-5], 2, "ends within a message"),
            ("not.ipfix", ipfix(0, template() + data(2)) + b"\0\1\0\1 and so on", 2, "no IPFIX message"),
            ("other.txt", "hello\n" * 50, 0, "neither pcap")]:
        status, out, err = yagura("flow", "read", "--json", write(name, text))
        assert json.loads(out)["records"] == flows, (name, out, err)
        assert (status, err) == (0, "") if place is None else (status == 1 and place in err and room(name) in err), (name, status, err)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as ROOM:
        main([every_zeek_log_is_read, every_binetflow_is_read, an_ipfix_file_is_what_nfdump_makes_of_its_messages,
              damage_is_told_with_its_place])
