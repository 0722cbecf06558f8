"""Which steps a model attends to, as a picture.

Object names: `attention_view`, `attention_map` (the picture), `attention_layer`, `attention_head` (what is shown),
`attention_words`, `copy_attention` (its menu: `copy_attention_picture`, `copy_attention_table`), `save_attention`.
"""
