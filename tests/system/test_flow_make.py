#!/usr/bin/env python3
"""Flows made of packets: against tshark's list of the packets themselves, flow by flow; the IPFIX file that is written is read by
tshark, by nfdump and by ourselves alike; what cannot be read is said and nothing before it is lost."""
import collections
import glob
import ipaddress
import json
import os
import shutil
import subprocess
import tempfile
import time

from flow_collect import Nfcapd, messages
from harness import SHARED, main, yagura

ROOM = None
FIELDS = ["ip.src", "ip.dst", "ipv6.src", "ipv6.dst", "ip.proto", "tcp.srcport", "tcp.dstport", "udp.srcport", "udp.dstport",
          "icmp.type", "icmp.code", "ip.len", "ipv6.plen"]


def room(name):
    return os.path.join(ROOM, name)


def plain(path):
    """A capture that every program reads."""
    if not path.endswith(".zst"):
        return path
    out = room(os.path.basename(path)[:-4])
    if not os.path.exists(out):
        subprocess.run(["zstd", "-dqf", path, "-o", out], check=True)
    return out


def captures():
    """Plain IPv4 conversations, not cut, without fragments and tunnels: what tshark and a meter must agree on to the byte."""
    names = ["flow/pcap/ndpi-emotet.pcap.zst", "flow/pcap/ndpi-trickbot.pcap.zst", "flow/pcap/ndpi-bot.pcap.zst",
             "flow/pcap/ndpi-irc.pcap.zst", "flow/pcap/ndpi-synscan.pcap.zst", "telescope/own_linux_connect.pcap",
             "telescope/own_nmap_udp.pcap", "telescope/slips_icmp_portscan.pcap"]
    return [plain(path) for path in (os.path.join(SHARED, name) for name in names) if os.path.exists(path)]


def told_by_tshark(path):
    """{(source, target, protocol, source port, target port): [packets, bytes]}"""
    arguments = [word for field in FIELDS for word in ("-e", field)]
    out = subprocess.run(["tshark", "-n", "-r", path, "-o", "tcp.desegment_tcp_streams:FALSE", "-T", "fields", "-E", "occurrence=f", *arguments],
                         stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=True).stdout
    flows = collections.defaultdict(lambda: [0, 0])
    for line in out.splitlines():
        cells = dict(zip(FIELDS, line.split("\t")))
        if not cells["ip.src"]:
            continue
        protocol = int(cells["ip.proto"])
        ports = {6: ("tcp.srcport", "tcp.dstport"), 17: ("udp.srcport", "udp.dstport")}.get(protocol)
        source, target = (int(cells[port]) for port in ports) if ports else (0, 0)
        if protocol == 1:
            target = int(cells["icmp.type"]) * 256 + int(cells["icmp.code"])
        flow = flows[cells["ip.src"], cells["ip.dst"], protocol, source, target]
        flow[0] += 1
        flow[1] += int(cells["ip.len"])
    return dict(flows)


def made(path, *options):
    status, out, err = yagura("flow", "make", "--records", "--json", *options, path)
    assert status == 0, (path, err)
    return [json.loads(line) for line in out.splitlines()]


def summed(rows):
    flows = collections.defaultdict(lambda: [0, 0])
    for row in rows:
        source_port = 0 if row["protocol"] == 1 else row["source_port"]
        flow = flows[row["source"], row["target"], row["protocol"], source_port, row["target_port"]]
        flow[0] += row["packets"]
        flow[1] += row["bytes"]
    return dict(flows)


def every_packet_is_in_its_flow():
    count = packets = 0
    for path in captures():
        ours = {key: flow for key, flow in summed(made(path)).items() if ipaddress.ip_address(key[0]).version == 4}
        theirs = told_by_tshark(path)
        assert ours == theirs, (path, [(key, ours.get(key), theirs.get(key)) for key in {*ours, *theirs} if ours.get(key) != theirs.get(key)][:5])
        count += len(ours)
        packets += sum(flow[0] for flow in ours.values())
    print(f"{packets} packets in {count} flows" if count else "skipped: no captures are here")


