"""One question after another, the best first."""

from __future__ import annotations

import heapq

import numpy as np

from ._gain import Gain

_NOTHING = 1e-12
_AHEAD = 1024
_OUTCOMES = 32  # of questions asked about an item, the likeliest


class Greedy:
    """Questions by their gain per cost. Those about an item that was asked about wait for what its answers may be."""

    def __init__(
        self,
        gain: Gain,
        q: np.ndarray,
        prices: np.ndarray,
        open_to: np.ndarray,
        answered: tuple[np.ndarray, np.ndarray],
        left: np.ndarray,
        rng: np.random.Generator,
        min_gain: float = 0.0,
    ) -> None:
        self.min_gain = min_gain
        self.gain, self.q, self.prices, self.open_to = gain, q, prices, open_to
        self.answered, self.left, self.rng = answered, left.copy(), rng
        self.outcomes: dict[int, tuple[np.ndarray, np.ndarray]] = {}
        self.asked: dict[int, list[int]] = {}
        self._scores: dict[int, np.ndarray] = {}  # of items that wait, whoever has time left

    def spend(self, budget: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The item, the annotator and the gain of each question."""
        chosen: list[tuple[int, int, float]] = []
        values, columns = self._firsts(budget)
        self.untouched = np.lexsort((self.rng.random(len(values)), -values))
        waiting: list[tuple[float, int, int]] = []
        while self._whom(budget).any():
            if len(self.untouched) and (
                not waiting or values[self.untouched[0]] > -waiting[0][0] - _NOTHING
            ):
                self._take(values, columns, waiting, budget)
            if not waiting or -waiting[0][0] <= _NOTHING:
                break
            value, item, column = heapq.heappop(waiting)
            if self.left[column] > 0 and self.prices[column] <= budget:
                chosen.append((item, column, -value * self.prices[column]))
                budget -= self.prices[column]
                self.left[column] -= 1
                self._ask(item, column)
            again, column = self._best(item, budget)
            heapq.heappush(waiting, (-again, item, column))
        items, annotators, gains = zip(*chosen, strict=True) if chosen else ((), (), ())
        return np.asarray(items, int), np.asarray(annotators, int), np.asarray(gains, float)

    def _take(
        self,
        values: np.ndarray,
        columns: np.ndarray,
        waiting: list[tuple[float, int, int]],
        budget: float,
    ) -> None:
        """Lets the first of the untouched items wait; with those behind it, if its annotator has no time left."""
        gone = ~self._whom(budget)
        ahead = self.untouched[:_AHEAD]
        stale = gone[columns[ahead]]
        taken = ahead[stale] if stale[0] else ahead[:1]
        self.untouched = (
            np.concatenate([ahead[~stale], self.untouched[_AHEAD:]]) if stale[0] else self.untouched[1:]
        )
        for item in taken.tolist():
            value, column = (
                self._best(item, budget) if stale[0] else (float(values[item]), int(columns[item]))
            )
            heapq.heappush(waiting, (-value, item, column))

    def _firsts(self, budget: float) -> tuple[np.ndarray, np.ndarray]:
        """The highest gain per cost of each item, and whose; 0 of items that are too sure to come in question."""
        values, columns = np.zeros(len(self.q)), np.zeros(len(self.q), int)
        if not len(self.prices):
            return values, columns
        ceiling = self.gain.most(self.q) / self.prices.min()
        order = np.argsort(-ceiling, kind="stable")
        needed = int(min(budget / self.prices.min(), len(self.q)))
        limited = np.isfinite(self.left).any()
        for block in self.gain.blocks(len(order)):
            rows = order[block]
            values[rows], columns[rows] = self._best_of(rows, budget)
            behind = order[block.stop : block.stop + 1]
            if len(behind) and not limited and 0 < needed <= block.stop:
                reached = np.partition(values, len(values) - needed)[len(values) - needed]
                if reached >= ceiling[behind[0]]:
                    break
        return values, columns

    def _best_of(self, rows: np.ndarray, budget: float) -> tuple[np.ndarray, np.ndarray]:
        scores = self._per_cost(self.gain(self.q[rows]))
        scores[~np.broadcast_to(self._allowed(rows, budget), scores.shape)] = -1.0
        place = np.full(len(self.q), -1)
        place[rows] = np.arange(len(rows))
        item, column = self.answered
        here = place[item]
        scores[here[here >= 0], column[here >= 0]] = -1.0
        best = scores.argmax(axis=1)
        return np.maximum(scores[np.arange(len(rows)), best], 0.0), best

    def _per_cost(self, gain: np.ndarray) -> np.ndarray:
        """Gains per cost; 0 of those that are not worth a question."""
        return np.where(gain >= self.min_gain, gain, 0.0) / self.prices

    def _whom(self, budget: float) -> np.ndarray:
        """Returns the annotators who can still be asked and paid."""
        return (self.left > 0) & (self.prices <= budget)

    def _allowed(self, rows: np.ndarray | int, budget: float) -> np.ndarray:
        return (self.open_to if self.open_to.ndim == 1 else self.open_to[rows]) & self._whom(budget)

    def _best(self, item: int, budget: float) -> tuple[float, int]:
        """The best question about an item now."""
        scores = self._scores.get(item)
        if scores is None:
            weights, q = self.outcomes.get(item, (np.ones(1), self.q[item : item + 1]))
            scores = self._scores[item] = self._per_cost(weights @ self.gain(q))
            if self.open_to.ndim == 2:
                scores[~self.open_to[item]] = -1.0
            start, stop = np.searchsorted(self.answered[0], [item, item + 1])
            scores[self.answered[1][start:stop]] = -1.0
            scores[self.asked.get(item, [])] = -1.0
        now = np.where(self._whom(budget), scores, -1.0)
        best = int(now.argmax())
        return float(now[best]), best

    def _ask(self, item: int, column: int) -> None:
        """Notes what the annotator may answer, and what would then be known of the item."""
        weights, q = self.outcomes.get(item, (np.ones(1), self.q[item : item + 1]))
        joint = (
            weights[:, None, None] * q[:, :, None] * self.gain.confusion[column]
        )  # (outcome, true, answer)
        likely = joint.transpose(0, 2, 1).reshape(-1, q.shape[1])
        total = likely.sum(axis=1)
        kept = np.argsort(-total, kind="stable")[:_OUTCOMES]
        kept = kept[total[kept] > 0]
        self.outcomes[item] = total[kept] / total[kept].sum(), likely[kept] / total[kept, None]
        self.asked.setdefault(item, []).append(column)
        self._scores.pop(item, None)
