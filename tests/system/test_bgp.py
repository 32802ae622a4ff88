#!/usr/bin/env python3
"""A collection announced by BGP: BIRD from Debian speaks for Yagura, GoBGP in a network namespace of its own hears it. What is
added arrives there as a blackhole and as FlowSpec rules, what ends is withdrawn; what must never be announced is not: wide
prefixes, networks of members, those that the operator protects, values on warning lists, more than the most."""
import json
import os
import shutil
import signal
import subprocess
import tempfile
import time

import harness
import namespace
from harness import YAGURA, yagura

MANY = os.path.join(os.path.dirname(YAGURA), "..", "..", "tests", "system", "many_members")
FOLDER = tempfile.mkdtemp(prefix="yagura-bgp-")
DATA = os.path.join(FOLDER, "data")
CONTROL = os.path.join(FOLDER, "bird.ctl")
PROCESSES = {}


def write(name, text):
    path = os.path.join(FOLDER, name)
    with open(path, "w") as file:
        file.write(text)
    return path


def start(name, *command):
    log = open(os.path.join(FOLDER, name + ".log"), "ab")
    PROCESSES[name] = subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
    return PROCESSES[name]


def logged(name):
    with open(os.path.join(FOLDER, name + ".log"), errors="replace") as file:
        return file.read()


def wait(what, seconds=20):
    until = time.monotonic() + 4 * seconds  # a busy machine takes its time
    while time.monotonic() < until:
        found = what()
        if found:
            return found
        time.sleep(0.02)
    raise AssertionError("waited in vain: " + " | ".join(f"{name}: {logged(name)[-1500:]}" for name in PROCESSES))


def heard(family="ipv4"):
    """What the second speaker has, by prefix (or rule): its communities."""
    done = subprocess.run(["nsenter", "-t", str(PROCESSES["far"].pid), "-n", "gobgp", "global", "rib", "-a", family, "-j"], capture_output=True, text=True)
    if done.returncode != 0 or not done.stdout.startswith("{"):
        return {}
    return {prefix: [attribute for path in paths for attribute in path["attrs"]] for prefix, paths in json.loads(done.stdout).items()}


def add(*values, lifetime=None):
    path = write("values.txt", "\n".join(values) + "\n")
    status, out, err = yagura("indicator", "import", "--data", DATA, "--no-warninglists", "--tlp", "green", *(["--lifetime", lifetime] if lifetime else []), path)
    assert status == 0, (out, err)


def announcer(form, *options):
    process = start(form, YAGURA, "share", "bgp", "members", "--data", DATA, "--form", form, "--announce", os.path.join(FOLDER, form + ".conf"), "--control", CONTROL,
                    "--protect", "45.9.3.0/24", *options)
    wait(lambda: os.path.exists(os.path.join(FOLDER, form + ".conf")) or process.poll() is not None)
    return process


