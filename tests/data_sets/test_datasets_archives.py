"""Archives that are whole, truncated, or not to be trusted."""

import io
import tarfile

import numpy as np
import pytest

from keras_crowd.datasets import TruncatedArchiveWarning, unpack

FILES = {f"music/{name}.csv": np.random.default_rng(i).bytes(20_000) for i, name in enumerate("abc")}


def packed(files):
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w:gz") as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return data.getvalue()


def files_of(folder):
    return {
        str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }


def test_whole_archives_are_unpacked(tmp_path):
    (tmp_path / "x.tar.gz").write_bytes(packed(FILES))
    assert unpack(tmp_path / "x.tar.gz", tmp_path / "to") == list(FILES)
    assert files_of(tmp_path / "to") == FILES


@pytest.mark.parametrize(("share", "whole"), [(0.5, 1), (0.9, 2)])
def test_the_members_before_a_truncated_one_are_unpacked(tmp_path, share, whole):
    data = packed(FILES)
    (tmp_path / "mturk-datasets.tar.gz").write_bytes(data[: int(share * len(data))])
    names = list(FILES)
    with pytest.warns(
        TruncatedArchiveWarning, match=rf"{whole} files were unpacked.*{names[whole]}.*its source"
    ):
        assert unpack(tmp_path / "mturk-datasets.tar.gz", tmp_path / "to") == names[:whole]
    assert files_of(tmp_path / "to") == {name: FILES[name] for name in names[:whole]}


@pytest.mark.parametrize("data", [b"", b"no archive", packed(FILES)[:1000]])
def test_what_has_no_whole_file_is_refused(tmp_path, data):
    (tmp_path / "x.tar.gz").write_bytes(data)
    with pytest.raises(ValueError, match=r"`archive` must be a \.tar\.gz archive\. Received: .*x\.tar\.gz"):
        unpack(tmp_path / "x.tar.gz", tmp_path / "to")
    assert not (tmp_path / "to").exists() or files_of(tmp_path / "to") == {}


@pytest.mark.parametrize("name", ["../x.csv", "/tmp/x.csv", "a/../../x.csv"])
def test_names_that_lead_out_of_the_folder_are_refused(tmp_path, name):
    (tmp_path / "x.tar.gz").write_bytes(packed({name: b"x"}))
    with pytest.raises(ValueError, match="names of files within it"):
        unpack(tmp_path / "x.tar.gz", tmp_path / "to" / "here")
    assert [*files_of(tmp_path)] == ["x.tar.gz"]
