#!/usr/bin/env python3
"""Scopes of observation as people make them: written, filled in, signed by two, checked; OpenSSL's own command reads the keys."""
import json
import os
import subprocess
import tempfile

from harness import main, yagura

FILLED = ["--name", "members", "--legal-basis", "article 1", "--organisation", "institute", "--responsible", "佐藤", "--contact", "desk",
          "--mail", "a@example.jp", "--web", "https://example.jp/", "--reverse-dns", "survey.example.jp"]
ROOM = tempfile.TemporaryDirectory()


def room(name):
    return os.path.join(ROOM.name, name)


def scope(name, *networks):
    path = room(name)
    status, _, err = yagura("scope", "new", *FILLED, "--network", *(networks or ["198.18.0.0/16"]), "-o", path)
    assert status == 0, err
    return path


def sign(path, *people):
    for person in people:
        status, _, err = yagura("scope", "sign", "--key", room(person + ".pem"), "--person", person, path)
        assert status == 0, err


def refusals(path, *options):
    """Names of the reasons against a scope; the exit status must agree."""
    status, out, err = yagura("scope", "check", "--approvers", room("approvers.txt"), "--json", *options, path)
    verdict = json.loads(out)
    assert status == (0 if verdict["valid"] else 1), (status, out)
    assert verdict["valid"] or "nothing may be sent" in err
    return [refusal["name"] for refusal in verdict["refusals"]]


def people_have_keys():
    with open(room("approvers.txt"), "w", encoding="utf-8") as file:
        for person in ("Sato Hanako", "鈴木 一郎"):
            status, out, err = yagura("scope", "key", "--person", person, "-o", room(person + ".pem"))
            assert status == 0, err
            file.write(out)
            assert os.stat(room(person + ".pem")).st_mode & 0o777 == 0o600
            openssl = subprocess.run(["openssl", "pkey", "-in", room(person + ".pem"), "-noout", "-text"], stdout=subprocess.PIPE, text=True)
            assert "ED25519" in openssl.stdout
    status, _, err = yagura("scope", "key", "--person", "Sato Hanako", "-o", room("Sato Hanako.pem"))
    assert status == 1 and "File exists" in err, "a key is never overwritten"


def form_is_not_a_scope():
    status, out, _ = yagura("scope", "new")
    assert status == 0
    path = room("form.yaml")
    with open(path, "w") as file:
        file.write(out)
    line = out.split("\n").index('name: ""') + 1
    status, _, err = yagura("scope", "sign", "--key", room("Sato Hanako.pem"), "--person", "Sato Hanako", path)
    assert status == 1 and f"form.yaml:{line}: name: a text" in err, err


def two_sign():
    path = scope("good.yaml")
    assert refusals(path) == ["unsigned"]
    sign(path, "Sato Hanako")
    assert refusals(path) == ["one-signature"]
    sign(path, "Sato Hanako")
    assert refusals(path) == ["same-person-twice"]
    sign(path, "鈴木 一郎")
    assert refusals(path) == []
    assert refusals(path, "--at", "-1d") == ["not-yet-valid"]
    assert refusals(path, "--at", "2199-01-01") == ["expired"]
    status, out, _ = yagura("scope", "show", "--json", path)
    shown = json.loads(out)
    assert status == 0 and shown["networks"] == ["198.18.0.0/16"] and shown["responsible"] == "佐藤"
    assert [signature["person"] for signature in shown["signatures"]] == ["Sato Hanako", "Sato Hanako", "鈴木 一郎"]


def change_is_seen():
    path = scope("changed.yaml")
    sign(path, "Sato Hanako", "鈴木 一郎")
    with open(path, encoding="utf-8") as file:
        text = file.read()
    with open(path, "w", encoding="utf-8") as file:
        file.write(text.replace("# Shown", "# Plainly shown"))
    assert refusals(path) == [], "a comment may change"
    with open(path, "w", encoding="utf-8") as file:
        file.write(text.replace("198.18.0.0/16", "198.18.0.0/15"))
    assert refusals(path) == ["tampered", "tampered"]
    status, out, _ = yagura("scope", "check", "--approvers", room("approvers.txt"), path)
    lines = [str(number) for number, line in enumerate(text.split("\n"), 1) if "person:" in line]
    assert status == 1 and [line.split(":")[1:3] for line in out.strip().split("\n")] == [[line, " tampered"] for line in lines], out


def mistakes_are_named():
    for networks, names in ((["224.0.0.0/24", "198.18.0.0/24", "127.0.0.1"], ["multicast", "loopback"]),
                            (["198.0.0.0/7"], ["too-wide"]), (["10.0.0.0/8"], ["private"])):
        path = scope(f"mistake-{names[0]}.yaml", *networks)
        sign(path, "Sato Hanako", "鈴木 一郎")
        assert refusals(path) == names, (networks, refusals(path))


def nobody_may_sign():
    path = scope("nobody.yaml")
    sign(path, "Sato Hanako", "鈴木 一郎")
    status, _, err = yagura("scope", "check", "--approvers", room("none.txt"), path)
    assert status == 1 and "list of approvers" in err, err
    with open(room("empty.txt"), "w") as file:
        file.write("# nobody\n")
    status, out, _ = yagura("scope", "check", "--approvers", room("empty.txt"), path)
    assert status == 1 and out.count("unknown-signer") == 2, out


if __name__ == "__main__":
    main([people_have_keys, form_is_not_a_scope, two_sign, change_is_seen, mistakes_are_named, nobody_may_sign])
