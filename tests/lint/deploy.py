#!/usr/bin/python3
"""deploy/ says one version everywhere, and the chart's README has its values.
"""

import importlib.machinery
import os
import re

import yaml

import tree

CHART = "deploy/helm/kube-event-metrics"
GENERATE = importlib.machinery.SourceFileLoader(
    "generate_values", os.path.join(tree.OURS, "deploy/helm/generate")
).load_module()
# path: where its version stands
VERSIONS = {
    f"{CHART}/Chart.yaml": r"^(?:version|appVersion): (.*)$",
    "deploy/kustomize/labels/kustomization.yaml":
        r"app.kubernetes.io/version: (.*)$",
    "deploy/kustomize/base/deployment.yaml":
        r"image: ghcr.io/\S+:(.*)$",
}


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
    except (OSError, ValueError, yaml.YAMLError) as trouble:
        yield f"{CHART}/values.yaml: {trouble}"


if __name__ == "__main__":
    tree.main(problems)
