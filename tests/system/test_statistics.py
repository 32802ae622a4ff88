#!/usr/bin/env python3
"""Statistics for everybody: the alerts of the simulated country, counted apart from the hub, and nothing of any member."""
import csv
import io
import json
import os
import shutil
import tempfile

import harness
from harness import ROOT, YAGURA
from hub_client import Hub

SIMULATE = os.path.join(ROOT, "data", "simulate")
MEMBERS = os.path.join(SIMULATE, "members.csv")
LEAST, STEP = 3, 5
FIGURES = ("found", "told", "bounced", "acknowledged", "fixed")
FOLDER = tempfile.mkdtemp(prefix="yagura-test-")


def captured():
    """A capture of half an hour of the country, made once."""
    pcap = os.path.join(FOLDER, "made.pcap")
    if not os.path.exists(pcap):
        status, _, error = harness.yagura("simulate", "telescope", "--description", os.path.join(SIMULATE, "members.yaml"),
                                          "--seconds", 1800, "--packets", 60000, "--output", pcap)
        assert status == 0, error
    return pcap


def counting_hub(name, *options):
    data = os.path.join(FOLDER, name)
    os.makedirs(os.path.join(data, "data"))
    status, _, error = harness.yagura("member", "import", MEMBERS, "--data", os.path.join(data, "data"))
    assert status == 0, error
    return Hub("--capture", captured(), "--darknet", "198.18.0.0/15", "--darknet", "2001:db8:da7a::/48", "--speed", "0",
               "--livenet-quiet", "2m", *options, data=data, program=(YAGURA, "hub"))


def alerts(hub):
    return hub.local("GET", "/api/v1/findings?type=livenet&limit=10000&from=2000-01-01").json()["findings"]


def settled(hub):
    """All alerts, when nothing is counted any more."""
    seen = []

    def still():
        seen.append([(f["id"], f["packets"], f["state"]) for f in alerts(hub)])
        return len(seen) > 20 and seen[-1] and seen[-1] == seen[-20]
    hub.wait(still)
    return alerts(hub)


