"""What a simulated run is: strategies with their parameters, money, limits, costs and the way of filling."""

from dataclasses import dataclass, field

from crypto_bot.authoring.binding import Strategy
from crypto_bot.authoring.parameters import ParameterSet
from crypto_bot.backtesting.intrabar import WAYS, Way
from crypto_bot.backtesting.outcome import Assumptions, ParamValue
from crypto_bot.domain.units import ATOMS, PPM, PPM_PER_BPS
from crypto_bot.kernel.genesis import Costs, Limits

FILL_TIMES = ("next_open", "close")


@dataclass(frozen=True)
class Chosen:
    """A strategy and the parameters it is to run with."""

    strategy: Strategy
    params: ParameterSet

    @property
    def name(self) -> str:
        """The strategy's name."""
        return self.strategy.name

    def values(self) -> dict[str, ParamValue]:
        """Return the parameters by name."""
        return dict(zip(self.strategy.module.parameters.names, self.params, strict=True))


@dataclass(frozen=True)
class Simulation:
    """The assumptions of a simulated venue and account; every report states them.

    An instrument without a bar for `delisting_days` is given up at its last price less `delisting_ppm`; 0 is never.
    """

    cash: int = 10_000 * ATOMS
    limits: Limits = field(default_factory=Limits)
    costs: Costs = field(default_factory=Costs)
    fills: str = "pessimistic"
    fill_at: str = "next_open"
    seed: int = 0
    delisting_days: int = 3
    delisting_ppm: int = 300_000

    @property
    def way(self) -> Way:
        """How orders fill inside a bar."""
        return WAYS[self.fills]

    def stated(self) -> Assumptions:
        """Return the assumptions as a report tells them."""
        return Assumptions(
            fills=self.fills,
            fill_at=self.fill_at,
            limits="off" if self.limits == Limits.off() else "config",
            fee_maker_bps=self.costs.maker_ppm / PPM_PER_BPS,
            fee_taker_bps=self.costs.taker_ppm / PPM_PER_BPS,
            slippage_bps=self.costs.slippage_ppm / PPM_PER_BPS,
            seed=self.seed,
            fee_asset=self.costs.fee_in,
            slippage_model=self.costs.model,
            slippage_impact=self.costs.impact_ppm / PPM,
            max_volume_share=self.costs.volume_ppm / PPM,
            delisting_days=self.delisting_days,
            delisting_haircut=self.delisting_ppm / PPM,
        )


def code_version() -> str:
    """Return the program's version and the hash of the kernel's sources that decided."""
    from importlib.metadata import version

    from crypto_bot.kernel.compiled import kernel_key

    return f"{version('cryptotrader')}+{kernel_key()}"
