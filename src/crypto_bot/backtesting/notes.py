"""The notes of a run, taken out of the kernel's log before it is full."""

import numpy as np
import numpy.typing as npt

from crypto_bot.backtesting.outcome import FILL, FillArray
from crypto_bot.domain.market import IntArray
from crypto_bot.kernel.layout import BOOKED, HALTED, REFUSED, TURNED_DOWN, World, note_t
from crypto_bot.kernel.reasons import HALTS, REASONS


class NoteBook:
    """All notes of one run, in order."""

    def __init__(self, log: npt.NDArray[np.void]) -> None:
        """Begin empty; `log` tells the type of a note."""
        self._parts: list[npt.NDArray[np.void]] = []
        self.collected = 0
        self._type = log.dtype

    def collect(self, world: World) -> npt.NDArray[np.void]:
        """Take the notes out of the kernel's log and make room there."""
        desk = world.desk[0]
        count = int(desk["log_count"])
        part: npt.NDArray[np.void] = world.log[:count].copy()
        desk["log_count"] = 0
        self._parts.append(part)
        self.collected += count
        return part

    def all(self) -> npt.NDArray[np.void]:
        """Return every note."""
        if len(self._parts) == 1:
            return self._parts[0]
        whole: npt.NDArray[np.void] = np.concatenate(self._parts) if self._parts else np.zeros(0, note_t)
        return whole

    def fills(self, instruments: int, run_times: IntArray) -> FillArray:
        """Return the fills; the time of a fill is the open time of the run's bar that it fell into."""
        notes = self.all()
        notes = notes[notes["kind"] == BOOKED]
        fills = np.zeros(notes.size, FILL)
        at = np.searchsorted(run_times, notes["time_ns"], "right") - 1
        fills["time_ns"] = run_times[np.maximum(at, 0)]
        fills["strategy"] = notes["lane"] // instruments
        fills["instrument"] = notes["lane"] % instruments
        for name in ("order_id", "side", "price", "quantity", "fee_asset"):
            fills[name] = notes[name]
        fills["fee"] = notes["money"]
        fills["maker"] = notes["type"] != 0
        return fills

    def warnings(self) -> list[str]:
        """Say in words what a user has to know of refused orders and halts."""
        notes = self.all()
        said = []
        for code, words in REASONS.items():
            refused = int(np.count_nonzero((notes["kind"] == REFUSED) & (notes["code"] == code)))
            if refused:
                said.append(f"{refused} order{'s were' if refused > 1 else ' was'} refused: {words}")
        for halt in notes[notes["kind"] == HALTED]:
            said.append(f"trading was halted by {HALTS.get(int(halt['code']), 'a limit')}")
        lost = int(np.count_nonzero(notes["kind"] == TURNED_DOWN))
        if lost:
            said.append(f"{lost} order{'s were' if lost > 1 else ' was'} turned down by the simulated exchange")
        return said[:20]
