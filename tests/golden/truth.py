#!/usr/bin/env python3
"""The telescope against the simulator's truth.

Traffic is made by `yagura simulate telescope` with a truth file and read by `yagura telescope read --json`. Packets,
bytes, sources, kinds and ports must be equal, as those rules look at one packet alone. Tools that need two packets of
a source within a minute (Nmap, unicornscan, ZMap's 16 bits) may miss a source that sent fewer: that much is allowed,
and nothing else. Every victim with 100 packets and 90 s or more must be found, with its packets, and none else.
"""
import argparse
import json
import pathlib
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
DARKNET = ["198.18.0.0/15", "2001:db8:da7a::/48"]
RUNS = [("small", 100000, 300, 1), ("small", 20000, 200, 2), ("country", 400000, 600, 3), ("worm", 100000, 3600, 4),
        ("quiet", 20000, 3600, 5)]
PAIRED = ("nmap", "unicornscan", "zmap")


def run(command):
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)}: exit status {done.returncode}: {done.stderr.strip()}")
    return done.stdout


def missable(truth):
    """Packets and sources that a rule of two packets a minute may leave unknown: those of slow sources."""
    packets = sources = 0
    for source in truth["truth"]:
        if source["tool"] in PAIRED and source["packets"] < 4 * (truth["seconds"] / 60 + 1):
            packets += source["packets"]
            sources += 1
    return packets, sources


def check_tools(found, truth, faults):
    packets, sources = missable(truth)
    for tool, true in truth["tools"].items():
        was = found["tools"][tool]
        slack_packets, slack_sources = (packets, sources) if tool in PAIRED + ("unknown",) else (0, 0)
        more = tool == "unknown"
        low, high = (0, slack_packets) if more else (-slack_packets, 0)
        if not low <= was["packets"] - true["packets"] <= high:
            faults.append(f"{tool}: {was['packets']} packets, {true['packets']} were sent (allowed {low}..{high})")
        if abs(was["sources"] - true["sources"]) > slack_sources:
            faults.append(f"{tool}: {was['sources']} sources, {true['sources']} there are")


def seconds_between(first, last):
    def clock(text):
        hours, minutes, rest = text.split("T")[1].rstrip("Z").split(":")
        return int(hours) * 3600 + int(minutes) * 60 + float(rest)
    return clock(last) - clock(first)


def check_victims(found, truth, faults):
    sure = {v["address"]: v["packets"] for v in truth["victims"]
            if v["packets"] >= 100 and seconds_between(v["first"], v["last"]) >= 90}
    true = {v["address"]: v["packets"] for v in truth["victims"]}
    seen = {v["address"]: v["packets"] for v in found["victims"]}
    for address, packets in sure.items():
        if seen.get(address) != packets:
            faults.append(f"victim {address}: {seen.get(address)} packets, {packets} were sent")
    for address in seen.keys() - true.keys():
        faults.append(f"victim {address} was never attacked")


def check_ports(found, truth, faults):
    true = {(p["protocol"], p["port"]): p["packets"] for p in truth["ports"]}
    for port in found["ports"]:
        key = (port["protocol"], port["port"])
        if key[0] in ("tcp", "udp") and true.get(key) != port["packets"]:
            faults.append(f"{key[0]}/{key[1]}: {port['packets']} packets, {true.get(key)} were sent")


def check(yagura, work, name, packets, seconds, seed):
    pcap, path = str(work / "made.pcap"), str(work / "truth.json")
    run([yagura, "simulate", "telescope", "--description", str(ROOT / f"data/simulate/{name}.yaml"), "--packets",
         str(packets), "--seconds", str(seconds), "--seed", str(seed), "--output", pcap, "--truth", path])
    found = json.loads(run([yagura, "telescope", "read", "--darknet", *DARKNET, "--json", pcap]))
    with open(path, encoding="utf-8") as file:
        truth = json.load(file)
    faults = [f"{what}: {found[what]}, {truth[what]} is true" for what in ("packets", "bytes", "sources", "kinds")
              if found[what] != truth[what]]
    if found["outside"] or found["malformed"]:
        faults.append(f"outside {found['outside']}, malformed {found['malformed']}")
    check_tools(found, truth, faults)
    check_victims(found, truth, faults)
    check_ports(found, truth, faults)
    return faults


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--yagura", default=str(ROOT / "build/src/cli/yagura"))
    given = arguments.parse_args()
    if not (ROOT / "deps/places-country").exists():
        print("skipped: the place databases are not in deps/ (tools/install-deps)")
        return 77
    failed = 0
    with tempfile.TemporaryDirectory() as work:
        for name, packets, seconds, seed in RUNS:
            faults = check(given.yagura, pathlib.Path(work), name, packets, seconds, seed)
            failed += bool(faults)
            print(f"{'ok    ' if not faults else 'FAILED'} {name}: {packets} packets, {seconds} s, seed {seed}", *faults,
                  sep="\n       " if faults else "")
    print(f"{len(RUNS) - failed} passed, {failed} failed")
    return failed != 0


if __name__ == "__main__":
    sys.exit(main())