def near(count):
    return (count + STEP // 2) // STEP * STEP


def small(found):
    return 0 < len(found) < LEAST or 0 < len({f["member"] for f in found}) < LEAST


def rows_are_right(rows, parts, figure):
    """Each row is the rounded truth or hidden; what is small is hidden, and not alone."""
    hidden = [part for row, part in zip(rows, parts) if row[figure] is None]
    for row, part in zip(rows, parts):
        assert row[figure] in (None, near(len(part))), (row, len(part))
        assert row[figure] is None or not small(part), (row, len(part))
    assert not hidden or len(hidden) > 1 or all(not part or part in hidden for part in parts), (figure, rows)
    together = [f for part in hidden for f in part]
    assert not small(together) or small([f for part in parts for f in part]), (figure, rows)
    return len(hidden)


def figures_are_those_of_the_alerts():
    with counting_hub("figures") as hub:
        found = settled(hub)
        month = found[0]["first"][:7]
        found = [f for f in found if f["first"].startswith(month)]

        def rolled_up():
            return hub.query(kind="rollup", **{"from": month + "-01T00:00:00Z"}, filters=[
                {"field": "level", "value": "day"}, {"field": "dimension", "value": "total"}],
                aggregates=[{"op": "sum", "field": "packets"}])["rows"][0][0]
        packets = hub.wait(rolled_up)
        told = hub.local("GET", f"/api/v1/statistics?month={month}").json()
        with open(MEMBERS, newline="") as file:
            kinds = {row["key"]: row["kind"] for row in csv.DictReader(file)}
        members = {m["id"]: kinds[m["key"]] for m in hub.local("GET", "/api/v1/members?limit=1000").json()["members"]}
        assert told["by"] == "day" and told["members"] == len(members) and (told["least"], told["step"]) == (LEAST, STEP)
        fixed = [f for f in found if f["state"] == "ended"]
        assert len(fixed) >= 10 and len(found) > len(fixed), (len(found), len(fixed))
        infected = {f["subject"] for f in found if f["verdict"] == "infected"}
        cleaned = infected - {f["subject"] for f in found if f["state"] != "ended"}
        assert told["machines"] == {"found": near(len(infected)), "cleaned": near(len(cleaned))}, told["machines"]
        hidden = 0
        for figure, all_of in (("found", found), ("fixed", fixed)):
            assert told["alerts"][figure] == near(len(all_of)), (figure, told["alerts"], len(all_of))
            hidden += rows_are_right(told["verdicts"], [[f for f in all_of if f["verdict"] == row["name"]]
                                                        for row in told["verdicts"]], figure)
            hidden += rows_are_right(told["sectors"], [[f for f in all_of if members[f["member"]] == row["name"]]
                                                       for row in told["sectors"]], figure)
            hidden += rows_are_right(told["periods"], [[f for f in all_of if f["first"][:10] == row["time"][:10]]
                                                       for row in told["periods"]], figure)
        assert hidden > 0, "nothing was small: this proves too little"
        assert sum(row["packets"] for row in told["periods"]) == packets > 50000, packets
        year = hub.local("GET", f"/api/v1/statistics?year={month[:4]}").json()
        assert year["by"] == "month" and year["periods"][0]["time"] == month[:4] + "-01-01T00:00:00Z"
        assert year["alerts"]["found"] == near(len(settled(hub)))
        print(f"     {len(found)} alerts, {len(fixed)} fixed, {len(cleaned)} of {len(infected)} machines clean; {hidden} counts hidden")
        the_sheet_says_the_same(hub, told, month)
        for wrong in ("month=2026-13", "month=2026", "month=11-2026", "year=26", "year=x"):
            assert hub.local("GET", "/api/v1/statistics?" + wrong).status == 400, wrong


def the_sheet_says_the_same(hub, told, month):
    answer = hub.local("GET", f"/api/v1/statistics.csv?month={month}")
    assert answer.headers["Content-Disposition"] == f'attachment; filename="yagura-statistics-{month}.csv"', answer.headers
    lines = list(csv.DictReader(io.StringIO(answer.body.decode())))
    cell = {None: f"<{LEAST}"}
    for table, rows, name in (("all", [told["alerts"]], None), ("verdict", told["verdicts"], "name"),
                              ("sector", told["sectors"], "name"), ("day", told["periods"], "time")):
        of_it = [line for line in lines if line["table"] == table]
        assert [line["name"] for line in of_it] == [row[name] if name else "" for row in rows], of_it
        for line, row in zip(of_it, rows):
            assert all(line[figure] == cell.get(row[figure], str(row[figure])) for figure in FIGURES), (line, row)


def everybody_may_look_where_the_operator_says_so():
    with counting_hub("public", "--public-statistics") as hub:
        found = settled(hub)
        assert hub.get("/api/v1/session").json()["public_statistics"] is True
        month = found[0]["first"][:7]
        for form in ("", ".csv"):
            answer = hub.get(f"/api/v1/statistics{form}?month={month}")
            assert answer.status == 200, answer.body
            text = answer.body.decode()
            with open(MEMBERS, newline="") as file:
                for row in csv.DictReader(file):
                    assert f'"{row["key"]}"' not in text and row["name"] not in text, row["key"]
            assert not any(f["subject"] in text for f in found)
        assert hub.get("/api/v1/findings").status == 401 and hub.get("/api/v1/report/2026").status == 401
        with Hub() as other:
            assert other.get("/api/v1/session").json()["public_statistics"] is False
            assert other.get("/api/v1/statistics").status == other.get("/api/v1/statistics.csv").status == 401
            empty = other.local("GET", "/api/v1/statistics").json()
            assert empty["alerts"] == dict.fromkeys(FIGURES, 0) and empty["members"] == 0, json.dumps(empty)[:500]


try:
    harness.main([figures_are_those_of_the_alerts, everybody_may_look_where_the_operator_says_so])
finally:
    shutil.rmtree(FOLDER, ignore_errors=True)
