#!/usr/bin/env python3
"""The collector: real exporters feed it and nfcapd alike; what came can be asked for at once, outlives a kill, and what was lost
is counted."""
import json
import os
import signal
import socket
import subprocess
import tempfile
import time

from flow_collect import WITHOUT_LEAKS, Collector, Nfcapd, Relay, data, ipfix, template, udp_port, v5
from harness import SHARED, YAGURA, main, yagura

CAPTURE = os.path.join(SHARED, "flow", "slips", "test-cc-capture-1.pcap.zst")
ROOM = None


def room(name):
    return os.path.join(ROOM, name)


def run_softflowd(version, relay):
    subprocess.run(["softflowd", "-d", "-a", "-r", room("real.pcap"), "-v", str(version), "-n", f"127.0.0.1:{relay.port}", "-p",
                    room("softflowd.pid"), "-c", "none"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=60, check=True)


def run_pmacctd(version, relay):
    with open(room("pmacctd.conf"), "w", encoding="utf-8") as conf:
        conf.write(f"daemonize: false\npcap_savefile: {room('real.pcap')}\nplugins: nfprobe\nnfprobe_receiver: 127.0.0.1:{relay.port}\n"
                   f"nfprobe_version: {version}\nnfprobe_timeouts: tcp=1:udp=1:icmp=1:general=1:maxlife=2:expint=1\n"
                   "aggregate: src_host,dst_host,src_port,dst_port,proto,tos,tcpflags\n")
    # It does not end by itself behind a capture.
    exporter = subprocess.Popen(["pmacctd", "-f", room("pmacctd.conf")], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                start_new_session=True)
    before, quiet, until = -1, 0, time.monotonic() + 60
    while (quiet < 5 or relay.count < 10) and time.monotonic() < until:
        time.sleep(1)
        quiet, before = quiet + 1 if relay.count == before else 0, relay.count
    os.killpg(exporter.pid, signal.SIGTERM)
    exporter.wait(20)


def sums_are_nfcapd_s():
    """Each exporter's flows through a relay to both collectors."""
    if not os.path.exists(CAPTURE):
        print("skipped: no capture of real traffic is here")
        return
    with open(room("real.pcap"), "wb") as out:
        subprocess.run(["zstd", "-dcq", CAPTURE], stdout=out, check=True)
    for exporter, version in ((run_softflowd, 5), (run_softflowd, 9), (run_softflowd, 10), (run_pmacctd, 9), (run_pmacctd, 10)):
        name = f"{exporter.__name__}-{version}"
        theirs, ours = Nfcapd(room(name + "-nfcapd")), Collector(room(name))
        relay = Relay(theirs.port, ours.port)
        exporter(version, relay)
        relay.finish()
        report = ours.finish()
        expected = theirs.finish()
        assert report["datagrams"] == relay.count and report["dropped"] == 0, (name, report)
        assert expected[0] >= 500 and ours.sums() == expected, (name, "nfcapd", expected, "here", ours.sums())
        assert all(row["faults"] == {} and row["waiting"] == 0 for row in report["exporters"]), (name, report)
        print(f"{name}: {expected} alike")


def flows_can_be_asked_for_while_it_runs():
    collector = Collector(room("live"))
    collector.send([v5(0, 30), v5(30, 10)])
    collector.wait_for(40, 4)
    collector.send([v5(40, 7)])
    collector.wait_for(47, 4)
    assert collector.sums("dst port 443") == (47, 94, 4700)
    report = collector.finish(signal.SIGINT)
    assert (report["records"], report["stored"], report["not_stored"]) == (47, 47, 0), report


def a_kill_leaves_what_was_stored():
    collector = Collector(room("killed"))
    collector.send([v5(0, 30)])
    collector.wait_for(30, 4)
    collector.kill()
    assert collector.sums() == (30, 60, 3000)
    with open(os.path.join(room("killed"), "current.seg"), "ab") as torn:  # as a write that was cut leaves it
        torn.write(b"YGBK\1\0")
    again = Collector(room("killed"))
    again.send([v5(30, 5)])
    again.finish()
    assert again.sums() == (35, 70, 3500)


def loss_and_unknown_templates_are_counted():
    collector = Collector(room("loss"))
    collector.send([v5(0, 30), v5(90, 10), b"\0\1nonsense", b""])
    collector.send([ipfix(0, template() + data(4)), ipfix(4, data(2)), ipfix(16, data(1)), ipfix(17, data(5, number=300))])
    report = collector.finish()
    rows = {row["format"]: row for row in report["exporters"]}
    assert rows["netflow5"]["lost"] == 60 and rows["netflow5"]["records"] == 40, rows
    assert rows["ipfix"]["lost"] == 10 and rows["ipfix"]["records"] == 7, rows
    assert rows["ipfix"]["waiting"] == 1 and rows["ipfix"]["faults"] == {"no_template": 1}, rows
    assert report["strange"] == 2, report


def templates_are_remembered_by_the_next_collector():
    first = Collector(room("remembered"))
    first.send([ipfix(0, template() + data(4))])
    first.wait_for(4, 4)
    time.sleep(2.5)  # what was learnt is written every other second
    first.kill()
    second = Collector(room("remembered"))
    second.send([ipfix(4, data(6))])  # no template: it would come in some minutes
    report = second.finish()
    row, = report["exporters"]
    assert (row["records"], row["waiting"], row["faults"]) == (6, 0, {}), row
    assert second.sums()[0] == 10
    third = Collector(room("remembered"))  # it heard nothing: what it remembers stays
    assert third.finish()["exporters"] == []
    fourth = Collector(room("remembered"))
    fourth.send([ipfix(10, data(1)), ipfix(11, data(1), domain=7)])
    report = fourth.finish()
    assert {row["domain"]: (row["records"], row["waiting"]) for row in report["exporters"]} == {1: (1, 0), 7: (0, 1)}, report
    path = os.path.join(room("remembered"), "exporters.json")
    with open(path, encoding="utf-8") as file:
        whole = file.read()
    entry = json.loads(whole)[0]
    for text, kept in ((whole[:-9], 0), ("7", 0), (json.dumps([{"exporter": "nobody"}, {**entry, "templates": [[256, 9, [[0, 1, 4]]]]}, entry]), 1),
                       (json.dumps([{**entry, "templates": [[256, 0, [[0, 70000, 4]]]]}]), 0), (json.dumps([{**entry, "templates": [[256, 0, []]]}]), 0)):
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        collector = Collector(room("remembered"))
        assert any("flow.forgotten" in line for line in collector.log), (text, collector.log)
        collector.send([ipfix(12, data(1))])
        row, = collector.finish()["exporters"]
        assert row["records"] == kept, (text, row)


def what_the_kernel_dropped_is_counted():
    collector = Collector(room("dropped"), "--receive-buffer", "64KiB", "--sockets", "1")
    collector.process.send_signal(signal.SIGSTOP)
    collector.send([v5(30 * i, 30) for i in range(1000)])
    collector.process.send_signal(signal.SIGCONT)
    time.sleep(1)
    report = collector.finish()
    assert report["dropped"] > 100 and report["dropped"] + report["datagrams"] == 1000, report
    assert report["stored"] == 30 * report["datagrams"], report


def each_exporter_is_apart():
    collector = Collector(room("many"), "--sockets", "4")
    for number in range(1, 30):
        collector.send([ipfix(0, template() + data(number))], source=f"127.0.0.{number}")
        collector.send([ipfix(number, data(1))], source=f"127.0.0.{number}")  # from another port
    report = collector.finish()
    records = {row["exporter"]: row["records"] for row in report["exporters"]}
    assert records == {f"127.0.0.{number}": number + 1 for number in range(1, 30)}, records
    assert all(row["lost"] == 0 and row["waiting"] == 0 for row in report["exporters"]), report
    assert collector.sums()[0] == sum(records.values())


def a_full_disk_is_waited_for():
    """On a file system of its own; flows that came meanwhile are stored when there is room again."""
    disk = room("disk")
    os.mkdir(disk)
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", disk], stderr=subprocess.DEVNULL, check=False).returncode:
        print("skipped: no file system can be mounted here")
        return
    collector = Collector(os.path.join(disk, "archive"))
    try:
        collector.send([v5(0, 30)])
        collector.wait_for(30, 4)
        with open(os.path.join(disk, "ballast"), "wb") as ballast:
            try:
                ballast.write(bytes(4 << 20))
            except OSError:
                pass
        collector.send([v5(30 + 30 * i, 30)[:24] + os.urandom(30 * 48) for i in range(200)])
        line = collector.line_with("flow.not_stored")
        assert "No space left" in line, line
        os.unlink(os.path.join(disk, "ballast"))
        collector.wait_for(30 + 6000, 10)
        report = collector.finish()
        assert (report["stored"], report["not_stored"]) == (6030, 0), report
    finally:
        collector.kill()
        subprocess.run(["umount", disk], check=False)


def it_is_confined():
    collector = Collector(room("confined"))
    for thread in os.listdir(f"/proc/{collector.process.pid}/task"):
        with open(f"/proc/{collector.process.pid}/task/{thread}/status", encoding="utf-8") as status:
            text = status.read()
        assert "Seccomp:\t2" in text and "NoNewPrivs:\t1" in text, text
    collector.finish()


def mistakes_are_said():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as busy:
        busy.bind(("127.0.0.1", 0))
        port = busy.getsockname()[1]
        status, _, err = yagura("flow", "run", "--listen", f"127.0.0.1:{port}", "-w", room("busy"))
        assert status == 1 and f"127.0.0.1:{port}" in err and "in use" in err, err
    status, _, err = yagura("flow", "run", "--listen", "router.example:2055", "-w", room("name"))
    assert status == 1 and "router.example" in err, err
    status, _, err = yagura("flow", "run", "-w", room("nowhere"))
    assert status == 2 and "--listen" in err, err
    collector = Collector(room("taken"))
    status, _, err = yagura("flow", "run", "--listen", f"127.0.0.1:{udp_port()}", "-w", room("taken"))
    assert status == 1 and room("taken") in err, err
    collector.finish()


def it_ends_after_its_time():
    begun = time.monotonic()
    done = subprocess.run([YAGURA, "flow", "run", "--listen", "127.0.0.1:0", "-w", room("timed"), "--seconds", "500ms"],
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, timeout=30, check=True,
                          env=WITHOUT_LEAKS)
    assert 0.5 <= time.monotonic() - begun < 10 and "0 datagrams" in done.stdout, done.stdout


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as ROOM:
        main([flows_can_be_asked_for_while_it_runs, a_kill_leaves_what_was_stored, loss_and_unknown_templates_are_counted, templates_are_remembered_by_the_next_collector,
              what_the_kernel_dropped_is_counted, each_exporter_is_apart, a_full_disk_is_waited_for, it_is_confined, mistakes_are_said,
              it_ends_after_its_time, sums_are_nfcapd_s])
