"""CryptoTrader: one deterministic kernel that backtests, paper-trades and trades live."""
