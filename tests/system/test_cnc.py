#!/usr/bin/env python3
"""Command and control servers in recorded captures: where they come in the ranking, with which grounds, and what the commands say
of input that cannot be used."""
import json
import os
import subprocess
import sys
import tempfile

from harness import ROOT, SHARED, YAGURA, main, yagura

FLOW = os.path.join(SHARED, "flow")


def ranking(path, *options):
    status, out, err = yagura("cnc", "score", "--json", *options, path)
    assert status == 0, (path, err)
    return json.loads(out)


def rank_of(lines, address, port=None):
    return next((line["rank"] for line in lines if line["address"] == address and port in (None, line["port"])), None)


def recorded(name):
    path = os.path.join(FLOW, name)
    if not os.path.exists(path):
        print(f"skipped: {name} is not here")
        return None
    return path


def beacons_and_keepalives_come_first():
    for name, address in (("c2lab/comfoo.conn.log.zst", "68.183.138.51"), ("c2lab/numinon.conn.log.zst", "64.23.212.29"),
                          ("iot23/CTU-IoT-Malware-Capture-34-1.conn.log.labeled.zst", "185.244.25.235")):
        path = recorded(name)
        if path:
            lines = ranking(path)
            assert rank_of(lines, address) == 1, (name, rank_of(lines, address))


def lines_are_whole_and_in_order():
    path = recorded("c2lab/numinon.conn.log.zst")
    if not path:
        return
    lines = ranking(path, "--limit", "20", "--explain")
    assert len(lines) == 20 and [line["rank"] for line in lines] == list(range(1, 21))
    assert all(one["score"] >= other["score"] for one, other in zip(lines, lines[1:]))
    for line in lines:
        assert set(line) >= {"address", "port", "protocol", "score", "rank", "clients", "first", "last", "grounds"}, line
        assert 0 <= line["score"] <= 1 and line["clients"] >= 1 and line["first"] <= line["last"]
        for ground in line["grounds"]:
            assert set(ground) >= {"detector", "score", "text", "text_ja", "evidence"} and ground["text"], ground
            assert any(ord(letter) > 0x3000 for letter in ground["text_ja"]), ground
    assert ranking(path, "--limit", "20", "--explain") == lines, "the same flows give another ranking"


def an_archive_ranks_as_its_files_do():
    path = recorded("c2lab/comfoo.conn.log.zst")
    if not path:
        return
    with tempfile.TemporaryDirectory() as folder:
        assert yagura("flow", "read", "-w", folder, path)[0] == 0
        whole = ["cnc", "score", "--json", "--store", folder]
        status, out, err = yagura(*whole, "--from", "2000-01-01")
        assert status == 0 and json.loads(out) == ranking(path), err
        half = json.loads(yagura(*whole, "--from", "2000-01-01", "--to", "2020-08-22T06:00:00Z")[1])
        assert half and all(line["last"] < "2020-08-23" for line in half) and half != json.loads(out)
        assert sum(line["clients"] for line in half) < sum(line["clients"] for line in json.loads(out))
        assert json.loads(yagura(*whole)[1]) == [], "the last day holds nothing of 2020"
        assert yagura(*whole, path)[0] == 2 and yagura("cnc", "score")[0] == 2
        status, _, err = yagura("cnc", "score", "--store", os.path.join(folder, "none"))
        assert status == 1 and "none" in err, err


def every_line_says_why():
    """Of all services, the innocent too, in both languages."""
    for name in ("c2lab/comfoo.conn.log.zst", "ctu13/ctu13-s11-capture20110818-2.binetflow.xz"):
        path = recorded(name)
        if path:
            lines = ranking(path, "--limit", "0", "--explain")
            assert all(len(line["grounds"]) == 6 for line in lines), name
            assert all(line["grounds"] for line in ranking(path, "--limit", "0"))