def speakers_meet():
    os.makedirs(DATA)
    assert yagura("share", "taxii", "members", "--data", DATA, "--clearance", "green", "--automatic")[0] == 0
    subprocess.run([MANY, DATA, "0", "0", "city", "45.9.2.0/24", "2a0f:1::/32"], check=True, stdout=subprocess.DEVNULL)
    namespace.pair_make()
    far = start("far", "unshare", "-n", "sleep", "600")
    wait(lambda: os.readlink(f"/proc/{far.pid}/ns/net") != os.readlink("/proc/self/ns/net"))
    enter = ["nsenter", "-t", str(far.pid), "-n"]
    for command in (["ip", "link", "set", "ygb", "netns", str(far.pid)], ["ip", "addr", "add", "10.77.0.1/24", "dev", "yga"],
                    [*enter, "ip", "addr", "add", "10.77.0.2/24", "dev", "ygb"], [*enter, "ip", "link", "set", "ygb", "up"], [*enter, "ip", "link", "set", "lo", "up"]):
        subprocess.run(command, check=True)
    for name in ("accept_dad", "disable_ipv6"):  # pair_make() has it off; a route's next hop needs an address of its link
        write(f"/proc/sys/net/ipv6/conf/yga/{name}", "0")
    subprocess.run(["ip", "addr", "add", "fd77::1/64", "dev", "yga"], check=True)
    add("45.9.0.1", "2a02:6b8::77", "evil.example")
    announcer("blackhole", "--most", "5")
    announcer("flowspec", "--most", "5")
    start("bird", "bird", "-f", "-s", CONTROL, "-P", os.path.join(FOLDER, "bird.pid"), "-c", write("bird.conf", f'''router id 10.77.0.1;
log stderr all;
protocol device {{ }}
include "{FOLDER}/blackhole.conf";
include "{FOLDER}/flowspec.conf";
protocol bgp far {{
	local 10.77.0.1 as 65001;
	neighbor 10.77.0.2 as 65002;
	connect retry time 1; connect delay time 1; error wait time 1, 2;
	ipv4 {{ import none; export where proto = "yagura_v4"; }};
	ipv6 {{ import none; export where proto = "yagura_v6"; next hop address fd77::1; }};
	flow4 {{ table yagura_flow4; import none; export all; }};
	flow6 {{ table yagura_flow6; import none; export all; }};
}}
'''))
    families = "".join(f'  [[neighbors.afi-safis]]\n    [neighbors.afi-safis.config]\n      afi-safi-name = "{name}"\n'
                       for name in ("ipv4-unicast", "ipv6-unicast", "ipv4-flowspec", "ipv6-flowspec"))
    start("gobgp", *enter, "gobgpd", "-f", write("gobgp.toml", f'''[global.config]
  as = 65002
  router-id = "10.77.0.2"
[[neighbors]]
  [neighbors.config]
    neighbor-address = "10.77.0.1"
    peer-as = 65001
{families}'''))
    wait(lambda: "45.9.0.1/32" in heard(), 40)


def a_blackhole_is_seen_with_its_community():
    attributes = heard()["45.9.0.1/32"]
    assert [65535 << 16 | 666] in [attribute.get("communities") for attribute in attributes], attributes
    wait(lambda: "2a02:6b8::77/128" in heard("ipv6"))
    assert set(heard()) == {"45.9.0.1/32"}, heard()


def flowspec_rules_drop_both_directions():
    wait(lambda: len(heard("ipv4-flowspec")) == 2)
    rules = heard("ipv4-flowspec")
    assert {rule.replace(" ", "") for rule in rules} == {"[source:45.9.0.1/32]", "[destination:45.9.0.1/32]"}, rules
    assert all('"rate": 0' in json.dumps(attributes) for attributes in rules.values()), rules
    wait(lambda: len(heard("ipv6-flowspec")) == 2)


def what_is_added_is_heard_and_what_ends_is_withdrawn():
    began = time.monotonic()
    add("45.9.0.2", lifetime="4s")
    wait(lambda: "45.9.0.2/32" in heard(), 5)
    print(f"     heard {time.monotonic() - began:.2f} s after its import began")
    wait(lambda: "45.9.0.2/32" not in heard(), 15)
    wait(lambda: "45.9.0.1/32" in heard() and len(heard("ipv4-flowspec")) == 2, 5)
    add("45.9.0.4")
    wait(lambda: "45.9.0.4/32" in heard(), 5)
    listed = json.loads(yagura("indicator", "list", "--data", DATA, "--json", "45.9.0.4")[1])
    assert yagura("indicator", "expire", "--data", DATA, listed[0]["id"])[0] == 0
    wait(lambda: "45.9.0.4/32" not in heard(), 5)


