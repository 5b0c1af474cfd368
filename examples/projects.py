"""A project of a labeling tool, made up for an example, and what to look at afterwards."""

import json

import numpy as np

import keras_crowd as kc


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


def print_labels(data, posterior):
    """Prints how many labels are right, and the tasks to look at first."""
    right = np.mean(posterior.argmax(axis=1) == data.y_train)  # gold labels serve for this line only
    print(f"\nlabels to import that are right: {100 * right:.1f} %; look at these tasks first:")
    labels = kc.aggregation.label_table(data.annotations, posterior)
    for i in labels["confidence"].argsort()[:3]:
        print(
            f"task {labels['item'][i]}: {labels['label'][i]} is {100 * labels['confidence'][i]:.0f} % probable"
        )