def known_servers_are_measured():
    names = ("c2lab/numinon.conn.log.zst", "iot23/CTU-IoT-Malware-Capture-34-1.conn.log.labeled.zst", "c2lab/lab-background.conn.log.zst")
    paths = [recorded(name) for name in names]
    if not all(paths):
        return
    with tempfile.TemporaryDirectory() as room:
        labels = os.path.join(room, "labels")
        with open(labels, "w", encoding="utf-8") as file:
            file.write("# capture server family\nnuminon.conn.log.zst 64.23.212.29 numinon\n"
                       "CTU-IoT-Malware-Capture-34-1.conn.log.labeled.zst 185.244.25.235 mirai\n")
        status, out, err = yagura("cnc", "eval", "--json", "--labels", labels, *paths)
        assert status == 0, err
        report = json.loads(out)
        assert report["mean_average_precision"] == report["mean_over_families"] == 1, report
        assert [capture["servers"] for capture in report["captures"]] == [1, 1, 0], report
        assert {family["family"] for family in report["families"]} == {"numinon", "mirai"}
        status, out, err = yagura("cnc", "eval", "--labels", labels, "--threshold", "0", "--quick", paths[0])
        assert status == 0 and "recall 1.000" in out and "precision 0.0" in out, (out, err)
        with open(labels, "a", encoding="utf-8") as file:
            file.write("only two\n")
        status, _, err = yagura("cnc", "eval", "--labels", labels, *paths)
        assert status == 1 and "labels: line 4" in err, err


def a_model_of_another_version_is_refused():
    with tempfile.TemporaryDirectory() as room:
        model = os.path.join(room, "model.json")
        with open(model, "w", encoding="utf-8") as file:
            json.dump({"offset": 0, "weights": {"luck": 1}}, file)
        status, _, err = yagura("cnc", "score", "--model", model, model)
        assert status == 1 and "luck" in err and "model.json" in err, err


def a_ranking_is_learnt():
    """The tool that learns, on a few made captures: what it writes is taken, and puts those servers first."""
    base = recorded("c2lab/normal.conn.log.zst")
    if not base:
        return
    with tempfile.TemporaryDirectory() as room:
        samples, model = os.path.join(room, "samples"), os.path.join(room, "model.json")
        tool = [sys.executable, os.path.join(ROOT, "tools", "cnc-train")]
        env = {**os.environ, "YAGURA": YAGURA}
        subprocess.run([*tool, "samples", "--base", base, "--episodes", "8", "--seed", "3", "-o", samples], check=True, env=env,
                       stdout=subprocess.DEVNULL, timeout=120)
        done = subprocess.run([*tool, "fit", "--quick", samples, "-o", model], check=True, env=env, stdout=subprocess.PIPE, text=True,
                              timeout=120)
        learnt = float(done.stdout.split("episodes")[1].split()[0])
        assert learnt > 0.6, done.stdout
        assert ranking(base, "--model", model)


def people_get_a_table():
    path = recorded("c2lab/numinon.conn.log.zst")
    if not path:
        return
    status, out, _ = yagura("cnc", "score", "--limit", "3", path)
    assert status == 0 and "64.23.212.29" in out and "every" in out, out
    status, out, _ = yagura("cnc", "score", "--limit", "3", path, LC_ALL="ja_JP.UTF-8", LANG="ja_JP.UTF-8")
    assert status == 0 and "ごとに接触" in out, out


def wrong_input_is_told():
    status, _, err = yagura("cnc", "score")
    assert status == 2 and "FILE was expected" in err, err
    status, _, err = yagura("cnc", "score", "--least", "3", "x")
    assert status == 2 and "0 to 1" in err, err
    with tempfile.TemporaryDirectory() as room:
        hosts = os.path.join(room, "hosts")
        with open(hosts, "w", encoding="utf-8") as file:
            file.write("# seen by the telescope\n192.0.2.1 mirai\nnobody\n")
        status, _, err = yagura("cnc", "score", "--infected", hosts, hosts)
        assert status == 1 and "hosts:3" in err and "nobody" in err, err
        status, out, err = yagura("cnc", "score", "--json", os.path.join(room, "none"))
        assert status == 1 and "none" in err and json.loads(out) == [], (out, err)


if __name__ == "__main__":
    main([beacons_and_keepalives_come_first, lines_are_whole_and_in_order, an_archive_ranks_as_its_files_do, every_line_says_why, known_servers_are_measured,
          a_model_of_another_version_is_refused, a_ranking_is_learnt, people_get_a_table, wrong_input_is_told])
