"""Files of every reader, made of rows of items, annotators and answers."""

import json

import pandas as pd
import pyarrow as pa

import keras_crowd as kc

NAMES = ["item", "annotator", "answer"]


def frame_of(rows):
    return pd.DataFrame(rows, columns=NAMES)


def items_of(rows):
    return list(dict.fromkeys(item for item, _, _ in rows))


def long_csv(folder, rows):
    frame_of(rows).to_csv(folder / "t.csv", index=False)
    return kc.io.read_long, folder / "t.csv"


def long_jsonl(folder, rows):
    (folder / "t.jsonl").write_text(
        "".join(json.dumps(dict(zip(NAMES, row, strict=True))) + "\n" for row in rows)
    )
    return kc.io.read_long, folder / "t.jsonl"


def long_parquet(folder, rows):
    frame_of(rows).to_parquet(folder / "t.parquet")
    return kc.io.read_long, folder / "t.parquet"


def long_categorical(folder, rows):
    frame_of(rows).astype({"answer": str}).astype({"answer": "category"}).to_parquet(folder / "t.parquet")
    return kc.io.read_long, folder / "t.parquet"


def wide_csv(folder, rows):
    table = frame_of(rows).astype({"answer": str}).pivot(index="item", columns="annotator", values="answer")
    table.to_csv(folder / "t.csv")
    return kc.io.read_wide, folder / "t.csv"


def nested(folder, rows):
    table = {item: {who: said for what, who, said in rows if what == item} for item in items_of(rows)}
    (folder / "nested.json").write_text(json.dumps(table))
    return kc.io.read_nested, folder / "nested.json"


def from_csv(folder, rows):
    return kc.Annotations.from_csv, long_csv(folder, rows)[1]


def from_dataframe(folder, rows):
    return kc.Annotations.from_dataframe, frame_of(rows)


def hugging_face(folder, rows):
    columns = {"item": items_of(rows), "annotators": [], "answers": []}
    for name in columns["item"]:
        columns["annotators"].append([who for what, who, _ in rows if what == name])
        columns["answers"].append([said for what, _, said in rows if what == name])

    def read(table, **rules):
        return kc.io.read_hugging_face(table, item="item", **rules)

    return read, pa.table(columns)


def label_studio(folder, rows):
    def result(answer):
        type_, value = ("choices", [answer]) if isinstance(answer, str) else ("rating", answer)
        return {"from_name": "x", "to_name": "y", "type": type_, "value": {type_: value}}

    tasks = [{"id": name, "data": {}, "annotations": []} for name in items_of(rows)]
    for item, annotator, answer in rows:
        said = {"completed_by": annotator, "result": [result(answer)]}
        tasks[items_of(rows).index(item)]["annotations"].append(said)
    (folder / "ls.json").write_text(json.dumps(tasks))
    return kc.io.read_label_studio, folder / "ls.json"


def label_studio_min(folder, rows):
    records = [
        {
            "id": item,
            "x": answer if isinstance(answer, str) else [{"rating": answer}],
            "annotator": annotator,
        }
        for item, annotator, answer in rows
    ]
    for i, record in enumerate(records):
        record["annotation_id"] = i
    (folder / "min.json").write_text(json.dumps(records))
    return lambda path, **rules: kc.io.read_label_studio_min(path, "x", **rules), folder / "min.json"


def mturk(folder, rows):
    frame = frame_of(rows).set_axis(["HITId", "WorkerId", "Answer.x"], axis=1)
    frame.assign(AssignmentStatus="Approved").to_csv(folder / "batch.csv", index=False)
    return lambda path, **rules: kc.io.read_mturk(path, "HITId", "Answer.x", **rules), folder / "batch.csv"


def toloka(folder, rows):
    frame = frame_of(rows).set_axis(["INPUT:x", "ASSIGNMENT:worker_id", "OUTPUT:y"], axis=1)
    frame.assign(**{"ASSIGNMENT:status": "APPROVED"}).to_csv(folder / "pool.tsv", sep="\t", index=False)
    return lambda path, **rules: kc.io.read_toloka(
        path, "INPUT:x", "OUTPUT:y", **rules
    ), folder / "pool.tsv"


def sagemaker(folder, rows):
    objects = [{"datasetObjectId": name, "dataObject": {}, "annotations": []} for name in items_of(rows)]
    for item, annotator, answer in rows:
        said = {"workerId": annotator, "annotationData": {"content": json.dumps({"x": answer})}}
        objects[items_of(rows).index(item)]["annotations"].append(said)
    (folder / "sm.json").write_text(json.dumps(objects))
    return lambda path, **rules: kc.io.read_sagemaker(path, "x", **rules), folder / "sm.json"


def prodigy(folder, rows):
    examples = [
        {"_input_hash": item, "_annotator_id": annotator, "accept": [str(answer)], "answer": "accept"}
        for item, annotator, answer in rows
    ]
    (folder / "p.jsonl").write_text("\n".join(map(json.dumps, examples)))
    return kc.io.read_prodigy, folder / "p.jsonl"


def doccano(folder, rows):
    paths = []
    for who in dict.fromkeys(annotator for _, annotator, _ in rows):
        lines = [json.dumps({"id": item, "label": [said]}) for item, name, said in rows if name == who]
        paths.append(folder / f"{who}.jsonl")
        paths[-1].write_text("\n".join(lines))
    return kc.io.read_doccano, paths


READERS = [
    long_csv,
    long_jsonl,
    long_parquet,
    long_categorical,
    wide_csv,
    nested,
    from_csv,
    from_dataframe,
    hugging_face,
    label_studio,
    label_studio_min,
    mturk,
    toloka,
    sagemaker,
    prodigy,
    doccano,
]
