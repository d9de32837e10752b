"""The pulse response of a preset as a figure."""

from pathlib import Path

from matplotlib.figure import Figure

from device_presets.preset import Preset
from device_presets.pulsing import pulse_response
from rpu_ssnn.common.errors import PresetError
from rpu_ssnn.common.wording import counted

# Okabe and Ito's colour-blind-safe pair; the line styles tell them apart in grey print too.
_STYLE = {"up": ("#0072B2", "-"), "down": ("#D55E00", "--")}


def plot_pulse_response(
    preset: Preset,
    path: str | Path,
    n_devices: int = 8,
    n_up: int | None = None,
    n_down: int | None = None,
    seed: int = 0,
) -> Path:
    """Draws ``pulse_response`` (same arguments): each device thin, their mean thick.

    Args:
        path: file to write; its suffix chooses the format (png, pdf, svg).

    Returns:
        The path written.

    Raises:
        PresetError: as ``pulse_response``; or the file cannot be written in that format.
    """
    response = pulse_response(preset, n_devices, n_up, n_down, seed)
    figure = Figure(figsize=(6.4, 4.0), layout="constrained")
    axes = figure.subplots()
    for polarity, (colour, style) in _STYLE.items():
        part = response[response["polarity"] == polarity]
        for _, device in part.groupby("device"):
            axes.plot(device["pulse"], device["weight"], style, color=colour, lw=0.6, alpha=0.5)
        if len(part):
            mean = part.groupby("pulse")["weight"].mean()
            label = f"{polarity} pulses, mean of {counted(n_devices, 'device')}"
            axes.plot(mean.index, mean.to_numpy(), style, color=colour, lw=2.0, label=label)
    axes.axhline(preset.w_max, color="black", lw=0.8, ls=":", label="mean bounds")
    axes.axhline(preset.w_min, color="black", lw=0.8, ls=":")
    axes.set_xlabel("pulse number")
    axes.set_ylabel("weight (normalised conductance)")
    axes.set_title(f"{preset.name}: {preset.description}", fontsize=9, wrap=True)
    axes.legend(fontsize=8, frameon=False, loc="lower center")
    target = Path(path)
    try:
        figure.savefig(target, dpi=150)
    except (OSError, ValueError) as error:
        allowed = f"must be a writable file ending in .png, .pdf or .svg ({error})"
        raise PresetError(preset.name, "path", str(target), allowed) from None
    return target
