"""Twenty jobs of the everyday kinds in other words, which had no part in writing the rules.

They were written before the rules were last changed and are measured behind it: the gap to
the score of the everyday jobs is overfitting to how those are said.
"""

from __future__ import annotations

import getpass
import re

from .everyday import says_number
from .tasks import Task, loaded, printed

FOURTH = (
    Task(
        "contents of a folder",
        "What have we got in this folder?",
        lambda o: o.says(r"anchor\.md", r"rope\.txt", r"sail\.py"),
        {"anchor.md": "a\n", "rope.txt": "b\n", "sail.py": "c = 1\n"},
    ),
    Task(
        "current user",
        "Which user am I logged in as?",
        lambda o: o.says(rf"\b{re.escape(getpass.getuser())}\b") and bool(o.tools),
    ),
    Task(
        "kernel",
        "Tell me the kernel name that uname -s reports.",
        lambda o: o.says("Linux|Darwin") and o.saw("Linux|Darwin"),
    ),
    Task(
        "see a file",
        "Let me see what is written in memo.txt",
        lambda o: o.says("kettle 381", "ladder 52"),
        {"memo.txt": "kettle 381\nladder 52\n"},
    ),
    Task(
        "purpose of a script",
        "I'd like to understand flip.py. What is it for?",
        lambda o: bool(o.tools) and o.says("revers|backward"),
        {"flip.py": "import sys\n\nfor line in sys.stdin:\n    print(line.rstrip()[::-1])\n"},
    ),
    Task(
        "number of files",
        "Could you tell me the number of files in this folder?",
        lambda o: says_number(o, 9),
        {f"{name}.dat": name for name in ("a", "b", "c", "d", "e", "f", "g", "h", "i")},
    ),
    Task(
        "number of a kind",
        "In the folder web, how many files have the ending .js?",
        lambda o: says_number(o, 4),
        {f"web/{n}": "x\n" for n in ("a.js", "b.js", "c.js", "d.js", "e.json", "f.css")},
    ),
    Task(
        "length of a file",
        "data.log: how long is it, in lines?",
        lambda o: says_number(o, 27),
        {"data.log": "".join(f"row {n * 3}\n" for n in range(27))},
    ),
    Task(
        "a setting",
        "Tell me which database the file app.toml points to.",
        lambda o: o.says(r"osprey"),
        {"app.toml": 'title = "x"\n\n[storage]\ndatabase = "osprey"\npool = 7\n'},
    ),
    Task(
        "home of a class",
        "I am looking for the class Turbine. Where does it live?",
        lambda o: o.says(r"rotor\.py") and not o.says(r"blade\.py"),
        {"eng/rotor.py": "class Turbine:\n    pass\n", "eng/blade.py": "class Blade:\n    pass\n"},
    ),
    Task(
        "what happens",
        "What happens when I start orbit.py?",
        lambda o: says_number(o, 3721) or o.says("61"),
        {"orbit.py": "print('orbit', 61 * 61)\n"},
    ),
    Task(
        "a crash",
        "load.py stops with an error. What is the reason?",
        lambda o: bool(o.tools) and o.says("int|ValueError|twelve"),
        {"load.py": "rows = ['4', 'twelve']\nprint(sum(int(row) for row in rows))\n"},
    ),
    Task(
        "a column",
        "How much is it all together if you add the weights in cargo.csv?",
        lambda o: says_number(o, 171),
        {"cargo.csv": "crate,weight\nA,41\nB,77\nC,53\n"},
    ),
    Task(
        "a wrong result",
        "half(10) in half.py gives 20 instead of 5. Please correct that.",
        lambda o: (
            (o.reads("half.py") or "").count("def ") == 1
            and bool((o.directory / "t.py").write_text("from half import half\nprint(half(10))\n"))
            and printed(o, "t.py") in ("5", "5.0")
        ),
        {"half.py": "def half(n):\n    return n * 2\n"},
    ),
    Task(
        "a value",
        "The volume in player.ini is too high, make it 15.",
        lambda o: o.reads("player.ini") == "[audio]\nvolume = 15\nmute = no",
        {"player.ini": "[audio]\nvolume = 80\nmute = no\n"},
    ),
    Task(
        "another name",
        "Give the function calc in sums.py the name total.",
        lambda o: "calc" not in (o.reads("sums.py") or "calc") and printed(o, "sums.py") == "6",
        {"sums.py": "def calc(*n):\n    return sum(n)\n\n\nprint(calc(1, 2, 3))\n"},
    ),
    Task(
        "a program",
        "I need a script stars.py which prints a row of seven stars (*).",
        lambda o: printed(o, "stars.py").replace(" ", "") == "*******",
    ),
    Task(
        "a JSON value",
        "package.json should have the license MIT instead of ISC.",
        lambda o: loaded(o, "package.json") == {"name": "kite", "license": "MIT", "private": True},
        {"package.json": '{\n  "name": "kite",\n  "license": "ISC",\n  "private": true\n}\n'},
    ),
    Task(
        "lines to drop",
        "Get rid of the comment lines (starting with #) in hosts.cfg",
        lambda o: o.reads("hosts.cfg") == "alpha 1\nbeta 2",
        {"hosts.cfg": "# main\nalpha 1\n# spare\nbeta 2\n"},
    ),
    Task(
        "into a folder",
        "Please tidy up: all .png files belong into the folder images.",
        lambda o: o.names() == ["images", "text.md"] and o.exists("images/one.png"),
        {"one.png": "1", "two.png": "2", "text.md": "t\n"},
    ),
)
