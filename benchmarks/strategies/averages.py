"""The cross of W1 as a plain class: running sums, one call per bar, a share or nothing."""

from collections import deque


class Averages:
    """Want everything while the mean of the last `fast` closes lies above that of the last `slow`."""

    def __init__(self, fast: int = 20, slow: int = 100) -> None:
        """Begin without a bar."""
        self.fast, self.slow = fast, slow
        self.quick = self.lazy = 0
        self.closes: deque[int] = deque(maxlen=slow + 1)

    def on_data(self, bar) -> float | None:  # type: ignore[no-untyped-def] # a file as its user writes it
        """Add the close in hundredths, for sums of whole numbers are exact."""
        close, closes = int(bar.close * 100 + 0.5), self.closes
        closes.append(close)
        count = len(closes)
        self.quick += close
        self.lazy += close
        if count > self.fast:
            self.quick -= closes[-self.fast - 1]
        if count > self.slow:
            self.lazy -= closes[0]
        elif count < self.slow:
            return None
        return 1.0 if self.quick * self.slow > self.lazy * self.fast else 0.0
