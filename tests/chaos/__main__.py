import argparse

from tests.chaos.running import run

parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
parser.add_argument("--minutes", type=float, default=10)
parser.add_argument("--rate", type=float, default=200, help="requests a second")
parser.add_argument("--seed", type=int, default=1)
parser.add_argument("--outage", type=float, default=20, help="seconds without the database")
options = parser.parse_args()
report = run(options.minutes * 60, options.rate, options.seed, options.outage)
print(report)
raise SystemExit(bool(report.wrong))
