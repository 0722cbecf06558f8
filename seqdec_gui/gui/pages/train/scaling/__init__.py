"""The scaling advisor of the Train page: measures how fast the open design trains on one and on all of the chosen devices.

Object names: `advisor_panel`, `advice_table`, `advice_sentence`, `measure_button`, `cancel_measuring`, `use_batch`,
`close_advisor`, `measuring_progress`, `measuring_words`.
"""
