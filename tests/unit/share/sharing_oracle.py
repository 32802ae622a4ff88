#!/usr/bin/env python3
"""Who may see what, told a second time and in another way: sets and closures over the whole world, made anew after every
change, where src/share/sharing.c walks from one question. Random changes and questions go to both; every answer must be the
same, and none may give more than the oracle does (a leak).

    sharing_oracle.py WALK [OPERATIONS [SEED]]
"""
import random
import subprocess
import sys
import tempfile
import time

MEMBERS, GROUPS, OBJECTS = 24, 14, 40
CLEAR, GREEN, AMBER, STRICT, RED = range(5)
NOBODY, MEMBER, STAFF, OPERATOR = range(4)


class World:
    def __init__(self):
        self.members = {}  # id: (parent, clearance)
        self.groups = {}  # id: confidential
        self.named, self.nested = set(), set()  # (group, member), (group, group in it); whether these are there or not
        self.objects = {i: (CLEAR, 0, False, frozenset()) for i in range(OBJECTS)}
        self.stale = True

    @staticmethod
    def closure(pairs, things):
        """Everything that can be reached from each, itself too, by relational composition until nothing is new."""
        reach, after = {(a, a) for a in things} | pairs, {}
        for a, b in pairs:
            after.setdefault(a, []).append(b)
        while True:
            more = {(a, c) for a, b in reach for c in after.get(b, ())} - reach
            if not more:
                return reach
            reach |= more

    def derive(self):
        there = set(self.groups)
        nested = {(a, b) for a, b in self.nested if a in there and b in there}
        named = {(g, m) for g, m in self.named if g in there and m in self.members}
        self.direct = named
        self.contains = self.closure(nested, there)
        self.part = {(g, m) for g, h in self.contains for k, m in named if h == k}
        opened = {g for g in there if not self.groups[g]}
        inner = self.closure({(a, b) for a, b in nested if a in opened and b in opened}, opened)
        self.open_part = {(g, m) for g, h in inner for k, m in named if h == k}
        ancestors = {}
        for member in self.members:
            line, at = set(), member
            for _ in range(16):
                at = self.members[at][0]
                if at not in self.members:
                    break
                line.add(at)
            ancestors[member] = line
        self.behind = {(g, m) for m, line in ancestors.items() for g in opened if any((g, a) in self.open_part for a in line)}
        self.knowing = {}
        self.stale = False

    def most(self, rank, viewer, group):
        if group not in self.groups:
            return -1
        if rank == OPERATOR or rank == STAFF and not self.groups[group]:
            return RED
        if rank != MEMBER or viewer not in self.members:
            return -1
        pair = (group, viewer)
        ways = [RED] * (pair in self.direct) + [STRICT] * (pair in self.part) + [AMBER] * (pair in self.behind)
        return min(max(ways), self.members[viewer][1]) if ways else -1

    def sees(self, rank, viewer, thing):
        tlp, originator, _, groups = self.objects[thing]
        return (rank == OPERATOR or self.own(rank, viewer, originator) or rank == STAFF and originator == 0 and not groups
                or any(tlp <= self.most(rank, viewer, g) for g in groups))

    def own(self, rank, viewer, originator):
        return rank == MEMBER and originator != 0 and viewer == originator and viewer in self.members

    def knows_originator(self, rank, viewer, thing):
        _, originator, anonymous, _ = self.objects[thing]
        return originator != 0 and (rank == OPERATOR or self.own(rank, viewer, originator)
                                    or not anonymous and self.sees(rank, viewer, thing))

    def known(self, rank, viewer):
        """The groups of which the viewer may know."""
        if rank == MEMBER and viewer not in self.members:
            return set()
        return {g for g, hidden in self.groups.items() if rank == OPERATOR or rank == STAFF and not hidden
                or rank == MEMBER and (not hidden or (g, viewer) in self.part)}

    def knows_participant(self, rank, viewer, group, other):
        if rank == MEMBER and (group, viewer) not in self.part:
            return False
        if (rank, viewer) not in self.knowing:
            known = self.known(rank, viewer)
            inner = self.closure({(a, b) for a, b in self.nested if a in known and b in known}, known)
            self.knowing[rank, viewer] = {(g, m) for g, h in inner for k, m in self.direct if h == k}
        return (group, other) in self.knowing[rank, viewer]

    def circles(self, group, part):
        return group == part or group in self.groups and part in self.groups and (part, group) in self.contains


