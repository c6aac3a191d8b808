"""Where the links of dashboards lead: the pages of the exporter of a cluster
whose exporter has a URL, and nowhere else."""

import re
import urllib.parse

from history import LINKED, URL

MARK = " \N{NORTH EAST ARROW}"


class LinkChecks:
    """For a test case with `counts`."""

    def tables(self, dashboard):
        """(panel, query) of each table of objects or reasons."""
        for panel in dashboard.panels:
            names = (panel.get("transformations") or [{}])[0].get(
                "options", {}).get("renameByName", {})
            if {"object_name", "reason"} & set(names):
                yield panel, panel["targets"][0], names

    def check_rows(self, labels, viewer, dashboard, panel, target, names):
        rows = [dict(row) for row in viewer.run(dashboard, panel, target)]
        self.assertTrue(rows)
        for row in rows:
            linked = (labels == "one" if "cluster" not in names
                      else row.get("cluster") == LINKED)
            self.assertEqual("messages" in row, linked, row)
            if not linked:
                continue
            for url in viewer.links(dashboard, panel, names["messages"], row):
                self.counts["links followed"] += 1
                self.check_link(url, row, viewer)

    def series(self, dashboard):
        """(panel, query) of the lanes and bars of an object or a reason."""
        for panel in dashboard.panels:
            for target in panel["targets"]:
                if re.search(r"kube_event_(?!metrics_).*", target["expr"]) and (
                        re.search(r"{{(object_name|reason)}}",
                                  target.get("legendFormat", ""))):
                    yield panel, target

    def check_series(self, labels, viewer, dashboard, panel, target):
        self.assertTrue(target["legendFormat"].endswith("{{mark}}") or
                        "{{mark}} phase" in target["legendFormat"])
        rows = [dict(row) for row in viewer.run(dashboard, panel, target)]
        self.assertTrue(rows)
        # Series that differ by the link alone would be drawn twice.
        self.assertEqual(len(rows), len({
            tuple(row.get(name) for name in ("object_name", "reason", "kind",
                                             "cluster")) for row in rows}))
        for row in rows:
            linked = (row.get("cluster") == LINKED if "object_name" in row
                      else labels == "one")
            self.assertEqual((row.get("mark"), "messages" in row),
                             (MARK if linked else None, linked))
            if linked:
                url, = viewer.links(dashboard, panel, MARK, row)
                self.check_link(url, row, viewer)
                self.counts["links followed"] += 1

    def check_link(self, url, row, viewer):
        self.assertTrue(url.startswith(URL + "/"), url)
        where = urllib.parse.urlsplit(url)
        asked = dict(urllib.parse.parse_qsl(where.query))
        self.assertEqual(asked.pop("since"), str(viewer.begin * 1000))
        self.assertEqual(asked.pop("until"), str(viewer.end * 1000))
        path = where.path.removeprefix("/east/").split("/")
        if path[0]:
            self.assertEqual(path, ["objects", row.get("kind", "Node"),
                                    row["object_name"]])
            self.assertEqual(asked, {})
        else:
            self.assertEqual(path, [""])
            wanted = {key: row[field] for key, field in (
                ("name", "object_name"), ("reason", "reason"),
                ("kind", "kind")) if row.get(field)}
            for key, value in asked.items():
                self.assertEqual(value, wanted.get(key, "Node"))

    def check_texts(self, found, viewer):
        self.assertTrue(found)
        time = f"since={viewer.begin * 1000}&until={viewer.end * 1000}"
        for row in map(dict, found):
            name = row.get("object_name", "")
            page = (f"/?name={name}&" if "alertname" in row
                    else f"/objects/Node/{name}?")
            parts = [row.get("severity"), name]
            text = " ".join(part for part in parts if part is not None)
            if cluster := row.get("cluster"):
                text += f" ({cluster})"
            if cluster == LINKED:
                text += f" <a href='{URL}{page}{time}'>Messages</a>"
            self.assertEqual(row["text"], text)
            self.counts["annotations followed"] += 1
