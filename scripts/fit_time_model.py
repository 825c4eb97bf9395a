#!/usr/bin/env python3
"""Fits the parameters of the model of time (src/plan/time_model.h) to published measurements.

    cistern plan --score-table measured.csv --features > features.jsonl
    scripts/fit_time_model.py features.jsonl --out src/plan/catalogue/time_parameters.csv

Only the standard library. What a term is and which parameters it has is known to the binary alone; this script sees
one JSON object per row of the table:

    {"row_id": "338", "hardware": "DGX Spark (GB10)", "model": "gpt-oss-20B", "confidence": "A", "moe": true,
     "groups": ["cuda.moe", "moe", "all"],
     "decode": {"measured": 84.1, "terms": [{"seconds": 0.008, "factors": [["decode.weights", 1], ...]}, ...]},
     "prompt": {"measured": 3782.8, "terms": [...]}}

`measured` is in tokens per second, 0 or null where nobody measured it; `groups` are those of plan::width_groups. A
token takes the sum over its terms of seconds * exp(sum of weight * parameter). The fit minimizes the squares of the
errors of log(time), those of far outliers less, plus the squares of (parameter - its usual value) / (how far it
usually strays): a ridge that pulls what few rows tell of towards what is more general. The errors that are printed
are of rows that the fit had not seen: hardware, models or single rows are left out in turn. The widths of the
intervals come from those errors, too.
"""
import argparse
import csv
import json
import math
import random
import sys
from collections import defaultdict

# Usual value and deviation of parameters (logarithms of multiples of the ideal time) that lead a family, by physics:
# memory is read at some 80% of its peak, a layer costs some 60 us in launches, one with
# experts or a recurrence has more of them, formats with tables compute longer.
# All others are small corrections.
USUAL = {
    "decode.weights": (0.2, 0.3), "decode.weights.hbm": (0.1, 0.3), "decode.alu": (0.5, 0.7),
    "decode.layer": (1.8, 0.7), "decode.layer.moe": (0.4, 0.3), "decode.recurrent": (2.0, 0.6), "decode.kv": (0.5, 0.5),
    "decode.attention": (0.0, 0.8), "decode.paged": (1.3, 0.3), "decode.moe.weights.vulkan.bf16": (1.2, 0.7),
    "decode.cpu.weights": (0.3, 0.3), "decode.cpu.weights.size": (0.35, 0.15),
    "decode.cpu.weights.sockets": (0.4, 0.3), "decode.cpu.alu": (0.9, 0.5), "decode.cpu.alu.iq": (1.2, 0.5),
    "decode.cpu.alu.main": (0.3, 0.3), "decode.cpu.alu.size": (-0.3, 0.15), "decode.cpu.layer": (0.5, 0.5),
    "decode.cpu.kv": (0.7, 0.6),
    "prompt.halves": (0.5, 0.5), "prompt.integers": (1.0, 0.5), "prompt.floats": (-1.5, 1.0),
    "prompt.weights": (0.3, 0.4), "prompt.weights.moe": (0.9, 0.4), "prompt.layer": (1.0, 1.0),
    "prompt.attention": (1.9, 0.6), "prompt.attention.vulkan": (0.8, 0.4), "prompt.pipe": (-1.0, 0.5), "prompt.scores": (1.0, 0.6),
    "prompt.moe": (0.7, 0.4), "prompt.cpu": (1.5, 0.6), "prompt.cpu.main": (0.4, 0.3),
    "prompt.cpu.moe": (0.6, 0.4), "prompt.cpu.weights": (0.8, 0.5),
}
SMALL = {"decode": (0.0, 0.25), "prompt": (0.0, 0.35)}
TRUST = {"A": 1.0, "B": 1.0, "C": 0.5}  # of a row, by its confidence
SPREAD = 0.18  # of errors of log(time) in rows that are no outliers
TAIL = 4       # degrees of freedom of Student's t
FOLDS = 12
COVERED = 0.90
GROUP_ROWS = 15  # a group's width is mixed with that of the next larger one as if that were so many rows of it


