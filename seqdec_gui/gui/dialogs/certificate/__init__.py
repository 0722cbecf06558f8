"""The dialog of a run's parallelism certificate. The badge that opens it is in `gui.widgets.certificate_badge`.

Object names: `certificate_badge` (Train page), `certificate_dialog` with `certificate_verdict`, `certificate_sentence`,
`certificate_table`, `certificate_devices`, `certify_button`, `cancel_certifying`, `certificate_repair`, `certificate_progress`.
"""
