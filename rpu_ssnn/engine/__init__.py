"""The pass over time: forward spikes, gradient streams and pulses of a slot before the next slot.

In the order of reading: `parameters` (constants of a network) and `state` (arrays of the pass);
`encoding`, `neurons`, `gradient` and `propagation` (what happens in a slot); `slot_loop` (the loop
over slots) and `lookahead` (its first layer, several slots at a time); `pulses` (from the pass to
the synapses); `strategies` (who runs the loop, in how many threads); `probes` (trains to look at);
`intrinsics` (loops in LLVM's instructions).
"""
