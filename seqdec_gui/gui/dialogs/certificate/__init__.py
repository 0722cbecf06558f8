"""The parallelism certificate of a run: a badge that says what is known, and the dialog that finds out.

Object names: `certificate_badge` (Train page), `certificate_dialog` with `certificate_verdict`, `certificate_sentence`,
`certificate_table`, `certificate_devices`, `certify_button`, `cancel_certifying`, `certificate_repair`, `certificate_progress`.
"""
