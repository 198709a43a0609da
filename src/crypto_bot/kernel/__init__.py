"""WHAT HAPPENS: orders, ledger, limits and the difference between wish and truth.

Pure: no clock, no randomness, no I/O, no logging. The same source runs compiled (default) and
interpreted (CRYPTO_BOT_COMPILE=0), with the same decisions bit for bit.
"""
