#!/usr/bin/env python3
"""nfdump's language over the same flows as nfdump itself: what passes each filter, and the greatest of each statistic."""
import json
import os
import random
import re
import socket
import struct
import subprocess
import sys
import tempfile
import time

from flow_collect import Nfcapd
from harness import main, yagura

FILTERS = [
    "any", "proto tcp", "proto udp", "not proto tcp", "proto 6 or proto 1", "inet", "inet6", "ipv4 and proto icmp",
    "src port 443", "dst port < 1024", "port 53", "port in [22 23 443]", "src port > 1024 and dst port <= 1024",
    "dst port in [ 80, 443 ] and packets > 10", "src net 10.0.0.0/8", "net 10.1.0.0/16", "dst net 192.168.0.0 255.255.0.0",
    "src ip 10.1.2.3", "host 10.1.2.3 or host 192.168.7.7", "src ip in [10.1.2.3 10.2.0.0/16]", "net 2001:db8::/32",
    "src net 2001:db8:1::/48", "packets > 5", "packets >= 5", "packets < 5 and bytes > 1k", "bytes > 10k", "bytes > 1m",
    "flags S", "flags SA", "flags S and not flags AFRPU", "flags F or flags R", "duration > 1000", "duration = 0",
    "bpp > 500", "bpp < 100 and packets > 2", "pps > 10", "bps > 10k", "tos 32", "in if 3", "out if 4", "if 5",
    "icmp-type 8", "(proto tcp and dst port 80) or (proto udp and dst port 53)",
    "not (src net 10.0.0.0/8 or dst net 10.0.0.0/8)", "src port 80 and not dst port 443", "next ip 10.255.0.1",
    "(((proto tcp)))", "proto tcp and (dst port 80 or dst port 443) and not net 10.1.0.0/16",
]
# nfdump 1.7 wants a database of places before it looks at AS numbers: these are counted from the flows themselves.
AS_FILTERS = {
    "as 64512": lambda flow: 64512 in (flow["source_as"], flow["target_as"]),
    "src as 64513": lambda flow: flow["source_as"] == 64513,
    "dst as > 64520": lambda flow: flow["target_as"] > 64520,
    "src as in [64512 64513 64514]": lambda flow: flow["source_as"] < 64515,
}
STATISTICS = ["srcip/bytes", "dstip/flows", "ip/packets", "srcport/bytes", "dstport/flows", "port/bytes", "proto/packets",
              "srcas/bytes", "inif/flows"]
FIELDS = [(8, 4), (12, 4), (7, 2), (11, 2), (4, 1), (6, 1), (5, 1), (2, 4), (1, 4), (152, 8), (153, 8), (10, 4), (14, 4),
          (16, 4), (17, 4), (15, 4)]
FIELDS6 = [(27, 16), (28, 16)] + FIELDS[2:15]


def flows(count, seed):
    """Records with what the filters ask for among them."""
    chance = random.Random(seed)
    for _ in range(count):
        protocol = chance.choice([6, 6, 6, 17, 17, 1])
        packets = chance.choice([1, 1, 2, 5, 7, 20, 400])
        length = 0 if packets == 1 else chance.choice([0, 300, 1500, 20000])
        port = chance.choice([80, 443, 53, 23, 22, 5060, chance.randrange(65536)])
        first = 1780000000000 + chance.randrange(600000)
        yield {
            "six": chance.random() < 0.2, "net": chance.choice([10, 10, 192, 172, 45]), "r": chance.getrandbits(32),
            "source_port": 0 if protocol == 1 else chance.choice([443, 80, chance.randrange(1024, 65536)]),
            "target_port": chance.choice([8 << 8, 3 << 8 | 1]) if protocol == 1 else port, "protocol": protocol,
            "flags": chance.choice([2, 0x12, 0x1B, 0x14, 0x10, 0]) if protocol == 6 else 0, "tos": chance.choice([0, 0, 32, 184]),
            "packets": packets, "bytes": packets * chance.choice([40, 60, 576, 1400]), "first": first, "last": first + length,
            "input": chance.randrange(1, 9), "output": chance.randrange(1, 9), "source_as": 64512 + chance.randrange(12),
            "target_as": 64512 + chance.randrange(12), "next": 0x0AFF0000 + chance.randrange(3),
        }


def address(flow, end):
    """Few enough that many flows share one, with those that the filters name."""
    r = flow["r"] if end == "source" else flow["r"] >> 7
    if flow["six"]:
        return struct.pack(">IHHII", 0x20010DB8, r % 3, 0, 0, r % 50)
    if flow["net"] == 192:
        return bytes([192, 168, 7, r % 9])
    return bytes([flow["net"], r % 4, 2, r % 5])


def record(flow):
    return address(flow, "source") + address(flow, "target") + struct.pack(
        ">HHBBBIIQQIIII", flow["source_port"], flow["target_port"], flow["protocol"], flow["flags"], flow["tos"], flow["packets"],
        flow["bytes"], flow["first"], flow["last"], flow["input"], flow["output"], flow["source_as"], flow["target_as"]) + (
            b"" if flow["six"] else struct.pack(">I", flow["next"]))


def message(body, sequence):
    return struct.pack(">HHIII", 10, 16 + len(body), 1780000700, sequence, 1) + body


def fields_set(number, fields):
    body = struct.pack(">HH", number, len(fields)) + b"".join(struct.pack(">HH", *field) for field in fields)
    return struct.pack(">HH", 2, 4 + len(body)) + body


