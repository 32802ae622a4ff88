#!/usr/bin/env python3
"""The command line as a newcomer meets it: help, manual, mistakes, exit statuses, both languages."""
import json
import shutil
import subprocess

from harness import main, yagura


def commands():
    return yagura("manual", "--list")[1].split("\n")[:-1]


def help_names_every_command():
    status, out, _ = yagura("--help")
    assert status == 0
    assert len(commands()) >= 2
    for command in commands():
        assert command in out, command


def every_command_has_help_in_both_languages():
    for command in commands():
        status, english, _ = yagura(*command.split(), "--help")
        assert status == 0 and "Usage: yagura " + command in english, command
        status, japanese, _ = yagura(*command.split(), "--help", LC_ALL="ja_JP.UTF-8")
        assert status == 0 and "使い方: yagura " + command in japanese, command
        assert japanese != english, command


def every_option_is_explained_in_both_languages():
    for command in commands():
        for language in ("C.UTF-8", "ja_JP.UTF-8"):
            for line in yagura(*command.split(), "--help", LC_ALL=language)[1].splitlines():
                if line.startswith("  --"):
                    assert len(line.split(None, 2)) > 1 and line.rstrip() == line, (command, line)


def every_manual_page_formats_without_complaint():
    assert shutil.which("groff") or shutil.which("man"), "groff or man is needed"
    for command in commands():
        status, page, _ = yagura("manual", *command.split())
        assert status == 0 and page.startswith(".TH yagura-"), command
        if shutil.which("groff"):
            done = subprocess.run(["groff", "-man", "-Tutf8", "-ww"], input=page, capture_output=True, text=True)
            assert done.returncode == 0 and not done.stderr, (command, done.stderr)


def mistakes_are_answered_with_help():
    for arguments, part in [
        (["dcotor"], "did you mean 'doctor'"),
        (["doctor", "--dat", "x"], "did you mean 'data'"),
        (["doctor", "--data"], "DIR was expected"),
        (["doctor", "more"], "takes no operands"),
        (["manual", "nothing"], "there is no command"),
        (["doctor", "--config", "/nonexistent.yaml"], "/nonexistent.yaml"),
    ]:
        status, _, err = yagura(*arguments)
        assert status == 2, (arguments, status)
        assert part in err, (arguments, err)


def doctor_speaks_json():
    status, out, _ = yagura("doctor", "--json")
    report = json.loads(out)
    assert status == (0 if report["ok"] else 1)
    assert {check["check"] for check in report["checks"]} >= {"landlock", "seccomp", "places", "disk"}


def the_version_is_said():
    status, out, _ = yagura("--version")
    assert status == 0 and out.startswith("yagura ")


main([help_names_every_command, every_command_has_help_in_both_languages, every_option_is_explained_in_both_languages,
      every_manual_page_formats_without_complaint, mistakes_are_answered_with_help, doctor_speaks_json, the_version_is_said])
