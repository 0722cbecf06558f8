"""Every problem code: what it means, what to do about it, and which part of the program it is about.

A problem of a new code needs a row here, in alphabetical order; `tools/make_design_docs.py` writes docs/problems.md from the table.
"""

from __future__ import annotations

from typing import Literal

import msgspec

Place = Literal["design", "binding", "data", "training", "devices", "run", "generate", "export", "file", "command"]

PLACES: dict[Place, str] = {
    "design": "Blocks and wires",
    "binding": "Which column feeds which port",
    "data": "Files, rows and codecs",
    "training": "Training",
    "devices": "Devices and engines",
    "run": "Runs and checkpoints",
    "generate": "Generating",
    "export": "Export",
    "file": "Files of any kind",
    "command": "The command line",
}
"""The headings of the places, in the order of the documentation."""


class Code(msgspec.Struct, frozen=True):
    """One problem code.

    `about` is the part of the program where the user mends it; "binding" is what the design says of its data without opening it,
    "data" what only the data itself shows. `help` says in one line what the code means and what to do. `in_window` replaces the hint
    of the problem in the window, where that speaks of the command line. `absent` codes say only that something has not been chosen
    yet, which an empty field or port shows already. `reading` codes are about the way a text file is read: header, delimiter, quotes,
    encoding, lines that are skipped.
    """

    code: str
    about: Place
    help: str
    in_window: str = ""
    absent: bool = False
    reading: bool = False


