"""Small files in the layouts in which the papers' authors published their data; each writer fills a folder."""

import numpy as np

from keras_crowd.datasets._published import LABELME_CLASSES


def write(folder, files):
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")


def write_labelme(manual):
    """Five columns of annotators, of which the second never answered."""
    from PIL import Image

    folder = manual / "LabelMe"
    write(folder, {"answers.txt": "0 -1 7 -1 -1\n-1 -1 3 3 -1\n-1 -1 -1 -1 2\n"})
    for split, classes in {
        "train": "highway street coast",
        "valid": "forest",
        "test": "coast street",
    }.items():
        names = [f"{name}_{split}{i}.jpg" for i, name in enumerate(classes.split())]
        codes = [str(LABELME_CLASSES.index(name)) for name in classes.split()]
        write(
            folder,
            {f"filenames_{split}.txt": "\n".join(names), f"labels_{split}.txt": "\n".join(codes) + "\n"},
        )
        for i, name in enumerate(names):
            place = folder / split / name.split("_")[0]
            place.mkdir(parents=True, exist_ok=True)
            Image.fromarray(np.full((8, 8, 3), 10 * i, np.uint8)).save(place / name)


def write_music(manual):
    gold = "id,f1,f2,class\nblues.1.mp3,0.5,1e-3,blues\nrock.2.mp3,-2,3,rock\npop.3.mp3,1,1,pop\n"
    said = "id,annotator,f1,f2,class\nrock.2.mp3,W9,-2,3,rock\nblues.1.mp3,W9,0.5,1e-3,jazz\n"
    said += "blues.1.mp3,W1,0.5,1e-3,blues\nelsewhere.mp3,W1,0,0,rock\n"
    test = "id,f1,f2,class\nmetal.4.mp3,4,4,metal\n"
    files = {"music_genre_gold.csv": gold, "music_genre_mturk.csv": said, "music_genre_test.csv": test}
    write(manual / "music_genre_classification", files)


def write_polarity(manual):
    said = (
        "WorkerId,Input.id,Input.original_sentence,Input.stemmed_sent,Input.true_sent,Answer.sent\n"
        'W2,7,"good , ""really\x85"" good",good,pos,pos\nW1,7,"good , ""really\x85"" good",good,pos,neg\n'
        "W2,3,a bore,bore,neg,neg\n"
    )
    gold = "id,TOPIC0,TOPIC1,class\n3,0.1,0.2,neg\n7,0.3,0.4,pos\n9,0,0,pos\n"
    files = {"mturk_answers.csv": said, "polarity_gold_lsa_topics.csv": gold}
    write(
        manual / "sentiment_polarity",
        {**files, "polarity_test_lsa_topics.csv": "id,TOPIC0,TOPIC1,class\n1,1,2,pos\n2,3,4,neg\n"},
    )


def write_reviews(manual):
    files = {
        "answers.txt": "0.5 -1 -1 \n-1 1.1 0.2 \n",
        "ratings_train.txt": "0.6\n0.4\n",
        "ratings_test.txt": "1",
    }
    write(
        manual / "MovieReviews",
        {**files, "texts_train.txt": "not bad\nbad\n", "texts_test.txt": " great \n"},
    )


def write_ner(manual):
    gold = "EU B-ORG\nrejects O\n\nPeter B-PER\nBlackburn I-PER\n. O\n\n"
    said = "EU ? B-LOC ?\nrejects ? O ?\n\n\nPeter B-PER O ?\nBlackburn I-PER O ?\n. O O ?\n\n"
    files = {"ground_truth.txt": gold, "answers.txt": said, "testset.txt": "\nJapan B-LOC\n\n"}
    write(manual / "ner-mturk", files)
