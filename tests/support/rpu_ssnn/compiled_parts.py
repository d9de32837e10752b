"""Compiles functions that only compiled functions call (`inner`), so that tests can call them."""

from rpu_ssnn import random_numbers
from rpu_ssnn.compiled import compiled
from rpu_ssnn.engine import blocks, encoding, neurons, propagation

add_rows = compiled(propagation.add_rows)
begin = compiled(neurons.begin)
draw_input = compiled(encoding.draw_input)
fire_from_current = compiled(neurons.fire_from_current)
fire_pairs = compiled(neurons.fire_pairs)
list_signed = compiled(blocks.list_signed)
list_spikes = compiled(blocks.list_spikes)
lowest_flag = compiled(blocks.lowest_flag)
normal = compiled(random_numbers.normal)
random_word = compiled(random_numbers.random_word)
