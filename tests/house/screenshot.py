"""docs/screenshot.png from a running `make run`: `make screenshot`. Everybody on it is fictional."""

from __future__ import annotations

import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

PAGE = "/search?q=Graeme+Cooper"
OUT = Path(__file__).resolve().parents[2] / "docs" / "screenshot.png"


def main(url: str) -> None:
    """Search, and keep what fits on a small screen."""
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path="/usr/bin/chromium")
        page = browser.new_page(viewport={"width": 1000, "height": 860})
        page.goto(url + PAGE)
        page.screenshot(path=OUT)
        browser.close()


if __name__ == "__main__":
    main(sys.argv[1])
