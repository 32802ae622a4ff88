#!/usr/bin/env python3
"""A collection as a response policy zone, transferred with TSIG by BIND and Knot from Debian on loopback. BIND blocks by it
itself; Unbound knows no TSIG and takes it from Knot; Knot Resolver transfers nothing and reads the file that Knot writes. What is
added is blocked by each of the three within seconds and resolves again once it ends; who has no key gets nothing."""
import os
import re
import shutil
import socket
import subprocess
import tempfile
import time

import harness
from harness import YAGURA, yagura

FOLDER = tempfile.mkdtemp(prefix="yagura-rpz-")
os.chmod(FOLDER, 0o755)
DATA = os.path.join(FOLDER, "data")
RESOLVERS = ("bind", "unbound", "kresd")
PROCESSES = {}
PORTS = {}
SECRET = "c2VjcmV0IHNlY3JldCBzZWNyZXQgc2VjcmV0IQ=="
OTHER = "bm90IHRoZSBzZWNyZXQgYXQgYWxsLCBub3QgYXQgYWxs"


def free_port(name):
    """A port of which both TCP and UDP are free."""
    while True:
        tcp, udp = socket.socket(), socket.socket(type=socket.SOCK_DGRAM)
        tcp.bind(("127.0.0.1", 0))
        port = tcp.getsockname()[1]
        try:
            udp.bind(("127.0.0.1", port))
        except OSError:
            continue
        finally:
            tcp.close()
            udp.close()
        if port not in PORTS.values():
            PORTS[name] = port
            return port


def write(name, text):
    path = os.path.join(FOLDER, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as file:
        file.write(text)
    os.chmod(path, 0o644)
    return path


def start(name, *command):
    log = open(os.path.join(FOLDER, name + ".log"), "wb")
    PROCESSES[name] = subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL)


def logged(name):
    with open(os.path.join(FOLDER, name + ".log"), errors="replace") as file:
        return file.read()


def dig(port, *question, key=None):
    command = ["dig", "@127.0.0.1", "-p", str(port), "+time=2", "+tries=1", *(["-y", f"hmac-sha256:{key}"] if key else []), *question]
    return subprocess.run(command, capture_output=True, text=True, timeout=30).stdout


def wait(what, seconds=20):
    until = time.monotonic() + 4 * seconds  # a busy machine takes its time
    while time.monotonic() < until:
        found = what()
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError("waited in vain: " + " | ".join(f"{name}: {logged(name)[-1500:]}" for name in PROCESSES))


def add(*values, lifetime=None):
    path = write("values.txt", "\n".join(values) + "\n")
    status, out, err = yagura("indicator", "import", "--data", DATA, "--no-warninglists", "--tlp", "green", *(["--lifetime", lifetime] if lifetime else []), path)
    assert status == 0, (out, err)


def serial():
    found = re.search(r"SOA\s+localhost\. hostmaster\.localhost\. (\d+)", dig(PORTS["zone"], "SOA", "rpz.test", key=f"member:{SECRET}"))
    return found and int(found.group(1))


def blocked(port, name):
    return "status: NXDOMAIN" in dig(port, name, "A")


def resolves(port, name):
    return re.search(rf"^{re.escape(name)}\.\s+\d+\s+IN\s+A\s+192\.0\.2\.\d+", dig(port, name, "A"), re.M)


def a_transfer_needs_the_key():
    whole = dig(PORTS["zone"], "AXFR", "rpz.test", key=f"member:{SECRET}")
    assert "evil.example.rpz.test." in whole and "*.evil.example.rpz.test." in whole and "XFR size" in whole, whole
    for key in (None, f"member:{OTHER}", f"stranger:{SECRET}"):
        assert "evil.example" not in dig(PORTS["zone"], "AXFR", "rpz.test", key=key), key
        assert "SOA\tlocalhost" not in dig(PORTS["zone"], "SOA", "rpz.test", key=key)
    assert "status: NOTAUTH" in dig(PORTS["zone"], "SOA", "other.test", key=f"member:{SECRET}")
    assert "status: REFUSED" in dig(PORTS["zone"], "A", "rpz.test", key=f"member:{SECRET}")


