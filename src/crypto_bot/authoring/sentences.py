"""What went wrong while a strategy was compiled or ran, as one sentence about the author's own lines."""

import re
import traceback
from types import TracebackType

from crypto_bot.authoring.mistake import Mistake
from crypto_bot.authoring.module import Module
from crypto_bot.domain.market import IntArray
from crypto_bot.domain.units import format_time
from crypto_bot.kernel.context import FAULT, FAULT_BAR, FAULT_SYMBOL, FAULT_VALUE, MOST_TURNS
from crypto_bot.kernel.layout import QUOTES, Memory

_FAULTS = {
    1: "a wish for {symbol} is not a number (nan); an indicator is nan until it has seen enough bars",
    2: "the target of {symbol} is {value:g}: it must lie between 0 and 1 of the equity",
    3: "ago is {value:g}: a bar of the future cannot be read",
    4: "{value:g} bars back were asked for, before the first bar; declare warmup = ... at the top of the file",
    5: "a price or quantity for {symbol} is {value:g}: it must be positive",
    6: "slot {value:g} does not exist: slots are 0 to {last_slot}",
    7: "side is {value:g}: use BUY or SELL",
    8: "a length is {value:g}: it must be 1 or more",
    9: "a price or quantity for {symbol} is {value:g}: that is too large to be counted exactly",
    10: "a share of the price of {symbol} is {value:g}: it must be 0 or more and below 1",
    11: f"the loops of this step go through {{value:,.0f}} turns, more than {MOST_TURNS:,}; loop over less",
}
_GENERATED = (re.compile(r'_[0-9a-f]{16}\.py", line (\d+)'), re.compile(r"_[0-9a-f]{16}\.py \((\d+)\)"))


def compiler_mistake(module: Module, fault: BaseException) -> Mistake:
    """Return a compiler's message as a sentence about a line of the author (generated files keep the numbers)."""
    text = str(fault)
    length = module.source.count("\n") + 1
    lines = [int(number) for pattern in _GENERATED for number in pattern.findall(text)]
    line = next((number for number in lines if number <= length), 0)
    kinds = re.search(r"Cannot unify (.+?) and (.+?) for '(.+?)'", text)
    if kinds:
        why = f"{kinds[3].split('.')[0]} is sometimes {kinds[1]} and sometimes {kinds[2]}; give it one kind of value"
    elif "is not defined" in text or "referenced before" in text:
        why = "a name is used before it gets a value"
    else:
        said = [part.strip() for part in text.splitlines() if part.strip() and not part.startswith("Failed")]
        why = f"this cannot be compiled: {said[0][:200] if said else type(fault).__name__}"
    return Mistake(module.path, line, why)


def runtime_mistake(
    module: Module, memory: Memory, times: IntArray, symbols: tuple[str, ...], fault: Exception
) -> Mistake:
    """Return what stopped a strategy inside a run; interpreted runs also know the line."""
    line = _own_line(module, fault.__traceback__)
    code = int(memory.whole[FAULT])
    if code:
        at = format_time(int(times[memory.whole[FAULT_BAR]]))
        k = int(memory.whole[FAULT_SYMBOL])
        symbol = symbols[k] if 0 <= k < len(symbols) else f"symbol {k}"
        what = _FAULTS[code].format(symbol=symbol, value=float(memory.real[FAULT_VALUE]), last_slot=QUOTES - 1)
        return Mistake(module.path, line, f"at the bar of {at}: {what}")
    if isinstance(fault, IndexError):
        return Mistake(module.path, line, "an index lies outside of the symbols, a tuple or memory")
    return Mistake(module.path, line, "a division by zero; guard it with if")


def _own_line(module: Module, trace: TracebackType | None) -> int:
    line = 0
    for frame, number in traceback.walk_tb(trace):
        if frame.f_code.co_filename == str(module.path):
            line = number
    return line
