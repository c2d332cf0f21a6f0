# A target for your Makefile:
#
#   include path/to/a3s.mk
#   make why T=test        makes `test`; where that fails, a3s says why
#
# The log goes to the model, which may read the project and change nothing. The
# status is that of `test`, whatever is said about it.

A3S ?= a3s
A3S_FLAGS ?= -o pretty --read-only --no-session

.PHONY: why
why:
	@log=$$(mktemp); trap 'rm -f "$$log"' EXIT; \
	if $(MAKE) --no-print-directory $(T) >"$$log" 2>&1; then cat "$$log"; exit 0; fi; \
	cat "$$log" >&2; \
	tail -c 60000 "$$log" | $(A3S) run $(A3S_FLAGS) \
	  "This is what make printed when it failed. Find the cause in the project, and say in a few sentences what it is and where." -; \
	exit 2
