"""The gate of the lab: who may come in to the web server, by which name, and how many at once."""

import re
from collections.abc import Iterable
from pathlib import Path

from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocketClose

THIS_MACHINE = ("localhost", "127.0.0.1", "[::1]")
EVERY_ADDRESS = ("0.0.0.0", "::", "")
WAITING = 100  # connections beyond the sessions: pages that say that the lab is full
PLACE = re.compile(r"(?P<name>\[[0-9a-f:.]+\]|[^\s:/?#@\[\]]+)(:\d{1,5})?")
LIBRARIES = "/_solara/cdn"
FULL = "The lab is full, also with those who wait for a place: try again in a few minutes.\n"


def guarded(host: str, names: Iterable[str], sessions: int) -> "Gate":
    """The whole web server of the lab: solara behind a gate, and the libraries of its page as plain files."""
    from solara.server import starlette

    own = [] if host in EVERY_ADDRESS else [bracketed(host)]
    app = Starlette(
        routes=[
            Mount(LIBRARIES, StaticFiles(directory=libraries())),
            *without_libraries(starlette.routes),
        ],
        lifespan=starlette.lifespan,
        middleware=starlette.middleware,
    )
    return Gate(app, own, names, sessions + WAITING)


def libraries() -> Path:
    """The installed folder of the scripts and styles that the page loads."""
    from solara.server import settings

    return settings.assets.proxy_cache_dir


def without_libraries(routes: list) -> list:
    """Routes without solara's own for libraries: it removes a folder that is asked for, and fetches what is missing."""
    return [route for route in routes if getattr(route, "path", None) != LIBRARIES]


def bracketed(name: str) -> str:
    """A name as it stands in a Host header: an IPv6 address in brackets."""
    return f"[{name}]" if name.count(":") > 1 and not name.startswith("[") else name.lower()


class Gate:
    """Lets in what asks for an allowed name (Host), and of what web pages send (Origin) only what the lab's own page sends.

    Any web page that is open in a browser can send requests to this machine; a name of its own can be made to lead here.
    ``own`` are names of this server beside those of this machine, ``given`` those under which a proxy may show it.
    """

    def __init__(
        self,
        app: ASGIApp,
        own: Iterable[str] = (),
        given: Iterable[str] = (),
        connections: int = WAITING,
    ):
        self.app, self.connections, self.open = app, connections, 0
        self.given = {*map(bracketed, given)}
        self.names = {*THIS_MACHINE, *map(bracketed, own), *self.given}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request in, or answer why not."""
        live = scope["type"] == "websocket"
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
        elif why := self.refusal(Headers(scope=scope)):
            await (WebSocketClose(1008, why) if live else PlainTextResponse(why, 403))(
                scope, receive, send
            )
        elif self.open >= self.connections and (live or scope["path"] == "/"):
            answer = (
                WebSocketClose(1013, FULL)
                if live
                else PlainTextResponse(FULL, 503, {"retry-after": "60"})
            )
            await answer(scope, receive, send)
        else:
            self.open += live
            try:
                await self.app(scope, receive, send)
            finally:
                self.open -= live

    def refusal(self, headers: Headers) -> str:
        """Why a request is turned away; nothing where it may come in."""
        hosts, origins = (
            [value.lower() for value in headers.getlist(key)] for key in ("host", "origin")
        )
        name = name_of(hosts[0]) if len(hosts) == 1 else ""
        if name not in self.names:
            return "The lab does not answer to this name: open it at localhost, or start it with --allow NAME.\n"
        for origin in origins:
            place = origin.partition("://")[2]
            if len(origins) > 1 or (place != hosts[0] and name_of(place) not in self.given):
                return "The lab answers to its own page only, not to others in the browser.\n"
        return ""


def name_of(place: str) -> str:
    """The name in ``name:port``; empty where it is none."""
    found = PLACE.fullmatch(place)
    return found["name"] if found else ""
