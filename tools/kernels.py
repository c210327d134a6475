"""Kernels that talk over Unix sockets, each in a folder of its own, so that many can start at once.

With TCP two kernels that start at the same moment can take one port, and one of them dies ("Kernel
died before replying to kernel_info"). As a pytest plugin (``-p kernels``) it gives nbval such
kernels; `AsyncSockets` is for nbclient, and `LabSockets` for a Jupyter server.

None of these kernels keeps what is solved in it: what a tool runs is no learner's progress, and
what the notebooks show must not depend on it.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

import zmq
from jupyter_client import AsyncKernelManager, KernelManager
from jupyter_client.connect import ConnectionFileMixin
from jupyter_client.ioloop import AsyncIOLoopKernelManager
from traitlets import default

os.environ.setdefault("ATTENTION_LAB_PROGRESS", "off")

__all__ = ["AsyncSockets", "LabSockets", "Sockets"]


class _OwnFolder(ConnectionFileMixin):
    @default("transport")
    def _by_socket(self) -> str:
        return "tcp" if os.name == "nt" else "ipc"

    @default("ip")
    def _own_folder(self) -> str:
        if self.transport == "tcp":
            return "127.0.0.1"
        # a short path: a socket's name has at most 107 characters
        return str(Path(tempfile.mkdtemp(prefix="alab-")) / "k")

    def write_connection_file(self, **kwargs: Any) -> None:
        """Make the folder as well: a restart has taken the old one away."""
        if self.transport == "ipc":
            Path(self.ip).parent.mkdir(mode=0o700, exist_ok=True)
        super().write_connection_file(**kwargs)

    def cleanup_ipc_files(self) -> None:
        super().cleanup_ipc_files()
        if self.transport == "ipc":
            shutil.rmtree(Path(self.ip).parent, ignore_errors=True)


class Sockets(_OwnFolder, KernelManager):
    """For nbval."""


class AsyncSockets(_OwnFolder, AsyncKernelManager):
    """For nbclient."""


class LabSockets(_OwnFolder, AsyncIOLoopKernelManager):
    """For a Jupyter server."""

    def _create_connected_socket(self, channel: str, identity: bytes | None = None) -> zmq.Socket:
        # Run All of a page of widgets sends 1600 messages in a second. Where the server is busy for
        # a moment, zmq keeps 1000 of them and drops the others: an output is missing, or the end of
        # a cell. 0 is no limit.
        self.context.setsockopt(zmq.RCVHWM, 0)
        return super()._create_connected_socket(channel, identity)


def pytest_configure() -> None:
    try:
        import nbval.kernel
    except ImportError:  # a run of pytest without notebooks
        return
    nbval.kernel.KernelManager = Sockets
