"""The browser lab: a page on this machine only, that needs no internet."""

import errno
import gc
import importlib.metadata
import importlib.util
import logging
import os
import signal
import socket
import threading
import time
import warnings
import webbrowser
from collections.abc import Iterable

from simulation.errors import TumorLabError
from simulation.progress import Bars

from ..scenarios.scenario import Scenario

HOST = "127.0.0.1"
PORT = 8521  # Mesa's own
FAREWELL = 3.0  # seconds that the sessions have to end, before the server ends without them
QUIET = {
    "SOLARA_APP": "experiments.page.page",
    "SOLARA_TELEMETRY_MIXPANEL_ENABLE": "false",
    "SOLARA_ASSETS_FONTAWESOME_ENABLED": "false",
    "SOLARA_KERNEL_CULL_TIMEOUT": "10m",
    "SOLARA_THEME_SHOW_BANNER": "false",
    "SOLARA_THEME_LOADER": "plain",
    "SOLARA_THEME_TITLE": "Tumor-Immune Lab",
    "SOLARA_STORAGE_MUTATION_DETECTION": "false",
    "SOLARA_MODE": "production",
    "SOLARA_ASSETS_PROXY": "true",  # libraries of the page come from this server, also where solara believes otherwise
}


class AppError(TumorLabError):
    """The lab cannot be opened; the message is one sentence."""


def main(
    port: int | None = None,
    open_browser: bool = True,
    *,
    host: str = HOST,
    names: Iterable[str] = (),
    sessions: int | None = None,
    scenarios: Iterable[str] = (),
) -> None:
    """Serve the lab on this machine until it is interrupted; ``port`` defaults to PORT, or the next that is free.

    ``names``: further names under which browsers may open it; ``sessions``: visitors at once; ``scenarios``: files
    of one's own, offered beside those that ship, the first one on the bench. Raises AppError when solara is missing or cannot
    serve there, ScenarioError for a file that is none.
    """
    check_installed()
    from .gate import guarded, libraries, name_of

    port = free_port(host) if port is None else taken_or(host, port)
    for name in names:
        if not name or name_of(name.lower()) != name.lower():
            raise AppError(
                f"--allow {name!r} is not allowed: give a name alone, such as lab.example.org",
                key="--allow",
            )
    if sessions is not None and sessions < 1:
        raise AppError(
            f"--sessions {sessions} is not allowed: give a number of at least 1", key="--sessions"
        )
    os.environ |= QUIET
    from .session import OFFERED, SEATS, first

    OFFERED.update({file: Scenario.load(file) for file in scenarios})
    warnings.filterwarnings("ignore", message="Cookies with samesite")
    with Bars():
        warm(first())
    import uvicorn

    if not libraries().is_dir():
        raise AppError(
            f"the libraries of the page are not in {libraries()}: pip install --force-reinstall solara-assets"
        )
    SEATS.most = sessions or SEATS.most
    lab = guarded(host, names, SEATS.most)
    server = uvicorn.Server(
        uvicorn.Config(lab, host=host, port=port, log_level="error", timeout_graceful_shutdown=1)
    )
    threading.Thread(target=attend, args=(server, host, port, open_browser), daemon=True).start()
    server.run()


def check_installed() -> None:
    """Raise AppError when a library is missing that the page needs."""
    for module in ("solara", "ipyvuetify", "uvicorn"):
        if importlib.util.find_spec(module) is None:
            raise AppError(f'the browser lab needs {module}: pip install "tumorlab[lab]"')
    try:
        importlib.metadata.version("solara-assets")
    except importlib.metadata.PackageNotFoundError:
        raise AppError(
            'the browser lab needs solara-assets to work without internet: pip install "tumorlab[lab]"'
        ) from None


def warm(scenario: str) -> None:
    """Grow the first tumour before anybody waits for it: loops are compiled or loaded, and the shelf holds one."""
    from ..lab.lab import Lab

    lab = Lab(scenario)
    lab.open()
    lab.step()
    lab.frame()
    gc.collect()
    gc.freeze()  # what is loaded stays: forgetting a tumour later takes milliseconds


def free_port(host: str) -> int:
    """PORT, or the next one that nobody uses."""
    for port in range(PORT, PORT + 50):
        if is_free(host, port):
            return port
    raise AppError(f"no port from {PORT} to {PORT + 49} is free: choose one with --port")


def taken_or(host: str, port: int) -> int:
    """A port that was asked for; raises AppError when it cannot be used."""
    if not 1 <= port <= 65535:
        raise AppError(f"--port {port} is not allowed: give a number from 1 to 65535", key="--port")
    if not is_free(host, port):
        raise AppError(f"port {port} is in use: choose another --port, or leave it out")
    return port


def is_free(host: str, port: int) -> bool:
    """Whether nobody uses a port of an address of this machine; raises AppError where it is none."""
    try:
        family, kind, _, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        with socket.socket(family, kind) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except (OSError, UnicodeError) as error:
        if isinstance(error, UnicodeError | socket.gaierror) or error.errno == errno.EADDRNOTAVAIL:
            raise AppError(
                f"--host {host!r} is no address of this machine: give one, or leave it out for {HOST}",
                key="--host",
            ) from None
        return False
    return True


def attend(server, host: str, port: int, open_browser: bool) -> None:
    """Say where the lab is as soon as it answers, and see to it that it ends when it is told to."""
    while not server.started:
        time.sleep(0.05)
    from .gate import EVERY_ADDRESS, bracketed

    url = f"http://{HOST if host in EVERY_ADDRESS else bracketed(host)}:{port}"
    print(f"The lab is open at {url} (stop it with Ctrl-C).", flush=True)
    if open_browser:
        webbrowser.open(url)
    while not server.should_exit:
        time.sleep(0.1)
    time.sleep(FAREWELL)
    os._exit(
        128 + signal.SIGTERM
    )  # a session holds on: nothing of it is lost that is not lost anyway


if __name__ == "__main__":
    logging.basicConfig()
    main()
