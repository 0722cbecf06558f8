"""The Data page: a file's columns and rows, which column feeds which port, and the resulting arrays.

Object names: `data_table` (rows), `columns_list`, `column_details`, `open_data_button`, `recent_data_button`; for every port
`bind_<port>` (combo box of columns), `codec_<port>` (how values are written) and `codec_<port>_<option>`, `remedy_<port>_<n>`
(a button that corrects a problem), where `<port>` is the port's name with underscores for dots. A decoder's input is called
after the decoder, as in design files: `bind_model_2_inputs`, not `bind_decoder_inputs_output`; others are `bind_latent_output`,
`bind_loss_targets`. The split has `split_kind`, `split_validation`, `split_test`, `split_seed`, `split_column`.
"""
