"""tidy.py - clang-tidy over every file of the build trees that are given, as many at a time as there are cores.

    tidy.py BUILD-TREE...

What has passed is remembered in the first tree (lint/passed): by a hash of the file, what it includes of ours, its command and
the checks. So a second run looks only at what has changed. Exit code 1 when anything was found.
"""
import concurrent.futures
import hashlib
import json
import os
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]


def includes(tree):
    """Object -> what it was made of, as the build knows it."""
    made = {}
    text = subprocess.run(["ninja", "-C", tree, "-t", "deps"], capture_output=True, text=True).stdout
    for block in text.split("\n\n"):
        lines = block.splitlines()
        if lines:
            made[lines[0].split(":")[0]] = [line.strip() for line in lines[1:]]
    return made


def work(trees):
    """Each source file once: (tree, file, key)."""
    version = subprocess.run(["clang-tidy", "--version"], capture_output=True).stdout
    checks = b"".join(path.read_bytes() for path in sorted(ROOT.glob("**/.clang-tidy")) if "build" not in path.parts)
    seen = set()
    for tree in trees:
        made = includes(tree)
        for entry in json.loads((tree / "compile_commands.json").read_text()):
            path = pathlib.Path(entry["file"])
            if path in seen or ROOT not in path.parents or tree in path.parents:
                continue
            seen.add(path)
            digest = hashlib.sha256(version + checks + entry["command"].encode() + path.read_bytes())
            for name in made.get(entry.get("output", ""), []):
                other = (tree / name).resolve()
                if ROOT in other.parents and other.is_file():
                    digest.update(other.read_bytes())
            yield tree, path, digest.hexdigest()


def tidy(job):
    tree, path, key = job
    run = subprocess.run(["clang-tidy", "--quiet", f"-p={tree}", str(path)], capture_output=True, text=True)
    return run.returncode, path, key, run.stdout + ("" if run.returncode == 0 else run.stderr)


def main():
    trees = [pathlib.Path(name).resolve() for name in sys.argv[1:]]
    passed = trees[0] / "lint" / "passed"
    passed.mkdir(parents=True, exist_ok=True)
    jobs = list(work(trees))
    new = [job for job in jobs if not (passed / job[2]).exists()]
    found = 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for code, path, key, text in pool.map(tidy, new):
            if code == 0:
                (passed / key).touch()
                continue
            found += 1
            print(re.sub(r"^\d+ warnings?.*\n|^Suppressed .*\n|^Use -header.*\n", "", text, flags=re.M).replace(f"{ROOT}/", ""))
    print(f"clang-tidy: {len(jobs)} files, {len(new)} new or changed, {found} with findings")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
