"""Build one deployable zip per function: ``scripts/build [function …]``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from scripts.bundle.bytecode import find_interpreter
from scripts.bundle.imports import BuildError
from scripts.bundle.libraries import Target
from scripts.bundle.zips import ROOT, Built, build, runtimes


def _table(results: Sequence[Built]) -> str:
    rows = [("function", "zip", "unpacked", "bytecode of", "packages")]
    rows += [
        (
            one.function,
            f"{one.zip_bytes / 1e6:.1f} MB",
            f"{one.unpacked_bytes / 1e6:.1f} MB",
            one.compiled_by or "none",
            " ".join(one.distributions),
        )
        for one in results
    ]
    return "\n".join(
        f"{name:<10} {size:>8} {unpacked:>9}  {bytecode:<14}  {packages}"
        for name, size, unpacked, bytecode, packages in rows
    )


def _warnings(results: Sequence[Built], wanted: Mapping[str, str]) -> Iterator[str]:
    for python in sorted({wanted[one.function] for one in results if one.compiled_by is None}):
        yield (
            f"no python{python} runs here, so the zips hold no bytecode and each cold start compiles everything "
            f"again, which doubles it. Install one (for example with pyenv) and build again."
        )
    for one in results:
        if one.zip_bytes > one.large_bytes:
            size, bound = f"{one.zip_bytes / 1e6:.1f} MB", f"{one.large_bytes / 1e6:.0f} MB"
            yield f"{one.function}.zip has {size}, more than {bound}; each cold start downloads and unpacks it."


def _wanted(names: Sequence[str], python: str | None, root: Path) -> dict[str, str]:
    """The Python of each function to build; ``current`` stays as it is."""
    known = runtimes(root / "template.yaml")
    unknown = sorted(set(names) - known.keys())
    if unknown:
        raise BuildError(f"the template has no function {', '.join(unknown)}; it has {', '.join(known)}")
    return {name: python or known[name] for name in names or known}


def _built(function: str, python: str, root: Path, out: Path) -> Built:
    target = Target.current() if python == "current" else Target.function_compute(python)
    return build(function, target, root=root, out=out, interpreter=find_interpreter(target.python))


def main(arguments: Sequence[str], root: Path = ROOT) -> int:
    parser = argparse.ArgumentParser(
        prog="scripts/build",
        description="Build one deployable zip per function, into dist/ if not told otherwise.",
    )
    parser.add_argument(
        "functions", nargs="*", help="folders under functions/; all of the template's if none"
    )
    parser.add_argument("--out", type=Path, default=root / "dist")
    parser.add_argument(
        "--python", help="3.10 and the like, or 'current'; the template's runtime if not given"
    )
    options = parser.parse_args(arguments)
    try:
        wanted = _wanted(options.functions, options.python, root)
        results = [_built(function, python, root, options.out) for function, python in wanted.items()]
    except BuildError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(_table(results))
    print(f"zips: {options.out}")
    for warning in _warnings(results, wanted):
        print(f"warning: {warning}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
