"""Projects of labeling tools, made up for the examples."""

import json


def write_label_studio_export(path, annotations):
    """Writes what Label Studio exports of a project with `<Choices name="digit" toName="image">`."""
    tasks = [
        {"id": i, "data": {"image": f"/data/upload/{i}.png"}, "annotations": []}
        for i in annotations.items.tolist()
    ]
    answers = zip(annotations.item_index, annotations.annotator_index, annotations.answers, strict=True)
    for number, (i, r, k) in enumerate(answers):
        result = {
            "from_name": "digit",
            "to_name": "image",
            "type": "choices",
            "value": {"choices": [str(annotations.classes[k])]},
        }
        annotation = {"id": number, "completed_by": int(r), "was_cancelled": False, "result": [result]}
        tasks[i]["annotations"].append(annotation)
    path.write_text(json.dumps(tasks))
