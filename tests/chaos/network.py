"""Two hosts on one network of this machine, as network namespaces; each can be cut off and connected again."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from tests.chaos.databases import CannotStart

HERE = "10.213.77.1"
"""The address of this machine on the network, where PostgreSQL, GitHub and Slack listen."""
NETWORK = "10.213.77.0/24"


@dataclass(frozen=True, slots=True)
class Host:
    """One namespace, and this machine's end of its cable."""

    name: str
    address: str
    cable: str

    def cut_off(self) -> None:
        """Pull the cable: whatever is sent is lost, and no connection ends by it."""
        _ip("link", "set", self.cable, "down")

    def connect(self) -> None:
        """Plug it in again."""
        _ip("link", "set", self.cable, "up")


@contextmanager
def two_hosts() -> Iterator[tuple[Host, Host]]:
    """Raises CannotStart where namespaces can't be made."""
    bridge = f"st{os.getpid()}"
    hosts = [Host(f"{bridge}{end}", f"10.213.77.{2 + n}", f"{bridge}{end}") for n, end in enumerate("ab")]
    try:
        _connect_all(bridge, hosts)
    except (OSError, subprocess.CalledProcessError) as error:
        _remove(bridge, hosts)
        reason = error.stderr.decode().strip() if isinstance(error, subprocess.CalledProcessError) else error
        raise CannotStart(f"network namespaces need Linux, iproute2 and root's rights: {reason}") from error
    try:
        yield hosts[0], hosts[1]
    finally:
        _remove(bridge, hosts)


def _connect_all(bridge: str, hosts: list[Host]) -> None:
    _ip("link", "add", bridge, "type", "bridge")
    _ip("addr", "add", f"{HERE}/24", "dev", bridge)
    _ip("link", "set", bridge, "up")
    for host in hosts:
        _ip("netns", "add", host.name)
        _ip("link", "add", host.cable, "type", "veth", "peer", "name", "eth0", "netns", host.name)
        _ip("link", "set", host.cable, "master", bridge, "up")
        for words in (
            ("addr", "add", f"{host.address}/24", "dev", "eth0"),
            ("link", "set", "eth0", "up"),
            ("link", "set", "lo", "up"),
        ):
            _ip("-n", host.name, *words)


def _remove(bridge: str, hosts: list[Host]) -> None:
    """The end of a namespace removes its cable."""
    for words in (*(("netns", "del", host.name) for host in hosts), ("link", "del", bridge)):
        subprocess.run(("ip", *words), capture_output=True, check=False)


def _ip(*words: str) -> None:
    subprocess.run(("ip", *words), capture_output=True, check=True)