def changes_alone_are_sent():
    before = serial()
    add("second.example")
    after = wait(lambda: serial() != before and serial())
    assert after > before
    text = dig(PORTS["zone"], f"IXFR={before}", "rpz.test", key=f"member:{SECRET}")
    records = [line for line in text.splitlines() if line and not line.startswith(";")]
    assert len(records) == 7, text  # four SOA, two names, and the signature
    assert sum("second.example.rpz.test." in record for record in records) == 2, text
    assert dig(PORTS["zone"], f"IXFR={after}", "rpz.test", key=f"member:{SECRET}").count("SOA\t") == 1
    assert "evil.example" in dig(PORTS["zone"], "IXFR=1", "rpz.test", key=f"member:{SECRET}"), "an unknown serial gets the whole zone"


def broken_queries_do_no_harm():
    for junk in (b"", b"\0", b"\0\5hello", b"\xff\xff" + b"x" * 3000, b"\0\x0c" + bytes(12), os.urandom(600)):
        with socket.create_connection(("127.0.0.1", PORTS["zone"])) as tcp:
            tcp.sendall(junk)
        with socket.socket(type=socket.SOCK_DGRAM) as udp:
            udp.sendto(junk[2:] or b"\0", ("127.0.0.1", PORTS["zone"]))
    idle = [socket.create_connection(("127.0.0.1", PORTS["zone"])) for _ in range(100)]
    assert serial()
    for connection in idle:
        connection.close()


def a_large_zone_is_transferred_whole():
    add(*[f"host{i}.large.example" for i in range(20000)])
    wait(lambda: dig(PORTS["zone"], "AXFR", "rpz.test", key=f"member:{SECRET}").count(".large.example.rpz.test.") == 40000, 30)
    for name in RESOLVERS:
        wait(lambda: blocked(PORTS[name], "host19999.large.example"), 30)


def every_resolver_blocks_and_unblocks():
    for name in RESOLVERS:
        wait(lambda: blocked(PORTS[name], "evil.example"))
        assert blocked(PORTS[name], "www.evil.example") and resolves(PORTS[name], "good.example"), name
    began = time.monotonic()
    add("fresh.example", lifetime="6s")
    for name in RESOLVERS:
        wait(lambda: blocked(PORTS[name], "fresh.example"), 5)
    took = time.monotonic() - began
    print(f"     blocked by all three {took:.1f} s after it was imported")
    for name in RESOLVERS:
        wait(lambda: resolves(PORTS[name], "fresh.example"), 20)


def an_address_blocks_the_names_behind_it():
    add("192.0.2.77")
    for name in ("bind", "unbound"):  # Knot Resolver leaves such rules out
        wait(lambda: blocked(PORTS[name], "behind.example"))
        assert resolves(PORTS[name], "good.example"), name


def knot_holds_the_same_zone():
    wanted = serial()
    wait(lambda: f" {wanted} " in dig(PORTS["knot"], "SOA", "rpz.test"))
    assert "NOERROR" in dig(PORTS["knot"], "CNAME", "evil.example.rpz.test") and "CNAME\t." in dig(PORTS["knot"], "CNAME", "evil.example.rpz.test")
    assert "32.77.2.0.192.rpz-ip" in dig(PORTS["knot"], "CNAME", "32.77.2.0.192.rpz-ip.rpz.test")


