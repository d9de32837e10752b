"""Spreads between devices against statsmodels and against the closed form of equal variances."""

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.meta_analysis import combine_effects

from device_presets.fitting.results.intervals import spread_interval


@pytest.mark.parametrize("seed", range(8))
def test_the_estimate_is_that_of_paule_and_mandel_in_statsmodels(seed: int) -> None:
    rng = np.random.default_rng(seed)
    within = rng.uniform(0.01, 0.5, 12) ** 2
    values = rng.normal(1.0, np.hypot(0.3 * (seed > 1), np.sqrt(within)))
    theirs = combine_effects(values, within, method_re="iterated").tau2
    spread, _, _ = spread_interval(values, within, relative=False)
    assert spread**2 == pytest.approx(max(theirs, 0.0), rel=1e-4, abs=1e-6)


def test_the_interval_of_equal_variances_is_that_of_chi_squared() -> None:
    values = np.random.default_rng(5).normal(0.0, 1.0, 15)
    error = 0.04
    scatter = float(np.var(values, ddof=1))
    _, low, high = spread_interval(values, np.full(15, error), relative=False)
    for end, probability in ((low, 0.975), (high, 0.025)):
        quantile = float(stats.chi2.ppf(probability, 14)) / 14
        assert end**2 + error == pytest.approx(scatter / quantile, rel=1e-4)
