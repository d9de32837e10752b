"""The compiled simulation over time: in each slot forward spikes, gradient streams and pulses.

In the order of reading: `parameters` (constants of a network) and `state` (arrays); `encoding` and
`neurons` (the spikes of a slot); `propagation` (the currents that they cause); `pulses` (blocks of
pulses for the synapses); `slot_loop` (the loop over slots); `strategies` (the loop in one thread or
several); `blocks` (flags of 64 neurons).
"""
