"""The report of a run: one HTML file that needs nothing but a browser, and asks nobody for anything."""

from crypto_bot.backtesting.report.page import write_report

__all__ = ["write_report"]
