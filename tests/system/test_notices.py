#!/usr/bin/env python3
"""Notices from packet to inbox: a mail server, webhooks and folders as members have them, what refuses, hangs or is away, and
that no crash loses a message or sends it twice."""
import base64
import contextlib
import hashlib
import hmac
import http.server
import json
import os
import random
import re
import signal
import sqlite3
import ssl
import subprocess
import sys
import tempfile
import threading
import time

import harness
import namespace
from harness import YAGURA
from mail_server import EXIM, MailServer, certificate
from notice_hub import infect, life, mail_server, member, notice_hub, notices, parsed, texts_of

MAIL_HOUR = os.path.join(os.path.dirname(YAGURA), "..", "..", "tests", "system", "mail_hour")


def one_packet_is_a_mail_and_it_closes_by_itself():
    with mail_server() as server, tempfile.TemporaryDirectory() as texts, notice_hub(server, texts_of(texts)) as hub:
        source = member(hub)
        began = time.monotonic()
        infect(source)
        hub.wait(server.mails, seconds=20)
        took = time.monotonic() - began
        mail = parsed(server.mails()[0])
        body = mail.get_content().replace("\r\n", "\n")  # base64 keeps the ends of lines of mail
        assert mail["To"].addresses[0].addr_spec == "soc@city.example" and mail["Envelope-to"] == "soc@city.example"
        assert mail["From"].addresses[0].addr_spec == "watch@yagura.example" and mail["From"].addresses[0].display_name == "Yagura 例"
        assert source in mail["Subject"] and "city市" in body and "■ いますぐ行うこと" in body and "{{" not in body, body
        assert mail["Auto-Submitted"] == "auto-generated" and mail["Message-ID"].endswith("@yagura.example>")
        assert took < 3, f"the mail took {took:.1f} s"
        print(f"     packet to inbox: {took:.2f} s")
        notice, = notices(hub)
        assert notice["subject"] == source and notice["member_key"] == "city" and notice["told"], notice
        whole = hub.wait(lambda: (n := life(hub, notice))["messages"][0]["state"] == "sent" and n)
        assert whole["attempts"][0]["result"] == "sent" and whole["attempts"][0]["code"] == 250, whole["attempts"]
        assert {"made", "told"} <= {e["what"] for e in whole["events"]}, whole["events"]
        advice = hub.local("GET", f"/api/v1/notices/{notice['id']}?language=ja").json()["advice"]
        assert advice["title"] in mail["Subject"] and all(advice[part] in body for part in ("what", "steps", "over", "call")), (advice, body)
        # quiet: it ends, is verified, is closed, and whoever was told is told
        hub.wait(lambda: life(hub, notice)["state"] == "closed", seconds=30)
        hub.wait(lambda: len(server.mails()) == 2, seconds=20)
        last = parsed(server.mails()[1])
        assert last["In-Reply-To"] == mail["Message-ID"] and last["References"] == mail["Message-ID"] and source in last["Subject"]
        assert notices(hub, state="open") == []


def the_link_answers_once():
    with mail_server() as server, tempfile.TemporaryDirectory() as texts, notice_hub(server, texts_of(texts, verify="1h")) as hub:
        hub.ready()
        source = member(hub)
        infect(source)
        hub.wait(server.mails, seconds=20)
        link = re.search(r"http\S+/#/acknowledge\?message=(\d+)&token=([\w-]+)", parsed(server.mails()[0]).get_content())
        assert f"127.0.0.1:{hub.port}" in link.group(0), link.group(0)
        answer = {"message": int(link.group(1)), "token": link.group(2), "state": "informed", "reference": "INC-7"}
        assert hub.request("POST", "/api/v1/notices/acknowledge", {**answer, "token": "A" * 43}).status == 403
        assert hub.request("POST", "/api/v1/notices/acknowledge", {**answer, "message": 99}).status == 403
        assert hub.request("POST", "/api/v1/notices/acknowledge", {**answer, "state": "whatever"}).status == 400
        assert not notices(hub)[0]["acknowledged"]
        done = hub.request("POST", "/api/v1/notices/acknowledge", answer)
        assert done.status == 200 and done.json()["acknowledged"] == 1, done.body
        again = hub.request("POST", "/api/v1/notices/acknowledge", answer)
        assert again.status == 410, again.body
        notice, = notices(hub)
        assert notice["acknowledged"] and notice["answer"] == "informed" and notice["reference"] == "INC-7"
        figures = hub.local("GET", "/api/v1/notices/figures").json()
        assert figures["notices"]["acknowledged"] == 1 and figures["to_tell"]["count"] == 1, figures
        # by hand: told again, closed with a reason, and then no more
        assert hub.local("POST", f"/api/v1/notices/{notice['id']}/send", {}).status == 200
        hub.wait(lambda: len(server.mails()) == 2, seconds=20)
        assert hub.local("POST", f"/api/v1/notices/{notice['id']}/close", {}).status == 400
        closed = hub.local("POST", f"/api/v1/notices/{notice['id']}/close", {"reason": "reinstalled"})
        assert closed.json()["state"] == "closed", closed.body
        assert hub.local("POST", f"/api/v1/notices/{notice['id']}/send", {}).status == 409
        assert hub.request("GET", f"/api/v1/notices/{notice['id']}").status == 401


