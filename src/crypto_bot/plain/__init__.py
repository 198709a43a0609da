"""Strategies as plain Python classes: what they are shown, what they answer, and the guard around their code.

Any library may be used in such a class; nothing of it enters the kernel but wishes. The rooms that decide stay pure:
a class is called from here alone, under limits of time and memory.
"""

from crypto_bot.plain.words import Account, Filled, PriceBar, Quote, Shown, Signal

__all__ = ["Account", "Filled", "PriceBar", "Quote", "Shown", "Signal"]