def messages(count):
    """IPFIX datagrams of `count` flows."""
    made, sequence = [message(fields_set(256, FIELDS) + fields_set(257, FIELDS6), 0)], 0
    waiting = {256: [], 257: []}
    everything = list(flows(count, 7))
    for position, flow in enumerate(everything):
        number = 257 if flow["six"] else 256
        waiting[number].append(record(flow))
        for number, records in waiting.items():
            if len(records) == 12 or (records and position == count - 1):
                body = b"".join(records)
                made.append(message(struct.pack(">HH", number, 4 + len(body)) + body, sequence))
                sequence += len(records)
                records.clear()
    return made


def nfcapd_collect(payloads, directory):
    """What nfcapd makes of datagrams: the path of a file of nfdump's."""
    theirs = Nfcapd(os.path.join(directory, "nfcapd"))
    for payload in payloads:
        theirs.send([payload])
        time.sleep(0.0005)
    time.sleep(1)
    return theirs.file(os.path.join(directory, "collected"))


def write_pcap(path, payloads):
    with open(path, "wb") as pcap:
        pcap.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, 101))
        for number, payload in enumerate(payloads):
            udp = struct.pack(">HHHH", 40000, 2055, 8 + len(payload), 0) + payload
            packet = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), number & 0xFFFF, 0, 64, 17, 0,
                                 socket.inet_aton("127.0.0.1"), socket.inet_aton("127.0.0.1")) + udp
            pcap.write(struct.pack("<IIII", 1780000700, 0, len(packet), len(packet)) + packet)


class Both:
    """The same flows in nfdump's file and in an archive of ours."""

    def __init__(self, directory):
        payloads = messages(6000)
        self.file = nfcapd_collect(payloads, directory)
        self.archive = os.path.join(directory, "archive")
        pcap = os.path.join(directory, "exports.pcap")
        write_pcap(pcap, payloads)
        status, out, err = yagura("flow", "read", "-w", self.archive, "--json", pcap)
        assert status == 0 and json.loads(out)["records"] == 6000, err

    def nfdump(self, *arguments):
        return subprocess.run(["nfdump", "-r", self.file, "-N", *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              text=True, check=False).stdout

    def theirs(self, text):
        found = re.search(r"total flows: (\d+), total bytes: (\d+), total packets: (\d+)", self.nfdump("-n", "1", text))
        return tuple(map(int, found.groups())) if found else (0, 0, 0)

    def ours(self, text):
        status, out, err = yagura("flow", "query", "-r", self.archive, text, "-A", "proto", "--json")
        assert status == 0, (text, err)
        answer = json.loads(out)
        return answer["flows"], answer["bytes"], answer["packets"]

    def top_of_theirs(self, statistic):
        """[(key, flows, packets, bytes)]; nfdump's csv."""
        lines = self.nfdump("-s", statistic, "-n", "0", "-o", "csv").splitlines()
        head = next(i for i, line in enumerate(lines) if line.startswith("ts,"))
        names = lines[head].split(",")
        rows = []
        for line in lines[head + 1:]:
            cells = dict(zip(names, line.split(",")))
            if not cells.get("val"):
                break
            packets, bytes_ = (cells.get("i" + name, cells.get(name)) for name in ("pkt", "byt"))
            rows.append((cells["val"], int(cells["fl"]), int(packets), int(bytes_)))
        return rows

    def top_of_ours(self, statistic):
        status, out, err = yagura("flow", "query", "-r", self.archive, "-s", statistic, "-n", "0", "--json")
        assert status == 0, (statistic, err)
        key = statistic.split("/", maxsplit=1)[0]
        return [(str(g[key]), g["flows"], g["packets"], g["bytes"]) for g in json.loads(out)["groups"]]


def filters_mean_what_they_mean_in_nfdump():
    empty = 0
    for text in FILTERS:
        theirs, ours = BOTH.theirs(text), BOTH.ours(text)
        assert ours == theirs, (text, "nfdump", theirs, "here", ours)
        empty += ours[0] == 0
    assert empty < len(FILTERS) / 4, empty
    print(f"{len(FILTERS)} filters alike, {empty} of them without a flow")


def as_numbers_are_found():
    everything = list(flows(6000, 7))
    for text, passes in AS_FILTERS.items():
        passed = [flow for flow in everything if passes(flow)]
        expected = len(passed), sum(flow["bytes"] for flow in passed), sum(flow["packets"] for flow in passed)
        assert BOTH.ours(text) == expected and expected[0] > 100, (text, BOTH.ours(text), expected)


def statistics_are_nfdump_s():
    for statistic in STATISTICS:
        column = {"flows": 1, "packets": 2, "bytes": 3}[statistic.split("/")[1]]
        theirs, ours = BOTH.top_of_theirs(statistic), BOTH.top_of_ours(statistic)
        assert len(theirs) > 2
        if statistic.startswith("ip/"):  # nfdump counts a flow between equal addresses once more than its ends are
            continue
        assert sorted(ours) == sorted(theirs), (statistic, sorted(set(theirs) ^ set(ours))[:6])
        assert [row[column] for row in ours] == sorted((row[column] for row in theirs), reverse=True), statistic


def a_wrong_filter_says_where():
    for text, part in [("proto tcp and", "ends"), ("src port abc", '"abc" at 10'), ("(proto tcp", '")"'), ("proto tcp tcp", "at 11"),
                       ("mpls label1 > 3", '"mpls" at 1'), ("port in [", "a number"), ("net 10/99", "a network"),
                       ("flags Q", "letters"), ("bytes > 5x", "k, m, g")]:
        status, _, err = yagura("flow", "query", "-r", BOTH.archive, text)
        assert status == 2 and part in err, (text, status, err)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as room:
        BOTH = Both(room)
        main([filters_mean_what_they_mean_in_nfdump, as_numbers_are_found, statistics_are_nfdump_s, a_wrong_filter_says_where])
