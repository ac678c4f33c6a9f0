"""The page of the lab in a real browser, with every outside host blocked. Left out, with a word, where there is none."""

import csv
import inspect
import io
import json
import re
import shutil
import socket
import subprocess
import sys
import time
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import pytest
from PIL import Image

from experiments.lab.lab import Lab
from experiments.page import app
from experiments.runs.run import run_scenario
from experiments.scenarios.toml_tables import ScenarioError
from tests.experiments.scenarios.test_definitions import MINE

pytest.importorskip("solara", reason='no solara here: pip install "tumorlab[lab]"')
playwright = pytest.importorskip(
    "playwright.sync_api", reason="no Playwright here: pip install playwright"
)
CHROMIUM = (
    shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
)
pytestmark = pytest.mark.skipif(
    CHROMIUM is None, reason="no browser here: apt-get install chromium"
)
FLAGS = ["--no-sandbox", "--disable-gpu"]
ROOT = Path(__file__).parents[3]


@contextmanager
def serving(sessions: int | None = None, scenarios: tuple[str, ...] = ()):
    """The lab in a process of its own: address and process."""
    with closing(socket.socket()) as probe:
        probe.bind((app.HOST, 0))
        port = probe.getsockname()[1]
    command = [
        sys.executable,
        "-c",
        f"from experiments.page.app import main; main({port}, False, sessions={sessions}, scenarios={scenarios})",
    ]
    process = subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    for line in process.stdout:
        if "The lab is open" in line:
            break
    assert process.poll() is None, "the server of the lab did not start"
    try:
        yield f"http://{app.HOST}:{port}", process
    finally:
        process.terminate()
        process.wait(20)


@pytest.fixture(scope="module")
def server():
    with serving() as lab:
        yield lab


@pytest.fixture(scope="module")
def browser():
    with playwright.sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture
def visit(server, browser):
    """A function that opens the page as a new visitor; at the end nothing must have gone wrong in any of them."""
    visitors = []

    def open_page(**screen) -> Visitor:
        visitors.append(Visitor(browser, server[0], **screen))
        return visitors[-1]

    yield open_page
    for visitor in visitors:
        visitor.leave()


class Visitor:
    """One browser session that sees nothing but this machine."""

    def __init__(self, browser, url: str, **screen):
        self.context = browser.new_context(
            viewport={"width": 1280, "height": 800}, accept_downloads=True, **screen
        )
        self.page = self.context.new_page()
        self.outside, self.errors = [], []
        self.page.route("**/*", self._only_here(url))
        self.page.on(
            "console", lambda told: self.errors.append(told.text) if told.type == "error" else None
        )
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        began = time.monotonic()
        self.page.goto(url)
        self.page.wait_for_selector(".lab-tumor-right .lab-tissue img", timeout=60_000)
        self.page.wait_for_selector("#burden-right")
        self.seconds_to_first_picture = time.monotonic() - began

    def _only_here(self, url: str):
        def decide(route):
            if route.request.url.startswith((url, "data:", "blob:")):
                route.continue_()
            else:
                self.outside.append(route.request.url)
                route.abort()

        return decide

    def leave(self) -> None:
        words = self.page.inner_text("body")
        self.context.close()
        assert "Traceback" not in words and "Something went wrong" not in words, (
            f"a defect is on the screen: {words[:500]}"
        )
        assert not self.outside, f"the page wanted {self.outside}"
        assert not self.errors, f"the page failed: {self.errors}"

    def button(self, name: str):
        return self.page.get_by_role("button", name=name, exact=True)

    def number(self, monitor: str) -> float:
        return float(self.page.inner_text(f"#{monitor} b").replace(",", ""))

    def day(self) -> float:
        told = re.search(r"[\d.]+", self.page.inner_text("#day"))
        return float(told.group()) if told else float("nan")

    def pictures(self) -> list[str]:
        images = "() => [...document.querySelectorAll('.lab-tissue')].map(each => (each.querySelector('img') || {}).src || null)"
        return self.page.evaluate(images)

    def choose(self, what: str, value: str) -> None:
        self.page.select_option(f"select[aria-label='{what}']", value)

    def until(self, wanted, seconds: float = 60.0) -> None:
        end = time.monotonic() + seconds
        while not wanted():
            shown = " ".join(self.page.inner_text("body").split())
            assert time.monotonic() < end, (
                f"{inspect.getsource(wanted).strip()} never came; the page says: {shown}"
            )
            time.sleep(0.05)

    def grow(self, ask) -> None:
        """Ask for another tumour and wait until it is there."""
        before = self.pictures()
        ask()
        self.until(lambda: None not in self.pictures() and self.pictures() != before, 120)
        self.page.wait_for_selector(".lab-growing", state="detached")

    def play_until(self, day: float) -> None:
        self.button("Play").click()
        self.until(lambda: self.day() >= day)
        self.pause()

    def pause(self) -> None:
        """Pause, unless the scenario has just come to its end and playing with it."""
        with suppress(playwright.TimeoutError):
            self.button("Pause").click(timeout=2000)
        self.button("Play").wait_for()

    def saved(self, what: str) -> bytes:
        with self.page.expect_download(timeout=60_000) as download:
            self.button(what).click()
        return Path(download.value.path()).read_bytes()


