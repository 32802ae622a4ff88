#!/usr/bin/env python3
"""Rules, their page in two languages and their tests say the same.

Every rule named in kind.c stands in docs/telescope-rules.md and its Japanese version and nothing else does; every test
that the pages name is one that runs; both pages name the same rules and tests.
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[3]
RULE = r"(?:tcp|udp|icmp|icmpv6|sctp|ip)\.[a-z0-9.-]+"


def main():
    source = "".join((ROOT / "src/observe/telescope" / name).read_text(encoding="utf-8")
                     for name in ("kind.c", "minute.c"))
    rules = set(re.findall(f'"({RULE})"', source))
    tests = set()
    for folder in ("telescope", "analyze"):
        for path in (ROOT / "tests/unit" / folder).glob("test_*.c"):
            tests |= set(re.findall(r"cmocka_unit_test\((\w+)\)", path.read_text(encoding="utf-8")))
    faults, named = [], {}
    for page in ("docs/telescope-rules.md", "docs/telescope-rules.ja.md"):
        marked = set(re.findall(r"`([^`]+)`", (ROOT / page).read_text(encoding="utf-8")))
        said = {word for word in marked if re.fullmatch(RULE, word)}
        shown = {word for word in marked if re.fullmatch(r"[a-z0-9]+(_[a-z0-9]+)+", word)}
        faults += [f"{page} lacks the rule {rule}" for rule in sorted(rules - said)]
        faults += [f"{page} has the rule {rule}, the code has not" for rule in sorted(said - rules)]
        faults += [f"{page} names the test {test}, which does not run" for test in sorted(shown - tests)]
        named[page] = said | shown
    english, japanese = named.values()
    faults += [f"only one language has {word}" for word in sorted(english ^ japanese)]
    print(*faults, sep="\n")
    print(f"{len(rules)} rules, {len(english) - len(rules)} tests named, {len(faults)} faults")
    return bool(faults) or not rules


sys.exit(main())
