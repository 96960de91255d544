from __future__ import annotations

import stat
from pathlib import Path

import pytest

from tests.cli.counter import CREW, Counter


def test_an_import_says_what_it_did_and_the_list_shows_it(counter: Counter) -> None:
    again = counter.ask("crew", "import", str(counter.home / "crew.csv"))
    assert (again["added"], again["updated"], again["unchanged"]) == (0, 0, 5)
    listed = {one["name"]: one for one in counter.ask("crew", "list")}
    assert listed.keys() == {"Ada Lund", "Jon Okafor", "Mei Tanaka", "Sam Reyes", "Uma Bell"}
    assert listed["Ada Lund"]["phone"] == "+13105550111"
    assert listed["Ada Lund"]["time_zone"] == "America/Los_Angeles"
    assert listed["Ada Lund"]["problems"] == []
    assert listed["Uma Bell"]["problems"] == ["No phone number."]


def test_a_dry_run_changes_nothing(counter: Counter, tmp_path: Path) -> None:
    file = tmp_path / "more.csv"
    file.write_text(CREW + "Nia Park,Sound,Mixer,+13105550119,nia@example.com,yes,,\n", encoding="utf-8")
    assert counter.ask("crew", "import", str(file), "--dry-run")["added"] == 1
    assert len(counter.ask("crew", "list")) == 5
    assert counter.ask("crew", "import", str(file))["added"] == 1
    assert len(counter.ask("crew", "list")) == 6


@pytest.mark.parametrize(
    ("name", "content"),
    [("holiday.csv", b"a,b\n1,2\n"), ("photo.xlsx", b"\x89PNG"), ("empty.csv", b""), ("gone.csv", None)],
    ids=["no crew list", "no workbook", "empty", "not there"],
)
def test_a_file_that_is_no_crew_list_is_refused(
    counter: Counter, tmp_path: Path, name: str, content: bytes | None
) -> None:
    file = tmp_path / name
    if content is not None:
        file.write_bytes(content)
    said = counter.give("crew", "import", str(file), "--json")
    assert said.code == 1
    assert said.document["error"]
    assert said.document["next"]
    assert len(counter.ask("crew", "list")) == 5


def test_a_rejected_row_is_named(counter: Counter, tmp_path: Path) -> None:
    file = tmp_path / "crew.csv"
    file.write_text("name,phone\n,+13105550118\nNia Park,12\n", encoding="utf-8")
    done = counter.ask("crew", "import", str(file))
    assert [one["row"] for one in done["rejected"]] == [2]
    assert any(one["row"] == 3 and one["value"] == "12" for one in done["warnings"])


def test_show_finds_by_name_and_by_id(counter: Counter) -> None:
    by_name = counter.ask("crew", "show", "jon okafor")
    assert by_name["quiet_hours"] == ["22:00", "06:00"]
    assert counter.ask("crew", "show", by_name["id"]) == by_name
    assert counter.give("crew", "show", "Nobody").code == 1


def test_an_export_can_be_imported_without_a_change(counter: Counter, tmp_path: Path) -> None:
    sample = Path(__file__).parents[2] / "app" / "rehearsal" / "sample" / "crew.csv"
    counter.ask("crew", "import", str(sample))
    before = counter.ask("crew", "list")
    file = tmp_path / "out.csv"
    assert counter.ask("crew", "export", str(file))["people"] == len(before)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    done = counter.ask("crew", "import", str(file))
    assert (done["added"], done["updated"], done["unchanged"]) == (0, 0, len(before))
    assert counter.ask("crew", "list") == before


def test_an_export_never_writes_over_a_file_and_stands_in_the_audit(counter: Counter, tmp_path: Path) -> None:
    file = tmp_path / "out.csv"
    file.write_text("mine", encoding="utf-8")
    entries = counter.ask("audit", "verify")["entries"]
    assert counter.give("crew", "export", str(file)).code == 1
    assert file.read_text(encoding="utf-8") == "mine"
    assert counter.ask("audit", "verify")["entries"] == entries + 1


def test_a_name_cannot_steer_the_terminal_nor_a_spreadsheet(counter: Counter, tmp_path: Path) -> None:
    file = tmp_path / "crew.csv"
    file.write_text("name,phone\n=1+1 \x1b[31mRed,+13105550118\n", encoding="utf-8")
    counter.ask("crew", "import", str(file))
    assert "\x1b" not in counter.give("crew", "list").stdout
    assert "\n'=1+1" in counter.give("crew", "export", "-").stdout


def test_a_list_can_be_piped_in(counter: Counter) -> None:
    said = counter.give("crew", "import", "-", "--json", stdin=CREW.encode())
    assert (said.code, said.document["unchanged"]) == (0, 5)


def test_an_export_into_a_folder_says_that_it_is_one(counter: Counter, tmp_path: Path) -> None:
    said = counter.give("crew", "export", str(tmp_path), "--json")
    assert said.code == 1
    assert said.document["error"] == f"There is a folder {tmp_path} already."


def test_a_folder_is_no_crew_list(counter: Counter, tmp_path: Path) -> None:
    said = counter.give("crew", "import", str(tmp_path), "--json")
    assert said.code == 1
    assert "directory" in said.document["error"]


@pytest.mark.parametrize("person", ["", "Nobody"])
def test_somebody_who_is_not_there_is_named_in_quotation_marks(counter: Counter, person: str) -> None:
    said = counter.give("crew", "show", person, "--json")
    assert said.code == 1
    assert f"“{person}”" in said.document["error"]


def test_a_home_whose_key_is_missing_is_refused_and_gets_no_other_one(counter: Counter) -> None:
    key = counter.home / "callboard.key"
    key.unlink()
    for _ in range(2):
        said = counter.give("crew", "list", "--json")
        assert said.code == 1
        assert "callboard.key is missing" in said.document["error"]
        assert "Put back the copy" in said.document["next"]
        assert not key.exists()
