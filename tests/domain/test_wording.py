from seqdec_gui.domain.wording import counted


def test_numbers_agree_with_what_they_count():
    assert [counted(number, "row") for number in (0, 1, 2, 1200)] == ["0 rows", "1 row", "2 rows", "1,200 rows"]
