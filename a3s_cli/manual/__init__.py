"""The manual pages and the shell completions, made from the program itself.

Facts are generated: commands, options and examples from the click tree, exit
statuses from the tree of errors, events from their types, keys from the
configuration's tables. Explanations are written by hand in `prose/`. Both become
blocks (`blocks`), and blocks become man(7) source (`roff`) or text (`text`).
`tree` reads the click tree once for pages and completions.

`python -m a3s_cli.manual` writes `man/` and `completions/` of a checkout; the
wheel installs them, and a test fails if they differ from what the code generates.
`a3s man` and `a3s completion` generate their output at run time, so they work
however the program was installed.
"""