def test_the_page_opens_plays_and_a_dose_bends_the_curve(visit):
    page = visit()
    assert page.seconds_to_first_picture < 10, "a visitor sees the first picture within ten seconds"
    assert "escape" in page.page.inner_text("#question")
    page.choose("right tumour begins as", "control")
    page.until(lambda: "nothing was given so far" in page.page.inner_text(".lab-log"))
    page.choose("pace", "12")
    page.play_until(1)
    assert page.number("burden-left") == page.number("burden-right"), (
        "untreated, both tumours are the same"
    )
    page.page.locator(".lab-tumor-right input[type=range]").press("End")
    page.page.locator(".lab-tumor-right .lab-once").click()
    page.until(lambda: "CAR T given" in page.page.inner_text(".lab-log"))
    page.play_until(page.day() + 3)
    assert page.number("burden-right") < 0.5 * page.number("burden-left"), (
        "the dose bends the curve of the right tumour only"
    )
    assert (
        "CAR T cells" in page.page.inner_text("#legend")
        and page.page.locator("#car_t_cells-right").count() == 1
    )


@pytest.mark.slow
def test_nothing_is_clipped_and_nothing_overlaps(visit):
    page = visit()
    drugs = (
        "pembrolizumab",
        "aldesleukin",
        "interferon_alfa",
        "atezolizumab",
        "car_t",
        "nivolumab",
        "placebo",
    )
    for number, drug in enumerate(drugs):
        page.choose("drug for the left tumour", drug)
        page.page.wait_for_timeout(500)
        page.page.locator(".lab-tumor-left .lab-once").click()
        page.until(
            lambda given=number + 1: page.page.locator(".lab-tumor-left .lab-drug").count() == given
        )
    for scenario in ("checkpoint_blockade", "car_t_antigen_escape", "b_all_car_t", "missing_self"):
        if scenario != "checkpoint_blockade":
            page.grow(lambda name=scenario: page.choose("scenario", name))
        page.button("Step").click()
        larger = page.page.evaluate("""() => [document.scrollingElement, ...document.querySelectorAll('*')]
            .filter(part => part.contains(document.querySelector('.lab')))
            .filter(part => part.scrollWidth > 1280 || part.scrollHeight > 800).map(part => part.outerHTML.slice(0, 120))""")
        assert larger == [], f"{scenario}: the page is larger than the screen"
        right = page.page.locator(".lab-tumor-right").bounding_box()
        assert right["x"] + right["width"] <= 1280, (
            f"{scenario}: the right tumour is off the screen"
        )
        outside = page.page.evaluate("""() => [...document.querySelectorAll('.lab-card, .lab-bar, .lab-panels > div')]
            .flatMap(card => [...card.querySelectorAll('*')].filter(part => {
                const a = part.getBoundingClientRect(), b = card.getBoundingClientRect();
                return a.width && !part.closest('.lab-log ul, .lab-running, .v-ripple__container, defs, title, option') &&
                    (a.right > b.right + 1 || a.bottom > b.bottom + 1 || a.left < b.left - 1 || a.top < b.top - 1);
            }).map(part => part.outerHTML.slice(0, 120)))""")
        assert outside == [], f"{scenario}: parts leave their card"
        crossing = page.page.evaluate("""() => {
            const boxes = [...document.querySelectorAll('.lab-card, .lab-bar, .lab-panels, .lab-heading')]
                .map(card => [card.className, card.getBoundingClientRect()]);
            return boxes.flatMap(([one, a], i) => boxes.slice(i + 1).filter(([, b]) =>
                a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 1 && b.top < a.bottom - 1)
                .map(([other]) => one + ' / ' + other));
        }""")
        assert crossing == [], f"{scenario}: cards overlap"


