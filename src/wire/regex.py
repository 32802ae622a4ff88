"""Regular expressions of JSON schemas (ECMA-262, the part of it that they use) as deterministic automata over UTF-8 bytes.

An automaton reads each byte once, so no input makes a match slow; a backtracking engine takes exponential time on some of
these expressions. `^` and `$` are the ends of the text, a search is meant where they are missing, `.` is all but line ends.
"""

DIGITS = frozenset(range(48, 58))
SPACES = frozenset(b" \t\n\r\v\f")
ALL = frozenset(range(256))
LINE_ENDS = frozenset(b"\n\r")


class Nfa:
    """Edges: (state, set of bytes, next); jumps: (state, condition, next), condition '', '^' or '$'."""

    def __init__(self, text, ignore_case=False):
        self.edges, self.jumps = [], []
        self.text, self.at, self.ignore_case = text, 0, ignore_case
        self.begin = self.state()
        self.end = self.alternatives(self.begin)
        if self.at != len(text):
            raise ValueError(f"{text}: stray '{text[self.at]}'")

    def state(self):
        self.edges.append([])
        self.jumps.append([])
        return len(self.edges) - 1

    def jump(self, source, target, condition=""):
        self.jumps[source].append((condition, target))

    def peek(self):
        return self.text[self.at] if self.at < len(self.text) else ""

    def alternatives(self, begin):
        end = self.state()
        while True:
            inner = self.state()
            self.jump(begin, inner)
            self.jump(self.sequence(inner), end)
            if self.peek() != "|":
                return end
            self.at += 1

    def sequence(self, begin):
        while self.peek() and self.peek() not in "|)":
            begin = self.repeated(begin)
        return begin

    def repeated(self, begin):
        start = self.at
        self.atom(self.state())  # only to find where it ends: it is built as often as it may stand, below
        least, most = self.quantifier()
        after = self.at
        at = begin
        for _ in range(least):
            at = self.again(start, at)
        if most is None:
            loop = self.state()
            self.jump(at, loop)
            self.jump(self.again(start, loop), loop)
            at = loop
        else:
            out = self.state()
            for _ in range(most - least):
                self.jump(at, out)
                at = self.again(start, at)
            self.jump(at, out)
            at = out
        self.at = after
        return at

    def again(self, start, begin):
        self.at = start
        fresh = self.state()
        self.jump(begin, fresh)
        return self.atom(fresh)

    def quantifier(self):
        sign = self.peek()
        if sign and sign in "*+?":
            self.at += 1
            return {"*": (0, None), "+": (1, None), "?": (0, 1)}[sign]
        if sign != "{":
            return 1, 1
        close = self.text.index("}", self.at)
        least, comma, most = self.text[self.at + 1:close].partition(",")
        self.at = close + 1
        return int(least), int(most) if most else None if comma else int(least)

    def atom(self, begin):
        sign = self.peek()
        self.at += 1
        if sign == "(":
            if self.text.startswith("?:", self.at):
                self.at += 2
            inner = self.state()
            self.jump(begin, inner)
            end = self.alternatives(inner)
            if self.peek() != ")":
                raise ValueError(f"{self.text}: ')' is missing")
            self.at += 1
            return end
        end = self.state()
        if sign in "^$":
            self.jump(begin, end, sign)
        elif sign == ".":
            self.characters(begin, end, LINE_ENDS)
        elif sign == "[":
            negative, members = self.members()
            if negative:
                self.characters(begin, end, members)
            else:
                self.edges[begin].append((members, end))
        else:
            self.edges[begin].append((self.folded(self.escape(sign)), end))
        return end

    def characters(self, begin, end, without):
        """Any character but those of ASCII in `without` and, as ECMA-262 has it for '.' and \\s, U+2028 and U+2029."""
        self.edges[begin].append((frozenset(range(128)) - without, end))
        tails = [self.state() for _ in range(3)]
        more = frozenset(range(0x80, 0xC0))
        for i, tail in enumerate(tails):
            self.edges[tail].append((more, end if i == 0 else tails[i - 1]))
        self.edges[begin].append((frozenset(range(0xC2, 0xE0)), tails[0]))
        self.edges[begin].append((frozenset(range(0xE0, 0xF0)) - {0xE2}, tails[1]))
        self.edges[begin].append((frozenset(range(0xF0, 0xF5)), tails[2]))
        second, third = self.state(), self.state()
        self.edges[begin].append((frozenset({0xE2}), second))
        self.edges[second].append((more - {0x80}, tails[0]))
        self.edges[second].append((frozenset({0x80}), third))
        self.edges[third].append((more - {0xA8, 0xA9}, end))

    def folded(self, members):
        if not self.ignore_case:
            return members
        letters = {ord(chr(c).swapcase()) for c in members if c < 128 and chr(c).isalpha()}
        return members | letters

    def escape(self, sign):
        if sign != "\\":
            return frozenset(sign.encode())
        letter = self.peek()
        self.at += 1
        if letter == "d":
            return DIGITS
        if letter == "s":
            return SPACES
        if letter.isalnum():
            raise ValueError(f"{self.text}: \\{letter} is not known here")
        return frozenset(letter.encode())

    def members(self):
        found = set()
        negative = self.peek() == "^"
        self.at += negative
        while self.peek() != "]":
            sign = self.peek()
            self.at += 1
            first = self.escape(sign)
            if self.peek() == "-" and self.text[self.at + 1] != "]" and len(first) == 1:
                self.at += 1
                sign = self.peek()
                self.at += 1
                (low,), (high,) = first, self.escape(sign)
                first = frozenset(range(low, high + 1))
            found |= first
        self.at += 1
        return negative, self.folded(frozenset(found))