def what_is_refused_bounces_and_what_is_put_off_comes():
    with mail_server() as server, tempfile.TemporaryDirectory() as texts, notice_hub(server, texts_of(texts, verify="1h")) as hub:
        gone = member(hub, "gone", contacts=[{"role": "security", "mail": "gone@gone.example"}])
        infect(gone)
        notice, = hub.wait(lambda: notices(hub))
        whole = hub.wait(lambda: (n := life(hub, notice))["messages"] and n["messages"][0]["state"] == "failed" and n, seconds=20)
        assert whole["attempts"][0]["result"] == "refused" and whole["attempts"][0]["code"] == 550, whole["attempts"]
        assert "no such mailbox" in whole["attempts"][0]["answer"], whole["attempts"]
        bounce, = hub.local("GET", "/api/v1/notices/bounces").json()["bounces"]
        assert bounce["address"] == "gone@gone.example" and bounce["member_key"] == "gone", bounce
        # greylisting: put off, tried again after a minute, taken
        server.set("later")
        infect(member(hub, "late"))
        late = hub.wait(lambda: next((n for n in notices(hub) if n["member_key"] == "late"), None))
        whole = hub.wait(lambda: (n := life(hub, late))["attempts"] and n["attempts"][0]["result"] and n, seconds=20)
        assert whole["attempts"][0]["result"] == "deferred" and whole["attempts"][0]["code"] == 451, whole["attempts"]
        assert whole["messages"][0]["state"] == "waiting"
        server.set("later", False)
        hub.wait(server.mails, seconds=100)
        whole = hub.wait(lambda: (n := life(hub, late))["messages"][0]["state"] == "sent" and n)
        assert [a["result"] for a in whole["attempts"]] == ["deferred", "sent"] and len(server.mails()) == 1
        # a mail server that is away is not the message's fault
        server.stop()
        infect(member(hub, "away"))
        away = hub.wait(lambda: next((n for n in notices(hub) if n["member_key"] == "away"), None))
        hub.wait(lambda: life(hub, away)["attempts"], seconds=20)
        server.start()
        hub.wait(lambda: len(server.mails()) == 2, seconds=100)
        assert life(hub, away)["attempts"][0]["result"] == "deferred"