def usual(name):
    return USUAL.get(name) or SMALL[name.split(".")[0]]


class Row:
    """What is measured of one phase, and its terms with parameters as numbers."""

    def __init__(self, record, phase, number):
        self.id, self.hardware, self.model = record["row_id"], record["hardware"], record["model"]
        self.groups, self.confidence, self.moe = record["groups"], record["confidence"], record["moe"]
        self.about = " | ".join(str(record.get(k, "")) for k in ("row_id", "hardware", "backend", "model", "quant",
                                                                 "context", "confidence"))
        self.log_time = -math.log(record[phase]["measured"])
        self.terms = [(term["seconds"], [(number(name), weight) for name, weight in term["factors"]])
                      for term in record[phase]["terms"]]

    def predict(self, values):
        """log(time) and its derivatives."""
        parts = [seconds * math.exp(sum(weight * values[i] for i, weight in factors))
                 for seconds, factors in self.terms]
        total = sum(parts)
        slopes = defaultdict(float)
        for part, (_, factors) in zip(parts, self.terms):
            for i, weight in factors:
                slopes[i] += part / total * weight
        return math.log(total), slopes


def solve(rows, weights, slopes, ridge, target):
    """(J'WJ + ridge) x = target, by conjugate gradients over the sparse J."""
    size = len(ridge)
    diagonal = list(ridge)
    for weight, row in zip(weights, slopes):
        for i, slope in row.items():
            diagonal[i] += weight * slope * slope

    def times(x):
        y = [r * v for r, v in zip(ridge, x)]
        for weight, row in zip(weights, slopes):
            inner = weight * sum(slope * x[i] for i, slope in row.items())
            for i, slope in row.items():
                y[i] += inner * slope
        return y

    x = [0.0] * size
    rest = list(target)
    scaled = [r / d for r, d in zip(rest, diagonal)]
    direction = list(scaled)
    product = sum(r * s for r, s in zip(rest, scaled))
    for _ in range(size):
        if product < 1e-10:
            break
        image = times(direction)
        step = product / sum(d * v for d, v in zip(direction, image))
        x = [v + step * d for v, d in zip(x, direction)]
        rest = [r - step * v for r, v in zip(rest, image)]
        scaled = [r / d for r, d in zip(rest, diagonal)]
        before, product = product, sum(r * s for r, s in zip(rest, scaled))
        direction = [s + product / before * d for s, d in zip(scaled, direction)]
    return x


def fit(rows, names, start=None, rounds=30):
    means = [usual(name)[0] for name in names]
    ridge = [1 / usual(name)[1] ** 2 for name in names]
    values = list(start or means)
    for _ in range(rounds):
        predicted = [row.predict(values) for row in rows]
        errors = [row.log_time - time for row, (time, _) in zip(rows, predicted)]
        weights = [TRUST.get(row.confidence, 0.5) / SPREAD ** 2 * (TAIL + 1) / (TAIL + (error / SPREAD) ** 2)
                   for row, error in zip(rows, errors)]
        slopes = [s for _, s in predicted]
        target = [r * (mean - value) for r, mean, value in zip(ridge, means, values)]
        for weight, error, row in zip(weights, errors, slopes):
            for i, slope in row.items():
                target[i] += weight * error * slope
        step = [max(-0.5, min(0.5, s)) for s in solve(rows, weights, slopes, ridge, target)]
        values = [value + s for value, s in zip(values, step)]
        if max(map(abs, step)) < 2e-3:
            break
    return values


def left_out_errors(rows, names, key, start):
    """Of each row, log(predicted / measured time) by a fit without the rows that have its key."""
    keys = sorted({key(row) for row in rows})
    random.Random(1).shuffle(keys)
    errors = {}
    for fold in range(FOLDS):
        out = set(keys[fold::FOLDS])
        values = fit([row for row in rows if key(row) not in out], names, start, rounds=12)
        for row in rows:
            if key(row) in out:
                errors[row.id] = row.predict(values)[0] - row.log_time
    return errors


