"""A real JupyterLab in a real browser: what the browser tests and the benchmark drive."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
CHROMIUM = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
RUN_SECONDS = 120


def wait_for(condition: Callable[[], Any], seconds: float, what: str) -> Any:
    """Return the first true result of ``condition``; a refused connection counts as false."""
    end = time.monotonic() + seconds
    while True:
        try:
            if result := condition():
                return result
        except OSError:
            pass
        if time.monotonic() > end:
            raise TimeoutError(f"{what} did not happen within {seconds} s")
        time.sleep(0.1)


@contextmanager
def serve(home: Path, notebooks: Sequence[Path]) -> Iterator[str]:
    """Start a JupyterLab on copies of notebooks, with settings of its own; give its address."""
    (home / "notebooks").mkdir()
    for path in notebooks:
        shutil.copy(path, home / "notebooks")
    # all cells are in the page, not only those in view
    settings = home / "settings" / "@jupyterlab" / "notebook-extension"
    settings.mkdir(parents=True)
    (settings / "tracker.jupyterlab-settings").write_text('{"windowingMode": "none"}')
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root"]
    options = [
        f"--port={port}",
        "--ServerApp.port_retries=0",  # another port would be another address
        "--ip=127.0.0.1",
        "--IdentityProvider.token=",
        "--MultiKernelManager.kernel_manager_class=kernels.LabSockets",
    ]
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "tools")]),
        "JUPYTER_CONFIG_PATH": str(ROOT / "tools" / "jupyter"),
        "JUPYTER_CONFIG_DIR": str(home / "config"),
        "JUPYTERLAB_SETTINGS_DIR": str(home / "settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(home / "workspaces"),
    }
    with (home / "log").open("w") as log:
        server = subprocess.Popen(
            [*command, *options], cwd=home / "notebooks", env=environment, stdout=log, stderr=log
        )
        address = f"http://127.0.0.1:{port}"
        try:
            up = f"{address}/api"
            wait_for(lambda: urllib.request.urlopen(up).close() or True, 60, "JupyterLab's start")
            yield address
        finally:
            server.terminate()
            try:
                server.wait(60)
            except subprocess.TimeoutExpired:  # a busy machine: its kernels end with it
                server.kill()


def open_notebook(browser: Any, address: str, name: str) -> Any:
    """Open a notebook in a new page, run all its cells, and return the page."""
    page = browser.new_page(viewport={"width": 1400, "height": 1200})
    page.goto(f"{address}/lab/tree/{name}?reset")
    page.wait_for_selector(".jp-Notebook .jp-CodeCell", timeout=60_000)
    assert page.locator(".jp-Dialog").count() == 0
    wait_for(lambda: is_idle(page), 60, "an idle kernel")
    menu(page, "Run", "Run All Cells")
    last = page.locator(".jp-CodeCell .jp-InputArea-prompt").last
    wait_for(lambda: "*" in last.inner_text() or is_done(page), RUN_SECONDS, "a start")
    try:
        wait_for(lambda: is_done(page), RUN_SECONDS, "Run All")
    except TimeoutError:
        _run_again(page)
    return page


def _run_again(page: Any) -> None:
    """Run a cell whose end never arrived, as a reader does.

    Seen once in some hundred runs, with JupyterLab 4.6 on a busy machine: the kernel has run the
    cell, since its number is missing, and waits; the page has neither its outputs nor its end.
    """
    stuck = page.locator(".jp-CodeCell", has=page.locator(".jp-InputArea-prompt", has_text="*"))
    if not is_idle(page) or stuck.count() != 1:
        raise TimeoutError("Run All did not end, and not for one cell whose end was lost")
    stuck.locator(".cm-content").click()
    page.keyboard.press("Control+Enter")
    wait_for(lambda: is_done(page), RUN_SECONDS, "the cell that was run again")


def is_idle(page: Any) -> bool:
    """Say whether the kernel waits."""
    return "Idle" in page.locator("#jp-main-statusbar").inner_text()


def is_done(page: Any) -> bool:
    """Say whether every code cell has run."""
    prompts = page.locator(".jp-CodeCell .jp-InputArea-prompt").all_inner_texts()
    return is_idle(page) and all(re.search(r"\[\d+\]", prompt) for prompt in prompts)


def menu(page: Any, *labels: str) -> None:
    """Choose an entry of JupyterLab's menu bar."""
    page.get_by_role("menuitem", name=labels[0], exact=True).click()
    for label in labels[1:-1]:
        page.locator(".lm-Menu-itemLabel", has_text=re.compile(f"^{label}$")).hover()
    page.locator(".lm-Menu-itemLabel", has_text=re.compile(f"^{labels[-1]}$")).click()


def save(page: Any, path: Path) -> None:
    """Save the notebook of a page, which lies at ``path``, and wait until that is done."""
    before = path.stat().st_mtime_ns
    menu(page, "File", "Save Notebook")
    wait_for(lambda: path.stat().st_mtime_ns != before, 20, f"the saving of {path.name}")
    dirty = page.locator(".jp-mod-dirty")
    wait_for(lambda: dirty.count() == 0, 20, f"the end of the saving of {path.name}")
