"""The scaling advisor of the Train page: what one and all of the chosen devices are worth for the open design, by measurement.

Object names: `advisor_panel`, `advice_table`, `advice_sentence`, `measure_button`, `cancel_measuring`, `use_batch`,
`close_advisor`, `measuring_progress`, `measuring_words`.
"""
