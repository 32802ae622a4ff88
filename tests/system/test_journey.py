#!/usr/bin/env python3
"""What the watchtower promises, whole and with real parts: one packet of a town's machine into the darknet is a mail in the
town's inbox and a line on its page; two people release the machine's address, and a neighbour's resolver blocks what answers
there; the machine stays quiet, and it is over."""
import contextlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

import harness
import namespace
from harness import YAGURA
from mail_server import EXIM, free_port
from notice_hub import infect, mail_server, member, notice_hub, notices, parsed, texts_of

RELEASES = 20
KEY = 'key "neighbour" {\n\talgorithm hmac-sha256;\n\tsecret "bmVpZ2hib3VyIG5laWdoYm91ciBuZWlnaGJvdXI=";\n};\n'


@contextlib.contextmanager
def programs(folder):
    """Starts programs; whatever happens, they end."""
    started = []

    def start(name, *command):
        with open(os.path.join(folder, name + ".log"), "wb") as out:
            started.append(subprocess.Popen(command, stdout=out, stderr=out, stdin=subprocess.DEVNULL))
    try:
        yield start
    except Exception:
        for name in ("zone", "bind"):
            with open(os.path.join(folder, name + ".log"), errors="replace") as log:
                print(f"{name}: {log.read()[-1500:]}")
        raise
    finally:
        for process in started:
            process.terminate()
        for process in started:
            process.wait(20)


def written(folder, name, text):
    path = os.path.join(folder, name)
    with open(path, "w") as file:
        file.write(text)
    return path


def resolver_start(start, folder, answers, zone_port):
    """BIND of the neighbour, which takes the zone with its key, and the world it asks; the port to ask it at."""
    world, port = free_port(), free_port()
    os.chmod(folder, 0o755)
    records = "".join(f"{name} A {address}\n" for name, address in answers.items())
    zone = written(folder, "world.zone", f"$ORIGIN .\n$TTL 1\n@ SOA a. b. 1 2 3 4 1\n@ NS a.\na A 127.0.0.1\n{records}")
    common = f'directory "{folder}"; listen-on-v6 {{ none; }}; pid-file none; session-keyfile none; dnssec-validation no'
    start("world", "named", "-g", "-c", written(folder, "world.conf", f'''
options {{ {common}; listen-on port {world} {{ 127.0.0.1; }}; recursion no; notify no; }};
zone "." {{ type primary; file "{zone}"; }};
controls {{ }};'''))
    start("bind", "named", "-g", "-c", written(folder, "bind.conf", f'''
{KEY}options {{ {common}; listen-on port {port} {{ 127.0.0.1; }}; recursion yes; forward only;
 forwarders port {world} {{ 127.0.0.1; }}; max-ncache-ttl 1; max-cache-ttl 1;
 response-policy {{ zone "rpz.test"; }} qname-wait-recurse no min-update-interval 0; }};
zone "rpz.test" {{ type secondary; primaries port {zone_port} {{ 127.0.0.1 key "neighbour"; }};
 allow-notify {{ key "neighbour"; }}; masterfile-format text; file "{folder}/rpz"; }};
controls {{ }};'''))
    return port


def answer_of(port, name):
    done = subprocess.run(["dig", "@127.0.0.1", "-p", str(port), "+time=2", "+tries=1", name, "A"], capture_output=True, text=True, timeout=30)
    return re.search(r"status: (\w+)", done.stdout).group(1) if "status:" in done.stdout else None


def bearer(hub, name, role, of=None):
    answer = hub.local("POST", "/api/v1/tokens", {"name": name, "role": role, **({"member": of} if of else {})})
    assert answer.status == 201, answer.body
    return {"Authorization": "Bearer " + answer.json()["token"]}


def release(hub, proposer, releaser, **what):
    """Proposed by one, looked at and released by another; when it was released."""
    made = hub.request("POST", "/api/v1/releases", {"groups": ["region"], "tlp": "amber", **what}, proposer)
    assert made.status == 201, made.body
    path = f"/api/v1/releases/{made.json()['id']}"
    preview = hub.get(path, headers=releaser).json()["preview"]
    assert {w["code"] for w in preview["warnings"]} <= {"first"}, preview["warnings"]
    done = hub.request("POST", path + "/decide", {"decision": "released", "preview": preview["digest"], "acknowledged": True}, releaser)
    assert done.status == 200 and done.json()["state"] == "released", done.body
    return time.monotonic()