# One row a line, in alphabetical order, so that branches which add codes merge without conflicts.
# fmt: off
_ROWS = (
    Code("activation_not_in_keras2", "export", "Keras 2 computes hard_sigmoid otherwise: choose another activation if a file for Keras 2 is wanted."),
    Code("all_frozen", "design", "No block is trainable, so training would change nothing: set `trainable` in one block."),
    Code("backslash_escapes", "data", "Backslashes before quotes or delimiters were read as symbols: have the file written with doubled quotes.", reading=True),
    Code("bad_annotation", "design", "A frame or note of the design file is no object with an id and the fields that it may have: mend the file."),
    Code("bad_assignment", "command", "An assignment is not written NAME=VALUE: write for example `training.epochs=20`."),
    Code("bad_bench", "command", "`bench` was asked for sizes or contenders that it does not know: choose some of those it lists."),
    Code("bad_block", "design", "A block of the design file is no object with id, kind and parameters: mend the file."),
    Code("bad_charset", "data", "The charset of a codec has entries that are no single symbols, or one twice: leave it empty to take it from the data."),
    Code("bad_codes", "generate", "The codes do not fit the run, or nothing can be generated from them: encode rows with this run, or name another output."),
    Code("bad_components", "data", "Principal components cannot be computed: of vectors only, and no more than there are numbers and training rows."),
    Code("bad_decoding", "generate", "A strategy, a constraint or a prefix cannot be used so: the text says which value is out of range or does not go together."),
    Code("bad_feed_map", "generate", "The file that says what is fed after each prediction cannot be used: the text says what it expects."),
    Code("bad_json_line", "data", "A line is not one JSON object: write one object a line, whose names are the columns."),
    Code("bad_link", "design", 'A link of the design file is not written `{"from": "block.port", "to": "block.port"}`: mend the file.'),
    Code("bad_measure", "training", "A measure of quality does not apply to what the model generates: choose one of those that the hint names."),
    Code("bad_molecule", "data", "A row holds no molecule that RDKit can read: remove it."),
    Code("bad_name", "design", "A block's id cannot be a name in a Python script, or means something else already: choose another name."),
    Code("bad_parameter", "design", "Hyperparameters of a block contradict each other: change the one that is named."),
    Code("bad_path", "file", "A path holds a character, or a name so long, that no file can have: write another."),
    Code("bad_position", "design", "The position of a block in the design file is not `[x, y]`: mend the file."),
    Code("bad_schedule", "training", "The learning rate schedule cannot be followed: change the epochs or rates that it names."),
    Code("bad_split", "data", "The shares of validation and test leave no rows for training: lower one of them."),
    Code("bad_suffix", "export", "The name of the exported file does not end as its format does: give it the ending of the format."),
    Code("bad_value", "design", "A value has the wrong type or is out of range: give one that the parameter takes."),
    Code("batch_devices", "devices", "The batch size does not divide by the number of devices: take the nearest that does."),
    Code("batches", "command", "The batch sizes of `advise --batch` cannot be read: write whole numbers such as 256,2048."),
    Code("begins_anew", "run", "The run had no checkpoint yet and begins again from the first step."),
    Code("bits_need_vector", "data", "A column of bits is bound to a port that takes no single vector: choose another codec."),
    Code("blank_lines", "data", "Empty lines of the file were skipped; in a file of one column they are rows.", reading=True),
    Code("bound_twice", "binding", "Several columns are bound to one port: keep one."),
    Code("busy_device", "devices", "Another program uses the device, so training is slower or may run out of memory: wait, or choose another."),
    Code("cannot_generate", "generate", "The decoder cannot generate step by step as it is wired: the text says which wire or block to change."),
    Code("cannot_split", "design", "An imported model has no places at which it becomes several blocks: keep it as one."),
    Code("checkpoint_gone", "run", "The run trained but its checkpoint is gone: restore the file, or start another run."),
    Code("checkpoint_mismatch", "run", "A checkpoint was written for another design: use the design of its run."),
    Code("command_value", "run", "The value of a command to a run is missing or out of range: give one that the command takes."),
    Code("comment_as_row", "data", "A line behind the first begins with # and was read as a row: remove it unless it is one.", reading=True),
    Code("comments_skipped", "data", "Lines that begin with # before the table were skipped: remove them, or quote the first cell of a row that begins so.", reading=True),
    Code("compiling", "run", "The training step is being compiled, which the first step waits for; the time left counts from the second report on."),
    Code("constant_column", "data", "A bound column holds one value in all rows, so nothing can be learned from it: bind another if that is not meant."),
    Code("constant_values", "data", "Values that do not vary over the training rows were centred and not scaled."),
    Code("control_characters", "data", "Text holds control characters, as bytes that are no text do: remove them, or choose the encoding of the file."),
    Code("copy_used", "run", "A file of the run is not what was written, damaged or changed by hand, and its copy is used: nothing is lost."),
    Code("cycle", "design", "Links run in a circle, so no block of it can be first: remove one of them."),
    Code("damaged_bundle", "file", "The file is no bundle, damaged, or made to harm: nothing of it was used; get it again from whoever made it."),
    Code("damaged_checkpoint", "run", "A checkpoint is no longer what was written: use the other checkpoint, or train again."),
    Code("damaged_events", "run", "Lines of the run's events.jsonl are damaged: what they said is missing from curves and messages, and nothing else."),
    Code("damaged_spec", "run", "The run's spec.json cannot be read: restore it from a backup, or start another run."),
    Code("dangling_link", "design", "A link names a block or port that does not exist: delete it, or restore the block."),
    Code("data_changed", "data", "The data file gives other rows than those the run trained on: restore it, or give a file of new rows."),
    Code("data_missing", "data", "The design's data file is not there: check the path, or choose another file.", in_window="Choose the file again on the Data tab."),
    Code("data_not_the_same", "run", "The data file of a resumed run is not the one that it began with: restore it, or begin another run."),
    Code("data_or_split", "command", "`evaluate` needs either a data file or a part of the run's own data: give `--data` or `--split`."),
    Code("delimiter_assumed", "data", "The lines of the file can be cut into cells in more than one way: set `data.delimiter` to be sure.", reading=True),
    Code("devices_syntax", "devices", "The devices cannot be read: write auto, cpu, cpu:2 or gpu:0,gpu:1."),
    Code("different_codecs", "generate", "A decoder reads symbols of one kind and predicts another: bind one column of text to both ends."),
    Code("different_symbols", "generate", "A decoder reads other symbols than it predicts: bind one column of text to both ends."),
    Code("digit_strings", "data", "A column of long strings of digits, or of digits with leading zeros, is read as text, so that no digit is lost."),
    Code("duplicate_column", "data", "Two columns of the file have the same name: rename one of them."),
    Code("duplicate_name", "design", "Several blocks have the same id: rename all but one."),
    Code("earlier_checkpoint", "run", "The newest checkpoint of the run is damaged or gone, so it goes on from the one before: what followed is trained again."),
    Code("earlier_checkpoints_removed", "run", "The disk was full, so earlier checkpoints were removed to write the newest one: free some space."),
    Code("early_stopping", "run", "The monitored metric has not improved for as many reports as early stopping allows, so the training ends."),
    Code("empty_design", "design", "The design has no blocks: add some, or begin with a template."),
    Code("empty_file", "data", "The file has no rows: choose one that has.", in_window="Choose a file that has rows."),
    Code("empty_rows", "data", "Rows of a text column are empty: fill or remove them."),
    Code("empty_split", "data", "The share of validation or test is too small to give a row: raise it, or set it to 0."),
    Code("encoded_alike", "data", "Every row becomes the same numbers, so nothing can be learned from the column: change its codec, or bind another."),
    Code("encoding_detected", "data", "The encoding was detected from the bytes: set `data.encoding` if letters look wrong.", reading=True),
    Code("engine", "run", "Which engine trains the run, and why."),
    Code("engine_missing", "devices", "The engine, or what it needs for these devices, is not installed: install it or choose another engine."),
    Code("epoch_begins_again", "run", "Rows or batch size differ from those of the checkpoint, so its epoch begins again."),
    Code("error_cells", "data", "Cells of a workbook hold an error such as #N/A and are missing values: mend their formulas."),
    Code("file_exists", "file", "A file of this name exists: choose another name, or replace it with `--force`."),
    Code("first_sheet", "data", "A workbook has several sheets, and the first is read: set `data.sheet` to read another.", reading=True),
    Code("first_step", "run", "The first step of training has been compiled; the text says how long it took."),
    Code("fit_alone", "command", "`--fit` was given without `--initial`: name the run whose weights are taken, or leave it out."),
    Code("fit_differs", "data", "The design contradicts what was fitted with the weights that are taken: leave the codec to that run, or fit anew."),
    Code("fitted_anew", "run", "What was fitted anew is not what the weights were trained with: keep the earlier fit, or let them learn again."),
    Code("footer_as_row", "data", "The last line looks like what programs write below a table, and is read as a row: remove it unless it is one.", reading=True),
    Code("format_not_installed", "export", "Packages for this format are missing: install them with the command in the text."),
    Code("formulas_without_results", "data", "Cells of a workbook hold formulas whose results it lacks, and are missing values: save it in Excel."),
    Code("header_assumed", "data", "The first line is read as names, though it might be a row: set `data.header` to yes or no.", reading=True),
    Code("header_differs", "data", "The first line holds names where that of the training held a row, or the other way round: make it alike."),
    Code("header_missing", "data", "The first line of the file looks like its other lines and was read as a row: set `data.header=yes` if it names the columns.", reading=True),
    Code("initial_weights", "run", "Which run the training's first weights come from, and for which blocks."),
    Code("input_and_split", "command", "`generate` was given rows in two ways: give `--input` or `--split`, not both."),
    Code("invalid", "file", "An input cannot be used: the text says what was expected."),
    Code("is_a_folder", "export", "A folder with other files stands where the export would be written: choose another name."),
    Code("keep_alone", "command", "`--keep` was given without `--input`: name the file whose columns are carried over."),
    Code("keras_file_changed", "design", "The Keras file of a block is not the one that was imported: import it again."),
    Code("label_needs_vector", "data", "A column of labels is bound to a port that takes no single vector: use codec text for a sequence."),
    Code("leads_out", "run", "A folder or file of the run is a symbolic link: replace it by what it leads to, since a run writes into its own folder alone."),
    Code("length_differs", "data", "The length of the codec is not that of the block: leave the codec's length empty."),
    Code("line_ends_in_text", "data", "Cells of text hold line ends, which become symbols: strip them if they do not belong to the text."),
    Code("local_statistics", "training", "With local batch statistics a run on several devices is not equal to a run on one."),
    Code("long_warmup", "training", "The training ends before its warm-up does, so it never has its learning rate: shorten the warm-up."),
    Code("longer_rows", "data", "Rows are longer than in the run whose weights are taken, and are stored longer: nothing to do."),
    Code("looks_like_padding", "data", "An id ends rows as padding would and counts like every other: set the codec's pad_id if it is padding."),
    Code("loss_activation", "design", "The loss does not suit the activation of the output it is connected to: change one of them."),
    Code("lost_letters", "data", "Text holds U+FFFD, where another program could not decode a letter: make the file again from its source."),
    Code("mask_not_in_h5", "export", "A .h5 file cannot carry the mask of padding: export as .keras, or do without the mask."),
    Code("may_not_generate", "generate", "Whether the model generates or needs the true sequence depends on the data, which is not bound yet: bind the columns."),
    Code("merged_cells", "data", "A workbook has merged cells, whose value is read in the first alone: unmerge them, and fill it into every row."),
    Code("missing_as_text", "data", "Some texts are nothing but NA, NaN or the like, which was read as text: remove these rows if they are no text."),
    Code("missing_extra", "data", "A file needs a package that is not installed: install the extra that the hint names."),
    Code("missing_file", "data", "There is no file at this path: check the path."),
    Code("missing_input", "generate", "A row lacks the value of an input port: give a column for every input."),
    Code("mixed_normal_forms", "data", "Letters with accents stand in two forms, which are different symbols: set the codec's normalise to nfc."),
    Code("mixed_values", "data", "A column holds texts and numbers, so it is read as text: write all of its cells as one of them."),
    Code("nan_predicted", "generate", "The model predicts NaN: train it again with a smaller learning rate, or choose another checkpoint."),
    Code("new_labels", "data", "Labels are new to the weights that are taken, and come after the known ones: nothing to do."),
    Code("new_symbols", "data", "Symbols are new to the weights that are taken, and come after the known ones: nothing to do."),
    Code("newer_format", "file", "The design was written by a newer version: open it with a newer seqdec-gui."),
    Code("newer_spec", "run", "The run was written by a newer version: upgrade seqdec-gui to read it."),
    Code("newlines_stripped", "data", "Line ends at the end of texts were stripped: set the codec's strip to none to keep them."),
    Code("no_averages", "run", "The run has kept no moving average of its weights: take the trained ones, or train with average_decay above 0."),
    Code("no_begin_symbol", "generate", "The rows do not begin with one and the same symbol, so generating has no first input: train with begin marks."),
    Code("no_bindings", "binding", "No column is bound to any port: bind one to each input and target.", absent=True),
    Code("no_bundle", "file", "The bundle cannot be read: check the path and its permissions."),
    Code("no_checkpoint", "run", "The run has no checkpoint of this name: choose the other, or train until one is written."),
    Code("no_code", "generate", "The design has no such output, or none that holds the code of a row: name an output with --port."),
    Code("no_column", "binding", "A binding names no column: choose one."),
    Code("no_cudnn", "design", "The layer cannot use the fast kernels of cuDNN, so it is slower on GPUs: the text says what stands in the way."),
    Code("no_data", "binding", "The design has no data file: choose one.", in_window="Open a data file on the Data tab."),
    Code("no_data_file", "binding", "A port is bound to a column, but no file is named: choose a data file.", absent=True),
    Code("no_decay", "training", "The decay begins after the last epoch, so the learning rate never changes: begin it earlier."),
    Code("no_design", "command", "`certify` needs a design file, or a run that has one: give one of them."),
    Code("no_dry_run", "export", "The export could not be tried before the training: it may fail afterwards for the reason given."),
    Code("no_end_symbol", "generate", "Targets have no end mark, so every generated sequence goes on to its greatest length: bind the text with marks=both."),
    Code("no_file", "command", "There is no file at this path: check the path."),
    Code("no_fit", "run", "A run has weights and no `data.json`, which says what their ids and scales mean: bring it back, or fit anew."),
    Code("no_folder", "file", "The folder is not there: check the path, or make it."),
    Code("no_input", "design", "The design has no input block: add a vector or a sequence."),
    Code("no_keras_file", "design", "A block names no Keras file, or one that is not there: import it."),
    Code("no_kl", "design", "A variational code with KL weight 0 is not drawn to a normal distribution: set kl_weight above 0."),
    Code("no_loss", "design", "The design has no loss: add one after the last block."),
    Code("no_raw_inputs", "export", "A Keras layer cannot standardise numbers of so small a deviation: export without raw inputs."),
    Code("no_rows", "data", "There are no rows to use: the text says which were expected."),
    Code("no_run", "run", "The folder holds no run: give one that `seqdec-gui runs` lists."),
    Code("no_spec", "run", "The run's spec.json cannot be read: check the path and its permissions."),
    Code("no_split_column", "data", "The split is by a column, but none is named: choose one."),
    Code("no_steps", "data", "A column is bound to a sequence and its rows have no steps: bind another column."),
    Code("no_such_device", "devices", "This machine does not have the device: choose one that `seqdec-gui devices` lists."),
    Code("no_such_format", "export", "The model cannot be exported in this format: choose one of those listed."),
    Code("no_such_part", "export", "The model has no such part: choose full, one of its blocks, or one step of a decoder that is run step by step."),
    Code("no_symbols", "generate", "The decoder predicts numbers, so it has no symbols and no probabilities."),
    Code("no_training_rows", "data", "The split leaves no rows for training: lower the shares, or use more data."),
    Code("no_validation", "training", "A validation metric is monitored, but no rows validate: raise the share of validation, or monitor loss."),
    Code("no_warmup", "training", "The schedule inverse_square_root has no warm-up, so that the rate falls at once: set warmup_steps."),
    Code("normalises_in_parts", "design", "BatchNormalization needs whole batches, which micro-batches divide: set micro_batches to 1."),
    Code("not_a_design", "file", "The file is no design: open a .seqdec file."),
    Code("not_a_file", "data", "A folder, a pipe or a device was given where a data file was expected: choose a file."),
    Code("not_a_prior", "file", "The file is no prior of REINVENT that can be opened: give another, or save it in REINVENT once more."),
    Code("not_bits", "data", "Texts are not as many digits of 0 and 1 as there are bits: remove these rows, or choose another codec."),
    Code("not_empty", "run", "The folder for the run holds other files: choose an empty or a new one."),
    Code("not_finite", "data", "Numbers are missing, infinite or not a number: fill or remove these rows."),
    Code("not_fitted", "data", "The run was trained without data for this port, so there is no codec for it: unbind it, or train again."),
    Code("not_ids", "data", "Values are no whole numbers from 0, so they are no ids of symbols: bind another column or codec."),
    Code("not_in_earlier_run", "data", "A port was not trained by the run whose weights are taken, and is fitted anew: check the names of the blocks."),
    Code("not_in_h5", "export", "A .h5 file cannot carry this model: export as .keras."),
    Code("not_in_keras", "export", "A .keras file cannot carry this model: the text says why."),
    Code("not_in_keras2_h5", "export", "A file for Keras 2 cannot carry this model: export as .keras."),
    Code("not_in_onnx", "export", "An ONNX file cannot carry this model: the text names the layer; export as .keras."),
    Code("not_in_reinvent", "export", "A prior of REINVENT cannot carry this model: begin with a design that is made of a prior."),
    Code("not_in_tflite", "export", "LiteRT cannot carry this model: the text says what its converter says; export as .onnx or .keras."),
    Code("not_json", "file", "The design file is no JSON: it is damaged or cut off, or another kind of file."),
    Code("not_numbers", "generate", "A value for an input is no number of the expected shape: correct it."),
    Code("not_one_hot", "data", "Rows are not one-hot, that is a single 1 among zeros: bind the column as values."),
    Code("not_probabilities", "data", "Targets of a classification are no ids, one-hot rows or probabilities: bind another column or loss."),
    Code("not_running", "run", "The run is not running, so there is nothing to attach to: resume it, or look at its events."),
    Code("not_text", "file", "The file or standard input is no text that can be read: write it as UTF-8."),
    Code("not_utf8", "data", "The file is not UTF-8 and was read as another encoding: write it as UTF-8 to be sure.", reading=True),
    Code("nothing_in_common", "run", "No block of the earlier run is in this design: give blocks the ids that they had there."),
    Code("nothing_left", "run", "The run has trained all its epochs: ask for more, or start another with its weights."),
    Code("nothing_to_smooth", "training", "Labels are smoothed, but no loss compares symbols, so it has no effect: set label_smoothing to 0."),
    Code("number_format", "data", "Numbers of a column can be read in two ways: write them without marks between thousands."),
    Code("numbered_apart", "data", "Columns that belong together give a symbol different ids, as a block has no room for both: make it as wide as it says."),
    Code("one_device", "devices", "A certificate compares two or more devices with one: choose more than one."),
    Code("one_long_row", "data", "One row is far longer than the others and makes all sequences long: shorten or remove it, or set the length of the codec."),
    Code("open_input", "design", "Nothing is connected to an input: draw a wire to it.", absent=True),
    Code("open_quote", "data", "A quote in the file is never closed, so the rest would be one value: close it, or double quotes inside texts."),
    Code("padding_standardised", "data", "Steps of zeros that a layer skips are standardised and are no zeros then: switch `standardise` off."),
    Code("permission_denied", "file", "The file or folder may not be read: change its permissions."),
    Code("plateau", "run", "The monitored metric has not improved for as many reports as the schedule waits, so the learning rate falls."),
    Code("projected", "data", "A vector is reduced to its principal components; the text says how much of the variance they have."),
    Code("quality", "run", "What is measured of the sequences that the model generates while it trains, and of how many rows."),
    Code("quality_cost", "run", "How long measuring the quality of generated sequences took, and what share of the training."),
    Code("quality_failed", "run", "The quality of generated sequences could not be measured; the training goes on without."),
    Code("quality_of_no_molecules", "run", "Molecules are to be measured, and the training rows do not look like SMILES: choose other measures."),
    Code("quality_rarer", "run", "Measuring quality at every report would take more than its share of the time: raise training.quality_share to measure more often."),
    Code("quotes_are_text", "data", "Quotes of the file do not close properly, so they are read as text: set `data.quoting` if they enclose cells.", reading=True),
    Code("quotes_removed", "data", "Quotes that enclosed cells without need were removed: set `data.quoting=no` if they belong to the text.", reading=True),
    Code("ragged_rows", "data", "Rows of the file have different numbers of values: correct the rows that are named."),
    Code("regularizers_left_out", "design", "The imported model has regularizers, which training here does not apply."),
    Code("repeated_name", "file", "An object of a JSON file has a name twice, and only one of the two values can be meant: remove the other."),
    Code("rounded_numbers", "data", "Whole numbers are larger than float32 holds exactly: subtract what they have in common, or bind codes as text or labels."),
    Code("row_counts_differ", "data", "Columns or files that belong together have different numbers of rows: bind columns of the same rows."),
    Code("rows_left_out", "data", "Rows that cannot be used are left out of the training, as `data.faulty_rows` asks: the text says how many."),
    Code("rows_lost", "data", "Fewer or more rows were parsed than the file has: set `data.quoting` or `data.delimiter`, or mend the file."),
    Code("rows_on_last_axis", "data", "The last axis of an array of a MATLAB file is taken for the rows, as other variables have as many."),
    Code("rows_truncated", "data", "Rows with more tokens than there is room for are cut at their ends, as the codec's longer asks."),
    Code("run_as_design", "command", "A run's folder was given where a design file was expected: give the .seqdec file."),
    Code("run_exists", "run", "The folder holds a run already: resume it, or choose another folder."),
    Code("run_folder", "run", "The folder for the run cannot be made: choose another place."),
    Code("schedule_replanned", "training", "A run goes on to another last epoch, and its decay of the learning rate ends there: the rate leaves the old curve."),
    Code("search_alone", "command", "`--search` was given without `--all`: give both, or list one folder."),
    Code("several_devices", "devices", "A short job was given several devices: choose one, for example cpu or gpu:0."),
    Code("silent", "run", "The run has given no sign of life for long: the text says what it is doing and how to restart it."),
    Code("slow_loop", "design", "Recurrent dropout takes a slower loop on GPUs."),
    Code("spaces_in_cells", "data", "Every cell of a column begins with a space, which is read as a symbol: remove the spaces behind the delimiters.", reading=True),
    Code("split_column_missing", "data", "The file has no column of this name to split by: choose another."),
    Code("standardised", "data", "Says which numbers were standardised over the training rows, and which were left as they are."),
    Code("standardised_classes", "data", "Classes and probabilities cannot be standardised: set `standardise` of the codec to false."),
    Code("steps_differ", "data", "The model predicts another number of steps than the targets have: bind another column, or crop or pad the sequence."),
    Code("symbol_is_masked", "data", "Id 0 is a symbol that an embedding skips as padding: number symbols from 1, or set pad_id to 0."),
    Code("text_needs_sequence", "data", "A column of text is bound to a port that takes no sequence of symbols: bind numbers, or use codec category."),
    Code("too_few_rows", "training", "There are fewer training rows than one batch: lower the batch size, or use more data."),
    Code("too_large_file", "data", "A compressed file or a workbook is larger than what is read when it is open: save the table as Parquet."),
    Code("too_long", "data", "Rows are longer than the port has steps: make the port longer, or shorten the rows."),
    Code("too_many_labels", "data", "The column has more labels than the port has room for: make the port wider."),
    Code("too_many_symbols", "data", "The column has more symbols than the port has room for: make the port wider."),
    Code("two_links", "design", "Several links end at one input, which takes one: keep one."),
    Code("two_places", "command", "`runs` was asked for all runs and for those of one folder: ask for one of them."),
    Code("unbound_port", "binding", "No column is bound to a port that needs data: bind one.", in_window="Bind a column to it on the Data tab.", absent=True),
    Code("unknown_block", "design", "The design has no block of this name: use one that it has."),
    Code("unknown_column", "data", "The file has no column of this name: bind one that it has."),
    Code("unknown_command", "run", "The run does not know the command: use one that docs/run_folder.md lists."),
    Code("unknown_engine", "devices", "This version has no engine of this name: choose one that it has, or upgrade."),
    Code("unknown_field", "design", "The design file has a field that designs do not have: remove it, or open the file with a newer version."),
    Code("unknown_format", "data", "The file is of a kind that cannot be read as data: convert it to one of those listed."),
    Code("unknown_kind", "design", "There is no block kind of this name: use one that `seqdec-gui catalog` lists."),
    Code("unknown_label", "data", "A label was not there in training: use one that the run knows."),
    Code("unknown_parameter", "design", "The block has no parameter of this name: use one that `seqdec-gui catalog` lists."),
    Code("unknown_port", "binding", "A column is bound to something that takes no data: bind it to a port that does."),
    Code("unknown_sheet", "data", "A workbook has no sheet of this name: set `data.sheet` to one of those that it has.", reading=True),
    Code("unknown_split", "data", "The split column says something else than train, validation or test: correct these rows."),
    Code("unknown_symbol", "data", "A symbol is not in the charset: remove it, or train with it."),
    Code("unknown_template", "command", "There is no template of this name: use one that `seqdec-gui templates` lists."),
    Code("unknown_tokens", "data", "Rare tokens, or tokens outside the charset, become the unknown symbol: the text says how many."),
    Code("unreadable", "file", "The design file cannot be read: check the path and its permissions."),
    Code("unreadable_file", "data", "The data file cannot be read: it is damaged, or another kind of file than its name says."),
    Code("unsafe_keras_file", "file", "A Keras file is damaged, leads to other files or holds code, so it is not opened: save the model again from stock layers."),
    Code("unusable_array", "data", "An array of the file cannot be a column: give it one entry per row, of numbers or text."),
    Code("unusable_keras_file", "design", "The Keras file cannot become a block: the text says what stands in the way."),
    Code("unused_block", "design", "No loss depends on the block, so it would not be part of the model: connect its output, or delete it."),
    Code("unused_option", "command", "The option has no use with this file: leave it out."),
    Code("unwritable", "file", "The file cannot be written: choose another folder, or free some space."),
    Code("weights_extended", "run", "Weights that count symbols keep what is known; what is new begins afresh: nothing to do."),
    Code("weights_mismatch", "file", "Weights are not those of this model or block: give the file that was saved from it."),
    Code("weights_not_extended", "run", "No weights count the new symbols alone, so these begin with what is there: expect them to learn slowly."),
    Code("wrong_column_type", "data", "A column has values of another kind than its codec takes: bind another column or codec."),
    Code("wrong_encoding", "data", "The file has bytes that are not valid in `data.encoding`: choose another, or auto."),
    Code("wrong_shape", "design", "A tensor, or the rows of a column, have another shape than expected: change the block or the column."),
    Code("wrong_suffix", "command", "A file to write has another ending than its kind: correct its name."),
    Code("wrong_type", "design", "A part of the design file has the wrong type: mend the file."),
)
# fmt: on

CODES: dict[str, Code] = {row.code: row for row in _ROWS}
"""The row of every problem code."""


def about(code: str) -> Place | None:
    """Return the part of the program that a code is about; None for an unknown code, which a newer version may send."""
    row = CODES.get(code)
    return row.about if row is not None else None


def is_absent(code: str) -> bool:
    """Return whether the code says only that something has not been chosen yet."""
    row = CODES.get(code)
    return row is not None and row.absent


def is_about_reading(code: str) -> bool:
    """Return whether the code is about the way a text file is read, which the Data page shows beside the settings for it."""
    row = CODES.get(code)
    return row is not None and row.reading


def hint_in_window(code: str, hint: str) -> str:
    """Return the hint to show in the window in place of `hint`, which may be about the command line."""
    row = CODES.get(code)
    return (row.in_window if row is not None else "") or hint
