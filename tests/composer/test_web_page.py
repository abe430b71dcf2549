"""The page as a browser shows it: nothing overflows, and everything can be read."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, sync_playwright

from digest.composer.web_page import page
from digest.model.edition import Edition
from digest.model.newsletter import Newsletter, Site
from tests.composer.editions import (
    ANA,
    NEWSLETTER,
    SITE,
    SITE_WITH_PAGES,
    arabic_day,
    fifty_one,
    german_day,
    hostile,
    minimal,
    ordinary_day,
    with_intro,
)
from tests.composer.test_message import variant_of

# For every text that is shown: its colour against what is behind it, as WCAG 2 computes it.
CONTRASTS = """() => {
  const channels = c => c.match(/[\\d.]+/g).map(Number);
  const luminance = ([r, g, b]) => [r, g, b].map(v => v / 255)
    .map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const behind = e => { for (; e; e = e.parentElement) {
    const c = channels(getComputedStyle(e).backgroundColor);
    if (c.length < 4 || c[3] > 0) return c; }
    return [255, 255, 255]; };
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node; node = walker.nextNode();) {
    const e = node.parentElement;
    if (!node.textContent.trim() || !e.offsetParent) continue;
    const [dark, light] = [luminance(channels(getComputedStyle(e).color)), luminance(behind(e))]
      .sort((a, b) => a - b);
    found.push([(light + 0.05) / (dark + 0.05), node.textContent.trim().slice(0, 40)]);
  }
  return found;
}"""

#: Milliseconds. Nothing here takes as long: who comes to this has failed.
DEADLINE = 180_000

Day = tuple[Edition, Site, Newsletter]
DAYS: dict[str, Day] = {
    "ordinary": (ordinary_day("https://images.example.com/blocked.jpg"), SITE, NEWSLETTER),
    "fifty_one": (fifty_one(), SITE, NEWSLETTER),
    "arabic": arabic_day(),
    "german": german_day(),
    "with_intro": (with_intro(), SITE, NEWSLETTER),
    "minimal": (minimal(), SITE, NEWSLETTER),
    "with_pages": (minimal(), SITE_WITH_PAGES, NEWSLETTER),
    "hostile": (hostile(), SITE, NEWSLETTER),
}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("needs the Debian package chromium")
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(
            executable_path=chromium, args=["--no-sandbox"], timeout=DEADLINE
        )
        yield running
        running.close()


@dataclass(frozen=True)
class Shown:
    width: int
    overflow: int
    contrasts: list[tuple[float, str]]
    left_of_title: float


def show(
    browser: Browser, day: Day, width: int, scheme: Literal["light", "dark"], images: Path
) -> Shown:
    edition, site, newsletter = day
    (images / "images").mkdir(exist_ok=True)
    (images / "images" / "bridge.gif").write_bytes(
        b"GIF89a\x01\x00\x01\x00\x80\x00\x00\x99\x99\x99\xff\xff\xff,\x00\x00\x00\x00\x01\x00\x01"
        b"\x00\x00\x02\x02D\x01\x00;"
    )
    variant = variant_of(edition, site=site, newsletter=newsletter)
    html = page(
        variant, ANA, edition=edition, site=site, newsletter=newsletter, images_folder=images
    )
    context = browser.new_context(
        viewport={"width": width, "height": 900}, color_scheme=scheme, offline=True
    )
    try:
        context.set_default_timeout(DEADLINE)
        tab = context.new_page()
        tab.set_content(html, wait_until="domcontentloaded")
        return Shown(
            width=width,
            overflow=tab.evaluate("document.documentElement.scrollWidth - innerWidth"),
            contrasts=[tuple(found) for found in tab.evaluate(CONTRASTS)],
            left_of_title=tab.evaluate("document.querySelector('h2 a').getClientRects()[0].left"),
        )
    finally:
        context.close()


@pytest.mark.parametrize("name", DAYS)
@pytest.mark.parametrize(("width", "scheme"), [(600, "light"), (320, "dark")])
def test_nothing_overflows_and_all_of_it_can_be_read(
    browser: Browser, tmp_path: Path, name: str, width: int, scheme: Literal["light", "dark"]
) -> None:
    shown = show(browser, DAYS[name], width, scheme, tmp_path)
    assert shown.overflow <= 0
    assert len(shown.contrasts) >= 8
    assert [found for found in shown.contrasts if found[0] < 4.5] == []


def test_an_arabic_page_is_mirrored(browser: Browser, tmp_path: Path) -> None:
    arabic = show(browser, DAYS["arabic"], 600, "light", tmp_path)
    english = show(browser, DAYS["minimal"], 600, "light", tmp_path)
    assert english.left_of_title == 20
    assert arabic.left_of_title > 20