def quantile(values, share):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def fit_widths(rows, cross):
    """Half widths by group, each mixed with that of the larger group that it belongs to."""
    pooled, parents = defaultdict(list), {}
    for row in rows:
        for group, parent in zip(row.groups, row.groups[1:] + [None]):
            pooled[group] += [abs(errors[row.id]) for errors in cross.values()]
            parents[group] = parent
    widths = {}

    def width(group):
        if group not in widths:
            own, n = quantile(pooled[group], COVERED), len(pooled[group]) / len(cross)
            parent = parents[group]
            widths[group] = own if parent is None else (n * own + GROUP_ROWS * width(parent)) / (n + GROUP_ROWS)
        return widths[group]

    for group in pooled:
        width(group)
    return widths


def width_of(row, widths):
    return next(widths[group] for group in row.groups if group in widths)


def report(phase, rows, cross, widths, worst):
    kinds = [("A dense", lambda r: r.confidence == "A" and not r.moe), ("A moe", lambda r: r.confidence == "A" and r.moe),
             ("B", lambda r: r.confidence == "B"), ("C", lambda r: r.confidence == "C")]
    for what, errors in cross.items():
        for kind, belongs in kinds:
            chosen = [row for row in rows if belongs(row)]
            if not chosen:
                continue
            relative = [abs(math.exp(-errors[row.id]) - 1) for row in chosen]
            print("%s, %-18s %-8s rows %3d  median %4.1f%%  within 30%% %5.1f%%  in the interval %5.1f%%" % (
                phase, what + " left out:", kind, len(chosen), 100 * quantile(relative, 0.5),
                100 * sum(r <= 0.3 for r in relative) / len(chosen),
                100 * sum(abs(errors[row.id]) <= width_of(row, widths) for row in chosen) / len(chosen)))
        for row in sorted(rows, key=lambda r: -abs(errors[r.id]))[:worst]:
            print("    %5.2f x  %s" % (math.exp(-errors[row.id]), row.about))


def fit_phase(records, phase, worst):
    numbers = {}
    rows = [Row(record, phase, lambda name: numbers.setdefault(name, len(numbers)))
            for record in records if record[phase].get("measured")]
    names = sorted(numbers, key=numbers.get)
    values = fit(rows, names)
    cross = {"hardware": left_out_errors(rows, names, lambda r: r.hardware, values),
             "models": left_out_errors(rows, names, lambda r: r.model, values),
             "rows": left_out_errors(rows, names, lambda r: r.id, values)}
    widths = fit_widths(rows, cross)
    report(phase, rows, cross, widths, worst)
    table = {name: round(value, 4) for name, value in zip(names, values)}
    table.update({"%s.width.%s" % (phase, group): round(width, 4) for group, width in widths.items()})
    return table


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("features", help="JSON lines, see the beginning of this file")
    parser.add_argument("--out", help="CSV file of parameters to write")
    parser.add_argument("--worst", type=int, default=10, help="rows to name that are farthest off")
    options = parser.parse_args()
    with open(options.features, encoding="utf-8") as lines:
        records = [json.loads(line) for line in lines if line.strip()]
    table = {name: value for name, (value, _) in USUAL.items()}
    for phase in ("decode", "prompt"):
        table.update(fit_phase(records, phase, options.worst))
    if options.out:
        with open(options.out, "w", encoding="utf-8", newline="") as out:
            writer = csv.writer(out, lineterminator="\n")
            writer.writerow(["name", "value"])
            writer.writerows((name, table[name]) for name in sorted(table) if abs(table[name]) >= 0.003)
    return 0


if __name__ == "__main__":
    sys.exit(main())
