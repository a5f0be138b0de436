"""Measures Staywire beside Valkey and Redis. Run by `make bench`; --help shows the options."""

import argparse
import os
import shutil
import statistics
import sys
import time
from pathlib import Path

import report
import servers
from workloads import WORKLOADS

HERE = Path(__file__).resolve().parent


def machine():
    """The processor's name and the number of cores."""
    with open("/proc/cpuinfo") as cpuinfo:
        names = [line.partition(":")[2].strip() for line in cpuinfo if line.startswith("model name")]
    return f"{names[0] if names else 'an unnamed processor'}, {len(servers.CORES)} cores"


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one short round: rough figures in about two minutes")
    parser.add_argument("--rounds", type=int, help="rounds of each workload on each server (3, or 1 if quick)")
    parser.add_argument("--only", action="append", metavar="NAME", help="workloads whose names start so; repeatable")
    parser.add_argument("--list", action="store_true", help="name the workloads and stop")
    return parser.parse_args()


def chosen(names, quick):
    wanted = [name for option in names or [] for name in option.split(",")]
    picked = [load for load in WORKLOADS if not wanted or any(load.name.startswith(name) for name in wanted)]
    if not picked:
        sys.exit(f"no workload is named {' or '.join(wanted)}: --list shows them")
    if quick and not names:
        picked = [load for load in picked if not load.long]
    lacking = [load for load in picked if load.needs and not shutil.which(load.needs)]
    if lacking:
        print(f"skipped: {', '.join(load.name for load in lacking)}, since there is no {lacking[0].needs}")
    return [load for load in picked if load not in lacking]


def measure(load, found, rounds, scale):
    """The median of each server's rounds. Rounds are interleaved so that the machine's moods hit all alike."""
    figures = {name: [] for name in found}
    for number in range(rounds):
        for name, (binary, environment) in found.items():
            progress(f"{load.name}: round {number + 1} of {rounds}, {name}")
            with servers.Server(binary, environment) as server:
                figures[name].append(load.measure(server, scale))
    return {name: statistics.median(values) for name, values in figures.items()}


def progress(text):
    """One line that is rewritten on a terminal; nothing elsewhere, where each workload's result tells enough."""
    if sys.stdout.isatty():
        print(f"\r\x1b[K{text}", end="", flush=True)


def main():
    options = arguments()
    if options.list:
        for load in WORKLOADS:
            print(f"{load.name:18}{load.title}")
        return
    rounds = options.rounds or (1 if options.quick else 3)
    scale = 0.2 if options.quick else 1.0
    found, picked = servers.find(), chosen(options.only, options.quick)
    os.sched_setaffinity(0, servers.LOAD_CORES)
    servers.raise_descriptor_limit()
    versions = {name: servers.version(binary) for name, (binary, _) in found.items()}
    rows, begun = [], time.monotonic()
    for number, load in enumerate(picked, 1):
        row = report.Row(load, measure(load, found, rounds, scale))
        rows.append(row)
        shown = "  ".join(f"{name} {report.figure(value)}" for name, value in row.figures.items())
        progress("")
        passed_s = time.monotonic() - begun
        print(f"[{number}/{len(picked)}, {passed_s:.0f} s] {load.title}: {shown} {load.unit}", flush=True)
    print("\n" + report.table(rows, list(found)))
    if options.only:
        print("\nbench/results.md and .svg are left as they are: not every workload has run")
        return
    note = f" with {rounds} round{'s' if rounds > 1 else ''}" + (" in its quick form" if options.quick else "")
    text = report.markdown(rows, list(found), versions, machine(), note)
    if "valkey" in found:
        (HERE / "results.svg").write_text(report.chart(rows, versions))
    (HERE / "results.md").write_text(text)
    print("\nwritten: bench/results.md and bench/results.svg")


if __name__ == "__main__":
    main()