WIDTHS = {390: 844, 768: 1024, 853: 533, 1024: 768, 1280: 800, 1920: 1080}  # 853 is 1280 at 150 %
OUTSIDE = """() => {
    const wide = document.documentElement.clientWidth;
    const whole = document.querySelector('.lab'), free = 'svg, .v-ripple__container, .lab-log ul';
    const parts = [...whole.querySelectorAll('*')].filter(part => !part.closest(free));
    const seen = parts.map(part => [part, part.getBoundingClientRect()]).filter(([, box]) => box.width && box.height);
    const texts = '.lab-monitor, .lab-why p, #question, .lab-dial, .lab-legend, .lab-controls';
    const around = [document.scrollingElement, ...document.querySelectorAll('*')].filter(part => part.contains(whole));
    return [
        ...seen.filter(([, box]) => box.left < -1 || box.right > wide + 1).map(([part]) => part),
        ...parts.filter(part => part.matches(texts) && part.offsetParent && part.scrollWidth > part.clientWidth + 1),
        ...around.filter(part => part.scrollWidth > wide),
    ].map(part => part.outerHTML.slice(0, 120));
}"""


@pytest.mark.slow
def test_nothing_is_lost_at_any_width(visit):
    page = visit()
    page.choose("pace", "24")
    page.play_until(5)  # both tumours have a sentence by then
    card, fold = page.page.locator(".lab-patient"), page.page.locator(".lab-fold")
    everything = (
        "#burden-left",
        "#burden-right",
        ".lab-tumor-right .lab-once",
        ".lab-tumor-right .lab-told",
        "#question",
        ".lab-why",
        ".lab-log",
        "#day",
        "#legend",
        "#panels",
        ".lab-words summary",
        ".lab-exports button >> nth=2",
    )
    for width, height in WIDTHS.items():
        page.page.set_viewport_size({"width": width, "height": height})
        page.page.wait_for_timeout(300)
        assert page.page.evaluate(OUTSIDE) == [], f"parts leave a page of {width} pixels"
        left, right = (
            page.page.locator(f".lab-tumor-{side} .lab-tissue").bounding_box()
            for side in ("left", "right")
        )
        assert left["width"] == left["height"] == right["width"] > 270, (
            f"tissues are whole at {width}"
        )
        assert (right["y"] > left["y"] + left["height"]) == (width < 800), (
            "the tumours stack on a narrow page only"
        )
        for part in everything:
            page.page.locator(part).scroll_into_view_if_needed()
            box = page.page.locator(part).bounding_box()
            assert box["y"] >= -box["height"] / 2 and box["y"] < height, (
                f"{part} can be reached at {width}"
            )
        assert card.is_visible() == (width >= 1240) and fold.is_visible() == (width < 1240)
        if width < 1240:
            fold.click()
            card.wait_for()
            assert (
                page.page.evaluate(OUTSIDE) == [] and fold.get_attribute("aria-expanded") == "true"
            )
            fold.click()
            card.wait_for(state="hidden")


