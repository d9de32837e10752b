"""Tests which settings switch an imperfection off, and what cannot be taken apart."""

from rpu_ssnn.spec import CircuitSpec
from studies.sensitivity.imperfections import circuit_of, imperfections, switched_off
from support.studies.harness import in_device


def test_what_cannot_be_taken_apart_is_noted() -> None:
    for device, word in (
        ("tiki_taka(capacitor, reram_sb)", "partner's own imperfections"),
        ("reram_es", "read the two together"),
        ("hfo2", "the reference is off as well"),
        ("SoftBoundsReferenceDevice(reference_mean=0.2)", "does not hold weight 0"),
    ):
        _, notes = imperfections(in_device(device=device), thinning=0.5)
        assert any(word in note for note in notes)
        _, notes = imperfections(in_device(device="capacitor"), thinning=0.5)
        assert not any(word in note for note in notes)


def test_every_fault_of_the_neurons_is_switched_off_alone() -> None:
    whole = {"refractory_slots": 2, "delay_slots": 1, "relay_delay_slots": 1, "saturation": 2.0}
    kept = {"neurons": "forward", "slot_seconds": 1e-6}
    faults = dict.fromkeys(CircuitSpec.model_fields, 0.1) | whole
    case = in_device(device="capacitor", network={"neuron": {"circuit": faults | kept}})
    off, _ = imperfections(case, None)
    assert {name for name in off if name.startswith("neuron_")} == {
        f"neuron_{name}" for name in faults if name not in kept
    }
    for name in faults.keys() - kept.keys():
        changed = circuit_of(switched_off(case, off, {f"neuron_{name}"})).model_dump()
        assert changed == faults | kept | {name: CircuitSpec.model_fields[name].default}
    assert not circuit_of(switched_off(case, off, set(off))).acts
