"""Steps that shrink as charge is trapped: a hidden state that every pulse fills.

Each pulse fills a share ``trap_rate`` of the free traps. A step is ``1 - trap_weight h`` of what it
would be without traps, where h is the share of the traps that earlier pulses filled.
"""

from rpu_ssnn.devices import Law, LawParameter


def step(shared, device, w, up, noise):
    """Change of a device at state w by a pulse; noise is a standard normal number, or zero."""
    trap_weight, trap_rate = shared.numbers[0], shared.numbers[1]
    size = (device.up if up else device.down) * (1 - trap_weight * device.a)
    size *= 1 + shared.noise * noise
    device.a += trap_rate * (1 - device.a)
    return size if up else -size


LAW = Law(
    name="trapping",
    step=step,
    own={
        "trap_weight": LawParameter(
            unit="1",
            description="share of the step that is lost when all traps are full",
            limits=(0.0, 1.0),
            required=True,
            imperfection="trapped_charge",
            swept=(1e-3, 1.0),
        ),
        "trap_rate": LawParameter(
            unit="1",
            description="share of the free traps that one pulse fills",
            limits=(0.0, 1.0),
            required=True,
        ),
    },
    hidden={"filled": 0.0},
)
