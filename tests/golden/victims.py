#!/usr/bin/env python3
"""Victims of denial of service in a real capture, told twice: by yagura, and here from tcpdump's text by the letter of
Corsaro 3's rule. The capture is not the project's own; where it is not there, the test says so and is skipped.
"""
import argparse
import collections
import json
import pathlib
import re
import shutil
import subprocess
import sys

SKIPPED = 77
CAPTURE = "stopddos_syn_ack_sameport.pcapng"
BACKSCATTER = "tcp[tcpflags] & (tcp-syn|tcp-ack) == (tcp-syn|tcp-ack) or tcp[tcpflags] & tcp-rst != 0"


def expected_victims(capture):
    run = subprocess.run(["tcpdump", "-nn", "-tt", "-r", str(capture), BACKSCATTER], capture_output=True, text=True,
                         check=True, timeout=60)
    times = collections.defaultdict(list)
    for line in run.stdout.splitlines():
        match = re.match(r"(\d+\.\d+) IP (\d+\.\d+\.\d+\.\d+)\.\d+ > ", line)
        if match:
            times[match[2]].append(float(match[1]))
    victims = {}
    for host, seen in times.items():
        flows = [[seen[0]]]
        for time in seen[1:]:
            if time - flows[-1][-1] > 300:
                flows.append([])
            flows[-1].append(time)
        for flow in flows:
            begin = int(flow[0]) // 10 * 10 - 50
            windows = range(begin, int(flow[-1]) + 1, 10)
            most = max(sum(start <= time < start + 60 for time in flow) for start in windows)
            if len(flow) >= 25 and flow[-1] - flow[0] >= 60 and most >= 30:
                victims[host] = len(flow)
    return victims


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--yagura", required=True)
    parser.add_argument("--data", required=True)
    arguments = parser.parse_args()
    capture = pathlib.Path(arguments.data) / "telescope" / CAPTURE
    if not capture.exists() or not shutil.which("tcpdump"):
        print(f"skipped: {capture} or tcpdump is not here")
        return SKIPPED
    expected = expected_victims(capture)
    run = subprocess.run([arguments.yagura, "telescope", "read", "--darknet", "0.0.0.0/0", "--json", str(capture)],
                         capture_output=True, text=True, check=True, timeout=60)
    found = {victim["address"]: victim["packets"] for victim in json.loads(run.stdout)["victims"]}
    print(f"by the rule's letter: {expected}; by yagura: {found}")
    if not expected or found != expected:
        print("FAILED: they differ, or the capture shows none")
        return 1
    return 0


sys.exit(main())
