"""The Generate page: a trained run, values for its inputs, and the sequences that it generates.

Object names: `generate_panel` (the page), `generate_run`, `generate_checkpoint`, `generate_source` (typed, file, data),
`generate_count`, `generate_temperature`, `generate_seed`, `generate_button`, `cancel_generate_button`, `generate_progress`,
`generate_error`, `results_table`, `show_steps`,
`show_attention`, `copy_results_button`, `save_results_button`. Fields of the form are `input_<port>` (text,
labels, pasted numbers, an image to paint) or `input_<port>_<n>` (numbers, n from 0), `<port>` being the input block's name.
"""
