"""Files that somebody made to break a reader; run as a script, it gives them to one reader after the other.

Prints a line of JSON for each reader: how many cases were read, how many were refused, and those that ended in anything
else than answers or a `ValueError`. The last line says how often each function was called. A case that takes longer
than `SECONDS` ends the process, with its name as the last one in `stderr`. Keras is not imported.
"""

import csv
import faulthandler
import gzip
import importlib.util
import io
import json
import pathlib
import sys
import tempfile
import types
from collections import Counter
from functools import partial

import numpy as np

SECONDS = 20  # each case takes some thousandths; what is quadratic, minutes
LONG = 40_000
MESSAGE = 3_000  # characters that an error may have

TEXTS = {
    "digits and x": "9" * LONG + "x",
    "digits": "9" * LONG,
    "5000 digits": "9" * 5_000,
    "decimals and x": "1" * LONG + "." + "1" * LONG + "x",
    "zeros": "0" * LONG,
    "exponent": "1e" + "9" * LONG,
    "exponent and x": "1" * LONG + "e" + "9" * LONG + "x",
    "signs": "+-" * LONG,
    "points": "." * LONG,
    "blanks and x": " " * LONG + "x",
    "backslashes": "\\" * LONG,
    "commas": "," * LONG,
    "tabs": "\t" * LONG,
    "quotes": '"' * (LONG + 1),
    "line ends": "\r\n" * LONG,
    "CR": "a\rb",
    "a long field": "x" * 2**18,
    "nested lists": "[" * 100_000,
    "nested objects": '{"kind":' * 50_000,
    "nested form": '[{"kind":' + "[" * 900 + "]" * 900 + "}]",
    "nested buttons": '{"kind":' * 300 + "true" + "}" * 300,
    "deep form": '{"a":' * 900 + '{"b": 1}' + "}" * 900,
    "half a form": '{"kind": {"label": "ca',
    "form of digits": '{"kind": {"label": ' + "9" * LONG + "}}",
    "NUL": "a\0b",
    "lone surrogate": "\ud800",
    "byte order mark": "\ufeff",
    "other line ends": "\x85\u2028\u2029\x0b\x0c\x1c",
    "right to left": "\u202eabc",
    "Arabic digits": "\u0661\u0662",
    "superscript": "\u00b2",
    "NaN": "nan",
    "infinity": "inf",
    "too large": "1e999",
    "400 digits": "9" * 400,
    "underscore": "1_000",
    "nothing": "",
    "formula": "=1+1",
    "option": "-DOCSTART-",
}
VALUES = {
    "deep lists": "[" * 100_000 + "]" * 100_000,
    "deep objects": '{"a":' * 100_000 + "1" + "}" * 100_000,
    **{f"{depth} lists": "[" * depth + "]" * depth for depth in (100, 400, 800, 900, 960, 985, 5_000)},
    **{f"{depth} objects": '{"a":' * depth + "1" + "}" * depth for depth in (100, 400, 800, 960, 5_000)},
    "400 digits": "9" * 400,
    "5000 digits": "9" * 5_000,
    "digits": "9" * LONG,
    "digits and x": "9" * LONG + "x",
    "1e999": "1e999",
    "-0.0": "-0.0",
    "1.5": "1.5",
    "NaN": "NaN",
    "half a text": '"' + "x" * 200_000,
    "half an escape": '"\\ud8',
    "backslashes": '"' + "\\" * LONG,
    "a long list": "[" + "0," * LONG + "0]",
    "a large object": "{" + ",".join(f'"{i}": {i}' for i in range(5_000)) + "}",
    "a key twice": '{"a": 1, "a": 2}',
    **{value: value for value in ("null", "true", "[]", "{}", "0", "[[]]", "[null]", '[{"x": []}]')},
}
EVERYWHERE = (
    "digits and x",
    "decimals and x",
    "lone surrogate",
    "NUL",
    "nested lists",
    "deep lists",
    "5000 digits",
)
SMALL = {
    "nested.json": b'{"a.png": {"ann": "cat", "bob": "dog"}, "b.png": {"bob": "dog"}, "c.png": {}}',
    "users.jsonl": b'{"id": 1, "text": "Hi", "label": ["cat"], "username": "ann"}\n'
    b'{"id": 2, "text": "Ho", "label": ["dog"], "username": "bob"}\n',
    "shared.jsonl": b'{"id": 1, "annotations": [{"label": 2, "user": 1}, {"label": 3, "user": 2}], "meta": {}}\n'
    b'{"id": 2, "annotations": [{"label": 2, "user": 1}]}\n',
}
SMALL |= {
    "argilla.json": b'[{"id": "p", "fields": {}, "responses": {"best": [{"value": ["b", "a"], "user_id": "ann"}]}}, '
    b'{"id": "q", "responses": [{"user_id": "ann", "status": "submitted", "values": '
    b'{"best": {"value": [{"value": "a", "rank": 1}, {"value": "b", "rank": 2}]}}}]}]',
    "votes.csv": b"item_a,item_b,annotator,winner\nx,y,ann,left\ny,z,bob,right\n",
    "chosen.jsonl": b'{"prompt": "p", "chosen": [{"role": "user"}], "rejected": "n"}\n'
    b'{"prompt": "p", "chosen": "b", "rejected": "c"}\n',
    "ranks.tsv": b"item\tannotator\trank\nx\tann\t1\ny\tann\t2\nz\tann\t2\n",
    "pairs.json": b'[{"id": 1, "data": {"l": "x", "r": "y"}, "annotations": [{"completed_by": 1, "result": '
    b'[{"from_name": "p", "to_name": "l,r", "type": "pairwise", "value": {"selected": "left"}}]}]}]',
}
MARK = "@hostile@"