def from_one_packet_to_a_neighbours_resolver():
    with mail_server() as server, tempfile.TemporaryDirectory() as texts, tempfile.TemporaryDirectory() as folder, programs(folder) as start, \
            notice_hub(server, texts_of(texts, verify="2s"), "--livenet-quiet", "20s") as hub:
        source = member(hub, "town")
        member(hub, "neighbour", clearance="amber")
        analyst, operator = bearer(hub, "annika", "analyst"), bearer(hub, "olga", "operator")
        town, neighbour = bearer(hub, "tono", "member", "town"), bearer(hub, "nao", "member", "neighbour")
        group = hub.request("PUT", "/api/v1/groups/region", {"name": "Region", "members": ["neighbour"]}, operator)
        assert group.status == 201, group.body
        zone_port = free_port()
        others = [f"203.0.200.{i}" for i in range(RELEASES)]
        names = {"good.example": "192.0.2.1", "bad.example": source, **{f"bad{i}.example": address for i, address in enumerate(others)}}
        resolver = resolver_start(start, folder, names, zone_port)
        start("zone", YAGURA, "share", "rpz", group.json()["collection"], "--data", os.path.join(hub.data, "data"), "--for", "neighbour", "--name", "rpz.test",
              "--serve", f"127.0.0.1:{zone_port}", "--key-file", written(folder, "keys", KEY), "--notify", f"127.0.0.1:{resolver}")
        for name in names:
            hub.wait(lambda: answer_of(resolver, name) == "NOERROR", seconds=20)

        began = time.monotonic()
        infect(source)
        hub.wait(lambda: hub.get("/api/v1/findings?type=livenet", headers=town).json()["findings"], seconds=10)
        line = time.monotonic() - began
        hub.wait(server.mails, seconds=10)
        mail = time.monotonic() - began
        finding, = hub.get("/api/v1/findings?type=livenet", headers=town).json()["findings"]
        assert finding["subject"] == source and finding["verdict"] == "infected" and not finding["ended"], finding
        assert parsed(server.mails()[0])["Envelope-to"] == "soc@town.example" and source in parsed(server.mails()[0])["Subject"]
        assert hub.get("/api/v1/findings?type=livenet", headers=neighbour).json()["findings"] == [], "a neighbour reads the town's alert"
        assert line < 3 and mail < 5, (line, mail)

        waited = []
        released = release(hub, analyst, operator, finding=finding["id"])
        hub.wait(lambda: answer_of(resolver, "bad.example") == "NXDOMAIN", seconds=10)
        waited.append(time.monotonic() - released)
        for i, address in enumerate(others):
            released = release(hub, analyst, operator, value=address)
            hub.wait(lambda: answer_of(resolver, f"bad{i}.example") == "NXDOMAIN", seconds=10)
            waited.append(time.monotonic() - released)
        # what is well known and harmless is blocked by nobody; who proposes it is told
        known = hub.request("POST", "/api/v1/releases", {"groups": ["region"], "tlp": "amber", "value": "8.8.8.8"}, analyst).json()
        preview = hub.get(f"/api/v1/releases/{known['id']}", headers=operator).json()["preview"]
        assert ["known-good"] == [w["code"] for w in preview["warnings"]], preview["warnings"]
        assert answer_of(resolver, "good.example") == "NOERROR"
        waited.sort()
        print(f"     packet to the town's page {line:.2f} s, to its inbox {mail:.2f} s; released to blocked: half within "
              f"{waited[RELEASES // 2]:.2f} s, at most {waited[-1]:.2f} s")
        assert waited[-1] < 5, waited
        listed = hub.get(f"/feeds/{group.json()['collection']}/list.txt", headers=neighbour)
        assert set(listed.body.decode().split()) == {source, *others}

        hub.wait(lambda: [n["state"] for n in notices(hub)] == ["closed"], seconds=60)
        hub.wait(lambda: hub.get("/api/v1/findings?type=livenet", headers=town).json()["findings"][0]["ended"], seconds=10)
        hub.wait(lambda: len(server.mails()) == 2, seconds=20)
        audit = hub.local("GET", "/api/v1/audit/state").json()
        assert audit["sound"], audit


def main():
    if not namespace.enter() or not os.path.exists(EXIM) or not shutil.which("named"):
        print("skipped: network namespaces, exim4 and named are needed")
        sys.exit(77)
    namespace.pair_make()
    harness.main([from_one_packet_to_a_neighbours_resolver])


main()
