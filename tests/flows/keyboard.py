"""The hands of somebody who has no mouse."""

from __future__ import annotations

from playwright.sync_api import Locator, Page


class Keyboard:
    """Somebody who has no mouse; what it took them is counted."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.pages = self.fields = self.keys = 0

    def press(self, key: str) -> None:
        """One key."""
        self.page.keyboard.press(key)
        self.keys += 1

    def go_to(self, name: str, *, kind: str = "") -> None:
        """Tab until what has this name (and this tag, where `kind` names one) is in focus."""
        for _ in range(60):
            focus = self.page.locator(":focus")
            if focus.count() and name in self._name(focus) and self._tag(focus) in (kind or self._tag(focus)):
                return
            self.press("Tab")
        raise AssertionError(f"{name} is not reached by the keyboard")

    def type(self, text: str) -> None:
        """Into the field in focus."""
        self.page.keyboard.type(text)
        self.fields += 1
        self.keys += len(text)

    def enter(self) -> None:
        """Press what is in focus, and be on the next page."""
        with self.page.expect_navigation():
            self.press("Enter")
        self.pages += 1

    def _tag(self, focus: Locator) -> str:
        return str(focus.evaluate("one => one.tagName"))

    def _name(self, focus: Locator) -> str:
        return focus.inner_text() or focus.get_attribute("value") or self._label(focus)

    def _label(self, focus: Locator) -> str:
        ident = focus.get_attribute("id")
        label = self.page.locator(f'label[for="{ident}"]')
        return label.inner_text() if ident and label.count() else ""
