"""How sure a Sharpe ratio is: its standard error, the assumptions behind it, and what they make of the figure.

The error takes skew and fat tails into account and assumes independent returns. `echo_error` drops that assumption
and takes the returns as AR(1) with the autocorrelation they show. The probabilistic Sharpe ratio is given by both
published conventions: `skill` with the variance at the observed ratio over n - 1 (Bailey and Lopez de Prado 2012),
`skill_2025` with that at a true ratio of 0 over n, autocorrelation included (Lopez de Prado, Lipton, Zoonekynd 2025).
"""

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from crypto_bot.backtesting import moments

FloatArray = npt.NDArray[np.float64]

BY_CHANCE = 2.0
"""Within so many standard errors, 1 / sqrt(n), an autocorrelation is no more than chance."""


class Certainty(NamedTuple):
    """What is known of a Sharpe ratio; errors are those of the yearly ratio, None has no meaning.

    `echo` is the autocorrelation of the returns at lag 1, `echo_sharpe` the yearly ratio if it is real (Lo 2002).
    `needed` is how many returns like these it takes to be 95 % sure that the true ratio is above 0 (2012).
    """

    shape: moments.Shape
    error: float | None
    skill: float | None
    skill_2025: float | None
    needed: float | None
    echo: float | None
    echo_error: float | None
    echo_sharpe: float | None
    periods: int

    @property
    def echoes(self) -> bool:
        """Whether the autocorrelation is more than chance would show."""
        return self.echo is not None and abs(self.echo) * math.sqrt(self.periods) > BY_CHANCE


def measure_certainty(returns: FloatArray, periods_per_year: float) -> Certainty:
    """Judge the Sharpe ratio of these returns."""
    form, echo, count = moments.shape(returns), moments.autocorrelation(returns), int(returns.size)
    single = moments.sharpe(returns, 1.0)
    if single is None:
        return Certainty(form, None, None, None, None, echo, None, None, count)
    root = math.sqrt(periods_per_year)
    error = moments.sharpe_error(single, count, form)
    echo_error = None if echo is None else moments.sharpe_error(single, count, form, echo=echo)
    factor = None if echo is None else moments.annualising(max(round(periods_per_year), 1), echo)
    return Certainty(
        shape=form,
        error=None if error is None else error * root,
        skill=moments.skill_probability(single, count, form),
        skill_2025=moments.skill_probability_2025(single, count, form, echo=echo or 0.0),
        needed=moments.least_track_record(single, form),
        echo=echo,
        echo_error=None if echo_error is None else echo_error * root,
        echo_sharpe=None if factor is None else single * factor,
        periods=count,
    )
