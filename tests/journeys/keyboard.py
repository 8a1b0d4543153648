"""Someone who has a keyboard and no mouse: goes from stop to stop, and minds where they can be seen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

#: The name of what has the focus as a screen reader begins it, and whether an eye finds it: in the window, and marked.
AT = """() => {
  const at = document.activeElement, style = getComputedStyle(at), box = at.getBoundingClientRect();
  const label = at.labels && at.labels[0] ? at.labels[0].textContent : at.getAttribute("aria-label") || at.title || at.textContent;
  const marked = (style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0) || style.boxShadow !== "none";
  const inside = box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth;
  return { tag: at.tagName, name: label.trim().replace(/\\s+/g, " "), seen: marked && inside };
}"""


@dataclass(frozen=True, slots=True)
class Stop:
    """Where the keys act."""

    tag: str
    name: str
    seen: bool

    @property
    def is_outside(self) -> bool:
        """Between the last thing on the page and the first; or in a letter's frame, whose inside is not ours."""
        return self.tag in ("BODY", "HTML", "IFRAME")


@dataclass
class Hands:
    """Hands on the keyboard of a page."""

    page: Any
    most: int = 400

    def at(self) -> Stop:
        return Stop(**self.page.evaluate(AT))

    def press(self, *keys: str) -> None:
        """Keys by name, and words of more than one letter that are no such name, one after the other."""
        for key in keys:
            if len(key) == 1 or (key[0].isupper() and " " not in key):
                self.page.keyboard.press(key)
            else:
                self.page.keyboard.type(key)

    def step(self, by: str = "Tab") -> Stop:
        """To the next stop. One that cannot be seen is a fault."""
        self.page.keyboard.press(by)
        stop = self.at()
        assert stop.is_outside or stop.seen, f"the focus cannot be seen at {stop.tag} {stop.name[:60]}"
        return stop

    def walk_to(self, *names: str, by: str = "Tab") -> None:
        """On until what has the focus begins with one of these names."""
        for _ in range(self.most):
            if self.step(by).name.startswith(names):
                return
        raise AssertionError(f"no stop is called {names}")

    def lap(self) -> int:
        """Once round the page; how many stops it has."""
        self.page.evaluate("document.activeElement.blur()")
        first, stops = self.step(), 1
        while (stop := self.step()) != first:
            stops += 1
            assert stops < self.most, f"Tab does not come out of {stop.tag} {stop.name[:60]}"
        return stops