def test_the_page_is_used_by_keys_alone(visit):
    page = visit()
    slider = page.page.locator(".lab-patient input[type=range]").nth(1)
    before = int(slider.input_value())
    slider.focus()
    for _ in range(30):
        page.page.keyboard.press("ArrowRight")
    page.page.wait_for_timeout(1500)
    assert int(slider.input_value()) == before + 30, (
        "every press moves one place, and no echo takes one back"
    )
    assert page.page.locator(".lab-meaning").nth(1).is_visible(), (
        "what a slider means is told without a mouse"
    )
    influx = page.page.get_by_label("T cell: base influx")
    assert influx.get_attribute("aria-valuetext") == "1.5 cells/mm²/day"
    influx.press("ArrowRight")
    page.until(
        lambda: (
            influx.get_attribute("aria-valuetext")
            == page.page.locator(".lab-dial-value").nth(2).inner_text()
        )
    )
    page.button("As shipped").press("Enter")
    page.until(lambda: int(slider.input_value()) == before)
    page.page.evaluate("document.activeElement.blur()")
    page.page.keyboard.press("Space")
    page.until(lambda: page.day() > 0)
    page.page.keyboard.press("Space")
    page.button("Play").wait_for()
    page.button("Reset").focus()
    page.page.keyboard.press("Tab")
    page.page.keyboard.press("Shift+Tab")
    look = "each => getComputedStyle(each).outlineStyle + getComputedStyle(each).outlineWidth"
    assert page.button("Reset").evaluate(look) == "solid3px", "the focus of a button is seen"
    page.page.keyboard.press("Space")
    page.until(lambda: page.day() == 0)
    assert page.button("Play").count() == 1, (
        "on another button the space bar does what that button does"
    )
    words = page.page.locator(".lab-words dl")
    assert not words.is_visible()
    page.page.locator(".lab-words summary").press("Enter")
    for word in (
        "SD, stable disease",
        "PD, progressive disease",
        "vigour",
        "brake",
        "influx gain",
        "hit braked",
    ):
        assert (
            words.get_by_text(word, exact=True).first.is_visible() or word in words.inner_text()
        ), word


def test_forced_colours_keep_the_legend(visit):
    page = visit(forced_colors="active")
    page.choose("colour by", "kinds")
    colors = "all => all.map(each => getComputedStyle(each).backgroundColor)"
    shown = page.page.locator(".lab-keys i").evaluate_all(colors)
    assert (
        shown[:3] == ["rgb(227, 192, 156)", "rgb(0, 100, 180)", "rgb(0, 138, 78)"]
        and len(set(shown)) >= 4
    )


@pytest.mark.slow
def test_what_is_done_by_hand_is_called_so(visit):
    page = visit()
    began = page.page.get_by_label("left tumour begins as").locator("option:checked")
    assert began.inner_text() == "control"
    page.page.locator(".lab-tumor-left .lab-once").click()
    page.until(lambda: began.inner_text() == "control, then by hand")


@pytest.mark.slow
def test_another_scenario_begins_in_its_own_colours(visit):
    page = visit()
    page.choose("colour by", "pdl1")
    for words in ("switches T cells off", "CD8 T cells"):
        page.until(lambda words=words: words in page.page.inner_text("#legend"))
    page.grow(lambda: page.choose("scenario", "immunoediting"))
    page.until(lambda: "tumour cells" in page.page.inner_text("#legend"))
    assert page.page.get_by_label("colour by").input_value() == "kinds"
    assert page.page.get_by_label("left tumour begins as").input_value() == "high"
    assert "antigen" in page.page.inner_text(".lab-why")


@pytest.mark.slow
def test_a_session_taken_home_replays_exactly(visit, tmp_path):
    page = visit()
    page.choose("pace", "24")
    page.page.locator(".lab-tumor-left .lab-start").click()  # a dose while it pauses
    page.play_until(2)
    page.page.locator(".lab-tumor-right .lab-once").click()
    page.page.locator(".lab-tumor-right .lab-stop").first.click()
    page.play_until(page.day() + 1.5)
    page.until(lambda: "pembrolizumab stopped" in page.page.inner_text(".lab-log"))
    (tmp_path / "session.toml").write_bytes(page.saved("Scenario"))
    table = page.saved("Data").decode()
    poster = Image.open(io.BytesIO(page.saved("Picture")))
    assert poster.format == "PNG" and poster.width > 1200
    run_scenario(str(tmp_path / "session.toml"), tmp_path / "run")
    rows = (tmp_path / "run" / "timeseries.csv").read_text().splitlines()
    assert [row for row in rows if not row.startswith("control,")] == table.splitlines()
    assert page.number("burden-left") > 0 and len(list(csv.DictReader(io.StringIO(table)))) > 20


