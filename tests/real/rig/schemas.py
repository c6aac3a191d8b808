"""JSON schemas for kubeconform, which has none without internet access.

They come from the OpenAPI definitions of Kubernetes and from CRDs, and they are
closed: an unknown field is an error, while the API server would silently drop
it.
"""

import glob
import json
import os

import yaml

META = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"
OPEN = "x-kubernetes-preserve-unknown-fields"
KINDS = "x-kubernetes-group-version-kind"
# The kinds of the Prometheus Operator that the chart creates.
OPERATED = ("podmonitors", "prometheusrules", "servicemonitors")


def closed(schema):
    """The schema, with no other fields in objects with named fields."""
    if isinstance(schema, list):
        return [closed(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    if (schema.get("format") == "int-or-string"
            or schema.get("x-kubernetes-int-or-string")):
        return {"type": ["string", "integer"]}
    result = {key: closed(value) for key, value in schema.items()
              if not key.startswith("x-kubernetes-")}
    if (isinstance(schema.get("properties"), dict) and not schema.get(OPEN)
            and "additionalProperties" not in schema):
        result["additionalProperties"] = False
    return result


def references(schema):
    """Names of the definitions that the schema refers to."""
    if isinstance(schema, list):
        schema = dict(enumerate(schema))
    if not isinstance(schema, dict):
        return
    for key, value in schema.items():
        if key == "$ref" and isinstance(value, str):
            yield value.rpartition("/")[2]
        else:
            yield from references(value)


def reachable(name, definitions, found):
    """Adds the definition and all that it refers to, to `found`."""
    if name not in found:
        found[name] = definitions[name]
        for other in references(definitions[name]):
            reachable(other, definitions, found)
    return found


class Schemas:
    """A folder of schemas, one per kind, for kubeconform's -schema-location."""

    def __init__(self, folder, tools, crds):
        self.folder = folder
        self.location = os.path.join(folder,
                                     "{{.ResourceKind}}{{.KindSuffix}}.json")
        with open(os.path.join(tools, "kubernetes-openapi.json"),
                  encoding="utf-8") as file:
            self.definitions = closed(
                self.quantities(json.load(file)["definitions"]))
        for name, definition in self.definitions.items():
            for kind in definition.pop("kinds", []):
                self.write(kind["group"], kind["version"], kind["kind"],
                           {"$ref": f"#/definitions/{name}"}, name)
        operator = os.path.join(tools, "prometheus-operator-crd")
        paths = [os.path.join(operator, f"monitoring.coreos.com_{name}.yaml")
                 for name in OPERATED] + glob.glob(os.path.join(crds, "*"))
        for path in paths:
            with open(path, encoding="utf-8") as file:
                for crd in yaml.load_all(file, yaml.CSafeLoader):
                    self.add_crd(crd["spec"])

    @staticmethod
    def quantities(definitions):
        """Records the kinds, and allows numbers as quantities."""
        for name, definition in definitions.items():
            if KINDS in definition:
                definition["kinds"] = definition[KINDS]
            if name.endswith(".resource.Quantity"):
                definition["type"] = ["string", "number"]
        return definitions

    def add_crd(self, spec):
        for version in spec["versions"]:
            schema = closed(version["schema"]["openAPIV3Schema"])
            schema["properties"].update(
                apiVersion={"type": "string"}, kind={"type": "string"},
                metadata={"$ref": f"#/definitions/{META}"})
            self.write(spec["group"], version["name"], spec["names"]["kind"],
                       schema, META)

    def write(self, group, version, kind, schema, needs):
        parts = [kind.lower(), group.split(".")[0], version]
        path = os.path.join(self.folder,
                            "-".join(part for part in parts if part) + ".json")
        with open(path, "w", encoding="utf-8") as file:
            json.dump({**schema, "definitions": reachable(
                needs, self.definitions, {})}, file)
