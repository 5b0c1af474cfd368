"""Pictures that the examples draw."""

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt


def draw_confusions(confusion, annotators, path):
    """Draws one panel per annotator: the probability of each answer (columns) to each digit (rows)."""
    figure, axes = plt.subplots(
        1, len(annotators), figsize=(3 * len(annotators), 3.3), layout="constrained"
    )
    for axis, (title, r) in zip(axes, annotators, strict=True):
        image = axis.imshow(confusion[r], vmin=0, vmax=1, cmap="viridis")
        axis.set(title=f"{title}: annotator {r}", xlabel="answer", ylabel="true class")
        axis.set_xticks(range(len(confusion[r])))
        axis.set_yticks(range(len(confusion[r])))
    figure.colorbar(image, ax=axes, label="probability")
    figure.savefig(path, dpi=120)
    plt.close(figure)


def draw_learned_and_counted(learned, counted, annotators, titles, classes, path):
    """Draws the confusions of annotators: those learned above, those counted with gold labels below."""
    figure, axes = plt.subplots(2, len(annotators), figsize=(10, 4.9), layout="constrained")
    colors = matplotlib.colormaps["viridis"].with_extremes(bad="lightgray")
    for row, confusions in zip(axes, (learned, counted), strict=True):
        for axis, r in zip(row, annotators, strict=True):
            image = axis.imshow(confusions[r], vmin=0, vmax=1, cmap=colors)
            axis.set(xticks=[], yticks=[])
    for axis, title in zip(axes[0], titles, strict=True):
        axis.set_title(title, fontsize=10)
    for axis, label in zip(axes[:, 0], ("learned, without gold", "counted, with gold"), strict=True):
        axis.set_yticks(range(8), classes, fontsize=7)
        axis.set_ylabel(label, fontsize=10)
    for axis in axes[1]:
        axis.set_xticks(range(8), classes, fontsize=7, rotation=90)
    figure.colorbar(image, ax=axes, label="probability of the answer", shrink=0.7)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110)
    plt.close(figure)
