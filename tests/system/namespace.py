"""A network namespace that lives as long as the test, with a veth pair in it: yga sends, ygb hears."""
import ctypes
import os
import socket
import struct
import subprocess

CLONE_NEWNET = 0x40000000
ETHERNET = b"\2\0\0\0\0\1\2\0\0\0\0\2"


def enter():
    """False where that is not allowed."""
    if os.geteuid() != 0 or ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNET) != 0:
        return False
    return subprocess.run(["ip", "link", "set", "lo", "up"]).returncode == 0


def pair_make():
    subprocess.run(["ip", "link", "add", "yga", "type", "veth", "peer", "name", "ygb"], check=True)
    for name in ("yga", "ygb"):
        with open(f"/proc/sys/net/ipv6/conf/{name}/disable_ipv6", "w") as file:
            file.write("1")
        subprocess.run(["ip", "link", "set", name, "up"], check=True)


def pair_delete():
    subprocess.run(["ip", "link", "del", "yga"], stderr=subprocess.DEVNULL)


def ipv4(source, target, protocol, body, ttl=64, number=1):
    header = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(body), number & 0xffff, 0, ttl, protocol, 0,
                         socket.inet_aton(source), socket.inet_aton(target))
    return ETHERNET + b"\x08\0" + header + body


def ipv6(source, target, protocol, body, ttl=64):
    header = struct.pack("!IHBB", 0x60000000, len(body), protocol, ttl)
    return ETHERNET + b"\x86\xdd" + header + socket.inet_pton(socket.AF_INET6, source) + socket.inet_pton(socket.AF_INET6, target) + body


def tcp(sport, dport, seq=1, flags=2, window=1000, words=5):
    return struct.pack("!HHIIBBHHH", sport, dport, seq, 0, words << 4, flags, window, 0, 0)


class Sender:
    def __init__(self):
        self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
        self.socket.bind(("yga", 0))

    def send(self, frame):
        self.socket.send(frame.ljust(60, b"\0"))

    def close(self):
        self.socket.close()