def change(world, draw):
    """A line of the script, and what is to be answered to it."""
    world.stale = True
    what = draw.choices("mgnpo", (3, 2, 6, 4, 8))[0]
    if what == "m":
        member, there = draw.randrange(1, MEMBERS), draw.random() < 0.85
        parent, clearance = draw.choice((0, 0, draw.randrange(1, MEMBERS))), draw.choice((CLEAR, GREEN, AMBER, STRICT, RED, RED))
        world.members.pop(member, None)
        if there:
            world.members[member] = (parent, clearance)
        return f"m {member} {there:d} {parent} {clearance}", None
    if what == "g":
        group, there, hidden = draw.randrange(1, GROUPS), draw.random() < 0.9, draw.random() < 0.4
        world.groups.pop(group, None)
        if there:
            world.groups[group] = hidden
        return f"g {group} {there:d} {hidden:d} 0", None
    if what == "n":
        pair, there = (draw.randrange(1, GROUPS), draw.randrange(1, MEMBERS)), draw.random() < 0.55
        (world.named.add if there else world.named.discard)(pair)
        return f"n {pair[0]} {pair[1]} {there:d} 0", None
    if what == "p":
        pair, there = (draw.randrange(1, GROUPS), draw.randrange(1, GROUPS)), draw.random() < 0.6
        world.derive()
        circle = there and world.circles(*pair)
        (world.nested.add if there and not circle else world.nested.discard)(pair)
        world.stale = True
        return f"p {pair[0]} {pair[1]} {there:d} 0", f"{circle:d}"
    thing, groups = draw.randrange(OBJECTS), frozenset(draw.sample(range(1, GROUPS), draw.choice((0, 1, 1, 2, 3))))
    tlp, originator, anonymous = draw.randrange(5), draw.choice((0, draw.randrange(1, MEMBERS))), draw.random() < 0.5
    world.objects[thing] = (tlp, originator, anonymous, groups)
    return f"o {thing} {tlp} {originator} {anonymous:d} " + " ".join(map(str, sorted(groups))), None


def question(world, draw):
    rank, viewer, what = draw.choices((NOBODY, MEMBER, STAFF, OPERATOR), (1, 16, 3, 1))[0], draw.randrange(1, MEMBERS), draw.random()
    if what < 0.5:
        thing = draw.randrange(OBJECTS)
        return f"? {rank} {viewer} {thing} 0", f"{world.sees(rank, viewer, thing):d} {world.knows_originator(rank, viewer, thing):d}"
    group = draw.randrange(1, GROUPS)
    if what < 0.75:
        return f"q {rank} {viewer} {group} 0", f"{world.most(rank, viewer, group)} {group in world.known(rank, viewer):d}"
    other = draw.randrange(1, MEMBERS)
    return f"k {rank} {viewer} {group} {other}", f"{world.knows_participant(rank, viewer, group, other):d}"


def main():
    walk, operations, seed = (sys.argv[1:] + ["100000", "20261123"][len(sys.argv) - 2:])[:3]
    operations = int(operations)
    draw, world, script, expected, asked = random.Random(seed), World(), [], [], {}
    begun = time.monotonic()
    while len(script) < operations:
        if len(script) < 300 or draw.random() < 0.02:
            line, reply = change(world, draw)
        else:
            if world.stale:
                world.derive()
            line, reply = question(world, draw)
        script.append(line)
        if reply is not None:
            expected.append((len(script) - 1, reply))
            asked[line[0], reply] = asked.get((line[0], reply), 0) + 1
    with tempfile.TemporaryFile("w+") as file:
        file.write("\n".join(script) + "\n")
        file.seek(0)
        made, started = time.monotonic() - begun, time.monotonic()
        told = subprocess.run([walk], stdin=file, stdout=subprocess.PIPE, text=True, check=True).stdout.split("\n")[:-1]
        walked = time.monotonic() - started
    assert len(told) == len(expected), (len(told), len(expected))
    leaks = withheld = 0
    for (at, right), got in zip(expected, told):
        if got != right:
            more = any(int(g) > int(r) for g, r in zip(got.split(), right.split()))
            leaks, withheld = leaks + more, withheld + (not more)
            if leaks + withheld <= 5:
                print(f"operation {at}: {script[at]}: '{got}' instead of '{right}'", file=sys.stderr)
    # What is never answered yes, or never no, tests nothing.
    for kind in ("?", "q", "k", "p"):
        replies = {r: n for (k, r), n in asked.items() if k == kind}
        assert len(replies) >= 2 and min(sorted(replies.values())[-2:]) > len(script) / 2000, (kind, replies)
    assert asked.get(("?", "1 0"), 0) > len(script) / 200 and asked.get(("q", "-1 0"), 0) > len(script) / 200, asked
    print(f"{len(script)} operations, {len(expected)} answers, {leaks} leaks, {withheld} withheld; "
          f"oracle {made:.1f} s, walk {walked:.1f} s (seed {seed})")
    sys.exit(leaks + withheld > 0)


if __name__ == "__main__":
    main()