def what_must_not_be_announced_is_not():
    add("45.9.1.0/24", "0.0.0.0/0", "45.0.0.0/8", "45.9.2.9", "2a0f:1::9", "45.9.3.9", "10.77.0.2", "127.0.0.1", "224.0.0.5", "8.8.8.8", "45.9.0.3")
    wait(lambda: "45.9.0.3/32" in heard(), 5)
    time.sleep(0.5)
    assert set(heard()) == {"45.9.0.1/32", "45.9.0.3/32"} and set(heard("ipv6")) == {"2a02:6b8::77/128"}, (heard(), heard("ipv6"))
    status, out, _ = yagura("share", "bgp", "members", "--data", DATA, "--protect", "45.9.3.0/24", "--json")
    # The wide one above a member's network counts as wide: that is asked first.
    assert status == 0 and json.loads(out)["refused"] == {"wide": 3, "protected": 3, "special": 3, "warned": 1}, out
    status, out, _ = yagura("share", "bgp", "members", "--data", DATA, "--shortest-v4", "8", "--json")
    text = json.loads(out)["text"]
    assert "route 45.9.1.0/24 " in text and "45.0.0.0/8" not in text and "0.0.0.0/0" not in text, text


def a_new_member_is_withdrawn_at_once():
    subprocess.run([MANY, DATA, "0", "0", "town", "45.9.0.3/32"], check=True, stdout=subprocess.DEVNULL)
    wait(lambda: "45.9.0.3/32" not in heard(), 5)
    assert "45.9.0.1/32" in heard()


def there_are_at_most_so_many():
    add(*[f"45.9.4.{i}" for i in range(1, 21)])
    wait(lambda: len(heard()) + len(heard("ipv6")) == 5, 5)
    time.sleep(0.5)
    assert len(heard()) + len(heard("ipv6")) == 5 and "45.9.0.1/32" in heard(), heard()
    assert '"too_many":17' in logged("blackhole"), logged("blackhole")


def an_ended_announcer_withdraws():
    PROCESSES["flowspec"].send_signal(signal.SIGTERM)
    assert PROCESSES["flowspec"].wait(10) == 0, logged("flowspec")
    wait(lambda: not heard("ipv4-flowspec") and not heard("ipv6-flowspec"), 5)
    assert "45.9.0.1/32" in heard()


def a_bird_that_was_away_is_told_when_it_is_back():
    PROCESSES["bird"].terminate()
    PROCESSES["bird"].wait(10)
    wait(lambda: not heard(), 30)
    listed = json.loads(yagura("indicator", "list", "--data", DATA, "--json", "45.9.0.1")[1])
    assert yagura("indicator", "expire", "--data", DATA, listed[0]["id"])[0] == 0
    wait(lambda: "bgp.not_announced" in logged("blackhole"), 5)
    start("bird", "bird", "-f", "-s", CONTROL, "-P", os.path.join(FOLDER, "bird.pid"), "-c", os.path.join(FOLDER, "bird.conf"))
    wait(lambda: len(heard()) >= 4, 40)
    assert "45.9.0.1/32" not in heard(), heard()


def wrong_options_are_refused():
    for options in (("--daemon", "frr", "--form", "flowspec"), ("--daemon", "frr", "--announce", os.path.join(FOLDER, "x")), ("--name", "a-b"), ("--shortest-v4", "4")):
        assert yagura("share", "bgp", "members", "--data", DATA, *options)[0] == 2, options


def main():
    missing = [program for program in ("bird", "gobgpd", "gobgp", "nsenter", "ip") if not shutil.which(program)]
    if missing or not namespace.enter():
        print(f"skipped: {', '.join(missing) + ' not installed' if missing else 'needs root and network namespaces'}")
        raise SystemExit(77)
    try:
        harness.main([speakers_meet, a_blackhole_is_seen_with_its_community, flowspec_rules_drop_both_directions, what_is_added_is_heard_and_what_ends_is_withdrawn,
                      what_must_not_be_announced_is_not, a_new_member_is_withdrawn_at_once, there_are_at_most_so_many, an_ended_announcer_withdraws,
                      a_bird_that_was_away_is_told_when_it_is_back, wrong_options_are_refused])
    finally:
        for process in PROCESSES.values():
            process.terminate()
        for process in PROCESSES.values():
            process.wait(20)
        text = "".join(logged(name) for name in ("blackhole", "flowspec") if name in PROCESSES)
        namespace.pair_delete()
        shutil.rmtree(FOLDER)
        assert "Sanitizer" not in text, text


main()
