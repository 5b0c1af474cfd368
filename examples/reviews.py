"""What the example and the benchmark of MovieReviews share: features of texts, tables of the outcome."""

import numpy as np
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer

import keras_crowd as kc


def features(data, num_components=300):
    """TF-IDF of both splits on its leading directions, fitted on the training texts only."""
    tfidf = TfidfVectorizer(sublinear_tf=True, min_df=3, max_features=10_000)
    directions = TruncatedSVD(num_components, random_state=0)
    x_train = directions.fit_transform(tfidf.fit_transform(data.x_train))
    x_test = directions.transform(tfidf.transform(data.x_test))
    return x_train.astype("float32"), x_test.astype("float32")


def print_scores(found):
    """Mean, spread and gap closed of each method."""
    low, high = found["mean answer"].mean(), found["gold"].mean()
    print(f"{'trained on':<16}{'test R2':>16}{'gap closed':>13}")
    for name, values in found.items():
        gap = (values.mean() - low) / max(high - low, 1e-9)
        print(f"{name:<16}{100 * values.mean():>9.1f} +- {100 * values.std():.1f}{gap:>13.2f}")


def print_annotators(crowd, annotations, y_train, std, count=3):
    """Bias and spread as learned, and against gold, which the layer has not seen. From 0 to 10."""
    gold = kc.aggregation.deviations(annotations, y_train)
    answered = annotations.answers_per_annotator()
    order = (-crowd.precision()).argsort()
    print(f"\n{'annotator':<12}{'answers':>8}{'bias':>8}{'on gold':>9}{'spread':>9}{'RMSE on gold':>14}")
    for r in [*order[:count], *order[-count:]]:
        bias, spread = std * crowd.bias()[r], std / np.sqrt(crowd.precision()[r])
        print(
            f"{r!s:<12}{answered[r]:>8}{bias:>8.2f}{gold.bias[r]:>9.2f}{spread:>9.2f}{gold.rmse[r]:>14.2f}"
        )
