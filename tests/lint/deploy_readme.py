#!/usr/bin/python3
"""The examples of deploy/README.md work.

Its YAML blocks (indented, with a file name in the first line) parse, its values
exist in the chart, and the paths, overlays, options and metrics exist.
"""

import os
import re

import tree
import yaml

README = "deploy/README.md"
VALUES = "deploy/helm/kube-event-metrics/values.yaml"
OVERLAYS = "deploy/kustomize/overlays"


def blocks(text):
    """(line number, file name, text) of each YAML block."""
    for found in re.finditer(r"^( {4,})# (\S+\.yaml)\n((?:\1.+\n)+)", text,
                             re.M):
        indent, name, body = found.groups()
        yield (text.count("\n", 0, found.start()) + 1, name,
               re.sub(rf"^{indent}", "", body, flags=re.M))


def values_in(name, documents):
    """The chart values that a block sets."""
    for document in documents:
        if name == "values.yaml":
            yield document
        spec = document.get("spec", {})
        if document.get("kind") == "Application":
            yield spec["source"]["helm"]["valuesObject"]
        if document.get("kind") == "HelmRelease":
            yield spec["values"]


def unknown(given, known, path=""):
    """Keys that the chart does not have; {} in the chart accepts any."""
    for key, value in given.items():
        if key not in known:
            yield path + key
        elif isinstance(value, dict) and known[key]:
            yield from unknown(value, known[key], f"{path}{key}.")


def yaml_problems(text, known):
    for number, name, body in blocks(text):
        try:
            documents = list(yaml.safe_load_all(body))
        except yaml.YAMLError as error:
            yield f"{README}:{number}: {name}: {error}"
            continue
        for given in values_in(name, documents):
            for key in unknown(given, known):
                yield f"{README}:{number}: {key} is not a value of the chart"


def value_names(text, known):
    for name in re.findall(r"`([a-z]\w*(?:\.\w+)+)(?:: [^`]*)?`", text):
        keys, at = name.split("."), known
        if keys[0] not in known:
            continue
        for key in keys:
            if not isinstance(at, dict) or at and key not in at:
                yield f"{README}: {name} is not a value of the chart"
                break
            at = at.get(key, {})


def problems(root):
    text = tree.read(root, README)
    known = yaml.safe_load(tree.read(root, VALUES))
    yield from yaml_problems(text, known)
    yield from value_names(text, known)
    for path in set(re.findall(r"(?<![\w/.])(?:\./)?(deploy/[\w/-]+)", text)):
        if not os.path.exists(os.path.join(root, path)):
            yield f"{README}: there is no {path}"
    table = re.search(r"\| overlay .*?\n\n", text, re.S).group()
    named = set(re.findall(r"^\| `([\w-]+)`", table, re.M))
    there = set(os.listdir(os.path.join(root, OVERLAYS)))
    for name in named ^ there:
        yield f"{README}: the overlay {name} is not both described and present"
    options = tree.read(root, "exporter/config/option_table.cc") + \
        tree.read(root, "exporter/config/flags.cc")
    for option in set(re.findall(r"`--([\w-]+\.[\w.-]+)", text)):
        if f'"{option}"' not in options:
            yield f"{README}: there is no option --{option}"
    metrics = tree.read(root, "exporter/METRICS.md")
    for name in set(re.findall(r"\bkube_event_[a-z_]+", text)):
        if f"`{name}`" not in metrics:
            yield f"{README}: there is no metric {name}"


if __name__ == "__main__":
    tree.main(problems)
