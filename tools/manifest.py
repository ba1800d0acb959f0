"""Bring the checksums and sizes in data/MANIFEST.json up to date: `python -m tools.manifest`.

Origin and licence of a new file are written into MANIFEST.json by hand; a file without them is
refused.
"""
import json
import sys

from course_utils import environment


def main() -> int:
    """Rewrite the manifest; return 1 if a data file has no entry or an entry has no file."""
    folder = environment.data_folder()
    path = folder / "MANIFEST.json"
    manifest = json.loads(path.read_text(encoding="utf-8"))
    found = {file.relative_to(folder).as_posix() for file in folder.rglob("*")
             if file.is_file() and file != path}
    if wrong := found ^ manifest["files"].keys():
        print(f"Without a file or without an entry: {', '.join(sorted(wrong))}. Name origin and "
              f"licence of each in {path.name}.")
        return 1
    for name, entry in manifest["files"].items():
        file = folder / name
        entry |= {"bytes": file.stat().st_size, "sha256": environment.sha256(file)}
    with environment.writing(path) as temporary:
        temporary.write_text(json.dumps(manifest, indent=2, ensure_ascii=False) + "\n",
                             encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
