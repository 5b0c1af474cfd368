"""Files that are replaced: whole or not at all, by whoever writes them and through whatever name."""

import os
import pathlib
import stat
import subprocess
import sys

import pytest

from keras_crowd import _files

# A script rather than a function: it needs neither Keras nor the process of the tests.
WRITER = """
import runpy, sys
module, path, letter, size, times = sys.argv[1:]
replacing = runpy.run_path(module)["replacing"]
for _ in range(int(times)):
    with replacing(path) as file:
        for _ in range(int(size)):
            file.write(letter * 4096)
"""


@pytest.fixture
def path(tmp_path):
    (tmp_path / "labels.csv").write_text("old")
    return tmp_path / "labels.csv"


def write(path, text="new"):
    with _files.replacing(path) as file:
        file.write(text)


def permissions(path):
    return stat.S_IMODE(path.stat().st_mode)


def test_readers_never_see_a_mixture_of_two_writers(path):
    whole = {letter: letter * 4096 * size for letter, size in (("a", 40), ("b", 70))}
    path.write_text(whole["a"])
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, _files.__file__, path, letter, str(len(text) // 4096), "150"],
            stderr=subprocess.PIPE,
        )
        for letter, text in whole.items()
    ]
    reads = 0
    while any(writer.poll() is None for writer in writers) or not reads:
        text = path.read_text()
        assert text == whole[text[:1]]
        reads += 1
    assert [writer.communicate()[1] for writer in writers] == [b"", b""]
    assert [writer.returncode for writer in writers] == [0, 0]
    assert os.listdir(path.parent) == ["labels.csv"]


def test_a_file_of_the_users_that_ends_in_tmp_is_left_alone(path):
    own = path.with_name("labels.csv.tmp")
    own.write_text("mine")
    write(path)
    assert (path.read_text(), own.read_text()) == ("new", "mine")


def test_a_link_planted_where_the_temporary_will_be_is_not_followed(path, monkeypatch):
    victim = path.with_name("victim")
    victim.write_text("mine")
    monkeypatch.setattr(_files.secrets, "token_hex", lambda _: "known")
    path.with_name(".known.tmp").symlink_to(victim)
    with pytest.raises(FileExistsError):
        write(path)
    assert (path.read_text(), victim.read_text()) == ("old", "mine")
    assert path.with_name(".known.tmp").is_symlink()


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o664])
def test_permissions_are_kept(path, mode):
    path.chmod(mode)
    with _files.replacing(path) as file:
        (partial,) = (name for name in path.parent.iterdir() if name != path)
        assert permissions(partial) == mode  # nobody else reads what is not there yet
        file.write("new")
    assert (path.read_text(), permissions(path)) == ("new", mode)


def test_a_new_file_has_the_permissions_of_any_other(tmp_path):
    (tmp_path / "plain").write_text("")
    write(tmp_path / "new")
    assert permissions(tmp_path / "new") == permissions(tmp_path / "plain")


@pytest.mark.parametrize("dangling", [False, True])
def test_a_link_stays_and_its_file_is_replaced(path, dangling):
    folder = path.with_name("elsewhere")
    folder.mkdir()
    path = path.rename(folder / "labels.csv")
    link = folder.parent / "link.csv"
    link.symlink_to(pathlib.Path("elsewhere", "labels.csv"))
    if dangling:
        path.unlink()
    write(link)
    assert link.is_symlink()
    assert path.read_text() == "new"
    assert not path.is_symlink()


def test_what_is_no_file_is_refused_and_left_alone(path):
    pipe = path.with_name("pipe")
    os.mkfifo(pipe)
    for other in (pipe, path.parent):
        with pytest.raises(ValueError, match=r"`path` must be a file.*Received: '.*"):
            write(other)
    assert stat.S_ISFIFO(pipe.stat().st_mode)
    (loop := path.with_name("loop")).symlink_to("loop")
    with pytest.raises(OSError, match="loop"):
        write(loop)
    assert loop.is_symlink()


def test_a_file_that_must_not_be_written_to_is_not_replaced(path, monkeypatch):
    monkeypatch.setattr(os, "access", lambda *_: False)  # as root everything may be
    with pytest.raises(PermissionError, match=r"labels\.csv"):
        write(path)
    assert path.read_text() == "old"


def test_after_an_error_the_old_file_is_there_and_nothing_else(path):
    def write_half():
        with _files.replacing(path) as file:
            file.write("half")
            file.flush()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        write_half()
    assert path.read_text() == "old"
    assert os.listdir(path.parent) == ["labels.csv"]


def test_the_file_is_on_disk_before_it_gets_its_name(path, monkeypatch):
    done = []
    for name in ("fsync", "replace"):
        original = getattr(os, name)
        monkeypatch.setattr(
            os, name, lambda *args, name=name, original=original: [done.append(name), original(*args)]
        )
    write(path)
    assert done == ["fsync", "replace", "fsync"]  # the file, its name, and the folder
