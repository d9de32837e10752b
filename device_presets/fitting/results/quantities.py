"""Builds the report of a fit: step, states, asymmetry, nonlinearity, bounds, noise, spreads."""

from collections.abc import Sequence
from dataclasses import replace

from device_presets.fitting.reading.units import SIEMENS
from device_presets.fitting.results.intervals import BOUNDS, Quantity, as_far_as_determined
from device_presets.fitting.results.population import MeanDevice, Population
from device_presets.fitting.results.time_and_width import effect_quantities
from device_presets.library.steps_at_zero import asymmetry_of
from rpu_ssnn.common.wording import counted

_LOOSE = 1.8
"""Under read noise, the cycle noise may be zero if its interval reaches this many times its value,
since the likelihood is flat down to zero."""

LEAST_NOISE = 2e-4
"""A noise below this share of a step is at the limit of the values that a fit tries."""

_NO_DOWN = "the data have no down pulses"


def report(
    population: Population,
    linear: Sequence[Population] = (),
    as_good: Sequence[Population] = (),
    as_likely: Sequence[Population] = (),
) -> list[Quantity]:
    """Returns all numbers of the report, in the order of display.

    Args:
        population: The population under the chosen model.
        linear: The population under a linear step with a slope for each device, if the chosen step
            is constant or has one slope for all; it shows how much nonlinearity is possible. For
            other steps there is none.
        as_good: Populations under other models that the data do not distinguish from the chosen
            one.
        as_likely: Populations under models that are equally likely over all pulses.

    Noise is whatever a model does not explain, so its interval must include those of `as_good`, and
    of `linear`, which does not mistake different slopes of devices for noise. The place of a bound
    depends on how the step shrinks toward it, so the intervals of bounds, states and nonlinearity
    must include those of `as_good` too. A bound far beyond the readings is a consequence of the law
    alone, so neither it nor what rests on it has an interval. A loss and a step that falls toward a
    bound look similar, so the intervals of time and width also include those of `as_likely`.
    """
    p, scale = population, population.fit.prepared.scale

    def asymmetry(device: MeanDevice) -> float:
        return asymmetry_of(p.step_at(device, True, 0.0), p.step_at(device, False, 0.0))

    def how_many(q: Population) -> Quantity:
        open_ends = [end for end in ("upper", "lower") if not q.reached(end == "upper").any()]
        reached, ends = not open_ends, " or ".join(open_ends)
        note = (
            "of the mean step" if reached else f"a lower limit: no device reaches its {ends} bound"
        )
        note = "the range ends at an extrapolated bound" if reached and beyond else note
        return q.quantity(
            "states", "states", lambda of: float(of.local[4] - of.local[5]) / q.step(of), note
        )

    beyond = {name for name in BOUNDS if p.extrapolated(name == "w_max")}
    beyond |= {"states"} if beyond else set()

    def seen(one: Quantity) -> Quantity:
        """Returns a number without its interval if it follows from the law where no device was."""
        return one.opened() if one.name.removesuffix("_spread") in beyond else one

    note = "mean of up and down at weight 0" if p.has_down else ""
    alone = f"as all means, of the measured {counted(p.n_devices, 'device')} alone"
    size = scale.span / SIEMENS[scale.unit]
    found = [
        p.quantity("step", "weight", p.step, note).noted(alone if p.of_these_devices else ""),
        p.quantity("step as conductance", scale.unit, lambda device: size * p.step(device)),
        _over_models(seen(how_many(p)), [how_many(q) for q in as_good]),
    ]
    none = Quantity("asymmetry", None, None, None, "step", _NO_DOWN)
    found.append(p.quantity("asymmetry", "step", asymmetry) if p.has_down else none)
    found += [_nonlinearity(p, linear, as_good, up) for up in (True, False)]
    for high in (True, False):
        found.append(_over_models(seen(_bound(p, high)), [_bound(q, high) for q in as_good]))
    others = [*as_good, *linear]
    found.append(_over_models(_cycle_noise(p), [_cycle_noise(other) for other in others]))
    found += [*_read_noise(p), *map(seen, p.spreads()), *_effects(p, [*others, *as_likely])]
    return [as_far_as_determined(quantity) for quantity in found]


