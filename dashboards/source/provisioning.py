"""The files that bring json/ into a Grafana in a cluster.

The ConfigMaps are made by kustomize from the same JSON, so that it stands in
the tree once.
"""

HEAD = "# Made by dashboards/generate.\n"


def kustomization(uids):
    lines = [
        "apiVersion: kustomize.config.k8s.io/v1beta1", "kind: Kustomization",
        "# The names stay the same, for grafana-operator/ refers to them.",
        "generatorOptions:", "  disableNameSuffixHash: true", "  labels:",
        '    grafana_dashboard: "1"', "  annotations:",
        "    grafana_folder: Kubernetes", "configMapGenerator:"]
    for uid in uids:
        lines += [f"- name: {uid}", "  files:", f"  - json/{uid}.json"]
    return HEAD + "\n".join(lines) + "\n"


def operator(uids):
    documents = []
    for uid in uids:
        documents.append("\n".join([
            "apiVersion: grafana.integreatly.org/v1beta1",
            "kind: GrafanaDashboard", "metadata:", f"  name: {uid}", "spec:",
            "  instanceSelector:", "    matchLabels:",
            "      dashboards: grafana", "  allowCrossNamespaceImport: true",
            "  folder: Kubernetes", "  resyncPeriod: 10m", "  configMapRef:",
            f"    name: {uid}", f"    key: {uid}.json"]))
    return HEAD + "---\n".join(each + "\n" for each in documents)


OPERATOR = HEAD + """apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
resources:
- dashboards.yaml
"""


def files(uids):
    return {"kustomization.yaml": kustomization(uids),
            "grafana-operator/kustomization.yaml": OPERATOR,
            "grafana-operator/dashboards.yaml": operator(uids)}
