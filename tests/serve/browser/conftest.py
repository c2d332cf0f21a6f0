"""Fixtures: a browser for a module's tests, and a tab in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser

from ..serving import Serving
from .chromium import HANG, Chat, chromium

Open = Callable[..., Chat]


# One for each module: while it is there, this thread can run no other event loop.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture
def open_page(browser: Browser) -> Iterator[Open]:
    """Opens the page of a server in a profile of its own: no fault of a page goes unseen."""
    opened: list[Chat] = []
    contexts = []

    def open_page(serving: Serving, **options: Any) -> Chat:
        context = browser.new_context(**{"viewport": {"width": 1000, "height": 700}, **options})
        context.set_default_timeout(HANG)
        contexts.append(context)
        opened.append(Chat(context.new_page(), serving))
        return opened[-1]

    yield open_page
    faults = [fault for chat in opened for fault in chat.faults]
    for context in contexts:
        context.close()
    assert faults == []
