"""The spiking front end of SSNN-BP, and the synapses that its weights live in.

Start reading at `rpu_ssnn.spec` (what a network is), `rpu_ssnn.network` (the pass over time) and
`rpu_ssnn.synapses.base` (the seam between the two kinds of weights).
"""
