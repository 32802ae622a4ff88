#!/usr/bin/env python3
"""Feeds of a collection over HTTP and by command: ETag, pages, who may see what; nft itself loads the sets, BIND's
checker reads the zone."""
import json
import os
import re
import subprocess
import tempfile

import harness
from harness import yagura
from hub_client import Hub

HUB = None
DATA = None
TOKENS = {}
VALUES = ["198.51.100.7", "198.51.100.0/24", "203.0.113.9", "2001:db8::1", "2001:db8:0:1::/64", "2001:0:0:1::7", "evil.example", "http://evil.example/x", "44d88612fea8a8f36de82e1278abb02f",
          "AS64500", "0.0.0.0/0", "=cmd.example.evil"]


def get(path, user="reader", **headers):
    if user:
        headers["Authorization"] = f"Bearer {TOKENS[user]}"
    return HUB.get(path, headers={k.replace("_", "-"): v for k, v in headers.items()})


def imported(text, *options):
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
        file.write(text)
        file.flush()
        status, out, err = yagura("indicator", "import", "--data", DATA, "--json", "--no-warninglists", "--source", "test", *options, file.name)
    assert status == 0, (out, err)
    return json.loads(out)


def lists_hold_each_value_once():
    result = imported("\n".join(VALUES) + "\n", "--tlp", "green")
    assert result["taken"] == 11 and result["refused"] == 1, result
    imported("198.51.100.7\n", "--tlp", "green", "--source", "another")
    imported("192.0.2.66\n", "--tlp", "red")
    answer = get("/feeds/green/list.txt")
    assert answer.status == 200 and answer.headers["Content-Type"].startswith("text/plain"), answer.body
    lines = answer.body.decode().split("\n")
    assert lines.count("198.51.100.7") == 1 and "192.0.2.66" not in lines and "64500" in lines, lines
    assert get("/feeds/green/list.txt?kind=domain").body == b"evil.example\n"
    assert yagura("share", "list", "green", "--data", DATA, "--kind", "domain")[1] == "evil.example\n"


def what_is_had_is_not_sent_again():
    first = get("/feeds/green/list.txt")
    again = get("/feeds/green/list.txt", If_None_Match=first.headers["ETag"])
    assert again.status == 304 and not again.body and again.headers["ETag"] == first.headers["ETag"], again.status
    imported("198.51.100.8\n", "--tlp", "green")
    other = get("/feeds/green/list.txt", If_None_Match=first.headers["ETag"])
    assert other.status == 200 and b"198.51.100.8\n" in other.body


def pages_follow_their_links():
    whole, pages, path = get("/feeds/green/list.txt").body, b"", "/feeds/green/list.txt?limit=3"
    for _ in range(20):
        answer = get(path)
        assert answer.body.count(b"\n") <= 3
        pages += answer.body
        link = re.match(r'<(\?[^>]*)>; rel="next"', answer.headers.get("Link", ""))
        if not link:
            break
        path = "/feeds/green/list.txt" + link.group(1)
    assert set(pages.split()) == set(whole.split()) and len(pages.split()) <= len(whole.split()) + 1, (pages, whole)


def csv_is_safe_to_open():
    text = get("/feeds/green/indicators.csv").body.decode()
    rows = text.split("\r\n")
    assert rows[0].startswith("timestamp,ip,hostname,url,asn,md5"), rows[0]
    assert any(",198.51.100.7,,,,,,,,," in row and ",50," in row and ",green," in row for row in rows), text
    assert not any(cell[:1] in "=+@" and cell for row in rows[1:] for cell in row.split(","))


def strangers_see_nothing():
    assert get("/feeds/green/list.txt", user=None).status == 401
    assert get("/feeds/green/list.txt", user="other").status == 404
    assert get("/feeds/none/list.txt").status == 404 and get("/feeds/green/none").status == 404 and get("/feeds/").status == 404
    assert get("/feeds/green/list.txt?kind=nothing").status == 400
    basic = subprocess.run(["curl", "-sS", "-u", f"x:{TOKENS['reader']}", f"http://127.0.0.1:{HUB.port}/feeds/green/list.txt?kind=domain"], capture_output=True, check=True)
    assert basic.stdout == b"evil.example\n", basic


def nft_loads_the_sets():
    text = get("/feeds/green/sets.nft").body
    assert b"0.0.0.0/0" not in text
    script = b"nft -f - && nft list table inet yagura"
    done = subprocess.run(["unshare", "-n", "sh", "-c", script.decode()], input=text, capture_output=True)
    assert done.returncode == 0, done.stderr
    listed = re.sub(r"\s+", " ", done.stdout.decode())
    assert "198.51.100.0/24" in listed and "203.0.113.9" in listed and "2001:db8:0:1::/64" in listed, listed


def binds_checker_reads_the_zone():
    with tempfile.NamedTemporaryFile("wb", suffix=".zone") as file:
        file.write(get("/feeds/green/policy.zone").body)
        file.flush()
        done = subprocess.run(["named-checkzone", "rpz.yagura", file.name], capture_output=True, text=True)
        assert done.returncode == 0 and "OK" in done.stdout, done.stdout + done.stderr
        text = open(file.name).read()
    assert "\nevil.example CNAME .\n*.evil.example CNAME .\n" in text and "24.0.100.51.198.rpz-ip CNAME ." in text and "64.zz.1.0.db8.2001.rpz-ip" in text, text
    status, out, err = yagura("share", "rpz", "green", "--data", DATA, "--name", "rpz.example")
    assert status == 0 and out.startswith("$ORIGIN rpz.example.\n") and "left out" in err, (out[:200], err)


def routes_are_written_for_each_daemon():
    assert b"route 203.0.113.9/32 blackhole" in get("/feeds/green/routes.bird").body
    assert b"ipv6 route 2001:db8::1/128 blackhole tag 666\n" in get("/feeds/green/routes.frr").body
    assert "gobgp global rib add 203.0.113.9/32 -a ipv4 community 65535:666" in yagura("share", "bgp", "green", "--data", DATA, "--daemon", "gobgp", "--warninglists", os.path.join(DATA, "none"))[1]


def what_ends_leaves_the_lists():
    listed = json.loads(yagura("indicator", "list", "--data", DATA, "--json", "evil.example")[1])
    assert yagura("indicator", "expire", "--data", DATA, listed[0]["id"])[0] == 0
    assert b"\nevil.example\n" not in get("/feeds/green/list.txt").body
    imported("192.0.2.200\n", "--tlp", "green", "--lifetime", "1s")
    assert b"192.0.2.200\n" in get("/feeds/green/list.txt").body
    HUB.wait(lambda: b"192.0.2.200\n" not in get("/feeds/green/list.txt").body, 10)


def main():
    global HUB, DATA
    HUB = Hub().ready()
    DATA = os.path.join(HUB.data, "data")
    for name in ("reader", "other"):
        TOKENS[name] = HUB.local("POST", "/api/v1/tokens", {"name": name, "role": "viewer"}).json()["token"]
    assert yagura("share", "taxii", "green", "--data", DATA, "--clearance", "green", "--automatic", "--readers", "reader")[0] == 0
    try:
        harness.main([lists_hold_each_value_once, what_is_had_is_not_sent_again, pages_follow_their_links, csv_is_safe_to_open, strangers_see_nothing, nft_loads_the_sets,
                      binds_checker_reads_the_zone, routes_are_written_for_each_daemon, what_ends_leaves_the_lists])
    finally:
        HUB.close()


main()
