"""What the gateway costs, beside its peers, at scale, over time, and in instructions.

python -m benchmarks [SUBCOMMAND] [--help]
"""

import argparse
import importlib
import sys

# Imported when named: some need what others do not.
SUBCOMMANDS = {
    "compare": ("benchmarks.comparing", "processor time, delays and memory, beside the peers"),
    "guard": ("benchmarks.guard", "instructions per request, against the recorded ones"),
    "lists": ("benchmarks.lists", "GET /v1/models with 13,850 models"),
    "scale": ("benchmarks.scale", "100,000 offers, 1,000,000 keys, 1,000 providers"),
    "soak": ("benchmarks.soak", "an hour at half load: does memory stay flat"),
    "transport": ("benchmarks.transport", "the HTTP transport alone, beside its peers"),
}
DEFAULT = "compare"


def main(words: list[str]) -> int:
    if not words or words[0] not in (*SUBCOMMANDS, "-h", "--help"):
        words = [DEFAULT, *words]
    chosen = words[0] if words[0] in SUBCOMMANDS else ""
    parser = argparse.ArgumentParser(prog="python -m benchmarks")
    subparsers = parser.add_subparsers(required=True)
    for name, (path, told) in SUBCOMMANDS.items():
        subparser = subparsers.add_parser(
            name, help=told, formatter_class=argparse.RawDescriptionHelpFormatter
        )
        if name == chosen:
            module = importlib.import_module(path)
            subparser.description = module.__doc__
            subparser.set_defaults(run=module.run)
            module.add_arguments(subparser)
    given = parser.parse_args(words)
    return int(given.run(given))


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
