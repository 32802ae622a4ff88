"""What the system tests share: run the program as a user would, count what holds, close with "N passed, N failed"."""
import os
import subprocess
import sys
import traceback

YAGURA = os.environ.get("YAGURA", "build/src/cli/yagura")
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SHARED = os.path.join(ROOT, "..", "shared", "data")


def yagura(*arguments, timeout=120, **env):
    """Exit status, standard output, standard error of one command."""
    done = subprocess.run([YAGURA, *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          stdin=subprocess.DEVNULL, timeout=timeout, env={**os.environ, "LC_ALL": "C.UTF-8", **env})
    return done.returncode, done.stdout, done.stderr


def main(tests):
    """Run functions in turn; a test fails by raising."""
    passed = failed = 0
    for test in tests:
        try:
            test()
            passed += 1
            print(f"ok   {test.__name__}", flush=True)
        except Exception:
            failed += 1
            print(f"FAIL {test.__name__}\n{traceback.format_exc()}", flush=True)
    print(f"{passed} passed, {failed} failed")
    sys.exit(1 if failed else 0)
