"""Draws README's picture: the sample's edition in a light and in a dark inbox.

    python tools/picture.py        writes docs/images/digest.png

Needs Debian's chromium. Run it when the sample or the templates have changed.
"""

import tempfile
from base64 import b64encode
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from digest.config.load import load
from digest.publishing.demo import NOW
from digest.publishing.preview import Preview, preview
from digest.sample import copy_to

OUT = Path(__file__).parents[1] / "docs" / "images" / "digest.png"

_CARDS = """
<body style="margin:0;background:#e9e4da;display:flex;gap:36px;padding:36px;width:1048px">
<img style="{card};width:640px" src="data:image/png;base64,{light}">
<img style="{card};width:372px" src="data:image/png;base64,{dark}">
</body>
"""
_CARD = "display:block;border-radius:10px;box-shadow:0 6px 28px rgba(60,40,20,.28)"


def shot(browser: Browser, page: Path, *, width: int, height: int, scheme: str) -> str:
    """A screenshot of the top of a page, as base64."""
    context = browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme="dark" if scheme == "dark" else "light",
        device_scale_factor=1.5,
    )
    tab = context.new_page()
    tab.goto(page.as_uri())
    taken = tab.screenshot()
    context.close()
    return b64encode(taken).decode()


def main() -> None:
    """Make the edition, look at it twice, and lay the two pictures side by side."""
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        folder = Path(name)
        copy_to(folder)
        settings = load(folder / "digest.toml", {})
        shown = preview(settings, settings.newsletter(None), now=NOW)
        if not isinstance(shown, Preview):
            raise SystemExit("the sample has no edition")
        page = folder / "digest.html"
        page.write_text(shown.page, encoding="utf-8")
        browser = playwright.chromium.launch(
            executable_path="/usr/bin/chromium", args=["--no-sandbox"]
        )
        light = shot(browser, page, width=640, height=900, scheme="light")
        dark = shot(browser, page, width=372, height=900, scheme="dark")
        tab = browser.new_page(viewport={"width": 1120, "height": 972})
        tab.set_content(_CARDS.format(card=_CARD, light=light, dark=dark))
        tab.screenshot(path=OUT)
        browser.close()


if __name__ == "__main__":
    main()
