#!/usr/bin/env python3
"""Malformed packets are counted under the same names by `telescope read`, by a hub that reads the same capture, by its
status and its metrics, and of a sensor that only sends health records."""
import json
import os
import re
import shutil
import socket
import struct
import tempfile

import harness
from harness import YAGURA
from hub_client import Hub

DIRECTORY = tempfile.mkdtemp(prefix="yagura-malformed-")
CAPTURE = os.path.join(DIRECTORY, "malformed.pcap")
ETHERNET = b"\2\0\0\0\0\1\2\0\0\0\0\2\x08\0"


def ip(protocol, payload, total=None, version=0x45):
    return struct.pack("!BBHHHBBH4s4s", version, 0, 20 + len(payload) if total is None else total, 1, 0, 64, protocol, 0,
                       socket.inet_aton("8.8.8.8"), socket.inet_aton("198.18.0.9")) + payload


def tcp(header_words):
    return struct.pack("!HHIIBBHHH", 40000, 23, 1, 0, header_words << 4, 2, 1000, 0, 0)


FRAMES = ([ETHERNET + ip(6, tcp(5))] * 10 + [ETHERNET + ip(6, tcp(3))] * 4 +
          [ETHERNET + ip(17, struct.pack("!HHHH", 40000, 53, 400, 0))] * 3 + [ETHERNET + ip(6, tcp(5), total=10)] * 2 +
          [ETHERNET + ip(6, tcp(5))[:12]])


def capture_write():
    with open(CAPTURE, "wb") as file:
        file.write(struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, 1))
        for i, frame in enumerate(FRAMES):
            second = 1767225658 + (i if i != 5 else -8)  # one goes back, into the minute before
            file.write(struct.pack("<IIII", second, 0, len(frame), len(frame)) + frame)
        file.write(b"\0\0\0")  # and the last record is cut


def read():
    status, out, err = harness.yagura("telescope", "read", "--darknet", "198.18.0.0/15", "--json", CAPTURE)
    assert status == 0, err
    return json.loads(out)["malformed"]


def read_names_them():
    found = read()
    wanted = {"tcp_header_length": 4, "udp_length": 3, "ip_total_length": 2, "ip_truncated": 1, "time_backwards": 1,
              "time_back": 1, "truncated": 1}
    assert found == wanted, found


def a_hub_names_them_alike():
    options = "--capture", CAPTURE, "--darknet", "198.18.0.0/15", "--speed", "0"
    with Hub(*options, program=(YAGURA, "hub")) as hub:
        sensor = hub.wait(lambda: next(s for s in hub.status()["sensors"] if s["state"] == "ended"))
        assert sensor["malformed"] == read(), sensor
        token = hub.local("POST", "/api/v1/tokens", {"name": "reader", "role": "viewer"}).json()["token"]
        text = hub.get("/metrics", headers={"Authorization": "Bearer " + token}).body.decode()
        assert 'yagura_telescope_malformed_total{anomaly="udp_length"} 3\n' in text
        assert 'yagura_telescope_trace_anomalies_total{anomaly="truncated"} 1\n' in text
        status, out, err = harness.yagura("status", "--data", os.path.join(hub.data, "data"))
        assert status == 0 and re.search(r"malformed +tcp_header_length +4$", out, re.M), (out, err)

        def stored():
            health = hub.query(kind="health", keys=["name"], aggregates=[{"op": "sum", "field": "value"}],
                               filters=[{"field": "name", "op": "like", "value": "malformed.%"}], **{"from": "2025-12-01"})
            return {name[len("malformed."):]: int(value) for name, value in health["rows"]}
        hub.wait(lambda: stored() == read())


try:
    capture_write()
    harness.main([read_names_them, a_hub_names_them_alike])
finally:
    shutil.rmtree(DIRECTORY)
