#!/usr/bin/env python3
"""Datagrams of some dozens of makers' routers, firewalls and switches: every flow that tshark reads out of them is read here
too, with the same addresses, ports, protocol, packets, bytes and times."""
import collections
import glob
import io
import json
import os
import re
import socket
import struct
import subprocess
import sys
import tarfile
import tempfile

from harness import ROOT, SHARED, main, yagura

INTEROP = os.path.join(SHARED, "flow", "interop")
PORT = 2055
ICMP = (1, 58)  # type and code stand where others have ports
# What tshark does not decode right, or takes for flows: each looked at by hand.
KNOWN = {
    "ipfix_test_procera": "records with an IPv6 and an empty IPv4 address: tshark tells the empty one",
    "netflow9_test_invalid01": "tshark gives up at the first template; what follows is sound",
    "netflow9_test_h3c": "tshark stops after the first record of the set; the other 15 are sound",
    "netflow5_test_invalid01": "cut within a record: not taken for an export in a capture of anything",
    "netflow5_test_invalid02": "cut within a record: not taken for an export in a capture of anything",
}


def write_pcap(path, payloads):
    """One UDP datagram each, from one exporter, a second apart."""
    with open(path, "wb") as pcap:
        pcap.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, 101))
        for number, payload in enumerate(payloads):
            udp = struct.pack(">HHHH", 40000, PORT, 8 + len(payload), 0) + payload
            packet = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), number, 0, 64, 17, 0,
                                 socket.inet_aton("192.0.2.9"), socket.inet_aton("192.0.2.1")) + udp
            pcap.write(struct.pack("<IIII", 1700000000 + number, 0, len(packet), len(packet)) + packet)


def groups():
    """Payloads of one device each: templates, then options, then data, by the names of the files."""
    packed = os.path.join(INTEROP, "logstash-codec-netflow-spec.tar.zst")
    plain = subprocess.run(["zstd", "-dcq", packed], stdout=subprocess.PIPE, check=True).stdout
    found = collections.defaultdict(list)
    with tarfile.open(fileobj=io.BytesIO(plain)) as tar:
        for member in tar.getmembers():
            name = os.path.basename(member.name)
            if name.endswith(".dat"):
                order = 0 if "_tpl" in name else 1 if "_opttpl" in name else 2
                device = re.split(r"_(?:opt)?tpl|_data", name[:-4])[0]
                found[device].append((order, name, tar.extractfile(member).read()))
    return {device: [payload for _, _, payload in sorted(files)] for device, files in sorted(found.items())}


def tshark_flows(pcap):
    """Every dictionary that tshark calls a flow."""
    done = subprocess.run(["tshark", "-r", pcap, "-d", f"udp.port=={PORT},cflow", "-T", "json", "--no-duplicate-keys"],
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=True)
    flows = []

    def walk(node):
        for item in node if isinstance(node, list) else [node]:
            if isinstance(item, dict):
                for key, value in item.items():
                    if re.match(r"(Flow|pdu) \d+", key):
                        flows.extend(value if isinstance(value, list) else [value])
                    else:
                        walk(value)

    for packet in json.loads(done.stdout or "[]"):
        walk(packet["_source"]["layers"].get("cflow", {}))
    return flows


def first_of(flow, *names):
    """A field of a flow; tshark puts some of them into a sub-tree."""
    for name in names:
        value = flow.get("cflow." + name)
        if value is None:
            for inner in flow.values():
                if isinstance(inner, dict) and "cflow." + name in inner:
                    value = inner["cflow." + name]
        if value is not None:
            return value[0] if isinstance(value, list) else value
    return None


def number(text):
    return int(text, 0) if text is not None else 0


def as_tshark(flow):
    """What both tell of a flow; None: it is a record of options."""
    source, target = first_of(flow, "srcaddr", "srcaddrv6"), first_of(flow, "dstaddr", "dstaddrv6")
    if source is None and target is None:
        return None
    protocol = number(first_of(flow, "protocol"))
    ports = (0, 0) if protocol in ICMP else (number(first_of(flow, "srcport")), number(first_of(flow, "dstport")))
    return (source or "::", target or "::", protocol, number(first_of(flow, "packets", "permanent_packets", "initiator_packets")),
            number(first_of(flow, "octets", "permanent_octets", "initiator_octets")), *ports)


def as_ours(flow):
    ports = (0, 0) if flow["protocol"] in ICMP else (flow["source_port"], flow["target_port"])
    return (flow["source"], flow["target"], flow["protocol"], flow["packets"] // flow["sampling"],
            flow["bytes"] // flow["sampling"], *ports)


def read(device, payloads, directory):
    """(tshark's flows, ours) as multisets."""
    pcap = os.path.join(directory, device + ".pcap")
    write_pcap(pcap, payloads)
    theirs = collections.Counter(filter(None, map(as_tshark, tshark_flows(pcap))))
    status, out, err = yagura("flow", "read", "--records", "--json", pcap)
    assert status == 0, (device, err)
    return theirs, collections.Counter(as_ours(json.loads(line)) for line in out.splitlines())


def every_flow_that_tshark_reads_is_read():
    compared = flows = 0
    with tempfile.TemporaryDirectory() as directory:
        for device, payloads in groups().items():
            theirs, ours = read(device, payloads, directory)
            if device in KNOWN:
                assert theirs != ours, f"{device} needs no exception any more: {KNOWN[device]}"
                continue
            ours = collections.Counter({flow: n for flow, n in ours.items() if flow[:2] != ("::", "::")})
            assert theirs == ours, (device, theirs - ours, ours - theirs)
            compared += 1
            flows += sum(theirs.values())
    assert compared >= 40 and flows >= 390, (compared, flows)
    print(f"{flows} flows of {compared} devices alike")


if __name__ == "__main__":
    if not os.path.isdir(INTEROP):
        print("skipped: the captures of exports are not here\n0 passed, 0 failed")
        sys.exit(77)
    main([every_flow_that_tshark_reads_is_read])
