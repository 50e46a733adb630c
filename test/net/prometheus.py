# SPDX-License-Identifier: GPL-2.0-only
"""
Prometheus's text exposition format 0.0.4, read strictly: every metric has HELP and TYPE
before its samples, they stand together, no sample comes twice, and names, units and
histograms are as the format and Prometheus's naming rules want them.
"""
import re

HEAD = re.compile(r"# (HELP|TYPE) ([a-zA-Z_][a-zA-Z0-9_]*) (.+)\Z")
SAMPLE = re.compile(r"([a-zA-Z_][a-zA-Z0-9_]*)(?:\{(.*)\})? (\d+(?:\.\d+)?)\Z")
LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\"n])*)"(?:,|\Z)')
SUFFIXES = {"histogram": ("_bucket", "_sum", "_count"), "summary": ("_sum", "_count")}


class Metric:
    def __init__(self, name, text):
        self.name, self.help, self.type = name, text, None
        self.samples = {}   # (name, ((label, value), …)) -> number


def parse(text):
    """{name of the metric: Metric}; AssertionError says what is wrong."""
    metrics, now = {}, None
    assert text.endswith("\n")
    for line in text[:-1].split("\n"):
        head = HEAD.match(line)
        if head and head[1] == "HELP":
            assert head[2] not in metrics, ("its rows do not stand together", line)
            now = metrics[head[2]] = Metric(head[2], head[3])
        elif head:
            assert now and now.name == head[2] and not now.type and not now.samples, line
            assert head[3] in ("counter", "gauge", "histogram", "summary"), line
            now.type = head[3]
        else:
            take(now, line)
    for metric in metrics.values():
        judge(metric)
    return metrics


def take(metric, line):
    sample = SAMPLE.match(line)
    assert sample and metric and metric.type, line
    name, labels, value = sample.groups()
    names = [metric.name + suffix for suffix in SUFFIXES.get(metric.type, ("",))]
    assert name in names, ("a sample of another metric", line)
    pairs = LABEL.findall(labels or "")
    assert labels is None or (pairs and sum(len(k) + len(v) + 4 for k, v in pairs)
                              == len(labels) + 1), line
    assert len({k for k, _ in pairs}) == len(pairs), line
    key = (name, tuple(sorted(pairs)))
    assert key not in metric.samples, ("twice", line)
    metric.samples[key] = float(value)


def judge(metric):
    assert metric.type and metric.samples and metric.help.endswith("."), metric.name
    assert (metric.type == "counter") == metric.name.endswith("_total"), metric.name
    assert not re.search(r"_(ms|us|milliseconds|count|sum|bucket)(_|\Z)", metric.name), (
        "not a base unit, or a suffix of the format", metric.name)
    if metric.type == "histogram":
        judge_histogram(metric)


def judge_histogram(metric):
    buckets = [(float(dict(labels)["le"].replace("+Inf", "inf")), n)
               for (name, labels), n in metric.samples.items() if name.endswith("_bucket")]
    assert buckets == sorted(buckets) and len(dict(buckets)) == len(buckets), metric.name
    assert [n for _, n in buckets] == sorted(n for _, n in buckets), metric.name
    assert buckets[-1] == (float("inf"), metric.samples[(metric.name + "_count", ())])
    assert (metric.name + "_sum", ()) in metric.samples
