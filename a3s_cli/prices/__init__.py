"""What models cost and what they can do, as data: a table in the package, made at release time.

`table` looks a model up; `update` makes the table anew (`python -m a3s_cli.prices
update`). The table is text, a line for each model, in which a line is found without
reading the others: a run asks for one model, once.
"""
