"""A hub that hears a veth pair and tells members by a real mail server; used inside namespace.enter()."""
import contextlib
import email
import email.policy
import os
import tempfile
import time

import namespace
from harness import ROOT, YAGURA
from hub_client import Hub
from mail_server import MailServer

DARK = "198.18.0.9"
RULES = """
test:
  types: [livenet]
  verdicts: [infected]
  tell: at-once
  gather: {gather}
  channels: [mail, webhook, csv]
  remind: [24h]
  verify: {verify}
rest:
  tell: digest
  digest-at: 09:00
"""


@contextlib.contextmanager
def mail_server(**options):
    with tempfile.TemporaryDirectory(prefix="yagura-mail-") as folder:
        server = MailServer(folder, **options).start()
        try:
            yield server
        finally:
            server.stop()


def texts_of(folder, gather="1s", verify="2s"):
    """The texts that are shipped, with rules that do not wait."""
    os.makedirs(os.path.join(folder, "notices"))
    os.symlink(os.path.join(ROOT, "data/messages"), os.path.join(folder, "messages"))
    with open(os.path.join(folder, "notices/rules.yaml"), "w") as file:
        file.write(RULES.format(gather=gather, verify=verify))
    return folder


def notice_hub(server, texts, *options, **more):
    given = ["--mail-relay", server.url, "--mail-ca", server.ca, "--mail-from", "Yagura 例 <watch@yagura.example>"] if server else []
    return Hub("--interface", "ygb", "--darknet", "198.18.0.0/15", "--notices", texts, "--livenet-quiet", "3s", *given, *options,
               program=(YAGURA, "hub"), **more)


def member(hub, key="city", **fields):
    number = 1 + sum(map(ord, key)) % 200
    whole = {"key": key, "name": f"{key}市", "kind": "municipality", "prefixes": [f"203.0.{number}.0/24"],
             "contacts": [{"role": "security", "name": "担当", "mail": f"soc@{key}.example", "language": "ja"}], **fields}
    before = hub.status()["livenet"]["published"]
    answer = hub.local("PUT", f"/api/v1/members/{key}", whole)
    assert answer.status in (200, 201), answer.body
    hub.wait(lambda: hub.status()["livenet"]["published"] > before)
    time.sleep(0.3)  # the sensor has to take the list up
    return f"203.0.{number}.9"


def infect(source):
    sender = namespace.Sender()
    sender.send(namespace.ipv4(source, DARK, 6, namespace.tcp(40000, 23, 0xc6120009)))
    sender.close()


def notices(hub, **filters):
    query = "&".join(f"{name}={value}" for name, value in filters.items())
    return hub.local("GET", f"/api/v1/notices?{query}").json()["notices"]


def life(hub, notice):
    return hub.local("GET", f"/api/v1/notices/{notice['id']}").json()


def parsed(mail):
    return email.message_from_bytes(mail, policy=email.policy.default)
