"""Rules that every request for Events must follow, in every scenario.

They come from the API server's behavior: a limit with a resourceVersion means
an exact read, later pages have neither, gzip loses watch events, and
metadata.namespace in a fieldSelector loses items when paged.
"""

BAD_AGENTS = ("curl", "Wget", "Mozilla/5.0", "kube-apiserver/")


def broken(request, timeout_range, tokens, tls):
    """The rules that the request violates, as text."""
    query, wrong = request.query, []
    if request.method != "GET":
        wrong.append(f"method {request.method}")
    if "metadata.namespace" in query.get("fieldSelector", ""):
        wrong.append("metadata.namespace in the fieldSelector")
    agent = request.header("user-agent") or ""
    if not agent or agent.startswith(BAD_AGENTS):
        wrong.append(f"User-Agent {agent!r}")
    accept = request.header("accept") or ""
    if "application/json" not in accept or "as=Table" in accept:
        wrong.append(f"Accept {accept!r}")
    wrong += _credentials(request, tokens, tls)
    if request.is_watch:
        wrong += _watch(query, request, timeout_range)
    else:
        wrong += _list(query)
    return wrong


def _credentials(request, tokens, tls):
    sent = request.header("authorization")
    if sent is None:
        return []
    if not tls:
        return ["credentials over plain http"]
    if sent not in {"Bearer " + token for token in tokens}:
        return [f"unknown credentials {sent!r}"]
    return []


def _watch(query, request, timeout_range):
    wrong = []
    if query.get("resourceVersion", "") in ("", "0"):
        wrong.append("a watch without a resourceVersion above 0")
    if query.get("allowWatchBookmarks") not in ("true", "1"):
        wrong.append("a watch without allowWatchBookmarks")
    low, high = timeout_range
    seconds = query.get("timeoutSeconds", "absent")
    if not seconds.isdigit() or not low <= int(seconds) <= high:
        wrong.append(f"timeoutSeconds {seconds} is not in [{low}, {high}]")
    if request.header("accept-encoding") != "identity":
        wrong.append("Accept-Encoding "
                     f"{request.header('accept-encoding')!r} on a watch")
    for name in ("limit", "continue", "sendInitialEvents"):
        if name in query:
            wrong.append(f"{name} on a watch")
    return wrong


def _list(query):
    wrong = []
    for name in ("resourceVersion", "resourceVersionMatch"):
        if query.get(name, "") != "":
            wrong.append(f"{name} on a paged list")
    if query.get("limit", "1") in ("", "0"):
        wrong.append("limit=0")
    return wrong
