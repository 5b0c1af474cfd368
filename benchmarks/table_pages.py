"""The runs of `benchmarks/table.py` as Markdown: a table of all data sets with ranks, and one of each data set."""

import collections
import pathlib

import numpy as np
from table_kinds import KINDS
from table_ranks import ranks

BEGIN, END = "<!-- benchmarks/table.py begins -->", "<!-- benchmarks/table.py ends -->"
GOLD, VOTE = "gold", "majority vote"
HALVES = {
    "choosing": "of the half that defaults were settled on",
    "reported": "of the half that defaults were not settled on",
}


def gathered(runs):
    """Runs by data set and method; the last of a key counts."""
    last = {(run["data"], run["epochs"], run["method"], run["seed"]): run for run in runs}
    found = collections.defaultdict(lambda: collections.defaultdict(list))
    for (data, epochs, method, _), run in last.items():
        found[data if epochs is None else f"{data}, {epochs} epochs"][method].append(run)
    return found


def values(runs, name):
    """Returns a value per run; NaN where it has none."""
    return np.array([np.nan if run.get(name) is None else run[name] for run in runs], float)


def spread(found):
    """Mean and standard deviation over the seeds; of one seed its value."""
    return f"{found.mean():.1f} +- {found.std():.1f}" if len(found) > 1 else f"{found[0]:.1f}"


def mean_of(runs, name):
    """As text; nothing where it is not known."""
    mean = values(runs, name).mean()
    return "" if np.isnan(mean) else f"{mean:.1f}"


def references(methods):
    """Names of the rows that the gap lies between, of ratings and tags as well."""
    pairs = [(VOTE, GOLD), *((kind.low, kind.high) for kind in KINDS.values())]
    return next((pair for pair in pairs if set(pair) <= set(methods)), None)


def is_gold(method):
    """Whether a row is trained on gold labels."""
    return GOLD in method


def gap_closed(methods, method):
    """(method - vote) / (gold - vote), of means, as text; nothing where gold is no better than the vote."""
    if (pair := references(methods)) is None:
        return ""
    low, high = (values(methods[name], "accuracy").mean() for name in pair)
    gain = values(methods[method], "accuracy").mean() - low
    return "" if high <= low else f"{round(gain / (high - low), 2) + 0.0:.2f}"


def chosen(runs):
    """The settings that the seeds chose, as text."""
    settings = [", ".join(map(str, run.get("setting", {}).values())) for run in runs]
    counts = collections.Counter(setting for setting in settings if setting)
    return ", ".join(f"{setting} ({count})" for setting, count in counts.most_common())


def best_of(methods):
    """The method of the highest mean accuracy, gold aside."""
    found = {name: values(runs, "accuracy").mean() for name, runs in methods.items() if not is_gold(name)}
    return max(found, key=found.get)


def page_of(data, methods):
    """One data set in full, the best method first."""
    order = sorted(methods, key=lambda name: -values(methods[name], "accuracy").mean())
    half = HALVES.get(next(iter(methods.values()))[0]["half"], "not used to settle defaults")
    columns = ["lowest seed", "gap closed", "ECE", "labels", "CPU s", "seeds", "settings chosen"]
    best, score = best_of(methods), KINDS[data].score if data in KINDS else "accuracy"
    lines = [f"### {data}", "", f"{half[0].upper()}{half[1:]}.", ""]
    lines += [f"| {data} | {score} | {' | '.join(columns)} |", "|" + "---|" * (2 + len(columns))]
    for name in order:
        runs = methods[name]
        accuracy, mark = values(runs, "accuracy"), "**" if name == best else ""
        numbers = [mean_of(runs, key) for key in ("ece", "labels", "cpu")]
        cells = [f"{accuracy.min():.1f}", gap_closed(methods, name), *numbers, str(len(runs)), chosen(runs)]
        lines.append(f"| {name} | {mark}{spread(accuracy)}{mark} | {' | '.join(cells)} |")
    return "\n".join(lines)


def winners(found):
    """Who is best on each data set, and who is within a spread of it."""
    lines = []
    for data, methods in found.items():
        best = best_of(methods)
        of_best = values(methods[best], "accuracy")
        means = {
            name: values(runs, "accuracy")
            for name, runs in methods.items()
            if not is_gold(name) and name != best
        }
        near = [
            name for name, a in means.items() if a.mean() >= of_best.mean() - max(of_best.std(), a.std())
        ]
        others = f"; within a spread: {', '.join(near)}" if near else ""
        lines.append(f"- {data}: **{best}**, {spread(of_best)}{others}.")
    return "\n".join(lines)


def overview(found):
    """Mean accuracies of the methods that all data sets have, with their ranks."""
    shared = [name for name in max(found.values(), key=len) if all(name in of for of in found.values())]
    ranked = [name for name in shared if name != GOLD]
    means = np.array([[values(of[name], "accuracy").mean() for name in ranked] for of in found.values()])
    result = ranks(means)
    rank = dict(zip(ranked, zip(result.mean, result.p_of_best, strict=True), strict=True))
    lines = [f"| | {' | '.join(found)} | mean rank | p |", "|" + "---|" * (3 + len(found))]
    best = {data: means[i].max() for i, data in enumerate(found)}
    for name in sorted(shared, key=lambda name: rank.get(name, (0, 0))[0]):
        cells = []
        for data, of in found.items():
            accuracy = values(of[name], "accuracy")
            mark = "**" if name != GOLD and accuracy.mean() == best[data] else ""
            cells.append(f"{mark}{spread(accuracy)}{mark}")
        mean, p = rank.get(name, (np.nan, np.nan))
        cells += ["" if np.isnan(mean) else f"{mean:.1f}", "" if np.isnan(p) else f"{p:.2f}"]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join([*lines, "", _of_tests(result, len(found), len(ranked))])


def _of_tests(result, num_data, num_methods):
    friedman = "" if np.isnan(result.friedman) else f" (Friedman's test: p = {result.friedman:.2g})"
    return (
        f"Ranks of {num_methods} methods over {num_data} data sets{friedman}. Two mean ranks differ at the level of "
        f".05 where they are {result.critical_difference:.1f} apart (Nemenyi). p is that of Wilcoxon's test "
        "against the method of the best mean rank, after Holm."
    )


def tables(runs):
    """All of it."""
    found = gathered(runs)
    pages = [page_of(data, methods) for data, methods in found.items()]
    of_classes = {data: methods for data, methods in found.items() if data not in KINDS}
    ranked = [overview(of_classes)] if of_classes else []
    return "\n\n".join([*ranked, "Best of each data set:", winners(found), *pages])


def write(runs, path):
    """Puts the tables between the two marks of a Markdown file, or makes the file; gives the number of runs."""
    path = pathlib.Path(path)
    text = path.read_text() if path.exists() else f"{BEGIN}\n{END}\n"
    if not runs or text.count(BEGIN) != 1 or text.count(END) != 1:
        raise SystemExit(f"{path} must have the lines {BEGIN} and {END} once, and there must be runs.")
    before, after = text.split(BEGIN)[0], text.split(END)[1]
    path.write_text(f"{before}{BEGIN}\n\n{tables(runs)}\n\n{END}{after}")
    print(f"{len(runs)} runs, written into {path}")
