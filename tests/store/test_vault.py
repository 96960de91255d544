"""Addresses at rest."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.problem import Refused
from app.store.engine import open_database
from app.store.vault import KEY_BYTES, Vault, open_vault, vault_of
from tests.house import HandClock, address_of, crew_of, opened

OURS, THEIRS = Vault(b"a" * 32), Vault(b"b" * 32)


@given(st.text(), st.text())
def test_what_was_encrypted_for_a_field_is_read_for_that_field(field: str, text: str) -> None:
    cipher = OURS.encrypt(field, text)
    assert OURS.decrypt(field, cipher) == text
    assert OURS.encrypt(field, text) != cipher


@given(st.text(), st.text(), st.text())
def test_a_cipher_cannot_be_moved_to_another_field(field: str, other: str, text: str) -> None:
    cipher = OURS.encrypt(field, text)
    if field != other:
        with pytest.raises(Refused, match="cannot be decrypted"):
            OURS.decrypt(other, cipher)


def test_another_key_reads_nothing_and_the_sentence_names_the_file() -> None:
    with pytest.raises(Refused) as refused:
        THEIRS.decrypt("phone", OURS.encrypt("phone", "+16265550162"))
    assert "callboard.key" in refused.value.problem.next
    assert "+1626" not in str(refused.value.problem)


@given(st.binary(max_size=60))
def test_bytes_that_are_no_cipher_are_refused(rubbish: bytes) -> None:
    with pytest.raises(Refused):
        OURS.decrypt("phone", rubbish)


@given(st.emails())
def test_an_address_is_found_by_its_hash_whatever_its_case(address: str) -> None:
    assert OURS.lookup(address) == OURS.lookup(f" {address.upper()} ".lower())
    assert OURS.lookup(address) != THEIRS.lookup(address)
    assert address not in OURS.lookup(address)


def test_the_key_file_is_made_once_and_is_its_owners_alone(tmp_path: Path) -> None:
    file = tmp_path / "new" / "callboard.key"
    made = open_vault(file)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert open_vault(file).decrypt("phone", made.encrypt("phone", "x")) == "x"


def test_a_damaged_key_file_is_refused_and_not_replaced(tmp_path: Path) -> None:
    file = tmp_path / "callboard.key"
    file.write_bytes(b"short")
    with pytest.raises(Refused, match="damaged"):
        open_vault(file)
    assert file.read_bytes() == b"short"


async def test_a_database_with_addresses_is_refused_without_its_key_and_no_other_key_is_made(
    either_home: Path,
) -> None:
    key = either_home / "callboard.key"
    async with opened(either_home) as ledger:
        await ledger.hire(crew_of(1))
        kept = key.read_bytes()
        key.unlink()
        for _ in range(2):
            with pytest.raises(Refused, match="missing") as refused:
                await vault_of(ledger.database, key)
            assert "Put back the copy" in refused.value.problem.next
            assert not key.exists()
        key.write_bytes(kept)
        again = await vault_of(ledger.database, key)
        assert again.lookup("+1") == ledger.vault.lookup("+1")


async def test_a_database_in_which_nothing_was_encrypted_gets_a_key(home: Path, clock: HandClock) -> None:
    database = open_database(address_of(home), clock)
    try:
        await vault_of(database, home / "callboard.key")
    finally:
        await database.close()
    assert len((home / "callboard.key").read_bytes()) == KEY_BYTES
