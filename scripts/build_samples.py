"""Rebuild the packaged samples from the files they were made of.

    python scripts/build_samples.py [--out FOLDER] FILE...

The files are those of `SOURCES`, in any order and under any name: each is recognised by its SHA-256,
and nothing is built unless all are there. They are read by the program's own importer, which refuses
what is not a candle; only the exchange's filters are added. Equal files give equal candles, so
whoever doubts a sample fetches the named commits and compares.
"""

import argparse
import hashlib
import shutil
import sys
from dataclasses import dataclass, replace
from pathlib import Path

from crypto_bot.data.address import SeriesAddress
from crypto_bot.data.archive import SAMPLES, Archive
from crypto_bot.data.digest import candles_digest
from crypto_bot.data.importing import check_file
from crypto_bot.data.merge import at_scales
from crypto_bot.data.writing import Arrival
from crypto_bot.domain.errors import CryptoBotError
from crypto_bot.domain.instrument import Instrument
from crypto_bot.domain.market import Candles
from crypto_bot.domain.units import ATOMS, format_time


@dataclass(frozen=True, slots=True)
class Origin:
    """A repository at one commit, and the copyright line of its MIT licence."""

    repository: str
    commit: str
    copyright: str


@dataclass(frozen=True, slots=True)
class Source:
    """One file of an origin."""

    origin: Origin
    path: str
    sha256: str
    symbol: str
    timeframe: str


TRADING_BOT = Origin(
    "github.com/daisybum/cryptoTradingBot",
    "019e541ccb2dab68bb5eb2a78f2ad57f616cb4f7",
    "Copyright (c) 2025 NASOSv5_mod3 Bot",
)
ORACLE = Origin(
    "github.com/bernini10/oraculo-de-bitcoin",
    "68eb4edc50aba2803a8fe76aa719365e92f79e3a",
    "Copyright (c) 2025 bernini10",
)
FOLDER = "user_data/data/binance"
SOURCES = (
    Source(
        TRADING_BOT,
        f"{FOLDER}/BTC_USDT-5m.feather",
        "64562e3fc8f7d9c987566f5cb88097539213458cf28d4306505c7e6263262d34",
        "BTC/USDT",
        "5m",
    ),
    Source(
        TRADING_BOT,
        f"{FOLDER}/ETH_USDT-5m.feather",
        "bb9600c2a22613bdf903a25566d4e38da3447aa857d2ce4f3edf70c7f2a2943b",
        "ETH/USDT",
        "5m",
    ),
    Source(
        ORACLE,
        f"{FOLDER}/BTC_USDT-1d.feather",
        "6adfe3dac1f1e07291e64d6913ccc1593f1f9ad8444bb5e7efb56577be96b744",
        "BTC/USDT",
        "1d",
    ),
    Source(
        ORACLE,
        f"{FOLDER}/ETH_USDT-1d.feather",
        "94fab4f61219411af960149bdd9f9fc6a9b5faa2f1698d41baa728a677bc0b58",
        "ETH/USDT",
        "1d",
    ),
    Source(
        ORACLE,
        f"{FOLDER}/SOL_USDT-1d.feather",
        "44a88ccab12e873804386778a5373ec851c9b8c79b42dc305f9fa3f875f3593d",
        "SOL/USDT",
        "1d",
    ),
)

# The filters of Binance spot in 2025. SOL's price had four decimals until 2021, so its scale is finer than its tick.
INSTRUMENTS = (
    Instrument("BTC/USDT", price_scale=100, tick=1, lot=10, min_notional=5 * ATOMS),
    Instrument("ETH/USDT", price_scale=100, tick=1, lot=100, min_notional=5 * ATOMS),
    Instrument("SOL/USDT", price_scale=10_000, tick=100, lot=1_000, min_notional=5 * ATOMS),
)

MIT = """Permission is hereby granted, free of charge, to any person obtaining a copy
of this software and associated documentation files (the "Software"), to deal
in the Software without restriction, including without limitation the rights
to use, copy, modify, merge, publish, distribute, sublicense, and/or sell
copies of the Software, and to permit persons to whom the Software is
furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all
copies or substantial portions of the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR
IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY,
FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE
AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER
LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM,
OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE
SOFTWARE.
"""

