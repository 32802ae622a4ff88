#!/usr/bin/env python3
"""nfdump's own files, as nfcapd writes them and nfdump packs them, hold for us what they hold for nfdump, field by field; damaged
ones are told with their place, and what lies before the damage is kept."""
import collections
import glob
import json
import os
import shutil
import subprocess
import tarfile
import tempfile
import time

from flow_collect import Nfcapd, messages
from harness import SHARED, main, yagura

ROOM = None
FORMAT = "fmt:%ts,%te,%sa,%sp,%da,%dp,%pr,%pkt,%byt,%in,%out,%sas,%das,%tos,%svln"
# Of the makers' devices those that have AS numbers, next hops, interfaces; nfcapd 1.7.1 does not survive some of the others.
MAKERS = ("netflow5", "netflow5_test_juniper_mx80", "netflow5_test_microtik", "netflow9_test_cisco_asr9k_tpl260",
          "netflow9_test_cisco_asr9k_data260", "netflow9_test_huawei_netstream_tpl", "netflow9_test_huawei_netstream_data",
          "ipfix_test_mikrotik_tpl", "ipfix_test_mikrotik_data258", "ipfix_test_mikrotik_data259")
PACKED = {0: "plain", 2: "bzip2", 3: "LZ4"}


def room(name):
    return os.path.join(ROOM, name)


def unpacked(path):
    out = room(os.path.basename(path)[:-4])
    if not os.path.exists(out):
        subprocess.run(["zstd", "-dqf", path, "-o", out], check=True)
    return out


def datagrams():
    """Exports of our own from real packets, and those of many makers' devices."""
    captures = [unpacked(path) for path in sorted(glob.glob(os.path.join(SHARED, "flow", "pcap", "ndpi-*.pcap.zst")))]
    if captures:
        status, _, err = yagura("flow", "make", "-o", room("made.ipfix"), *captures)
        assert status == 0, err
        yield from messages(room("made.ipfix"))
    makers = os.path.join(SHARED, "flow", "interop", "logstash-codec-netflow-spec.tar.zst")
    if os.path.exists(makers):
        with tarfile.open(unpacked(makers)) as archive:
            for name in (f"spec/codecs/{name}.dat" for name in MAKERS):
                yield archive.extractfile(name).read()


def collected():
    """nfcapd's file of them all, made once."""
    path = room("collected")
    if not os.path.exists(path):
        theirs = Nfcapd(room("nfcapd"))
        for datagram in datagrams():
            theirs.send([datagram])
            time.sleep(0.01)
        time.sleep(1)
        theirs.file(path)
    return path


def packed(how):
    path = room(f"packed{how}")
    if not os.path.exists(path):
        shutil.copy(collected(), path)
        subprocess.run(["nfdump", "-r", path, "-J", str(how)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=True)
    return path


def told_by_nfdump(path):
    out = subprocess.run(["nfdump", "-r", path, "-N", "-q", "-6", "-o", FORMAT], stdout=subprocess.PIPE, text=True, check=True, env={**os.environ, "TZ": "UTC"}).stdout
    rows = collections.Counter()
    for line in out.splitlines():
        first, last, source, sport, target, dport, protocol, packets, bytes_, *rest = (cell.strip() for cell in line.split(","))
        if protocol in ("ICMP", "ICMP6", "1", "58"):
            kind, _, code = dport.partition(".")
            dport = int(kind) * 256 + int(code or 0)
        rows[(first, last, source, int(sport), target, int(dport), int(packets), int(bytes_), *map(int, rest))] += 1
    return rows


def told_by_us(path):
    status, out, err = yagura("flow", "read", "--records", "--json", path)
    assert status == 0, err
    rows = collections.Counter()
    for row in map(json.loads, out.splitlines()):
        stamps = [row[name].rstrip("Z").replace("T", " ").partition(".") for name in ("first", "last")]
        first, last = (f"{whole}.{(part + '000')[:3]}" for whole, _, part in stamps)
        rows[(first, last, row["source"], row["source_port"], row["target"], row["target_port"], row["packets"], row["bytes"],
              row["input"], row["output"], row["source_as"], row["target_as"], row["tos"], row["vlan"])] += 1
    return rows


def every_field_is_nfdumps():
    if not os.path.isdir(os.path.join(SHARED, "flow")):
        print("skipped: no flows are here")
        return
    theirs = told_by_nfdump(collected())
    assert sum(theirs.values()) > 500, sum(theirs.values())
    assert any(":" in row[2] for row in theirs), "no IPv6"
    assert any(row[10] for row in theirs), "no AS numbers"
    for how, name in PACKED.items():
        ours = told_by_us(packed(how))
        assert ours == theirs, (name, list((ours - theirs).items())[:3], list((theirs - ours).items())[:3])
    print(f"{sum(theirs.values())} flows, {', '.join(PACKED.values())}")


def an_archive_of_them_is_asked():
    if not os.path.isdir(os.path.join(SHARED, "flow")):
        print("skipped: no flows are here")
        return
    status, out, err = yagura("flow", "read", "-w", room("archive"), "--json", packed(3))
    report = json.loads(out)
    assert status == 0, err
    status, out, err = yagura("flow", "query", "-r", room("archive"), "any", "-A", "proto", "--json", "--from", "1970-01-01T00:00:00Z")
    assert status == 0 and json.loads(out)["bytes"] == report["bytes"] > 0, (out[-300:], report, err)


def what_cannot_be_read_says_so():
    if not os.path.isdir(os.path.join(SHARED, "flow")):
        print("skipped: no flows are here")
        return
    status, _, err = yagura("flow", "read", packed(1))
    assert status == 1 and "LZO" in err and "nfdump -J 0" in err, err
    with open(packed(0), "rb") as file:
        whole = file.read()
    cases = {"layout": whole[:2] + b"\1\0" + whole[4:], "encrypted": whole[:17] + b"\1" + whole[18:]}
    for name, content in cases.items():
        with open(room(name), "wb") as file:
            file.write(content)
        status, _, err = yagura("flow", "read", room(name))
        assert status == 1 and name in err, (name, err)
    for cut in (60, len(whole) // 2, len(whole) - 200):
        with open(room("cut"), "wb") as file:
            file.write(whole[:cut])
        status, out, err = yagura("flow", "read", "--json", room("cut"))
        assert status == 1 and "the file ends before its last block" in err, (cut, err)
        json.loads(out)
    for packing, word in ((2, "does not unpack"), (3, "does not unpack"), (0, "contradicts itself")):
        with open(packed(packing), "rb") as file:
            content = bytearray(file.read())
        if packing:
            content[60:64] = b"\0\0\0\1"
        else:
            content[54:56] = b"\3\0"  # the length of the first record
        with open(room("broken"), "wb") as file:
            file.write(content)
        status, out, err = yagura("flow", "read", "--json", room("broken"))
        assert status == 1 and word in err and "byte 40" in err, (packing, err)


if __name__ == "__main__":
    ROOM = tempfile.mkdtemp(prefix="yagura-flow-nfdump-")
    try:
        main([every_field_is_nfdumps, an_archive_of_them_is_asked, what_cannot_be_read_says_so])
    finally:
        shutil.rmtree(ROOM, ignore_errors=True)
