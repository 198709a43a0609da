from crypto_bot.notebook import backtest as backtest
from crypto_bot.notebook import candles as candles
from crypto_bot.risk import CircuitBreaker as CircuitBreaker
from crypto_bot.risk import DrawdownTracker as DrawdownTracker
from crypto_bot.risk import FixedFractionalSizer as FixedFractionalSizer
from crypto_bot.risk import RiskManager as RiskManager
from crypto_bot.risk import StopLossHandler as StopLossHandler
