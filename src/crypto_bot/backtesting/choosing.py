"""Who decides, with which parameters, under which assumptions: the same for a backtest and for a run."""

from collections.abc import Iterable, Mapping, Sequence

from crypto_bot.authoring.binding import Strategy
from crypto_bot.authoring.mistake import Mistake
from crypto_bot.authoring.parameters import Configured, Given, ParameterSet
from crypto_bot.backtesting.prospects import refuse_losing_plan
from crypto_bot.backtesting.setup import Chosen, Simulation
from crypto_bot.config.settings import Settings, shipped_parameters
from crypto_bot.domain.errors import UsageError
from crypto_bot.domain.timeframe import timeframe_ns
from crypto_bot.domain.units import SECOND_NS
from crypto_bot.kernel.genesis import Costs, Gates, Limits
from crypto_bot.plain.opening import open_strategy
from crypto_bot.strategies.catalogue import NAMES, module_of

GivenParameters = Mapping[str, Mapping[str, Given]]
"""Parameters by the name of a strategy, then by their own; what is left out has the strategy's default."""


def name_of(asked: str) -> str:
    """Return the name of a strategy that is asked for by name or by file."""
    return asked.rpartition("/")[2].removesuffix(".py")


def by_strategy(given: Iterable[tuple[str, Given]], strategies: Sequence[str]) -> dict[str, dict[str, Given]]:
    """Sort parameters named `k`, or `NAME.k` where there are several strategies, by the strategy they are for.

    Raises UsageError for a strategy that does not take part, and for a name that could belong to several.
    """
    names = [name_of(asked) for asked in strategies]
    found: dict[str, dict[str, Given]] = {}
    for key, value in given:
        owner, dot, name = key.strip().rpartition(".")
        if not dot and len(names) > 1:
            choices = " or ".join(f"{each}.{name}" for each in names)
            raise UsageError(f"parameter {name} could be meant for each of {len(names)} strategies; write {choices}")
        if dot and owner not in names:
            raise UsageError(f"parameter {key.strip()} is for {owner}, which does not take part: {', '.join(names)}")
        found.setdefault(owner if dot else names[0], {})[name] = value
    return found


def texts_by_strategy(texts: Iterable[str], strategies: Sequence[str]) -> dict[str, dict[str, Given]]:
    """Do the same with texts `k=v`, as `--param` takes them."""
    pairs: list[tuple[str, Given]] = []
    for text in texts:
        key, equals, value = text.partition("=")
        if not (key.strip() and equals and value.strip()):
            raise UsageError(f"--param {text!r} gives no value; write it as --param name=value")
        pairs.append((key, value.strip()))
    return by_strategy(pairs, strategies)


def choose(strategies: Sequence[str], given: GivenParameters, costs: Costs) -> tuple[Chosen, ...]:
    """Return the strategies with their parameters, nothing compiled yet.

    Raises UsageError for a strategy that does not exist or cannot work, for parameters out of range,
    and for a plan that cannot earn its fees.
    """
    chosen: list[Chosen] = []
    for asked in strategies:
        strategy = open_strategy(asked)
        if any(strategy.name == other.name for other in chosen):
            raise UsageError(f"two strategies are called {strategy.name}; give one of the files another name")
        chosen.append(Chosen(strategy, _parameters(asked, strategy, given.get(strategy.name, {}))))
        refuse_losing_plan(chosen[-1], costs)
    return tuple(chosen)


def _parameters(asked: str, strategy: Strategy, given: Mapping[str, Given]) -> ParameterSet:
    """Return the parameters; a file called as one that ships is told whose section it was given."""
    try:
        return strategy.module.parameters.read(given)
    except Mistake as mistake:
        configured = any(isinstance(each, Configured) for each in given.values())
        if asked in NAMES or strategy.name not in NAMES or not configured:
            raise
        text = f"{mistake}; {asked} is called as a strategy that ships, and has its section; give the file another name"
        raise UsageError(text) from None