INTRODUCTION = """# Where the samples come from

Written by `scripts/build_samples.py`, which rebuilds everything here from the files named below and
refuses any other. The prices are those of Binance spot, recorded by the named projects; nobody on
this project wrote or changed them.

What was converted: freqtrade's feather files (floats) became integers, each float as the shortest
decimal that gives it again; no price and no volume needed rounding. Bars are in order, each time
once. What is missing there is missing here. Files are by month, for bars of a day by year, as
`<exchange>/<BASE-QUOTE>/<timeframe>/<YYYY-MM>.parquet`.

What was added: the filters of Binance spot in 2025 (`instrument.json`). They hold for orders of
today; in 2020 some were coarser or finer.
"""


def main(arguments: list[str]) -> int:
    """Build the samples, or say which files are missing."""
    parser = argparse.ArgumentParser(description="Rebuild the packaged samples from their source files.")
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE")
    parser.add_argument("--out", type=Path, default=SAMPLES)
    options = parser.parse_args(arguments)
    given = {hashlib.sha256(file.read_bytes()).hexdigest(): file for file in options.files}
    missing = [source for source in SOURCES if source.sha256 not in given]
    for source in missing:
        origin = source.origin
        sys.stderr.write(f"missing: {origin.repository} @ {origin.commit} {source.path} (sha256 {source.sha256})\n")
    if missing:
        return 3
    try:
        build(given, options.out)
    except CryptoBotError as problem:
        sys.stderr.write(f"{problem}\n")
        return problem.exit_status
    return 0


def build(given: dict[str, Path], out: Path) -> None:
    """Write the samples and PROVENANCE.md into an emptied folder."""
    shutil.rmtree(out, ignore_errors=True)
    arrivals, rows = [], []
    for source in SOURCES:
        address = SeriesAddress.of("binance", source.symbol, source.timeframe)
        checked = check_file(given[source.sha256], address)
        candles = with_filters(checked.arrival.candles)
        origin = source.origin
        told = f"{origin.repository} @ {origin.commit[:12]} {source.path} (sha256 {source.sha256[:16]})"
        arrivals.append(Arrival(candles, told))
        rows.append(describe(source, candles))
    Archive(out, samples=False).store_all(arrivals)
    (out / ".lock").unlink()
    (out / "PROVENANCE.md").write_text(provenance(rows), encoding="utf-8")


def with_filters(candles: Candles) -> Candles:
    """Give candles the filters of the exchange, without losing a digit."""
    instrument = next(each for each in INSTRUMENTS if each.symbol == candles.instrument.symbol)
    if candles.instrument.price_scale > instrument.price_scale:
        raise ValueError(f"{instrument.symbol} has prices finer than its scale")
    exact = replace(candles.instrument, price_scale=instrument.price_scale)
    return Candles(instrument, candles.timeframe, *at_scales(candles.columns(), candles.instrument, exact))


def describe(source: Source, candles: Candles) -> str:
    """Return the paragraph of one source."""
    origin = source.origin
    first, last = (format_time(int(candles.times[i])) for i in (0, -1))
    return (
        f"* {source.symbol} {source.timeframe}: {len(candles)} bars, {first} to {last}, digest "
        f"`{candles_digest(candles)}`.\n"
        f"  From <https://{origin.repository}>, commit `{origin.commit}`, `{source.path}`, MIT licence, SHA-256\n"
        f"  `{source.sha256}`.\n"
    )


def provenance(rows: list[str]) -> str:
    """Return the text of PROVENANCE.md."""
    notices = "\n".join(
        f"## Licence of {origin.repository}\n\n```\nMIT License\n\n{origin.copyright}\n\n{MIT}```\n"
        for origin in (TRADING_BOT, ORACLE)
    )
    return f"{INTRODUCTION}\n## Files\n\n{''.join(rows)}\n{notices}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
