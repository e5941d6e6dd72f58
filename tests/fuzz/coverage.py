"""coverage.py - what llvm-cov has counted, by folder: coverage.py FILE.json"""
import json
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]


def main():
    folders, files = {}, []
    for entry in json.loads(pathlib.Path(sys.argv[1]).read_text())["data"][0]["files"]:
        path = pathlib.Path(entry["filename"])
        if ROOT not in path.parents or path.suffix != ".c":
            continue
        path = path.relative_to(ROOT)
        if path.parts[0] not in ("common", "services"):
            continue
        counts = [entry["summary"][what][of] for what in ("lines", "regions", "functions") for of in ("covered", "count")]
        files.append((counts[0] / max(counts[1], 1), counts, path))
        sums = folders.setdefault(path.parent, [0] * 6)
        folders[path.parent] = [a + b for a, b in zip(sums, counts)]
    print("| folder | lines | of them reached | regions | functions |")
    print("|---|---|---|---|---|")
    for folder, (line, lines, region, regions, function, functions) in sorted(folders.items()):
        print(f"| `{folder}` | {lines} | {line / lines:.0%} | {region / regions:.0%} | {function}/{functions} |")
    print("\nleast reached:")
    for share, counts, path in sorted(files)[:40]:
        print(f"  {share:4.0%} of {counts[1]:4} lines  {path}")


if __name__ == "__main__":
    main()