def idle_remarks(chosen: Sequence[Chosen], symbols: Sequence[str]) -> tuple[str, ...]:
    """Name the symbols of a run that a strategy will not look at."""
    return tuple(
        f"{each.name} trades the first symbol alone, {symbols[0]}; of {', '.join(symbols[1:])} it knows nothing"
        for each in chosen
        if len(symbols) > 1 and each.strategy.module.trades_first_alone
    )


def parameters_of(settings: Settings, given: GivenParameters) -> dict[str, dict[str, Given]]:
    """Return the parameters of every configured strategy: those of [strategy.NAME], and over them what is given.

    Raises Mistake for what is wrong in the section of a strategy of the catalogue that does not take part.
    """
    names = [name_of(asked) for asked in settings.trading.strategies]
    _check_idle(settings, names)
    return {name: {**_configured(settings, name), **given.get(name, {})} for name in names}


def _configured(settings: Settings, name: str) -> dict[str, Configured]:
    return {key: Configured(text) for key, text in settings.strategy_parameters(name).items()}


def _check_idle(settings: Settings, taking_part: Sequence[str]) -> None:
    """Refuse what is wrong in the sections of strategies that do not take part; as shipped they are not looked at."""
    for name in NAMES:
        given = settings.strategy_parameters(name)
        if name not in taking_part and given and given != shipped_parameters().get(name):
            module_of(name).parameters.read(_configured(settings, name))


def simulation_of(settings: Settings, *, limits: bool = True) -> Simulation:
    """Return the simulated venue and account of the settings; without `limits` only cash and filters hold."""
    execution, risk = settings.execution, settings.risk.ppm()
    return Simulation(
        cash=settings.trading.cash_atoms,
        limits=(
            Limits(
                drawdown_ppm=risk["max_drawdown"],
                daily_loss_ppm=risk["max_daily_loss"],
                symbol_exposure_ppm=risk["max_symbol_exposure"],
                exposure_ppm=risk["max_exposure"],
                risk_ppm=risk["risk_per_trade"],
                gates=_gates_of(settings),
            )
            if limits
            else Limits.off()
        ),
        costs=Costs(
            execution.fee_maker_ppm,
            execution.fee_taker_ppm,
            execution.slippage_ppm,
            execution.fee_asset,
            model=execution.slippage_model,
            impact_ppm=execution.slippage_impact_ppm,
            volume_ppm=execution.max_volume_ppm,
        ),
        fills=execution.fills,
        fill_at=execution.fill_at,
        seed=settings.general.seed,
        delisting_days=execution.delisting_days,
        delisting_ppm=execution.delisting_ppm,
    )


def _gates_of(settings: Settings) -> Gates:
    """Return what else the settings put before an order that opens."""
    risk, trading, ppm = settings.risk, settings.trading, settings.risk.ppm()
    return Gates(
        groups=risk.groups,
        group_ppm=ppm["max_group_exposure"],
        kelly_ppm=ppm["kelly_fraction"],
        volatility_ppm=ppm["volatility_target"],
        volatility_days=risk.volatility_days,
        expectancy=risk.expectancy_gate,
        places=trading.max_open_positions,
        cooldown_ns=trading.stop_cooldown_bars * timeframe_ns(trading.timeframe),
        losses=risk.max_consecutive_losses,
        pause_ns=round(risk.loss_pause_hours * 3_600 * SECOND_NS),
    )


def history_bars(
    chosen: Sequence[Chosen], symbols: int, run_ns: int, *, split: bool = False, gaps: bool = False
) -> int:
    """Return how many of the run's bars the strategies have to see before their first decision.

    `split` says that orders live on finer bars than those of the run, `gaps` that symbols lack bars others have. Two
    own bars more than the longest window: the first of them may be cut, and `ago=1` looks back by one.
    """
    bar_ns = 1 if split else run_ns  # any other length than the run's asks for the walker that goes with split bars
    bounds = [each.strategy.bind(each.params, symbols, run_ns, bar_ns, gaps=gaps) for each in chosen]
    return max((bound.warmup + 2) * max(1, bound.own_ns // run_ns) for bound in bounds)
