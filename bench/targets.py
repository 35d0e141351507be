"""The targets, and how far the record is from them: floor, aim, what was measured. Below a floor is a fault."""
from charts import number


def find(rows, workload, who, **wanted):
    return next((row for row in rows if row["workload"] == workload and row["who"] == who and row["rounds"] and
                 all(row.get(key) == value for key, value in wanted.items())), None)


def against(row, other, key="median"):
    """Nothing unless both were measured. Beside the reference it is the ratio of the tables, taken round by round."""
    if not (row and other and row.get(key) and other.get(key)):
        return None
    return row["ratio"] if key == "median" and row.get("ratio_to") == other["who"] else row[key] / other[key]


def verdict(value, floor, aim, is_cost):
    def reaches(mark):
        return value <= mark if is_cost else value >= mark
    if aim is not None and reaches(aim):
        return "the aim"
    if floor is not None and not reaches(floor):
        return "**below the floor**"
    return "the floor" if floor is not None else "not the aim"


def line(what, floor_text, aim_text, parts):
    """parts: (words around the value, value, floor, aim, is_cost); those that were not measured are left out."""
    parts = [part for part in parts if part[1] is not None]
    if not parts:
        return None
    here = "; ".join(words % number(value) for words, value, *_ in parts)
    verdicts = [verdict(value, floor, aim, is_cost) for _, value, floor, aim, is_cost in parts]
    # One for all, or one for each value, in their order.
    return [what, floor_text, aim_text, here, verdicts[0] if len(set(verdicts)) == 1 else "; ".join(verdicts)]


def calls(rows):
    wide = {"size": 256, "outstanding": 256}
    proxy, nats = find(rows, "calls", "zmq_proxy, tcp", **wide), find(rows, "calls", "NATS, raw client", **wide)
    process, thread = (find(rows, "calls", "Lyceum, plugin " + kind, **wide) for kind in ("process", "thread"))
    curve, tls = find(rows, "calls", "Lyceum, tcp with CURVE, plugin process", **wide), find(rows, "calls", "NATS with TLS 1.3, raw client", **wide)
    one = [find(rows, "calls", who, size=256, outstanding=1) for who in ("Lyceum, plugin process", "Lyceum, plugin thread", "zmq_proxy, tcp")]
    return [
        line("pipelined calls, 256 outstanding", "1.2x zmq_proxy", "2x zmq_proxy, 3x NATS", [
            ("process %sx zmq_proxy", against(process, proxy), 1.2, 2, False), ("%sx NATS", against(process, nats), None, 3, False),
            ("thread %sx zmq_proxy", against(thread, proxy), 1.2, 2, False), ("%sx NATS", against(thread, nats), None, 3, False)]),
        line("broker's CPU for a million calls", "zmq_proxy's", "half of it", [
            ("process %s of it", against(process, proxy, "cpu_s_per_million"), 1, 0.5, True),
            ("thread %s, the plugin included", against(thread, proxy, "cpu_s_per_million"), 1, 0.5, True)]),
        line("one call at a time, p50, all on one core", "1.15x zmq_proxy", "zmq_proxy's; to a thread faster", [
            ("process %sx", against(one[0], one[2], "p50_us"), 1.15, 1, True), ("thread %sx", against(one[1], one[2], "p50_us"), 1.15, 1, True)]),
        line("calls with CURVE", "NATS with TLS", "half of our plain", [
            ("%sx NATS with TLS", against(curve, tls), 1, None, False), ("%s of plain", against(curve, process), None, 0.5, False)]),
    ]


def streams(rows):
    fan = [find(rows, "fan-out", who, count=8) for who in ("Lyceum", "NATS, raw clients")]
    lines = [line("fan-out 1 to 8", "NATS", "2x NATS", [("%sx NATS", against(*fan), 1, 2, False)])]
    for window, aim in ((256, 1), (1024, 2)):
        names = ("Lyceum", "Redis Streams, fsync always", "JetStream, raw client")
        ours, redis, jetstream = (find(rows, "durable", who, count=1, outstanding=window) for who in names)
        lines.append(line(f"durable publish, synced, {window:,} outstanding", "2x Redis with fsync always", f"{aim}x JetStream, which does not sync", [
            ("%sx Redis", against(ours, redis), 2, None, False), ("%sx JetStream", against(ours, jetstream), None, aim, False)]))
    return lines


def alone(rows):
    check = [find(rows, "check", who, title="twenty mixed fields") for who in ("Lyceum, check with rules", "protobuf-c, unpack and free")]
    cost = against(*check)
    peers = find(rows, "scale", "Lyceum", count=1000)
    start = find(rows, "start", "Lyceum, accepting")
    search = find(rows, "search", "Lyceum", count=1000000)
    return [
        line("check of a body of 20 fields", "3x faster than protobuf-c, no allocation", "5x", [("%sx faster", cost and 1 / cost, 3, 5, False)]),
        line("memory, 1,000 idle peers", "64 MiB", "48 MiB", [("%s MiB", peers and peers["median"], 64, 48, True)]),
        line("start to accepting", "50 ms", "15 ms", [("%s ms", start and start["median"], 50, 15, True)]),
        line("search among 1,000,000 experts, p50 / p99", "10 / 50 ms", "3 / 10 ms", [
            ("p50 %s ms", search and search["median"] / 1000, 10, 3, True), ("p99 %s ms", search and search["p99_us"] / 1000, 50, 10, True)]),
    ]


def targets(rows):
    """Rows of a table: target, floor, aim, here, which of them it reaches."""
    return [cells for cells in calls(rows) + streams(rows) + alone(rows) if cells]