@pytest.mark.slow
def test_reset_gives_the_first_picture_again_also_while_it_plays(visit):
    page = visit()
    first = page.pictures()
    page.button("Play").click()
    page.until(lambda: page.day() > 1)
    page.button("Reset").click()
    page.button("Play").wait_for()
    page.until(lambda: page.day() == 0)
    assert page.pictures() == first, "to the last byte"
    assert page.number("burden-left") == page.number("burden-right")


@pytest.mark.slow
def test_two_visitors_do_not_see_each_other(visit):
    one, other = visit(), visit()
    first = other.pictures()
    one.choose("colour by", "antigen")
    one.page.locator(".lab-tumor-left .lab-once").click()
    one.play_until(1)
    assert (other.day(), other.pictures()) == (0, first)
    assert "left" not in other.page.inner_text(
        ".lab-log"
    ) and "left: pembrolizumab given" in one.page.inner_text(".lab-log")
    other.grow(lambda: other.choose("scenario", "cold_tumor"))
    assert one.day() >= 1 and "escape" in one.page.inner_text("#question")


@pytest.mark.slow
def test_nothing_a_visitor_types_or_clicks_breaks_the_page(visit):
    page = visit()
    seed, grow = page.page.get_by_label("seed"), page.button("Grow this tumour")
    for text in ("seven", "-3", "", "1e9", "<script>alert(1)</script>"):
        seed.fill(text)
        seed.press("Enter")
        page.until(lambda: "give a whole number" in page.page.inner_text(".lab-patient"))
        assert not grow.is_enabled()
    seed.fill("12")
    page.grow(lambda: seed.press("Enter"))
    assert "give a whole number" not in page.page.inner_text(".lab-patient")
    before = page.pictures()
    for _ in range(10):  # within a second
        page.button("Step").click(no_wait_after=True)
    page.until(lambda: page.day() == pytest.approx(10 * 3 / 24, abs=0.06))
    assert page.pictures() != before
    for _ in range(5):
        page.page.locator(".lab-controls .lab-play").click(no_wait_after=True)
        page.button("Reset").click(no_wait_after=True)
    page.until(lambda: page.day() == 0)
    assert page.pictures() == before
    for place, key in ((0, "End"), (2, "Home"), (3, "End"), (5, "Home")):
        page.page.locator(".lab-patient input[type=range]").nth(place).press(key)
    page.until(grow.is_enabled)
    grow.click()
    page.until(
        lambda: (
            page.page.inner_text("#message") != "" or page.page.locator("#burden-left").count() > 0
        ),
        90,
    )
    page.grow(page.button("As shipped").click)
    for side in ("left", "right"):
        for drug in ("placebo", "aldesleukin", "atezolizumab"):
            page.choose(f"drug for the {side} tumour", drug)
            page.page.locator(f".lab-tumor-{side} .lab-once").dblclick()
    page.button("Play").click()
    page.until(lambda: page.day() > 1)


@pytest.mark.slow
def test_growing_tells_how_long_it_takes_and_can_be_cancelled(visit):
    page = visit()
    before = (
        page.pictures(),
        page.page.inner_text("#question"),
        page.page.inner_text(".lab-patient"),
    )
    seed = page.page.get_by_label("seed")
    seed.fill("4711")
    page.choose("patch", "whole")
    page.until(page.button("Grow this tumour").is_enabled)
    page.button("Grow this tumour").click()
    told = r"growing: [\d,]+ of 5,000 tumour cells, about \d+ s left"
    page.until(lambda: re.search(told, page.page.inner_text(".lab-tumor-right")))
    assert page.pictures() == [None, None] and page.page.inner_html("#panels") == "", (
        "no curves of another tumour"
    )
    assert seed.input_value() == "4711" and page.button("Cancel").count() == 2
    page.button("Cancel").first.click()
    page.page.wait_for_selector(".lab-growing", state="detached")
    page.until(lambda: None not in page.pictures())
    assert (
        page.pictures(),
        page.page.inner_text("#question"),
        page.page.inner_text(".lab-patient"),
    ) == before
    assert "cancelled" in page.page.inner_text("#message")
    page.choose("scenario", "cold_tumor")
    page.until(lambda: "wheel" in page.page.inner_text("#question") and None not in page.pictures())


