"""Command and control made of what is published of botnets' behaviour, laid over recorded innocent traffic, as training data for
tools/cnc-train. Flows are dicts as `yagura flow read --records --json` prints them, times in seconds."""
import random


def log_uniform(rng, low, high):
    return low * (high / low) ** rng.random()


def flow(source, source_port, target, port, start, seconds, sent, got, protocol=6, history="ShADadfF"):
    """sent, got: (packets, bytes)"""
    return {"first": start, "last": start + seconds, "source": source, "target": target, "source_port": source_port, "target_port": port,
            "protocol": protocol, "packets": sent[0], "bytes": sent[1], "reverse_packets": got[0], "reverse_bytes": got[1],
            "history": history if protocol == 6 else "Dd"}


def lateness(rng, length):
    """Within how much time bots begin: most were there before anybody looked."""
    return length * (0.02 if rng.random() < 0.6 else rng.uniform(0.1, 0.7))


class Bot:
    def __init__(self, rng, address):
        self.rng, self.address, self.port = rng, address, rng.randint(32768, 60999)

    def next_port(self):
        self.port = 32768 + (self.port - 32768 + self.rng.randint(1, 9)) % 28232
        return self.port


def any_port(rng, common):
    """A port of what everybody uses, or any other. How common: of the servers that maltrail lists (2026), 1 to 2 % of Mirai's and
    Gafgyt's have a port of the web, 9 % of Qakbot's, 64 % of TrickBot's, 89 % of Emotet's."""
    return rng.choice((80, 443, 443, 8080)) if rng.random() < common else rng.choice((rng.randint(1024, 65000), rng.randint(1024, 10000)))


