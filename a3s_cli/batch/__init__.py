"""Many prompts: a durable list of items, run somewhere, each with exactly one result.

From the bottom up: `items` reads what is to be done, `journal` remembers what was, `gate`
paces requests. `engine` says what it takes to run an item somewhere, and knows nothing
of a batch; `here` is the engine of this machine, and `worker` the process that it keeps
warm. `driver` decides what runs next and what became of it.
"""
