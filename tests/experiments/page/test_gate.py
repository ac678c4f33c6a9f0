"""The web server of the lab, asked by what is not its page: other names, other pages, other paths, crowds."""

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import closing, suppress
from pathlib import Path

import pytest

pytest.importorskip("solara", reason='no solara here: pip install "tumorlab[lab]"')
connect = pytest.importorskip("websockets.sync.client").connect
from websockets.exceptions import ConnectionClosed, InvalidStatus  # noqa: E402

from experiments.page import app  # noqa: E402

ROOT = Path(__file__).parents[3]
LIBRARY = "@widgetti/solara-vuetify-app@10.1.1"
OURS = "http://127.0.0.1:{port}"


def free() -> int:
    with closing(socket.socket()) as probe:
        probe.bind((app.HOST, 0))
        return probe.getsockname()[1]


class Served:
    """A lab in a process of its own, whose libraries are a copy that may be lost, and whose outside is a trap."""

    def __init__(self, folder: Path, *, sessions: int = 2, before: str = ""):
        self.port, self.libraries = free(), folder / "cdn"
        for name in (
            f"{LIBRARY}/dist/main8.css",
            f"{LIBRARY}/package.json",
            "requirejs@2.3.6/require.js",
        ):
            (self.libraries / name).parent.mkdir(parents=True, exist_ok=True)
            (self.libraries / name).write_text(f"/* {name} */")
        (folder / "secret.txt").write_text("nobody's business")
        self.trap = socket.create_server((app.HOST, 0))
        self.trap.setblocking(False)
        start = (
            f"import solara.server.settings; {before}\n"
            f"assert str(solara.server.settings.assets.proxy_cache_dir) == {str(self.libraries)!r}\n"
            "from experiments.page.app import main\n"
            f"main({self.port}, False, names=['lab.example.org'], sessions={sessions})"
        )
        outside = {
            "SOLARA_ASSETS_PROXY_CACHE_DIR": str(self.libraries),
            "SOLARA_ASSETS_CDN": "http://{}:{}/".format(*self.trap.getsockname()),
        }
        self.process = subprocess.Popen(
            [sys.executable, "-c", start],
            cwd=ROOT,
            env=os.environ | app.QUIET | outside,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        said = []
        for line in self.process.stdout:
            said.append(line)
            if "The lab is open" in line:
                break
        assert self.process.poll() is None, f"the server did not start: {said}"
        threading.Thread(target=self.process.stdout.read, daemon=True).start()

    def ask(self, path: str, method: str = "GET", **headers) -> tuple[int, bytes]:
        """The answer to a request exactly as it stands here, dots in its path and all."""
        with closing(http.client.HTTPConnection(app.HOST, self.port, timeout=20)) as line:
            line.putrequest(method, path, skip_host=True)
            for name, value in ({"host": f"{app.HOST}:{self.port}"} | headers).items():
                for each in value if isinstance(value, list) else [value]:
                    if each is not None:
                        line.putheader(name, each)
            line.endheaders()
            answer = line.getresponse()
            return answer.status, answer.read()

    def live(self, name: str = "one", **headers):
        """A connection as the page opens one: a session of the name."""
        place = headers.pop("host", f"{app.HOST}:{self.port}")
        return connect(
            f"ws://{place}/jupyter/api/kernels/{name}/channels?session_id=page",
            sock=socket.create_connection((app.HOST, self.port)),
            open_timeout=20,
            close_timeout=1,
            additional_headers=headers,
            max_size=None,
        )

    def fetched(self) -> bool:
        """Whether anything was asked from outside."""
        try:
            self.trap.accept()[0].close()
        except BlockingIOError:
            return False
        return True

    def end(self, how: int = signal.SIGTERM) -> float:
        began = time.monotonic()
        self.process.send_signal(how)
        self.process.wait(30)
        self.trap.close()
        return time.monotonic() - began


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    lab = Served(tmp_path_factory.mktemp("served"))
    yield lab
    lab.end()


OTHER_NAMES = [
    "evil.example",
    "evil.example:{port}",
    "127.0.0.1.evil.example",
    "localhost.evil.example:{port}",
    "",
    None,
    "localhost@evil",
    "evil@localhost",
    "[::2]:{port}",
    "localhost:port",
    "localhost/evil",
    "10.0.0.1",
    "::1",
    "0.0.0.0:{port}",
    ["localhost", "evil.example"],
]
OUR_NAMES = [
    "localhost",
    "LOCALHOST:{port}",
    "127.0.0.1:1",
    "[::1]:{port}",
    "lab.example.org",
    "Lab.Example.org:443",
]
OTHER_PAGES = [
    "http://evil.example",
    "http://localhost:{port}",
    "http://127.0.0.1:1",
    "null",
    "",
    "http://127.0.0.1",
    "file://",
    "http://127.0.0.1:{port}.evil.example",
    "http://evil@127.0.0.1:{port}",
    "https://evil.example/127.0.0.1:{port}",
]


def filled(value, port: int):
    if isinstance(value, list):
        return [filled(each, port) for each in value]
    return value and value.format(port=port)


@pytest.mark.parametrize("name", OTHER_NAMES)
def test_a_name_that_only_leads_here_is_turned_away(served, name):
    for path in (
        "/",
        "/readyz",
        f"/_solara/cdn/{LIBRARY}/dist/main8.css",
        "/static/main-vuetify.js",
    ):
        status, said = served.ask(path, host=filled(name, served.port))
        assert status in ((400, 403) if name is None or isinstance(name, list) else (403,)), (
            "no Host or two: HTTP itself says no"
        )
        assert b"<html" not in said and b"/*" not in said
    if isinstance(name, str) and name.startswith(
        ("evil.example", "10.", "127.0.0.1.", "localhost.")
    ):
        with pytest.raises(InvalidStatus, match="403"):
            served.live(host=filled(name, served.port))


@pytest.mark.parametrize("name", OUR_NAMES)
def test_the_names_of_this_machine_and_those_that_were_given_open_the_page(served, name):
    status, page = served.ask("/", host=filled(name, served.port))
    assert status == 200 and b"/_solara/cdn/" in page


@pytest.mark.parametrize("origin", OTHER_PAGES)
def test_another_page_opens_no_session_and_closes_none(served, origin):
    origin = filled(origin, served.port)
    with pytest.raises(InvalidStatus, match="403"):
        served.live(origin=origin)
    assert served.ask("/_solara/api/close/one?session_id=page", "POST", origin=origin)[0] == 403
    assert served.ask("/", origin=origin)[0] == 403


@pytest.mark.parametrize(
    "name, origin",
    [
        ("127.0.0.1:{port}", "http://127.0.0.1:{port}"),
        ("localhost:{port}", "http://localhost:{port}"),
        ("127.0.0.1:{port}", None),
        ("localhost:9000", "http://localhost:9000"),
        ("127.0.0.1:{port}", "https://lab.example.org"),
    ],
)
def test_its_own_page_does(served, name, origin):
    """Also through a tunnel to another port, and through a proxy whose name was given; programs send no Origin."""
    origins = {"origin": filled(origin, served.port)} if origin else {}
    with served.live(host=filled(name, served.port), **origins) as line:
        assert line.protocol.state.name == "OPEN"


FOLDERS = [
    "",
    "/",
    "/.",
    "//",
    "/dist",
    "/dist/",
    "/dist/.",
    "/nothing.js",
    "%2f",
    "/dist%2f",
    "/%2e",
    "/%2e%2e/",
    "/../../requirejs@2.3.6",
    "/dist/..",
    "\\dist",
    "%5cdist",
]
OUTSIDE = [
    "../secret.txt",
    "%2e%2e/secret.txt",
    "..%2fsecret.txt",
    "..%5csecret.txt",
    "@widgetti/../../secret.txt",
    "/etc/passwd",
    "%2fetc%2fpasswd",
    "nothing@1.0.0",
    "nothing@1.0.0/dist/index.js",
    "@widgetti",
    "@widgetti/",
    "requirejs@2.3.6",
    ".",
    "..",
    "https://evil.example/x.js",
    "x%00.js",
    "~root",
]


PLACES = [
    "/_solara/cdn/",
    "//_solara/cdn/",
    "/_solara//cdn/",
    "/static/../_solara/cdn/",
    "/%5fsolara/cdn/",
    "/static/public/",
]


@pytest.mark.parametrize("path", [LIBRARY + end for end in FOLDERS] + OUTSIDE)
def test_asking_for_a_folder_removes_and_fetches_nothing(served, path):
    there = sorted(served.libraries.rglob("*"))
    for before in PLACES:
        for method in ("GET", "POST", "DELETE", "PUT"):
            status, said = served.ask(before + path, method)
            assert 300 < status < 500 or b"<title>Tumor-Immune Lab" in said, (
                f"{method} {before}{path}: {status} {said[:200]}"
            )
            assert b"nobody's business" not in said and b"root:" not in said
    assert sorted(served.libraries.rglob("*")) == there and len(there) == 7
    assert not served.fetched(), "what is missing is missing"


def test_the_libraries_of_the_page_are_read(served):
    assert served.ask(f"/_solara/cdn/{LIBRARY}/dist/main8.css") == (
        200,
        f"/* {LIBRARY}/dist/main8.css */".encode(),
    )
    assert served.ask("/_solara/cdn/requirejs@2.3.6/require.js")[0] == 200


class Guest:
    """A page without a browser: it opens a session and reads what it is sent."""

    def __init__(self, lab: Served, name: str):
        self.heard = ""
        self.line = lab.live(name).__enter__()
        self.send("comm_open", comm_id=name, target_name="solara.control", data={})
        self.send(
            "comm_msg",
            comm_id=name,
            data={"method": "run", "args": {"path": "/", "themes": {}, "dark": False}},
        )
        threading.Thread(target=self.listen, daemon=True).start()

    def send(self, kind: str, **content) -> None:
        about = {
            "header": {"msg_type": kind, "msg_id": kind},
            "parent_header": {},
            "metadata": {},
            "channel": "shell",
            "buffers": [],
        }
        self.line.send(json.dumps(about | {"content": content}))

    def listen(self) -> None:
        with suppress(ConnectionClosed):
            for said in self.line:
                self.heard += said if isinstance(said, str) else said.decode(errors="replace")

    @property
    def sees(self) -> str:
        """A picture, that the lab is full, or nothing so far."""
        return (
            "picture"
            if "data:image/png" in self.heard
            else "full"
            if "The lab is full" in self.heard
            else ""
        )


def seen(guests: list[Guest], seconds: float) -> list[str]:
    """What each of them sees, as soon as all see something."""
    end = time.monotonic() + seconds
    while not all(guest.sees for guest in guests) and time.monotonic() < end:
        time.sleep(0.1)
    return [guest.sees for guest in guests]


def arrive(lab: Served, names: range) -> list[Guest]:
    """So many guests at once."""
    guests = []
    several = [
        threading.Thread(target=lambda name=name: guests.append(Guest(lab, f"guest-{name}")))
        for name in names
    ]
    for each in several:
        each.start()
    for each in several:
        each.join()
    return guests


def crowded(lab: Served, how: int) -> None:
    guests = arrive(lab, range(12))
    sees = seen(guests, 60)
    assert (sees.count("picture"), sees.count("full")) == (2, 10)
    assert lab.ask("/")[0] == 200
    next(guest for guest in guests if guest.sees == "picture").line.close()
    assert seen([Guest(lab, "late")], 30) == ["picture"], (
        "the place of one whose page is gone is given to who comes"
    )
    assert lab.end(how) < 8


@pytest.mark.slow
def test_it_ends_on_ctrl_c_too(tmp_path):
    crowded(Served(tmp_path), signal.SIGINT)


@pytest.mark.parametrize(
    "given, told",
    [
        ({"host": "192.0.2.1"}, "--host '192.0.2.1' is no address of this machine"),
        ({"host": "a b"}, "--host 'a b' is no address of this machine"),
        ({"sessions": 0}, "--sessions 0 is not allowed: give a number of at least 1"),
        ({"sessions": -3}, "--sessions -3 is not allowed"),
        *(
            (
                {"names": [name]},
                f"--allow {name!r} is not allowed: give a name alone, such as lab.example.org",
            )
            for name in ("http://lab.example.org", "lab.example.org:80", "", "*/", "a b", "me@lab")
        ),
    ],
)
def test_what_makes_no_sense_is_told_in_one_sentence_before_anything_grows(
    monkeypatch, given, told
):
    monkeypatch.setattr(app, "warm", lambda: pytest.fail("it grew a tumour first"))
    with pytest.raises(app.AppError, match=re.escape(told)):
        app.main(None, False, **given)


HANGS = {
    "a page that never ends": "session.Session.connect = lambda *any: time.sleep(1000)",
    "a session that computes on and on": "session.Session.connect = lambda *any: next(i for i in itertools.count() if i < 0)",
    "a worker that never ends": "player.Player._show = lambda self: time.sleep(1000)",
    "a session that does not let go": "session.Session.close = lambda self: time.sleep(1000)",
}


@pytest.mark.slow
@pytest.mark.parametrize("hang", HANGS)
def test_the_server_ends_whatever_its_sessions_do(tmp_path, hang):
    lab = Served(
        tmp_path,
        before=f"import itertools, time; from experiments.page import session; "
        f"from experiments.lab import player; {HANGS[hang]}",
    )
    guests = arrive(lab, range(2))
    time.sleep(2)
    assert [guest.line.protocol.state.name for guest in guests] == ["OPEN"] * 2
    assert lab.end() < 8


@pytest.mark.slow
def test_a_crowd_is_told_that_the_lab_is_full_and_the_server_ends_when_it_is_told_to(served):
    """The last test here: afterwards the server is gone."""
    crowded(served, signal.SIGTERM)