@pytest.mark.slow
def test_the_one_too_many_is_told_so_and_comes_in_when_another_leaves(browser):
    with serving(sessions=1) as (url, _):
        one = Visitor(browser, url)
        one.page.reload()
        one.page.wait_for_selector(".lab-tumor-right .lab-tissue img", timeout=60_000)
        two = browser.new_context().new_page()
        two.goto(url)
        two.wait_for_selector("#full", timeout=60_000)
        assert (
            "The lab is full: 1 visitor" in two.inner_text("#full")
            and two.locator("img").count() == 0
        )
        two.get_by_role("button", name="Try again").click()
        two.wait_for_timeout(3000)
        assert two.locator("#full").count() == 1
        one.leave()
        two.get_by_role("button", name="Try again").click()
        two.wait_for_selector(".lab-tumor-right .lab-tissue img", timeout=60_000)
        two.context.close()


@pytest.mark.slow
def test_every_colour_is_explained_and_every_place_answers(visit):
    page = visit()
    for show, word in {
        "antigen": "T-cell receptors",
        "vigour": "exhausted",
        "oxygen": "mmHg",
        "clone": "founder",
    }.items():
        page.choose("colour by", show)
        page.until(lambda word=word: word in page.page.inner_text("#legend"))
    page.page.locator(".lab-tumor-left .lab-tissue").hover(position={"x": 159, "y": 159})
    page.page.wait_for_selector(".lab-tumor-left .lab-tip")
    assert re.search("cell", page.page.inner_text(".lab-tumor-left .lab-tip"))


@pytest.mark.slow
def test_fifty_resets_do_not_grow_memory(visit, server):
    page = visit()

    def once(number: int) -> None:
        page.button("Step").click()
        page.until(lambda: page.day() > 0)
        page.button("Reset").click()
        page.until(lambda: page.day() == 0)

    for number in range(10):
        once(number)
    before = resident(server[1])
    for number in range(50):
        once(number)
    grown = resident(server[1]) - before
    print(f"{before:.0f} MB before 50 resets, {grown:.1f} MB more after them")
    assert grown < 40, f"50 resets took {grown:.0f} MB; one session with two tumours is about 10"


@pytest.mark.slow
def test_visitors_that_leave_are_forgotten(visit, server, browser):
    Visitor(browser, server[0]).leave()
    before = resident(server[1])
    for _ in range(6):
        Visitor(browser, server[0]).leave()
    assert resident(server[1]) - before < 60, "a session ends with its page"
    playing = Visitor(browser, server[0])
    playing.button("Play").click()
    playing.until(lambda: playing.day() > 0.5)
    playing.leave()
    time.sleep(2)
    used = used_seconds(server[1])
    time.sleep(2)
    assert used_seconds(server[1]) - used < 0.3, "nobody plays on behind a page that was closed"


def resident(process) -> float:
    """Memory of a process in MB."""
    status = Path(f"/proc/{process.pid}/status")
    if not status.exists():
        pytest.skip("memory is read from /proc, which is not here")
    return int(re.search(r"VmRSS:\s+(\d+)", status.read_text())[1]) / 1000


