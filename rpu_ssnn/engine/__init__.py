"""The compiled simulation over time: in each slot forward spikes, gradient streams and pulses.

In the order of reading: `parameters` (constants of a network) and `state` (arrays); `encoding`,
`neurons`, `firing`, `gradient` and `propagation` (what happens in a slot); `slot_loop` (the loop
over slots) and `lookahead` (its first layer, several slots at a time); `pulses` (buffers of pulses
for the synapses); `weight_copies` (weights as matrices); `strategies` (the loop in one thread or
several); `recording` (every train); `blocks`, `checked_arrays` and `intrinsics` (helpers).
"""