def _effects(p: Population, others: Sequence[Population]) -> list[Quantity]:
    """Returns the numbers of the terms of time and width, with intervals that include those of
    `others`."""
    found = [one for q in others for one in effect_quantities(q)]
    own = effect_quantities(p)
    return [_over_models(one, [same for same in found if same.name == one.name]) for one in own]


def _nonlinearity(
    p: Population, linear: Sequence[Population], as_good: Sequence[Population], up: bool
) -> Quantity:
    name = f"nonlinearity {'up' if up else 'down'}"
    if not up and not p.has_down:
        return Quantity(name, None, None, None, "1", _NO_DOWN)

    bounded = p.reached(up).any() and not p.extrapolated(up)

    def of(q: Population) -> Quantity:
        def loss(device: MeanDevice) -> float:
            end = float(device.local[4 if up else 5]) if bounded else q.measured(up)
            return 1.0 - q.step_at(device, up, end) / q.step_at(device, up, 0.0)

        end = "bound" if bounded else "end of the measured range"
        return q.quantity(name, "1", loss, f"the step loses this share up to the {end}")

    own = of(p).noted("the interval allows each device its own slope" if linear else "")
    return _over_models(own, [of(q) for q in (*as_good, *linear)])


def _bound(p: Population, high: bool) -> Quantity:
    name, column = ("w_max", 4) if high else ("w_min", 5)
    reached, note = p.reached(high), p.shown(float(p.device().local[column]))
    if p.extrapolated(high):
        end = p.shown(p.measured(high))
        note += f"; extrapolated from the steps, as the measured range ends at {end}"
    one = p.quantity(name, "weight", lambda device: float(device.local[column]), note)
    if reached.all():
        return one
    note += f"; not reached by {int((~reached).sum())} of {counted(len(reached), 'device')}, for "
    note += "which the end of the measured range counts"
    note += ", or the mean bound of the others if further out" if reached.any() else ""
    return Quantity(name, one.value, None, None, "weight", note)


def _cycle_noise(p: Population) -> Quantity:
    one = p.positive("cycle_to_cycle", "step", lambda device: device.cycle_noise)
    if one.value is not None and one.value < LEAST_NOISE:
        note = "no noise is visible at this resolution"
        high = None if p.fit.prepared.noisy else one.value
        return Quantity("cycle_to_cycle", 0.0, 0.0, high, "step", note)
    if p.fit.prepared.noisy and one.high and one.high > _LOOSE * (one.value or 0.0):
        return replace(one, low=0.0).noted("this noise may also be zero")
    return one


def _over_models(one: Quantity, others: list[Quantity]) -> Quantity:
    """Returns the quantity with an interval that also includes those of other models, if they have
    one."""
    lows = [q.low for q in (one, *others) if q.low is not None]
    highs = [q.high for q in (one, *others) if q.high is not None]
    if one.low is None or not highs or (min(lows), max(highs)) == (one.low, one.high):
        return one
    held = replace(one, low=min(lows), high=max(highs))
    return held.noted("the interval covers other models that may be right")


def _read_noise(p: Population) -> list[Quantity]:
    if not p.device().read_noise:
        note = "if there is read or write noise, it is less than the readings resolve"
        return [Quantity("write_noise", 0.0, None, None, "step", note)]
    note = "of the mean step; new at each reading, as the read noise of a laboratory is"
    noise = p.quantity("write_noise", "step", lambda of: of.read_noise / p.step(of), note)
    if not p.fit.layout.shared_free[1]:
        return [noise.opened().noted("by likelihood, as fewer than three whole cycles show none")]
    return [replace(noise, low=None if noise.low is None else max(noise.low, 0.0))]
