#!/usr/bin/python3
"""deploy/ has one version, and the chart's README lists the chart's values."""

import importlib.machinery
import json
import os
import re

import yaml

import tree

CHART = "deploy/helm/kube-event-metrics"
GENERATE = importlib.machinery.SourceFileLoader(
    "generate_values", os.path.join(tree.OURS, "deploy/helm/generate")
).load_module()
# path: the pattern of its version
VERSIONS = {
    f"{CHART}/Chart.yaml": r"^(?:version|appVersion): (.*)$",
    "deploy/kustomize/labels/kustomization.yaml":
        r"app.kubernetes.io/version: (.*)$",
    "deploy/kustomize/base/deployment.yaml":
        r"image: ghcr.io/\S+:(.*)$",
}


# Values that a parent chart passes down.
INHERITED = {"global", "enabled"}


def schema_leaves(properties, described, path=""):
    """The values of the schema, as deep as comments describe them."""
    for key, schema in properties.items():
        here = f"{path}{key}"
        if here in described or "properties" not in schema:
            yield here
        else:
            yield from schema_leaves(schema["properties"], described,
                                     f"{here}.")


def schema_problems(root):
    described = GENERATE.comments(GENERATE.read(root, "values.yaml"))
    path = f"{CHART}/values.schema.json"
    known = schema_leaves(json.loads(tree.read(root, path))["properties"],
                          described)
    for name in sorted(set(described) ^ (set(known) - INHERITED)):
        yield f"{path}: {name} must be in both this file and values.yaml"


def problems(root):
    version = re.search(r"^project\(\S+ VERSION (\S+)",
                        tree.read(root, "CMakeLists.txt"), re.M).group(1)
    for path, pattern in VERSIONS.items():
        found = re.findall(pattern, tree.read(root, path), re.M)
        if not found:
            yield f"{path}: no version"
        for other in found:
            if other != version:
                yield f"{path}: version {other}, not {version}"
    try:
        if GENERATE.made(root) != tree.read(root, f"{CHART}/README.md"):
            yield f"{CHART}/README.md: run deploy/helm/generate"
        yield from schema_problems(root)
    except (OSError, ValueError, yaml.YAMLError) as trouble:
        yield f"{CHART}/values.yaml: {trouble}"


if __name__ == "__main__":
    tree.main(problems)
