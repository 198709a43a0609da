"""WHAT EXISTS: units, instruments, candles, orders and events as plain values.

Nothing here reads a clock, a file or a socket, and nothing here decides anything.
"""
