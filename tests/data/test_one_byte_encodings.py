"""Text of one byte a letter is never silently read in the wrong encoding: the letters of real sentences tell which it is."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from seqdec_gui.data.formats.letter_evidence import weighed
from seqdec_gui.data.tables import open_table
from seqdec_gui.domain.bindings import Reading
from seqdec_gui.domain.problems import InvalidInput
from tests.data.ports import codes

ELSEWHERE = {
    "Turkish": ("cp1254", "Bütün insanlar hür, haysiyet ve haklar bakımından eşit doğarlar. Akıl ve vicdana sahiptirler."),
    "Czech": ("cp1250", "Všichni lidé rodí se svobodní a sobě rovní co do důstojnosti a práv. Jsou nadáni rozumem a svědomím."),
    "Polish": ("cp1250", "Wszyscy ludzie rodzą się wolni i równi pod względem swej godności i praw, postępować w duchu."),
    "Slovak": ("cp1250", "Všetci ľudia sa rodia slobodní a sebe rovní, čo sa týka ich dôstojnosti a práv."),
    "Hungarian": ("cp1250", "Minden emberi lény szabadon születik és egyenlő méltósága és joga van, testvéri szellemben."),
    "Romanian": (
        "cp1250",
        "Toate fiinţele umane se nasc libere şi egale în demnitate şi în drepturi, cu raţiune şi conştiinţă.",
    ),
    "Croatian": ("cp1250", "Sva ljudska bića rađaju se slobodna i jednaka. Obdarena su razumom i sviješću; može ići češće."),
    "Polish, ISO": ("iso8859-2", "Wszyscy ludzie rodzą się wolni i równi pod względem swej godności i praw; jeśli się śmieją."),
    "Lithuanian": ("cp1257", "Visi žmonės gimsta laisvi ir lygūs savo orumu ir teisėmis. Jiems suteiktas protas ir sąžinė."),
    "Latvian": ("cp1257", "Visi cilvēki piedzimst brīvi un vienlīdzīgi savā pašcieņā un tiesībās."),
    "Greek": ("cp1253", "Όλοι οι άνθρωποι γεννιούνται ελεύθεροι και ίσοι στην αξιοπρέπεια και τα δικαιώματα."),
    "Russian": ("cp1251", "Все люди рождаются свободными и равными в своем достоинстве и правах."),
}
WESTERN = {
    "German": "Alle Menschen sind frei und gleich an Würde und Rechten geboren; im Geiste der Brüderlichkeit, Größe, Ärger.",
    "French": "Tous les êtres humains naissent libres et égaux en dignité. Où est la crème, ça va à Genève.",
    "French, e with grave accents alone": "Genève crème première père mère très après",
    "Spanish": "Todos los seres humanos nacen libres; dotados como están de razón y conciencia. España, señor, canción, ¿qué?",
    "Portuguese": "Dotados de razão e de consciência, devem agir em espírito de fraternidade. não são ações",
    "Italian": "Tutti gli esseri umani nascono eguali in dignità e diritti, perché così è più città può",
    "Swedish": "Alla människor är födda fria och lika i värde och rättigheter. på gå så",
    "Danish": "Alle mennesker er født frie og lige i værdighed; i en broderskabets ånd. sø grøn rød",
    "Icelandic": "Hver maður er borinn frjáls og jafn öðrum að virðingu og réttindum, og ber þeim að breyta bróðurlega.",
    "Faroese": "Øll menniskju eru fødd fræls og jøvn til virðingar og mannarættindi, hvørt um annað í bróðuranda.",
    "Catalan": "Són dotats de raó i de consciència, i això és què han de comportar-se",
    "Dutch": "één coördinatie geïnteresseerd België financiële",
    "Estonian": "Kõik inimesed sünnivad vabadena ja võrdsetena oma väärikuselt ja õigustelt.",
    "names of all countries": "Müller, José, Zoë, François, Ångström, Bjørn, Señor, Núñez",
    "science": "25 °C, 3 µm, 5 ± 2, naïve Schrödinger équation Å",
}


@pytest.mark.parametrize("language", ELSEWHERE)
@pytest.mark.parametrize("rows", [1, 40])
def test_another_encoding_is_asked_for_and_proposed_as_it_reads(language: str, rows: int, tmp_path: Path) -> None:
    encoding, sentence = ELSEWHERE[language]
    path = tmp_path / "a.txt"
    path.write_bytes((f"{sentence}\n" * rows).encode(encoding))
    with pytest.raises(InvalidInput) as refused:
        open_table(path)
    (problem,) = refused.value.problems
    assert problem.code == "wrong_encoding"
    proposed = str(problem.proposed).removeprefix("data.encoding=")
    assert sentence.encode(encoding).decode(proposed) == sentence, "the proposal reads the text as it was written"
    assert f"set data.encoding={proposed}" in problem.hint
    table = open_table(path, how=Reading(encoding=proposed, header="no", delimiter="none"))
    assert table.page(table.columns[0].name, 0, 1) == [sentence]
    table = open_table(path, how=Reading(encoding="cp1252" if rows > 1 else "latin-1", header="no"))
    assert table.rows == rows, "the user may insist"


@pytest.mark.parametrize("language", WESTERN)
def test_western_text_is_read_as_before(language: str, tmp_path: Path) -> None:
    sentence = WESTERN[language]
    path = tmp_path / "a.txt"
    path.write_bytes((f"{sentence}\n" * 9).encode("cp1252"))
    table = open_table(path, how=Reading(header="no", delimiter="none"))
    assert "not_utf8" in codes(table.problems)
    assert table.page(table.columns[0].name, 0, 1) == [sentence]


def test_few_letters_that_may_be_either_are_read_with_both_readings_said(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes("name,x\nČapek,1\nNovák,2\n".encode("cp1250"))
    table = open_table(path)
    (problem,) = [each for each in table.problems if each.code == "not_utf8"]
    assert "Èapek" in problem.text
    assert "Čapek" in problem.hint
    assert problem.proposed == "data.encoding=cp1250"


def test_bytes_of_arrays_are_judged_likewise(tmp_path: Path) -> None:
    encoding, sentence = ELSEWHERE["Turkish"]
    path = tmp_path / "a.npz"
    np.savez(path, x=np.array([sentence.encode(encoding)] * 9))
    with pytest.raises(InvalidInput) as refused:
        list(open_table(path).chunks("x"))
    assert "wrong_encoding" in codes(refused.value.problems)


def test_text_without_such_letters_has_no_evidence() -> None:
    assert weighed(b"plain") is None
    assert weighed("äöüß".encode("cp1252")) is not None
    assert not weighed("5 µm, 3 ±".encode("cp1252")).is_open  # type: ignore[union-attr]