def a_server_that_is_away_for_an_hour_misses_nothing():
    """By a clock of our own: what is to be sent waits, asks ever more rarely, and comes once when the server is back."""
    away = 60
    with tempfile.TemporaryDirectory(prefix="yagura-mail-") as folder, tempfile.TemporaryDirectory() as data:
        server = MailServer(folder)
        process = subprocess.Popen([MAIL_HOUR, data, server.url, server.ca, str(away)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, text=True)
        try:
            assert process.stdout.readline() == "away\n", process.communicate(timeout=60)
            server.start()
            out, err = process.communicate("back\n", timeout=120)
            assert process.returncode == 0 and err == "", err
            told = int(out.split()[1])
            assert sorted(parsed(m)["Envelope-to"] for m in server.mails()) == sorted(f"soc@m{i}.example" for i in range(20))
            with contextlib.closing(sqlite3.connect(os.path.join(data, "registry.sqlite"))) as registry:
                asked = registry.execute("SELECT count(*) FROM notice_attempt WHERE result <> 'sent'").fetchone()[0]
            assert told - away <= 10, f"told {told - away} minutes after the server was back"
            assert 5 <= asked <= 100, f"a server that was away was asked {asked} times"
            print(f"     away for {away} minutes and asked {asked} times, then 20 mails within {told - away} minutes")
        finally:
            process.kill()
            process.wait()
            server.stop()


def a_certificate_that_nobody_vouches_for_gets_no_mail():
    with mail_server() as server, tempfile.TemporaryDirectory() as texts, tempfile.TemporaryDirectory() as other:
        with notice_hub(server, texts_of(texts), "--mail-ca", certificate(other, "other")) as hub:
            infect(member(hub))
            notice, = hub.wait(lambda: notices(hub))
            whole = hub.wait(lambda: (n := life(hub, notice))["attempts"] and n["attempts"][0]["result"] and n, seconds=20)
            assert whole["attempts"][0]["result"] == "deferred", whole["attempts"]
            assert "certificate" in whole["attempts"][0]["answer"].lower(), whole["attempts"]
            assert server.mails() == []


def another_program_verifies_what_is_signed():
    dkim = "import dkim, sys, base64\n" \
           "key = sys.argv[1].encode()\n" \
           "print(dkim.verify(sys.stdin.buffer.read(), dnsfunc=lambda name, **_: b'v=DKIM1; ' + key " \
           "if name.rstrip(b'.') == b'y1._domainkey.yagura.example' else b''))\n"
    for kind, options in (("rsa", ["-pkeyopt", "rsa_keygen_bits:2048"]), ("ed25519", [])):
        with mail_server() as server, tempfile.TemporaryDirectory() as texts:
            key = os.path.join(server.folder, "dkim.key")
            subprocess.run(["openssl", "genpkey", "-algorithm", kind, *options, "-out", key], check=True, stderr=subprocess.PIPE)
            der = subprocess.run(["openssl", "pkey", "-in", key, "-pubout", "-outform", "DER"], check=True,
                                 stdout=subprocess.PIPE).stdout
            record = f"k={kind}; p=" + base64.b64encode(der[-32:] if kind == "ed25519" else der).decode()
            with notice_hub(server, texts_of(texts), "--dkim-key", key, "--dkim-selector", "y1") as hub:
                infect(member(hub))
                hub.wait(server.mails, seconds=20)
                mail = server.mails()[0]
            # what the receiving server put in front is none of ours
            own = mail[mail.index(b"DKIM-Signature:"):].replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
            for text, wanted in ((own, "True"), (own.replace(b"Subject: ", b"Subject: x", 1), "False")):
                done = subprocess.run(["/usr/bin/python3", "-c", dkim, record], input=text, stdout=subprocess.PIPE,
                                      stderr=subprocess.PIPE, check=True)
                assert done.stdout.decode().strip() == wanted, (kind, wanted, done.stdout, done.stderr, own[:1500])


class Hook(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        server = self.server
        body = self.rfile.read(int(self.headers["Content-Length"]))
        server.got.append((self.path, dict(self.headers), body))
        if self.path == "/hang":
            server.ended.wait(40)
            return
        self.send_response(302 if self.path == "/inwards" else 204)
        if self.path == "/inwards":
            self.send_header("Location", f"https://127.0.0.1:{server.server_port}/secret")
        self.end_headers()

    def log_message(self, *_):
        pass


@contextlib.contextmanager
def hook_server():
    with tempfile.TemporaryDirectory(prefix="yagura-hook-") as folder:
        ca = certificate(folder, "hook")
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hook)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(os.path.join(folder, "hook.pem"), os.path.join(folder, "hook.key"))
        server.socket = context.wrap_socket(server.socket, server_side=True)
        server.got, server.ca, server.ended, server.daemon_threads = [], ca, threading.Event(), True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield server
        finally:
            server.ended.set()
            server.shutdown()


def first_attempt(hub, key, seconds=20):
    notice = hub.wait(lambda: next((n for n in notices(hub) if n["member_key"] == key), None))
    return hub.wait(lambda: (n := life(hub, notice))["attempts"] and n["attempts"][0]["result"] and n, seconds=seconds)


def webhooks_are_signed_and_reach_nothing_inside():
    with hook_server() as hooks, tempfile.TemporaryDirectory() as texts:
        def contact(path):
            return [{"role": "security", "webhook": f"https://localhost:{hooks.server_port}{path}"}]
        with notice_hub(None, texts_of(texts, verify="1h"), "--webhook-ca", hooks.ca) as hub:
            infect(member(hub, "inside", contacts=contact("/")))
            whole = first_attempt(hub, "inside")
            assert whole["attempts"][0]["result"] == "refused" and hooks.got == [], whole["attempts"]
        with notice_hub(None, texts, "--webhook-ca", hooks.ca, "--webhook-allow", "127.0.0.0/8") as hub:
            source = member(hub, "city", contacts=contact("/hook"))
            infect(source)
            whole = first_attempt(hub, "city")
            assert whole["attempts"][0]["result"] == "sent", whole["attempts"]
            (path, headers, body), = hooks.got
            told = json.loads(body)
            assert told["type"] == "yagura.notices" and told["notices"][0]["subject"] == source, told
            assert {"webhook-id", "webhook-timestamp", "webhook-signature"} <= {name.lower() for name in headers}, headers
            # the answer goes back by what the message brought
            back = {"message": told["acknowledge"]["message"], "token": told["acknowledge"]["token"], "state": "fixed"}
            hub.ready()
            assert hub.request("POST", told["acknowledge"]["url_path"], back).status == 200
            assert notices(hub)[0]["answer"] == "fixed"
            infect(member(hub, "bounce", contacts=contact("/inwards")))
            whole = first_attempt(hub, "bounce")
            assert whole["attempts"][0]["result"] == "refused" and whole["attempts"][0]["code"] == 302, whole["attempts"]
            assert not any(path == "/secret" for path, _, _ in hooks.got)
            # one that hangs does not keep others waiting
            infect(member(hub, "slow", contacts=contact("/hang")))
            hub.wait(lambda: any(path == "/hang" for path, _, _ in hooks.got), seconds=20)
            infect(member(hub, "quick", contacts=contact("/quick")))
            whole = first_attempt(hub, "quick")
            assert whole["attempts"][0]["result"] == "sent", whole["attempts"]
            whole = first_attempt(hub, "slow", seconds=60)
            assert whole["attempts"][0]["result"] in ("deferred", "unknown"), whole["attempts"]


def files_are_dropped_once():
    with tempfile.TemporaryDirectory() as texts, tempfile.TemporaryDirectory() as drop:
        os.chmod(drop, 0o777)
        with notice_hub(None, texts_of(texts, verify="1h"), "--notice-drop", drop) as hub:
            source = member(hub, contacts=[{"role": "security", "phone": "+81-3-0000-0000"}])
            infect(source)
            files = hub.wait(lambda: [os.path.join(top, name) for top, _, names in os.walk(drop) for name in names
                                      if name.endswith(".csv") and not top.endswith("given")], seconds=20)
            assert len(files) == 1 and "city" in files[0], files
            with open(files[0], newline="") as file:
                rows = file.read().split("\r\n")
            assert rows[0].startswith("notice,step,state") and source in rows[1], rows


def a_test_says_that_it_is_one():
    with mail_server() as server, tempfile.TemporaryDirectory() as texts, notice_hub(server, texts_of(texts)) as hub:
        member(hub)
        answer = hub.local("POST", "/api/v1/notices/test", {"member": "city"})
        assert answer.status == 200 and answer.json()["type"] == "test", answer.body
        hub.wait(server.mails, seconds=20)
        assert "テスト" in parsed(server.mails()[0])["Subject"] or "試験" in parsed(server.mails()[0])["Subject"]
        assert hub.local("GET", "/api/v1/notices/figures").json()["notices"]["made"] == 0
        assert hub.local("POST", "/api/v1/notices/test", {"member": "nobody"}).status == 404


def commands_show_what_the_api_does():
    def command(*words):
        status, out, err = harness.yagura("notice", *words, "--data", os.path.join(hub.data, "data"))
        return status, out, err
    with mail_server() as server, tempfile.TemporaryDirectory() as texts, notice_hub(server, texts_of(texts, verify="1h")) as hub:
        source = member(hub)
        member(hub, "gone", contacts=[{"role": "security", "mail": "gone@gone.example"}])
        member(hub, "mute", contacts=[])
        infect(source)
        hub.wait(server.mails, seconds=20)
        status, out, _ = command("list", "--json")
        notice, = json.loads(out)
        assert status == 0 and notice["subject"] == source and notice["told"]
        assert json.loads(command("list", "--json", "--member", "gone")[1]) == []
        assert source in command("list", "--state", "new", "--unacknowledged")[1]
        status, out, _ = command("show", notice["id"])
        assert status == 0 and "soc@city.example" in out and "250 OK" in out, out
        assert json.loads(command("show", notice["id"], "--json")[1])["attempts"][0]["result"] == "sent"
        assert command("show", "77")[0] == 1 and command("show", "x")[0] == 2
        assert command("send", notice["id"])[0] == 0
        hub.wait(lambda: len(server.mails()) == 2, seconds=20)
        status, out, err = command("test", "city")
        assert status == 0 and "250 OK" in out, (out, err)
        status, out, err = command("test", "gone")
        assert status == 1 and "no such mailbox" in out and "refused" in err, (out, err)
        status, out, err = command("test", "mute", "--wait", "5s")
        assert status == 1 and "no contact" in err, (out, err)
        assert "gone@gone.example" in command("list", "--bounces")[1]
        assert "median" in command("list", "--figures")[1]
        rules = os.path.join(texts, "wrong.yaml")
        with open(rules, "w") as file:
            file.write("a:\n  tell: sometimes\n")
        status, out, err = harness.yagura("notice", "test", "--rules", rules)
        assert status == 1 and "wrong.yaml:2" in err and "at-once" in err, err
        assert harness.yagura("notice", "test")[0] == 0


def a_killed_hub_loses_no_notice_and_sends_none_twice():
    """What is killed is the hub, its keeper, its courier, at random, while findings come in. Each stored finding is told in
    one message. Only a courier that is killed itself just between a mail's end and the server's answer may make a copy,
    which then bears the same Message-ID (RFC 1047)."""
    chance = random.Random(7)
    with mail_server() as server, tempfile.TemporaryDirectory() as texts, tempfile.TemporaryDirectory() as data:
        texts_of(texts, verify="1h")
        hub = notice_hub(server, texts, data=data, group=True)
        try:
            hub.ready()
            for city in range(8):
                member(hub, f"city{chr(97 + city)}")
            sent, kills, couriers = 0, 0, 0
            for kind in ("none", "hub", "keeper", "courier", "hub", "keeper", "hub", "none"):
                until = time.monotonic() + 1.0 + chance.random()
                while time.monotonic() < until:
                    city = f"city{chr(97 + sent % 8)}"
                    infect(f"203.0.{1 + sum(map(ord, city)) % 200}.{1 + sent // 8}")
                    sent += 1
                    time.sleep(0.02)
                if kind == "hub":
                    hub.kill(whole=False)
                    hub = notice_hub(server, texts, data=data, group=True)
                    hub.ready()
                    hub.wait(lambda: hub.status()["livenet"]["prefixes"] == 8)
                    time.sleep(0.3)
                elif kind != "none":
                    os.kill(hub.wait(lambda: hub.process_of(kind))["pid"], signal.SIGKILL)
                    couriers += kind == "courier"
                kills += kind != "none"
            time.sleep(2)  # what was seen is stored

            def untold():
                ids = {n["subject"] for n in notices(hub, limit=1000) if n["told"]}
                return {f["subject"] for f in hub.local("GET", "/api/v1/findings?type=livenet&limit=10000").json()["findings"]} ^ ids
            try:
                hub.wait(lambda: not untold(), seconds=200)
            except AssertionError:
                raise AssertionError(f"not told: {[n for n in notices(hub, limit=1000) if n['subject'] in untold()][:3]}, of {len(untold())}")
            wanted = {n["subject"] for n in notices(hub, limit=1000)}
            assert len(wanted) > sent // 3, (len(wanted), sent)
            seen = -1
            while seen < len(server.mails()):  # the server has them all; it may still be putting them into the box
                seen = len(server.mails())
                time.sleep(3)
            mails, told = {}, []
            for mail in map(parsed, server.mails()):
                body = mail.get_content()
                if mail["Message-ID"] in mails:
                    couriers -= 1  # the copy that is excused
                    assert mails[mail["Message-ID"]] == body
                    continue
                mails[mail["Message-ID"]] = body
                told += set(re.findall(r"203\.0\.\d+\.\d+(?=[^\d/])", body))
            assert sorted(told) == sorted(wanted), (len(told), len(wanted), sorted(wanted - set(told))[:20])
            assert couriers >= 0, "a mail came twice and no courier had been killed"
            print(f"     {len(wanted)} findings, {kills} kills: each told once, in {len(mails)} mails")
            hub.close()
        finally:
            if hub.process.poll() is None:
                hub.kill()


def main():
    if not namespace.enter() or not os.path.exists(EXIM):
        print("skipped: network namespaces and exim4 are needed")
        sys.exit(77)
    namespace.pair_make()
    harness.main([one_packet_is_a_mail_and_it_closes_by_itself, the_link_answers_once,
                  what_is_refused_bounces_and_what_is_put_off_comes, a_server_that_is_away_for_an_hour_misses_nothing,
                  a_certificate_that_nobody_vouches_for_gets_no_mail,
                  another_program_verifies_what_is_signed, webhooks_are_signed_and_reach_nothing_inside, files_are_dropped_once,
                  a_test_says_that_it_is_one, commands_show_what_the_api_does, a_killed_hub_loses_no_notice_and_sends_none_twice])


main()
