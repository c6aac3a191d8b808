"""Watch scripts: the bytes of a line like `M x rv=103 n=9` or `reset`.

`Stream` is one open watch; play.py feeds it the items of `send`, which
README.md lists. It raises wire.Gone when the client has closed the connection.
"""

import json
import time

import discovery
import objects

PLAIN = ("clean", "eof", "notify", "reset", "silence", "timeout")


def fatten(body, item, group):
    """Makes an Event huge by its message or by many labels."""
    if item.get("pad"):
        field = "note" if group == "events.k8s.io" else "message"
        body[field] = item.get("pad_text", "x") * int(item["pad"])
    if item.get("labels"):
        body["metadata"]["labels"] = {
            f"label-{i}": "x" for i in range(int(item["labels"]))}


class Stream:
    def __init__(self, exchange, world, group):
        self.exchange = exchange
        self.connection = exchange.connection
        self.world = world
        self.group = group
        self.ended = None  # monotonic time of its end

    def send(self, item):
        """item: a line, or a mapping with the line and how to send it."""
        if isinstance(item, str):
            item = {"frame": item}
        if "flood" in item:
            self._flood(**item["flood"])
            return
        lines = item.get("frames") or [item.get("frame", "")]
        lines = [one for line in lines for one in objects.expand(line)]
        if len(lines) == 1 and self._plain(lines[0].split()):
            return
        if "raw" in item:
            frames = [item["raw"].encode()]
        else:
            frames = [self._frame(line, item) for line in lines]
        if item.get("one_chunk"):
            frames = [b"".join(frames)]
        for frame in frames:
            self._write(frame, item)

    def end(self):
        self.ended = time.monotonic()

    def _plain(self, words):
        if not words or words[0] not in PLAIN:
            return False
        word = words[0]
        if word == "timeout":
            seconds = int(self.exchange.request.query["timeoutSeconds"])
            elapsed = time.monotonic() - self.exchange.request.time
            time.sleep(max(0.0, seconds - elapsed))
            word = "clean"
        if word == "clean":
            self.connection.end_stream()
        elif word == "eof":
            self.connection.close()
        elif word == "notify":
            self.connection.close_notify()
        elif word == "reset":
            self.connection.reset()
        if word != "silence":
            self.end()
        return True

    def _frame(self, line, item):
        word, _, rest = line.partition(" ")
        if word == "B":
            kind, body = "BOOKMARK", objects.bookmark(
                rest.strip().removeprefix("rv="), self.group)
        elif word == "ERROR":
            code, reason, *text = rest.split(" ", 2)
            kind, body = "ERROR", discovery.status(
                int(code), reason if reason != "-" else None,
                text[0] if text else f"scripted {reason}")
        else:
            kind = objects.ACTIONS.get(word, word)
            spec = self.world.event(rest, deleted=word == "D")
            body = self.world.render(spec, self.group, item.get("merge"))
        fatten(body, item, self.group)
        frame = {"type": kind, "object": body}
        if item.get("pretty"):
            return json.dumps(frame, indent=2).encode() + b"\n"
        text = json.dumps(frame, separators=(",", ":"),
                          ensure_ascii=not item.get("utf8"))
        return text.encode() + (b"" if item.get("no_newline") else b"\n")

    def _flood(self, occurrences, events, rv=101, batch=500):
        """Sends many occurrences, each with a new reason.

        `events` Events take turns; each watch event adds one occurrence. All
        come from one rendered Event, because there may be a million of them.
        """
        spec = self.world.event("flood rv=1 n=1")
        body = self.world.render(spec, self.group, {
            "metadata": {"name": "flood-@name@", "resourceVersion": "@rv@"},
            "reason": "Reason@reason@", "count": "@count@"})
        text = json.dumps({"type": "@type@", "object": body},
                          separators=(",", ":")) + "\n"
        text = text.replace("%", "%%").replace('"@count@"', "%(count)d")
        for name, place in (("type", "s"), ("name", "d"), ("rv", "d"),
                            ("reason", "d")):
            text = text.replace(f"@{name}@", f"%({name}){place}")
        for first in range(0, occurrences, batch):
            self.connection.chunk("".join(
                text % {"type": "MODIFIED" if i >= events else "ADDED",
                        "name": i % events, "rv": rv + i, "reason": i,
                        "count": i // events + 1}
                for i in range(first, min(first + batch, occurrences))
            ).encode())

    def _write(self, frame, item):
        if "cut_chunk" in item:  # the chunk promises more than it holds
            part = frame[:int(len(frame) * item["cut_chunk"] / 100)]
            self.connection.write(b"%x\r\n%s" % (len(frame), part))
            return
        if "keep" in item:  # whole chunks, but only this part of the frame
            frame = frame[:int(len(frame) * item["keep"] / 100)]
        self.connection.chunk(frame, item.get("chunks"))