def servers_start():
    os.makedirs(DATA)
    keys = write("keys", f'key "member" {{\n\talgorithm hmac-sha256;\n\tsecret "{SECRET}";\n}};\n')
    assert yagura("share", "taxii", "members", "--data", DATA, "--clearance", "green", "--automatic")[0] == 0
    add("evil.example")
    for name in ("zone", "knot", "upstream", *RESOLVERS):
        free_port(name)
    upstream = write("upstream.zone", "$ORIGIN .\n$TTL 1\n@ SOA a. b. 1 2 3 4 1\n@ NS a.\na A 127.0.0.1\n*.example A 192.0.2.1\nbehind.example A 192.0.2.77\n")
    # The world: an authority for everything.
    start("upstream", "named", "-g", "-c", write("upstream.conf", f'''options {{ directory "{FOLDER}"; listen-on port {PORTS["upstream"]} {{ 127.0.0.1; }}; listen-on-v6 {{ none; }};
 recursion no; pid-file none; session-keyfile none; notify no; dnssec-validation no; }};\nzone "." {{ type primary; file "{upstream}"; }};\ncontrols {{ }};\n'''))
    start("zone", YAGURA, "share", "rpz", "members", "--data", DATA, "--name", "rpz.test", "--serve", f"127.0.0.1:{PORTS['zone']}", "--key-file", keys,
          *[word for name in ("bind", "unbound", "knot") for word in ("--notify", f"127.0.0.1:{PORTS[name]}")])
    start("bind", "named", "-g", "-c", write("bind.conf", f'''include "{keys}";
options {{ directory "{FOLDER}"; listen-on port {PORTS["bind"]} {{ 127.0.0.1; }}; listen-on-v6 {{ none; }}; recursion yes; pid-file none; session-keyfile none;
 forward only; forwarders port {PORTS["upstream"]} {{ 127.0.0.1; }}; dnssec-validation no; response-policy {{ zone "rpz.test"; }} qname-wait-recurse no min-update-interval 0; max-ncache-ttl 1; max-cache-ttl 1; }};
zone "rpz.test" {{ type secondary; primaries port {PORTS["zone"]} {{ 127.0.0.1 key "member"; }}; allow-notify {{ key "member"; }}; masterfile-format text; file "{FOLDER}/bind.rpz"; }};
controls {{ }};\n'''))
    start("unbound", "unbound", "-d", "-p", "-c", write("unbound.conf", f'''server:
  directory: "{FOLDER}"\n  username: ""\n  chroot: ""\n  pidfile: ""\n  interface: 127.0.0.1@{PORTS["unbound"]}\n  do-not-query-localhost: no\n  module-config: "respip iterator"
  cache-max-ttl: 0\n  cache-max-negative-ttl: 0\n  use-syslog: no\n  verbosity: 1\n  access-control: 127.0.0.0/8 allow
forward-zone:\n  name: "."\n  forward-addr: 127.0.0.1@{PORTS["upstream"]}
rpz:\n  name: "rpz.test"\n  zonefile: "{FOLDER}/unbound.rpz"\n  primary: 127.0.0.1@{PORTS["knot"]}\n  allow-notify: 127.0.0.1
'''))
    os.makedirs(os.path.join(FOLDER, "kresd"))
    # Unbound's transfers know no TSIG: it takes the zone from Knot beside it, as its manual advises.
    os.makedirs(os.path.join(FOLDER, "knot"))
    start("knot", "knotd", "-c", write("knot.conf", f'''server:\n    rundir: "{FOLDER}/knot"\n    listen: 127.0.0.1@{PORTS["knot"]}\ndatabase:\n    storage: "{FOLDER}/knot"
log:\n  - target: stderr\n    any: info
key:\n  - id: member\n    algorithm: hmac-sha256\n    secret: {SECRET}
remote:\n  - id: yagura\n    address: 127.0.0.1@{PORTS["zone"]}\n    key: member\n  - id: unbound\n    address: 127.0.0.1@{PORTS["unbound"]}
acl:\n  - id: yagura\n    address: 127.0.0.1\n    key: member\n    action: notify\n  - id: unbound\n    address: 127.0.0.1\n    action: transfer
zone:\n  - domain: rpz.test\n    storage: "{FOLDER}/knot"\n    master: yagura\n    acl: [yagura, unbound]\n    notify: unbound\n    semantic-checks: off
    file: rpz.zone\n    zonefile-sync: 0\n'''))
    zone = os.path.join(FOLDER, "knot", "rpz.zone")
    wait(lambda: os.path.exists(zone))
    start("kresd", "kresd", "--noninteractive", "--config", write("kresd.conf", f'''net.listen("127.0.0.1", {PORTS["kresd"]})
trust_anchors.remove(".")\ncache.size = 10 * MB
policy.add(policy.rpz(policy.DENY, "{zone}", true))\npolicy.add(policy.all(policy.STUB("127.0.0.1@{PORTS["upstream"]}")))
'''), os.path.join(FOLDER, "kresd"))
    wait(serial)
    for name in RESOLVERS:
        wait(lambda: "status: NOERROR" in dig(PORTS[name], "good.example", "A"))


def main():
    missing = [program for program in ("named", "unbound", "knotd", "kresd", "dig") if not shutil.which(program)]
    if missing:
        print(f"skipped: {', '.join(missing)} not installed")
        raise SystemExit(77)
    try:
        harness.main([servers_start, a_transfer_needs_the_key, every_resolver_blocks_and_unblocks, an_address_blocks_the_names_behind_it, changes_alone_are_sent,
                      knot_holds_the_same_zone, broken_queries_do_no_harm, a_large_zone_is_transferred_whole])
    finally:
        for process in PROCESSES.values():
            process.terminate()
        for process in PROCESSES.values():
            process.wait(20)
        text = logged("zone") if "zone" in PROCESSES else ""
        shutil.rmtree(FOLDER)
        assert "Sanitizer" not in text, text


main()