DEAD, MATCHED, BEGIN = 0, 1, 2


class Dfa:
    """States DEAD (never), MATCHED (whatever follows) and BEGIN, then others. `ends` holds those that match at the end."""

    def __init__(self, text, ignore_case=False):
        nfa = Nfa(text, ignore_case)
        start = self.closure(nfa, {nfa.begin}, "^")
        anywhere = self.closure(nfa, {nfa.begin}, "")
        names, self.rows, ends = {start: BEGIN}, {DEAD: [DEAD] * 256, MATCHED: [MATCHED] * 256}, set()
        waiting = [start]
        while waiting:
            at = waiting.pop()
            name = names[at]
            if nfa.end in at:
                self.rows[name] = [MATCHED] * 256
                ends.add(name)
                continue
            if nfa.end in self.closure(nfa, at, "^$" if name == BEGIN else "$"):
                ends.add(name)
            targets = {}
            for state in at:
                for members, target in nfa.edges[state]:
                    for byte in members:
                        targets.setdefault(byte, set()).add(target)
            row = []
            known = {}
            for byte in range(256):
                key = frozenset(targets.get(byte, ()))
                if key not in known:
                    known[key] = self.closure(nfa, key, "") | anywhere
                following = known[key]
                if nfa.end in following:
                    row.append(MATCHED)
                    continue
                if following not in names:
                    names[following] = len(names) + 2
                    waiting.append(following)
                row.append(names[following])
            self.rows[name] = row
        self.ends = ends | {MATCHED}
        self.minimise()

    @staticmethod
    def closure(nfa, states, conditions):
        found, waiting = set(states), list(states)
        while waiting:
            for condition, target in nfa.jumps[waiting.pop()]:
                if target not in found and (not condition or condition in conditions):
                    found.add(target)
                    waiting.append(target)
        # A state that can go nowhere any more is left out, so that equal sets look equal.
        return frozenset(s for s in found if s == nfa.end or nfa.edges[s] or any(c == "$" for c, _ in nfa.jumps[s]))

    def minimise(self):
        """Moore's partition refinement, with bytes that no state tells apart taken as one."""
        columns = {}
        names = sorted(self.rows)
        for byte in range(256):
            columns.setdefault(tuple(self.rows[n][byte] for n in names), []).append(byte)
        self.classes = [0] * 256
        for number, (_, members) in enumerate(columns.items()):
            for byte in members:
                self.classes[byte] = number
        step = {n: [column[i] for column in columns] for i, n in enumerate(names)}
        group = {n: (n in self.ends) for n in names}
        while True:
            shape = {n: (group[n], *(group[t] for t in step[n])) for n in names}
            numbers = {}
            for n in names:
                numbers.setdefault(shape[n], len(numbers))
            fresh = {n: numbers[shape[n]] for n in names}
            if len(set(fresh.values())) == len(set(group.values())):
                break
            group = fresh
        order = {}
        for n in names:
            order.setdefault(group[n], len(order))
        if DEAD in names and group[DEAD] == group.get(MATCHED):
            raise ValueError("an expression that always or never matches")
        self.table = [None] * len(order)
        for n in names:
            self.table[order[group[n]]] = [order[group[t]] for t in step[n]]
        self.begin = order[group[BEGIN]]
        self.accepting = {order[group[n]] for n in self.ends}

    def matches(self, data):
        state = self.begin
        for byte in data:
            state = self.table[state][self.classes[byte]]
        return state in self.accepting
