"""The browser lab: a page on this machine only, that needs no internet."""

import gc
import importlib.metadata
import importlib.util
import logging
import os
import socket
import threading
import time
import warnings
import webbrowser

from simulation.progress import Bars

HOST = "127.0.0.1"
PORT = 8521  # Mesa's own
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
}


class AppError(ValueError):
    """The lab cannot be opened; the message is one sentence."""


def main(port: int | None = None, open_browser: bool = True) -> None:
    """Serve the lab on this machine until it is interrupted; ``port`` defaults to PORT, or the next that is free.

    Raises AppError when solara is missing or a port that was asked for is taken.
    """
    check_installed()
    port = free_port() if port is None else taken_or(port)
    os.environ |= QUIET
    warnings.filterwarnings("ignore", message="Cookies with samesite")
    with Bars():
        warm()
    import uvicorn

    config = uvicorn.Config("solara.server.starlette:app", host=HOST, port=port, log_level="error", timeout_graceful_shutdown=2)
    server = uvicorn.Server(config)
    threading.Thread(target=announce, args=(server, port, open_browser), daemon=True).start()
    server.run()


def check_installed() -> None:
    """Raise AppError when a library is missing that the page needs."""
    for module in ("solara", "ipyvuetify", "uvicorn"):
        if importlib.util.find_spec(module) is None:
            raise AppError(f'the browser lab needs {module}: pip install "tumorlab[lab]"')
    try:
        importlib.metadata.version("solara-assets")
    except importlib.metadata.PackageNotFoundError:
        raise AppError('the browser lab needs solara-assets to work without internet: pip install "tumorlab[lab]"') from None


def warm() -> None:
    """Grow the first tumour before anybody waits for it: loops are compiled or loaded, and the shelf holds one."""
    from .lab.lab import Lab

    lab = Lab()
    lab.open()
    lab.step()
    lab.frame()
    gc.collect()
    gc.freeze()  # what is loaded stays: forgetting a tumour later takes milliseconds


def free_port() -> int:
    """PORT, or the next one that nobody uses."""
    for port in range(PORT, PORT + 50):
        if is_free(port):
            return port
    raise AppError(f"no port from {PORT} to {PORT + 49} is free: choose one with --port")


def taken_or(port: int) -> int:
    """A port that was asked for; raises AppError when it cannot be used."""
    if not 1 <= port <= 65535:
        raise AppError(f"--port {port} is not allowed: give a number from 1 to 65535")
    if not is_free(port):
        raise AppError(f"port {port} is in use: choose another --port, or leave it out")
    return port


def is_free(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def announce(server, port: int, open_browser: bool) -> None:
    """Say where the lab is as soon as it answers, and open it."""
    while not server.started:
        time.sleep(0.05)
    url = f"http://{HOST}:{port}"
    print(f"The lab is open at {url} (stop it with Ctrl-C).", flush=True)
    if open_browser:
        webbrowser.open(url)


if __name__ == "__main__":
    logging.basicConfig()
    main()
