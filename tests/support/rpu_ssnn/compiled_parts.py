"""Compiles functions that only compiled functions call (`inner`), so that tests can call them."""

from rpu_ssnn import random_numbers
from rpu_ssnn.compiled import compiled
from rpu_ssnn.engine import blocks, encoding, neurons, propagation, slot_loop

add_rows = compiled(propagation.add_rows)
begin = compiled(neurons.begin)
draw_input = compiled(encoding.draw_input)
draw_label = compiled(encoding.draw_label)
fire = compiled(neurons.fire)
fire_from_current = compiled(neurons.fire_from_current)
fire_pairs = compiled(neurons.fire_pairs)
list_signed = compiled(blocks.list_signed)
list_spikes = compiled(blocks.list_spikes)
lowest_flag = compiled(blocks.lowest_flag)
next_slot = compiled(slot_loop.next_slot)
normal = compiled(random_numbers.normal)
propagate_inhibition = compiled(propagation.propagate_inhibition)
propagate_linear = compiled(propagation.propagate_linear)
random_word = compiled(random_numbers.random_word)
