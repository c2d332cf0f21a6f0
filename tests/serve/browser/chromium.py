"""A real headless Chromium, and the page as a person sees it there."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, expect, sync_playwright

from ..serving import Serving

#: Milliseconds; far beyond anything but a hang.
HANG = 30_000
expect.set_options(timeout=HANG)
#: As root there is no sandbox to be had, and nothing but loopback is to be asked.
FLAGS = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
]


@contextmanager
def chromium() -> Iterator[Browser]:
    """Start the system's Chromium, with a profile of its own."""
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    if program is None:
        pytest.skip("no chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=FLAGS)
        try:
            yield browser
        finally:
            browser.close()


class Chat:
    """One tab. Whatever a page must never do is kept in `faults`."""

    def __init__(self, page: Page, serving: Serving) -> None:
        self.page = page
        self.serving = serving
        self.faults: list[str] = []
        page.set_default_timeout(HANG)
        page.on("pageerror", lambda error: self.faults.append(f"error: {error}"))
        page.on("dialog", lambda dialog: self.faults.append(f"dialog: {dialog.message}"))
        page.on("console", self._said)
        page.on("request", self._requested)
        page.goto(serving.address)
        # The models are the last thing that it asks for.
        expect(self.model).not_to_be_empty()

    def _said(self, message: Any) -> None:
        # That a request was refused or lost is for the page to say.
        if message.type == "error" and not message.text.startswith("Failed to load resource"):
            self.faults.append(f"console: {message.text}")

    def _requested(self, request: Any) -> None:
        if not request.url.startswith((self.serving.url + "/", "data:")):
            self.faults.append(f"request: {request.url}")

    def send(self, text: str) -> None:
        """Write a prompt and send it, with the keyboard."""
        self.prompt.fill(text)
        self.prompt.press("Enter")

    def ask(self, text: str) -> None:
        """Send a prompt and wait for the end of its run."""
        before = self.ends.count()
        self.send(text)
        expect(self.ends).to_have_count(before + 1)

    @property
    def prompt(self) -> Locator:
        return self.page.get_by_role("textbox", name="Prompt")

    @property
    def model(self) -> Locator:
        return self.page.get_by_role("combobox", name="Model")

    @property
    def log(self) -> Locator:
        return self.page.get_by_role("log")

    @property
    def status(self) -> Locator:
        return self.page.get_by_role("status")

    @property
    def cards(self) -> Locator:
        """The calls."""
        return self.page.locator(".call")

    @property
    def ends(self) -> Locator:
        """What stands below a run that has ended well."""
        return self.page.locator(".run > footer")

    @property
    def failures(self) -> Locator:
        return self.page.locator(".failure")

    @property
    def said(self) -> Locator:
        return self.page.locator(".said")

    def button(self, name: str) -> Locator:
        return self.page.get_by_role("button", name=name)

    def heads(self) -> list[str]:
        """Say each call as its card's first line does."""
        lines = self.page.locator(".call > summary").all()
        return [" ".join(line.inner_text().split()) for line in lines]
