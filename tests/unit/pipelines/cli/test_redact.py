"""`lacuna redact`: a file in, the same texts without personal data out."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from tests.support.standins import Lacuna

# Of each kind a value that nothing else would write: none may be found in what comes out.
CANARIES = {
    "en": ("my password is quokka-7731 and my card 4111 1111 1111 1111", ("quokka-7731", "4111")),
    "de": ("Ich heiße Quirin Zappelmann, geboren am 7.3.1971", ("Quirin", "Zappelmann", "1971")),
    "fr": ("j'habite 77 rue des Quokkas, 69003 Lyon, npm_9aB3dE5gH7jK1mN2pQ4rT6vX8zC0yW2uI4oP", ("Quokkas", "npm_")),
    "es": ("mi DNI es 12345678Z y mi móvil 612 345 678", ("12345678Z", "345 678")),
    "nl": ("mail quokka77 apenstaartje example punt nl, gebruikersnaam: quokka77", ("quokka77",)),
    "pt": ("o meu IBAN é PT50000201231234567890154, sou @quokka77", ("PT50", "quokka77")),
    "it": ("codice fiscale RSSMRA85T10A562S, targa AB123CD", ("RSSMRA85T10A562S", "AB123CD")),
}  # fmt: skip


def write(folder: Path) -> str:
    rows = [
        {"case": "quokka@example.org" if code == "en" else code, "body": text, "agent": "Zappelmann"}
        for code, (text, _) in CANARIES.items()
    ]
    rows.append({"case": "de", "body": "Zappelmann meldet sich noch einmal", "agent": ""})
    path = folder / "messages.jsonl"
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return str(path)


@pytest.mark.parametrize("suffix", ["csv", "jsonl", "parquet"])
def test_no_canary_is_left(tmp_path: Path, lacuna: Lacuna, suffix: str) -> None:
    """No value, no other column and no address among the ids is in the file or in what is printed."""
    into = tmp_path / "out" / f"redacted.{suffix}"
    code, printed, error = lacuna("redact", write(tmp_path), "--text", "body", "--id", "case", "--out", str(into))
    assert (code, error) == (0, "")
    table = {"csv": pd.read_csv, "jsonl": lambda path: pd.read_json(path, lines=True), "parquet": pd.read_parquet}[
        suffix
    ](into)
    assert list(table.columns) == ["case", "body"]
    told = table.to_csv() + printed
    assert not [canary for _, canaries in CANARIES.values() for canary in canaries if canary in told]
    assert "quokka@" not in told
    assert table["case"].tolist() == ["conversation-1", "de", "fr", "es", "nl", "pt", "it", "de"]
    assert table["body"].iloc[-1] == "<NAME> meldet sich noch einmal"


def test_rows_are_on_their_own_without_an_id(tmp_path: Path, lacuna: Lacuna) -> None:
    """Then a name goes where a sentence shows it, and rows are numbered."""
    into = tmp_path / "redacted.csv"
    assert lacuna("redact", write(tmp_path), "--text", "body", "--out", str(into), "-q")[:2] == (0, "")
    table = pd.read_csv(into)
    assert table["row"].tolist() == list(range(1, 9))
    assert table["body"].iloc[-1].startswith("Zappelmann")


def test_a_wrong_place_is_refused(tmp_path: Path, lacuna: Lacuna) -> None:
    """The file itself and unknown formats are; the column is named."""
    file = Path(write(tmp_path))
    before = file.read_bytes()
    for into in (file, tmp_path / "out.txt"):
        assert lacuna("redact", str(file), "--text", "body", "--out", str(into))[0] == 2
    code, _, error = lacuna("redact", str(file), "--text", "bdy", "--out", str(tmp_path / "out.csv"))
    assert (code, "did you mean body" in error or "body" in error) == (2, True)
    assert file.read_bytes() == before
