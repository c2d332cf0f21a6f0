"""The manual pages and the shell completions, made from the program itself.

What a machine knows is generated: commands, options and examples from the click
tree, exit statuses from the tree of errors, events from their types, keys from
the configuration's tables. What only a person knows is written, in `prose/`.
Both become blocks (`blocks`), and blocks become man(7) source (`roff`) or text
(`text`). `tree` is the one reading of the click tree, for pages and completions.

`python -m a3s_cli.manual` writes `man/` and `completions/` of a checkout; the
wheel installs them, and a test fails when they are not what the code says.
`a3s man` and `a3s completion` make theirs on the spot, so they work wherever the
program does, however it was installed.
"""
