"""One module per writer of an export format; `runs.export_formats` names them."""