def beacon(rng, bots, server, begin, end):
    """A request every so often, an answer that says nothing most of the time (HTTP and HTTPS implants)."""
    late = lateness(rng, end - begin)
    ports = [any_port(rng, 0.6) for _ in range(rng.choice((1, 1, 1, 2)))]
    sleep, jitter = log_uniform(rng, 4, min(3600, (end - begin) / 12)), rng.choice((0, rng.random() * 0.2, rng.random() * 0.5))
    sent, got = int(log_uniform(rng, 180, 1800)), int(log_uniform(rng, 120, 6000))
    wobble, task = rng.choice((0, 0.02, 0.2)), rng.random() * 0.05
    flows = []
    for bot in bots:
        at = begin + rng.random() * late
        while at < end:
            answer = got if rng.random() > task else int(got * log_uniform(rng, 3, 60))
            size = max(60, int(sent * (1 + wobble * (rng.random() - 0.5))))
            port = ports[int((at - begin) / (end - begin + 1) * len(ports))]
            flows.append(flow(bot.address, bot.next_port(), server, port, at, 0.05 + rng.random(), (4 + size // 1400, size + 200),
                              (4 + answer // 1400, answer + 180)))
            at += max(1, sleep * (1 + jitter * (rng.random() * 2 - 1)))
    return flows


def long_connection(rng, bots, server, begin, end):
    """Signs on once and stays, with pings (IRC-like)."""
    late = lateness(rng, end - begin)
    port, ping = any_port(rng, 0.15), rng.uniform(60, 240)
    flows = []
    for bot in bots:
        at = begin + rng.random() * late
        while at < end:
            seconds = min(end - at, (end - begin) * rng.uniform(0.2, 1))
            pings, setup = int(seconds / ping), rng.randint(3000, 15000)
            flows.append(flow(bot.address, bot.next_port(), server, port, at, seconds, (12 + 2 * pings, 900 + 110 * pings),
                              (14 + 2 * pings, setup + 120 * pings), history="ShADad"))
            at += seconds + rng.uniform(10, 600)
    return flows


def keepalive(rng, bots, server, begin, end):
    """A few bytes a minute over a connection that is made anew when it breaks; in vain for a while when the server is gone
    (Mirai, Gafgyt)."""
    late = lateness(rng, end - begin)
    port, pulse = any_port(rng, 0.03), rng.uniform(30, 180)
    gone = (begin + (end - begin) * rng.random(), (end - begin) * rng.choice((0, 0, 0.2, 0.5)))
    flows = []
    for bot in bots:
        at = begin + rng.random() * late
        while at < end:
            if gone[0] < at < gone[0] + gone[1]:
                flows.append(flow(bot.address, bot.next_port(), server, port, at, 3, (rng.choice((1, 3)), 60 * rng.choice((1, 3))),
                                  (0, 0), history="S"))
                at += rng.uniform(4, 20)
                continue
            seconds = min(end - at, log_uniform(rng, 60, 40000))
            pulses = int(seconds / pulse) + 1
            flows.append(flow(bot.address, bot.next_port(), server, port, at, seconds, (3 + 2 * pulses, 160 + 94 * pulses),
                              (2 + 2 * pulses, 120 + 94 * pulses), history="ShADad"))
            at += seconds + rng.uniform(1, 30)
    return flows


def remote_access(rng, bots, server, begin, end):
    """Heartbeats over connections of minutes, and bursts when somebody looks around (remote access trojans)."""
    late = lateness(rng, end - begin)
    port, beat = any_port(rng, 0.25), log_uniform(rng, 3, 60)
    flows = []
    for bot in bots:
        at = begin + rng.random() * late
        while at < end:
            seconds = min(end - at, log_uniform(rng, 20, 3600))
            beats = int(seconds / beat) + 1
            burst = int(log_uniform(rng, 1000, 300000)) if rng.random() < 0.1 else 0
            flows.append(flow(bot.address, bot.next_port(), server, port, at, seconds, (3 + beats + burst // 1200, 200 + 75 * beats + burst),
                              (3 + beats + burst // 3000, 180 + 66 * beats), history="ShADadR"))
            at += seconds + rng.choice((rng.uniform(1, 5), rng.uniform(5, 90)))
    return flows


def datagrams(rng, bots, server, begin, end):
    """Small datagrams to and fro at any port."""
    late = lateness(rng, end - begin)
    port, pause, jitter = any_port(rng, 0.05), log_uniform(rng, 15, 600), rng.random() * 0.4
    sent, got = rng.randint(40, 300), rng.randint(40, 600)
    flows = []
    for bot in bots:
        at = begin + rng.random() * late
        source_port = bot.next_port()
        while at < end:
            packets = rng.randint(1, 3)
            flows.append(flow(bot.address, source_port, server, port, at, 0.2, (packets, packets * sent), (packets, packets * got), 17))
            at += max(2, pause * (1 + jitter * (rng.random() * 2 - 1)))
            if rng.random() < 0.3:
                source_port = bot.next_port()
    return flows


FAMILIES = {"beacon": beacon, "long": long_connection, "keepalive": keepalive, "rat": remote_access, "datagrams": datagrams}


def attack(rng, bots, begin, end):
    """What bots are for: a flood of one victim, all at once, or scans, each for itself."""
    flows, victim = [], "203.0.%d.%d" % (rng.randint(0, 255), rng.randint(1, 254))
    at = begin + (end - begin) * rng.uniform(0.5, 0.95)
    scan, port = rng.random() < 0.5, rng.choice((23, 80, 2323, 5555, 7547, 37215))
    for bot in bots:
        start = at + rng.random() * 10
        if scan:
            for i in range(rng.randint(60, 300)):
                target = "%d.%d.%d.%d" % (rng.randint(11, 200), rng.randint(0, 255), rng.randint(0, 255), rng.randint(1, 254))
                if rng.random() < 0.04:  # somebody is there
                    flows.append(flow(bot.address, bot.next_port(), target, port, start + i * 0.05, rng.uniform(0.2, 20),
                                      (rng.randint(4, 20), rng.randint(250, 1500)), (rng.randint(3, 20), rng.randint(200, 2000))))
                else:
                    flows.append(flow(bot.address, bot.next_port(), target, port, start + i * 0.05, 0, (1, 60), (0, 0), history="S"))
        else:
            for i in range(3):
                flows.append(flow(bot.address, bot.next_port(), victim, port, start + i * 0.1, 20, (5000, 5000 * 512), (0, 0), 17))
    return flows, at


# --- as exporters see it -----------------------------------------------------------------------------------------------------


def one_way(flows, rng, active_s, sampling):
    """As routers export: each way by itself, long flows in pieces, one packet of so many looked at."""
    out = []
    for item in flows:
        for reverse in (False, True):
            packets, size = (item["reverse_packets"], item["reverse_bytes"]) if reverse else (item["packets"], item["bytes"])
            if packets == 0:
                continue
            pieces = int((item["last"] - item["first"]) / active_s) + 1
            for piece in range(pieces):
                first = item["first"] + piece * active_s
                last = min(item["last"], first + active_s - 0.5)
                count = packets // pieces + (rng.random() < packets % pieces / pieces)
                seen = count if sampling == 1 else sum(rng.random() < 1 / sampling for _ in range(min(count, 3000)))
                if seen == 0:
                    continue
                two = item["protocol"] == 6 and item["reverse_packets"] and item["packets"]
                history = ("S" if piece == 0 else "") + ("AD" if two else "") if not reverse else ("H" if piece == 0 else "") + "AD"
                made = dict(item, first=first, last=max(first, last), packets=seen * sampling, bytes=max(40 * seen, size * seen // packets) * sampling,
                            reverse_packets=0, reverse_bytes=0, history=history)
                if reverse:
                    made.update(source=item["target"], target=item["source"], source_port=item["target_port"], target_port=item["source_port"])
                out.append(made)
    return out


def deaf(flows):
    """As a span port sees it that carries only the answers."""
    return [dict(item, packets=0, bytes=0) if item["reverse_packets"] else item for item in flows]


def zeek_lines(flows):
    names = {6: "tcp", 17: "udp", 1: "icmp", 58: "icmp"}
    yield "#fields\tts\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto\tduration\thistory\torig_pkts\torig_ip_bytes\tresp_pkts\tresp_ip_bytes\n"
    for item in sorted(flows, key=lambda row: row["first"]):
        if item["protocol"] not in names:
            continue
        port = item["target_port"] & 0xff if item["protocol"] in (1, 58) else item["target_port"]
        yield "%.6f\t%s\t%d\t%s\t%d\t%s\t%.6f\t%s\t%d\t%d\t%d\t%d\n" % (
            item["first"], item["source"], item["source_port"], item["target"], port, names[item["protocol"]], item["last"] - item["first"],
            item.get("history", "") or "-", item["packets"], item["bytes"], item["reverse_packets"], item["reverse_bytes"])


def rng_of(seed):
    return random.Random(seed)
