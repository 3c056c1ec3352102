"""Writes the sources that mutants stand for: of each name on standard input the whole changed file, one folder a mutant.

`written.py FOLDER` prints one JSON line: name → [path of the file, path of its changed copy, the diff]. Runs inside the
workspace, as a process of its own, since mutmut takes its settings from the folder it is imported in. mutmut's own way to
apply a mutant takes the first function of that name in the file, whichever class it stands in; here it is the right one.
"""

import json
import sys
from pathlib import Path

import libcst as cst


def write(name, target):
    """Write one mutant's file under the target folder."""
    from mutmut.mutation.diff_apply import find_mutant, get_diff_for_mutant, read_functions_from_index
    from mutmut.utils.format_utils import orig_function_and_class_names_from_key

    path = Path(find_mutant(name).path)
    called, owner = orig_function_and_class_names_from_key(name)
    _, mutant = read_functions_from_index(name, path)
    changed = replaced(cst.parse_module(path.read_text()), owner, called.rpartition(".")[-1], mutant.body, mutant.params)
    target.mkdir(parents=True)
    (target / path.name).write_text(changed)
    return [str(path), str(target / path.name), get_diff_for_mutant(name)]


def replaced(module, owner, called, body, params):
    """Return the text of a module with another body for one function: of a class where it has an owner, else of the top."""
    places = module.body if owner is None else next(one for one in module.body if is_named(one, cst.ClassDef, owner)).body.body
    (function,) = (one for one in places if is_named(one, cst.FunctionDef, called))
    return module.deep_replace(function, function.with_changes(body=body, params=params)).code


def is_named(node, kind, name):
    return isinstance(node, kind) and node.name.value == name


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    written = {name: write(name, folder / f"{number}") for number, name in enumerate(sys.stdin.read().split())}
    sys.stdout.write("\n" + json.dumps(written) + "\n")
