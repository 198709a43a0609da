from crypto_bot.notebook import backtest as backtest
from crypto_bot.notebook import candles as candles