@pytest.mark.slow
def test_ten_thousand_cells_are_shown_eight_times_a_second(visit, server):
    page = visit()
    page.grow(lambda: page.choose("scenario", "cold_tumor"))
    page.choose("patch", "whole")
    page.grow(page.button("Grow this tumour").click)
    page.choose("pace", "24")
    page.button("Play").click()
    page.until(lambda: page.number("burden-left") >= 10_000, 180)
    page.pause()
    page.choose("pace", "3")
    page.page.evaluate(
        "() => { window.shown = 0; window.addEventListener('lab-frame', () => window.shown++); }"
    )
    page.button("Play").click()
    time.sleep(1)
    used, pictures = used_seconds(server[1]), page.page.evaluate("window.shown")
    time.sleep(5)
    used, pictures = used_seconds(server[1]) - used, page.page.evaluate("window.shown") - pictures
    print(
        f"{pictures / 5:.1f} pictures a second, {1000 * used / pictures:.0f} ms of the server each"
    )
    assert used / pictures < 1 / 8, (
        "a picture of two tumours of 10,000 cells costs one core less than an eighth of a second"
    )
    page.pause()


def used_seconds(process) -> float:
    """Processor time of a process; unlike the clock it does not depend on what else runs."""
    status = Path(f"/proc/{process.pid}/stat")
    if not status.exists():
        pytest.skip("processor time is read from /proc, which is not here")
    return sum(map(int, status.read_text().rpartition(")")[2].split()[11:13])) / 100


def test_a_missing_library_and_a_wrong_port_are_told_in_one_sentence(monkeypatch):
    with pytest.raises(
        app.AppError, match="--port 99999 is not allowed: give a number from 1 to 65535"
    ):
        app.main(99999, False)
    with closing(socket.socket()) as taken:
        taken.bind((app.HOST, 0))
        taken.listen()
        with pytest.raises(app.AppError, match="is in use: choose another --port"):
            app.main(taken.getsockname()[1], False)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(app.AppError, match=r'needs solara: pip install "tumorlab\[lab\]"'):
        app.main(None, False)


@pytest.mark.slow
def test_a_scenario_of_one_s_own_opens_with_its_drug_among_those_that_ship(browser, tmp_path):
    (file := tmp_path / "mine.toml").write_text(MINE)
    with serving(scenarios=(str(file),)) as (url, _):
        visitor = Visitor(browser, url)
        assert visitor.page.inner_text("#question") == "Does my drug help?"
        visitor.choose("drug for the left tumour", "my_drug")
        visitor.button("One dose").first.click()
        visitor.until(lambda: "my drug given: 10 mg" in visitor.page.inner_text("body"))
        visitor.choose("scenario", "checkpoint_blockade")
        visitor.until(lambda: "PD-1 blockade" in visitor.page.inner_text("#question"))
        drug = visitor.page.locator("select[aria-label='drug for the left tumour']")
        assert drug.input_value() == "pembrolizumab", "no drug of another scenario"
        visitor.leave()


def test_a_scenario_that_is_none_is_told_before_the_lab_opens(tmp_path):
    with pytest.raises(ScenarioError, match="mine.toml cannot be read"):
        app.main(None, False, scenarios=[str(tmp_path / "mine.toml")])


def test_mesas_own_page_takes_the_model(monkeypatch):
    """The SolaraViz page of the lesson for Mesa users: it draws the tissue and the courses of the model."""
    pytest.importorskip("altair", reason="Mesa's SolaraViz needs altair")
    import solara

    from simulation import plots

    drawn = []
    monkeypatch.setattr(
        plots,
        "tissue",
        lambda snapshot, draw=plots.tissue: drawn.append(snapshot) or draw(snapshot),
    )
    lesson = json.loads((ROOT / "notebooks" / "10_from_mesa.ipynb").read_text(encoding="utf-8"))
    text = next("".join(cell["source"]) for cell in lesson["cells"] if cell["id"] == "solaraviz")
    page = {}
    exec(re.search(r"```python\n(.*?)```", text, re.DOTALL)[1], page)
    _, context = solara.render(page["page"], handle_error=False)
    assert drawn[-1].counts()["tumor_cell"] == page["model"].count("tumor_cell") == 200
    context.close()


def test_the_lab_opens_with_a_question_a_student_can_answer():
    lab = Lab()
    assert lab.arms == ("control", "pembrolizumab") and lab.scenario.question.endswith("?")