def some(cases, place):
    """A third of the named cases, another one at the next place, and those that are for every place."""
    for i, (name, case) in enumerate(cases.items()):
        if name in EVERYWHERE or i % 3 == place % 3:
            yield name, case


def of_bytes(data):
    """Any file, damaged from the first byte to the last."""
    for share in (0, 1, 10, 25, 50, 75, 90, 99):
        yield f"{share} %", data[: len(data) * share // 100]
    yield "all but a byte", data[:-1]
    for at in (0, len(data) // 3, len(data) // 2, len(data)):
        for name, what in (
            ("NUL", b"\0"),
            ("no UTF-8", b"\xff"),
            ("a surrogate", b"\xed\xa0\x80"),
            ("half a character", b"\xe2\x82"),
            ("a byte order mark", b"\xef\xbb\xbf"),
            ("quote", b'"'),
            ("CR", b"\r"),
            ("lists", b"[" * 100_000),
            ("quotes", b'"' * LONG),
            ("blank lines", b"\n" * LONG),
            ("commas", b"," * LONG),
            ("tabs", b"\t" * LONG),
            ("NULs", b"\0" * LONG),
            ("digits", b"9" * LONG),
        ):
            yield f"{name} at {at}", data[:at] + what + data[at:]
    yield "twice", data + data
    yield "CR", data.replace(b"\n", b"\r")
    yield "gzip", gzip.compress(data)
    for codec in ("utf-16", "utf-32", "utf-16-be", "utf-7"):
        yield codec, data.decode(errors="replace").encode(codec)


def of_gzip(data):
    """A file that says that it is compressed."""
    whole = gzip.compress(data, mtime=0)
    for at in (0, 1, 5, 12, len(whole) // 2, len(whole) - 9, len(whole) - 4, len(whole)):
        yield f"gzip, {at} bytes", whole[:at]
    for at in (0, 3, 12, len(whole) // 2, len(whole) - 6):
        yield f"gzip, byte {at}", whole[:at] + bytes([whole[at] ^ 255]) + whole[at + 1 :]
    yield "not gzip", data
    yield "gzip of ones", gzip.compress(b"1" * 10_000_000)


def of_table(data, sep):
    """A hostile text in a cell of each column, in its name, and unquoted."""
    rows = list(csv.reader(io.StringIO(data.decode()), delimiter=sep))
    for j in range(len(rows[0])):
        for i in (0, 1):
            for name, text in some(TEXTS, i + j):
                damaged = [[*row] for row in rows]
                damaged[i][j] = text
                file = io.StringIO(newline="")
                csv.writer(file, delimiter=sep).writerows(damaged)
                yield f"{name}, row {i}, column {j}", file.getvalue().encode(errors="surrogatepass")
    for name, text in TEXTS.items():
        for i in (0, 1):
            lines = data.decode().split("\n")
            lines[i] = lines[i].replace(sep, sep + text, 1)
            yield f"{name} unquoted, line {i}", "\n".join(lines).encode(errors="surrogatepass")
    yield "many columns", (sep.join(map(str, range(LONG))) + "\n" + sep * (LONG - 1)).encode()
    yield "many rows", data + data.split(b"\n")[1] * 1000 + b"\n" * 1000


def of_json(data, lines):
    """A hostile value, and a hostile key, in each place of its kind."""
    text = data.decode()
    whole = [json.loads(line) for line in text.splitlines()] if lines else json.loads(text)
    values = {**VALUES, **{name: json.dumps(text) for name, text in TEXTS.items()}}

    def written(document):
        return "\n".join(map(json.dumps, document)) if lines else json.dumps(document)

    for place, path in enumerate(first_of_each_kind(whole)):
        marked = written(changed(whole, path, lambda _: MARK))
        for name, value in some(values, place):
            yield f"{name} at {path}", marked.replace(f'"{MARK}"', value).encode()
    for path in first_of_each_kind(whole):
        if path and isinstance(path[-1], str):
            marked = written(changed(whole, path[:-1], lambda one, key=path[-1]: renamed(one, key)))
            for name in ("a long field", "lone surrogate", "NUL"):
                yield f"{name}, key {path}", marked.replace(f'"{MARK}"', json.dumps(TEXTS[name])).encode()


def first_of_each_kind(value, path=(), kinds=None):
    """Keys to each place of a document, and to one element of each list only."""
    kinds = set() if kinds is None else kinds
    kind = tuple("element" if isinstance(key, int) else key for key in path)
    if kind not in kinds:
        kinds.add(kind)
        yield path
        inside = (
            value.items()
            if isinstance(value, dict)
            else enumerate(value[:1] if isinstance(value, list) else [])
        )
        for key, child in inside:
            yield from first_of_each_kind(child, (*path, key), kinds)


def changed(value, path, change):
    """A copy of the document, what stands at the path given to `change`."""
    if not path:
        return change(value)
    copy = value.copy()
    copy[path[0]] = changed(value[path[0]], path[1:], change)
    return copy


def renamed(one, key):
    return {MARK if name == key else name: value for name, value in one.items()}


def as_predictions(data):
    """The annotations of an export of Label Studio as its predictions."""
    tasks = json.loads(data)
    for task in tasks:
        task["predictions"] = task.pop("annotations")
        for number, one in enumerate(task["predictions"]):
            one["model_version"] = str(number)
    return json.dumps(tasks).encode()


def of_tokens(data):
    """A hostile text as a token, and as a tag."""
    line, *rest = data.decode().split("\n")
    fields = line.split()
    for name, text in TEXTS.items():
        for j in range(len(fields)):
            first = " ".join([*fields[:j], text, *fields[j + 1 :]])
            yield f"{name}, column {j}", "\n".join([first, *rest]).encode(errors="surrogatepass")


def arrays():
    """Columns of every type that Arrow has a use for, two values each."""
    import datetime
    import decimal

    import pyarrow as pa

    for name, text in TEXTS.items():
        if name != "lone surrogate":
            yield name, pa.array([text, "b"])
    day = datetime.datetime(2020, 1, 1)
    yield from {
        "int64": pa.array([-(2**63), 2**63 - 1]),
        "uint64": pa.array([0, 2**64 - 1], pa.uint64()),
        "int8": pa.array([-128, 127], pa.int8()),
        "float16": pa.array(np.array([1, np.inf], np.float16)),
        "float32": pa.array([float("inf"), 1e-45], pa.float32()),
        "float64": pa.array([float("nan"), 1e308]),
        "bool": pa.array([True, False]),
        "nulls": pa.array([None, "b"]),
        "null": pa.nulls(2),
        "binary": pa.array([b"\xff", b""]),
        "fixed binary": pa.array([b"ab", b"cd"], pa.binary(2)),
        "decimal": pa.array([decimal.Decimal("1.5"), decimal.Decimal("2")]),
        "timestamp": pa.array([day, day], pa.timestamp("ns")),
        "timestamp far away": pa.array([2**62, 1], pa.timestamp("s")),
        "date": pa.array([day.date(), day.date()]),
        "time": pa.array([day.time(), day.time()]),
        "duration": pa.array([day - day, day - day]),
        "list": pa.array([["a"], []]),
        "struct": pa.array([{"a": 1}, {"a": 2}]),
        "map": pa.array([[("a", 1)], []], pa.map_(pa.string(), pa.int64())),
        "dictionary": pa.array(["a", "b"]).dictionary_encode(),
        "dictionary of nulls": pa.DictionaryArray.from_arrays([0, 1], pa.array([None, "b"])),
        "large text": pa.array(["a", "b"], pa.large_string()),
        "deep lists": pa.array([[[[[[1]]]]], None]),
    }.items()


def of_parquet(data):
    """Every type in every column, and damaged bytes."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    names = ("item", "annotator", "answer")
    for j, column in enumerate(names):
        for name, array in arrays():
            columns = {**{one: pa.array(["a", "b"]) for one in names}, column: array}
            file = io.BytesIO()
            try:
                pq.write_table(pa.table(columns), file)
            except pa.ArrowException:
                continue
            yield f"{name}, column {j}", file.getvalue()
    for at in np.linspace(0, len(data) - 1, 60).astype(int):
        yield f"byte {at}", data[:at] + bytes([data[at] ^ 255]) + data[at + 1 :]
    yield from of_bytes(data)


def of_lists(_):
    """Tables of pyarrow: every type as the elements of lists, and in their place."""
    import pyarrow as pa

    names, good = ("annotators", "answers", "item"), pa.array(["a", "b"])
    for column in names:
        for name, array in arrays():
            lists = pa.ListArray.from_arrays([0, 1, 2], good)
            columns = {"annotators": lists, "answers": lists, "item": good}
            whole = {**columns, column: array}
            yield f"{name} for {column}", pa.table(whole)
            if column != "item":
                yield (
                    f"lists of {name} for {column}",
                    pa.table({**columns, column: pa.ListArray.from_arrays([0, 1, 2], array)}),
                )


def readers():
    """Name, file, reader and the cases that it gets, of every reader; those of `of_bytes` come on top."""
    import io_samples

    from keras_crowd import io as kc_io
    from keras_crowd.annotations import Annotations

    for name, (file, read, *_) in io_samples.FORMATS.items():
        sep = "\t" if file.endswith("tsv") else ","
        yield (
            name,
            file,
            read,
            partial(of_json, lines=file.endswith("jsonl"))
            if "json" in file
            else partial(of_table, sep=sep),
        )
    yield (
        "from_csv",
        "long.csv",
        lambda p: Annotations.from_csv(p, "image", "worker", "label"),
        partial(of_table, sep=","),
    )
    yield "nested", "nested.json", kc_io.read_nested, partial(of_json, lines=False)
    yield "doccano_users", "users.jsonl", kc_io.read_doccano, partial(of_json, lines=True)
    yield "doccano_shared", "shared.jsonl", kc_io.read_doccano, partial(of_json, lines=True)
    yield "conll", "tokens.conll", kc_io.read_conll, of_tokens
    yield (
        "label_studio_predictions",
        "label_studio.json",
        lambda p: kc_io.read_label_studio(p, "kind", predictions=True),
        lambda data: of_json(as_predictions(data), lines=False),
    )
    votes = partial(kc_io.read_preferences, choices=("left", "right"))
    chosen = partial(kc_io.read_preferences, annotator=None, winner=None, prompt="prompt")
    yield "votes", "votes.csv", votes, partial(of_table, sep=",")
    yield (
        "chosen",
        "chosen.jsonl",
        lambda p: chosen(p, "chosen", "rejected"),
        partial(of_json, lines=True),
    )
    yield "ranks", "ranks.tsv", kc_io.read_rankings, partial(of_table, sep="\t")
    yield (
        "argilla_rankings",
        "argilla.json",
        lambda p: kc_io.read_argilla_rankings(p, "best"),
        partial(of_json, lines=False),
    )
    yield (
        "label_studio_pairs",
        "pairs.json",
        lambda p: kc_io.read_label_studio_pairs(p, "data.l", "data.r"),
        partial(of_json, lines=False),
    )
    yield "parquet", "long.parquet", kc_io.read_long, of_parquet
    yield "wide_parquet", "wide.parquet", kc_io.read_wide, of_parquet
    yield "hugging_face", None, lambda t: kc_io.read_hugging_face(t, item="item"), of_lists


def sample_of(file):
    import io_samples

    from keras_crowd import io as kc_io
    from keras_crowd.annotations import Annotations

    if file in SMALL:
        return SMALL[file]
    if file is None or (io_samples.SAMPLES / file).exists():
        return b"" if file is None else (io_samples.SAMPLES / file).read_bytes()
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / file
        write = kc_io.write_wide if file.startswith("wide") else kc_io.write_long
        write(path, Annotations.from_dense([[0, 1], [1, 0]]))
        return path.read_bytes()


def cases_of(file, cases):
    """Name of the file to write, of the case, and what to write."""
    data = sample_of(file)
    yield from ((file, *case) for case in cases(data))
    if file is not None and cases is not of_parquet:
        yield from ((file, *case) for case in of_bytes(data))
    if file is not None:
        yield from ((f"{file}.gz", *case) for case in of_gzip(data))


def outcome_of(read, given):
    """ "read", "refused", or what else happened."""
    try:
        read(given)
    except ValueError as error:
        length = len(str(error))
        return "refused" if length <= MESSAGE else f"an error of {length} characters: {str(error)[:300]}"
    except BaseException as error:
        return f"{type(error).__name__}: {str(error)[:300]}"
    return "read"


def counted(module):
    """How often each reader of a module is called from now on."""
    calls = Counter()

    def count(name, reader):
        calls[name] = 0

        def call(*args, **kwargs):
            calls[name] += 1
            return reader(*args, **kwargs)

        return call

    for name in dir(module):
        if name.startswith("read_"):
            setattr(module, name, count(name, getattr(module, name)))
    return calls


def main(folder):
    """Gives every case to its reader."""
    package = types.ModuleType("keras_crowd")  # its own `__init__` would import Keras
    package.__path__ = list(importlib.util.find_spec("keras_crowd").submodule_search_locations)
    sys.modules["keras_crowd"] = package
    calls = counted(importlib.import_module("keras_crowd.io"))
    for name, file, read, cases in readers():
        outcomes, failures = Counter(), {}
        for file_name, case, given in cases_of(file, cases):
            print(f"{name}: {case}, {file_name}", file=sys.stderr, flush=True)
            if file_name is not None:
                path = pathlib.Path(folder) / file_name
                path.write_bytes(given)
                given = path
            faulthandler.dump_traceback_later(SECONDS, exit=True)
            outcome = outcome_of(read, given)
            faulthandler.cancel_dump_traceback_later()
            outcomes[outcome if outcome in ("read", "refused") else "failed"] += 1
            if outcome not in ("read", "refused"):
                failures[f"{case}, {file_name}"] = outcome
        print(json.dumps({"reader": name, **outcomes, "failures": failures}), flush=True)
    print(json.dumps({"calls": calls}))


if __name__ == "__main__":
    main(sys.argv[1])