def long_ones_are_cut_and_quiet_ones_end():
    for path in captures():
        for active, idle in ((60, 15), (5, 2)):
            rows = made(path, "--active", f"{active}s", "--idle", f"{idle}s")
            assert summed(rows) == summed(made(path)), path
            assert all(moment(row["last"]) - moment(row["first"]) <= active for row in rows), path


def moment(text):
    whole, _, part = text.rstrip("Z").partition(".")
    return time.mktime(time.strptime(whole, "%Y-%m-%dT%H:%M:%S")) + float(f"0.{part or 0}")


def what_is_written_is_read_by_others():
    paths = captures()
    if not paths:
        print("skipped: no captures are here")
        return
    file, archive = room("made.ipfix"), room("archive")
    status, out, err = yagura("flow", "make", "--json", "-o", file, "-w", archive, *paths)
    report = json.loads(out)
    assert status == 0, err
    status, out, err = yagura("flow", "read", "--json", file)
    again = json.loads(out)
    for name in ("records", "packets", "bytes"):
        assert again[name] == report[name], (name, report, again)
    status, out, err = yagura("flow", "query", "-r", archive, "any", "-A", "proto", "--json", "--from", "1990-01-01T00:00:00Z")
    assert status == 0 and json.loads(out)["bytes"] == report["bytes"], (err, out[:300])

    told = subprocess.run(["tshark", "-n", "-r", file, "-T", "fields", "-E", "occurrence=a", "-e", "cflow.packets", "-e", "cflow.octets"],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert told.returncode == 0, told.stderr
    sums = [sum(int(cell) for line in told.stdout.splitlines() for cell in line.split("\t")[column].split(",") if cell) for column in (0, 1)]
    assert sums == [report["packets"], report["bytes"]], (sums, report)

    theirs = Nfcapd(room("nfcapd"))
    for message in messages(file):
        theirs.send([message])
        time.sleep(0.01)
    time.sleep(1)
    flows, packets, bytes_ = theirs.finish()
    assert (flows, packets, bytes_) == (report["records"], report["packets"], report["bytes"]), (flows, packets, bytes_, report)


def every_capture_is_metered_or_named():
    """All that lies there, hostile ones too: each packet is in a flow or counted as none, and the meter never fails."""
    count = 0
    for path in sorted(glob.glob(os.path.join(SHARED, "telescope", "*.pcap*")) + glob.glob(os.path.join(SHARED, "telescope", "*.erf"))):
        status, out, err = yagura("flow", "make", "--json", "--tunnels", path)
        told = yagura("telescope", "read", "--json", "--darknet", "0.0.0.0/0", path)
        report = json.loads(out)
        assert report["packets"] == report["metered"], (path, report)
        assert (status == 0) == (told[0] == 0), (path, err, told[2])
        count += 1
    print(f"{count} captures" if count else "skipped: no captures are here")


def bad_input_is_named():
    status, _, err = yagura("flow", "make")
    assert status == 2 and "FILE was expected" in err, err
    status, _, err = yagura("flow", "make", room("nowhere.pcap"))
    assert status == 1 and "nowhere.pcap" in err, err
    for path in captures()[:1]:
        status, _, err = yagura("flow", "make", "-o", room("no/such/folder.ipfix"), path)
        assert status == 1 and "folder.ipfix" in err, err
    path = os.path.join(SHARED, "telescope", "own_linux_connect.pcap")
    if not os.path.exists(path):
        return
    with open(path, "rb") as whole, open(room("cut.pcap"), "wb") as file:
        file.write(whole.read()[:3000])
    status, out, err = yagura("flow", "make", "--json", room("cut.pcap"))
    assert "cut.pcap: offset" in err and "truncated" in err, err
    assert json.loads(out)["packets"] > 30, "what lay before the cut is lost"


if __name__ == "__main__":
    ROOM = tempfile.mkdtemp(prefix="yagura-flow-make-")
    try:
        main([every_packet_is_in_its_flow, long_ones_are_cut_and_quiet_ones_end, what_is_written_is_read_by_others,
              every_capture_is_metered_or_named, bad_input_is_named])
    finally:
        shutil.rmtree(ROOM, ignore_errors=True)
