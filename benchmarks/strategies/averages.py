"""The cross of W1 as a plain class: running sums, one call per bar, a share or nothing."""

from collections import deque


class Averages:
    """Want everything while the mean of the last `fast` closes lies above that of the last `slow`."""

    def __init__(self, fast: int = 20, slow: int = 100) -> None:
        """Begin without a bar."""
        self.fast, self.slow = fast, slow
        self.quick = self.lazy = 0.0
        self.closes: deque[float] = deque(maxlen=slow + 1)

    def on_data(self, bar) -> float | None:  # type: ignore[no-untyped-def] # a file as its user writes it
        """Add the close, and take away what has left the two windows."""
        close, closes = bar.close, self.closes
        closes.append(close)
        if len(closes) > self.slow:
            self.quick += close - closes[-self.fast - 1]
            self.lazy += close - closes[0]
        elif len(closes) == self.slow:
            self.quick, self.lazy = sum(list(closes)[-self.fast :]), sum(closes)
        else:
            return None
        return 1.0 if self.quick * self.slow > self.lazy * self.fast else 0.0
