"""Exim on loopback with everything in a folder of its own. A file `refuse`, `later` or `slow` in the folder makes it refuse
(550), put off (451, as greylisting does) or answer late, for all recipients; a recipient `gone` is always refused."""
import email
import email.policy
import json
import os
import pwd
import signal
import socket
import subprocess
import sys
import tempfile
import time

EXIM = "/usr/sbin/exim4"

CONFIG = """
primary_hostname = mail.example
spool_directory = {dir}/spool
log_file_path = {dir}/log/%slog
pid_file_path = {dir}/exim.pid
local_interfaces = 127.0.0.1
daemon_smtp_ports = {port}
acl_smtp_rcpt = rcpt
tls_advertise_hosts = {tls}
tls_certificate = {dir}/mail.pem
tls_privatekey = {dir}/mail.key
smtp_accept_max = 50
smtp_accept_max_per_connection = 100000
smtp_accept_queue_per_connection = 0
queue_run_max = 1
keep_environment =
never_users =
message_size_limit = 20M
prdr_enable = false
log_selector = +received_recipients
begin acl
rcpt:
  deny message = 5.1.1 there is no such mailbox
       local_parts = gone
  deny message = 5.7.1 refused
       condition = ${{if exists{{{dir}/refuse}}}}
  defer message = 4.7.1 greylisted, please come again
       condition = ${{if exists{{{dir}/later}}}}
  warn condition = ${{if exists{{{dir}/slow}}}}
       delay = 3s
  accept
begin routers
all:
  driver = accept
  transport = box
begin transports
box:
  driver = appendfile
  directory = {dir}/box
  maildir_format
  create_directory
  envelope_to_add
  user = Debian-exim
"""


def certificate(folder, name):
    """An authority and what it signed for localhost and 127.0.0.1: NAME-ca.pem, NAME.pem, NAME.key."""
    def openssl(*words):
        subprocess.run(["openssl", *words], cwd=folder, check=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    with open(os.path.join(folder, f"{name}.ext"), "w") as file:
        file.write("subjectAltName=DNS:localhost,IP:127.0.0.1\n")
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", f"{name}-ca.key", "-out",
            f"{name}-ca.pem", "-subj", f"/CN={name} authority", "-days", "2")
    openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", f"{name}.key", "-out",
            f"{name}.csr", "-subj", f"/CN={name}")
    openssl("x509", "-req", "-in", f"{name}.csr", "-CA", f"{name}-ca.pem", "-CAkey", f"{name}-ca.key", "-CAcreateserial", "-out",
            f"{name}.pem", "-days", "2", "-extfile", f"{name}.ext")
    return os.path.join(folder, f"{name}-ca.pem")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class MailServer:
    def __init__(self, folder, tls=True):
        self.folder, self.port, self.process = folder, free_port(), None
        self.ca = certificate(folder, "mail")
        user = pwd.getpwnam("Debian-exim")
        for name in ("spool", "log", "box"):
            os.mkdir(os.path.join(folder, name))
            os.chown(os.path.join(folder, name), user.pw_uid, user.pw_gid)
        os.chown(os.path.join(folder, "mail.key"), user.pw_uid, user.pw_gid)
        os.chmod(folder, 0o755)
        self.config = os.path.join(folder, "exim.conf")
        with open(self.config, "w") as file:
            file.write(CONFIG.format(dir=folder, port=self.port, tls="*" if tls else ""))
        self.url = f"smtp://localhost:{self.port}"

    def start(self):
        with open(os.path.join(self.folder, "out.txt"), "ab") as out:
            self.process = subprocess.Popen([EXIM, "-C", self.config, "-bdf", "-odb"], stdout=out, stderr=out,
                                            stdin=subprocess.DEVNULL, start_new_session=True)
        until = time.monotonic() + 20
        while True:
            assert self.process.poll() is None, open(os.path.join(self.folder, "out.txt")).read()
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
                return self
            except OSError:
                assert time.monotonic() < until, "the mail server does not listen"
                time.sleep(0.05)

    def stop(self):
        """The daemon and all that it began."""
        if self.process:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait(20)
            self.process = None

    def set(self, name, on=True):
        path = os.path.join(self.folder, name)
        if on:
            open(path, "w").close()
        elif os.path.exists(path):
            os.remove(path)

    def mails(self):
        """Whole mails that were delivered, as bytes."""
        new = os.path.join(self.folder, "box", "new")
        if not os.path.isdir(new):
            return []
        mails = []
        for name in sorted(os.listdir(new)):
            with open(os.path.join(new, name), "rb") as file:
                mails.append(file.read())
        return mails

    def log(self):
        path = os.path.join(self.folder, "log", "mainlog")
        if not os.path.exists(path):
            return ""
        with open(path, errors="replace") as file:
            return file.read()


def main():
    """For tests that are no Python: says {"url", "ca"}, then for each line it gets {"subject", "to", "text"} of all mails."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    with tempfile.TemporaryDirectory(prefix="yagura-mail-") as folder:
        server = MailServer(folder).start()
        try:
            print(json.dumps({"url": server.url, "ca": server.ca}), flush=True)
            for _ in sys.stdin:
                mails = [email.message_from_bytes(mail, policy=email.policy.default) for mail in server.mails()]
                print(json.dumps([{"subject": mail["Subject"], "to": str(mail["To"]), "text": mail.get_content()} for mail in mails]), flush=True)
        finally:
            server.stop()


if __name__ == "__main__":
    main()
