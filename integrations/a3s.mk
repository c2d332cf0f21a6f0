# A target for your Makefile:
#
#   include path/to/a3s.mk
#   make why T=test        makes `test`; if that fails, a3s explains why
#
# The model gets the log and may read the project, but not change it. The exit
# status is that of `test`.

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
