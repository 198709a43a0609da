"""The typed face of risk management, for programs of one's own.

`RiskManager` and its parts keep an account by hand and put every question to the functions that decide in a backtest
and in a run: nothing is worked out here a second time. No clock, no network, and nothing that drives a run may enter.
"""

from crypto_bot.domain.instrument import Instrument as Instrument
from crypto_bot.kernel.genesis import Costs as Costs
from crypto_bot.kernel.genesis import Gates as Gates
from crypto_bot.kernel.genesis import Limits as Limits
from crypto_bot.risk.account import Prices as Prices
from crypto_bot.risk.account import RiskAccount as RiskAccount
from crypto_bot.risk.breaker import CircuitBreaker as CircuitBreaker
from crypto_bot.risk.drawdown import DrawdownTracker as DrawdownTracker
from crypto_bot.risk.sizing import FixedFractionalSizer as FixedFractionalSizer
from crypto_bot.risk.stops import Guard as Guard
from crypto_bot.risk.stops import StopHit as StopHit
from crypto_bot.risk.stops import StopLossHandler as StopLossHandler
from crypto_bot.risk.trading import RiskManager as RiskManager
from crypto_bot.risk.trading import Trade as Trade
from crypto_bot.risk.trading import TradeResult as TradeResult
from crypto_bot.risk.trading import Verdict as Verdict
