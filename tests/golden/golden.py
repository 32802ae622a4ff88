#!/usr/bin/env python3
"""The telescope over the golden captures.

Each capture of captures/manifest.tsv is read by `yagura telescope read --json`. Its kinds and tools must be those that
the manifest knows from the command that sent the packets, and the whole report must equal expected/NAME.json.
Expected reports change only by --update and a look at the difference.
"""
import argparse
import csv
import difflib
import json
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
DARKNET = ["198.18.0.0/15", "2001:db8:da7a::/48"]
# Places of addresses come from databases with a life of their own; how fast it was read is the machine's.
NOT_OURS = ("countries", "networks", "country", "network", "network_name", "latitude", "longitude", "seconds",
            "packets_per_second")


def only_ours(value):
    if isinstance(value, dict):
        return {k: only_ours(v) for k, v in value.items() if k not in NOT_OURS}
    if isinstance(value, list):
        return [only_ours(v) for v in value]
    return value


def report(yagura, capture):
    command = [yagura, "telescope", "read", "--darknet", *DARKNET, "--json", str(capture)]
    run = subprocess.run(command, capture_output=True, text=True, timeout=60)
    if run.returncode != 0:
        raise RuntimeError(f"exit status {run.returncode}: {run.stderr.strip()}")
    return only_ours(json.loads(run.stdout))


def check_known(row, found):
    """What is known of the capture without any expected report."""
    kinds = {k for k, n in found["kinds"].items() if n}
    tools = {t for t, n in found["tools"].items() if n["packets"]}
    faults = []
    if kinds != set(row["kinds"].split(",")):
        faults.append(f"kinds {sorted(kinds)}, {row['kinds']} were sent")
    if tools != set(row["tools"].split(",")):
        faults.append(f"tools {sorted(tools)}, {row['tools']} sent them")
    if sum(found["kinds"].values()) != found["packets"] - found["outside"]:
        faults.append("the kinds do not add up to the packets")
    if found["malformed"]:
        faults.append(f"malformed {found['malformed']}")
    return faults


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--yagura", default=str(HERE.parent.parent / "build/src/cli/yagura"))
    arguments.add_argument("--update", action="store_true", help="write the expected reports anew")
    given = arguments.parse_args()
    passed = failed = 0
    with open(HERE / "captures/manifest.tsv", newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    for row in rows:
        capture = HERE / "captures" / row["file"]
        expected = HERE / "expected" / (capture.stem + ".json")
        found = report(given.yagura, capture)
        text = json.dumps(found, indent=1, sort_keys=True) + "\n"
        faults = check_known(row, found)
        if given.update:
            expected.parent.mkdir(exist_ok=True)
            expected.write_text(text, encoding="utf-8")
        elif not expected.exists():
            faults.append(f"{expected} is missing: run with --update and review it")
        elif (before := expected.read_text(encoding="utf-8")) != text:
            faults.append("".join(difflib.unified_diff(before.splitlines(True), text.splitlines(True),
                                                       str(expected), "now", n=2)))
        passed += not faults
        failed += bool(faults)
        print(f"{'ok    ' if not faults else 'FAILED'} {row['file']}", *faults, sep="\n       " if faults else "")
    unlisted = {p.name for p in (HERE / "captures").glob("*.pcap")} - {row["file"] for row in rows}
    if unlisted:
        print(f"FAILED not in the manifest: {sorted(unlisted)}")
        failed += 1
    print(f"{passed} passed, {failed} failed")
    return failed != 0


if __name__ == "__main__":
    sys.exit(main())
