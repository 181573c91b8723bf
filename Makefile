# Everything is built in the user's cache, so that the checkout stays clean and a second checkout builds at once.
export CARGO_TARGET_DIR ?= $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/apportion/target

# Where `make demo` writes its estate; ARGS goes to `apportion demo`, such as ARGS=--serve.
DEMO_DIR ?= $(CARGO_TARGET_DIR)/demo
ARGS ?=

SHELL := /bin/sh
# The plugins are WebAssembly: this finds, or makes, a compiler that can build them.
TOOLCHAIN := toolchain=$$(sh plugin-sdk/wasm-toolchain.sh) && eval "$$toolchain"
# Said before the first build of a kind, which is the slow one.
first = @test -d "$(CARGO_TARGET_DIR)/$(1)" || echo "$(2)" >&2

# The profile of `make demo`, so that dependencies are built once.
CARGO_TEST := cargo test --release --workspace --locked
OUTSIDE := host/cli/tests/outside.rs host/cli/tests/outside/*.rs
LEFT_OUT = echo "left out: $$(cat $(OUTSIDE) | grep -c '^\#\[test\]') tests that need servers and" \
	"data beside the checkout; \`make test-outside\` runs them" >&2

.PHONY: build dist demo test test-outside bench fmt lint

# On a terminal Cargo's bar counts the crates. Near its end stands `bundled-plugins`, which builds the
# plugins for two minutes.
build:
	$(call first,release,first build: 10 to 15 minutes on two cores; later ones take seconds)
	@$(TOOLCHAIN) && cargo build --release --locked --package apportion
	@echo "built $(CARGO_TARGET_DIR)/release/apportion" >&2

# The binary to hand on, with all libraries optimized.
dist:
	$(call first,dist,first build of this kind: about half an hour on two cores)
	@$(TOOLCHAIN) && cargo build --profile dist --locked --package apportion
	@echo "built $(CARGO_TARGET_DIR)/dist/apportion" >&2

demo: build
	@echo "generating an estate of about 200,000 charges and allocating it: some seconds" >&2
	@"$(CARGO_TARGET_DIR)/release/apportion" demo --dir "$(DEMO_DIR)" $(ARGS)

test:
	$(call first,release,first build: 15 to 20 minutes on two cores; later ones take minutes)
	@$(TOOLCHAIN) && $(CARGO_TEST)
	@$(TOOLCHAIN) && cd plugins && cargo test --locked
	@$(if $(CI),$(MAKE) --no-print-directory test-outside,$(LEFT_OUT))

# Real servers, recorded bills, plugins in other languages. A test whose needs are missing fails.
test-outside:
	@$(TOOLCHAIN) && $(CARGO_TEST) --test outside

# ROWS, SEED, HOURLY, RESOURCES, REPEAT and BENCH_OUT as run.sh says.
bench: build
	@$(TOOLCHAIN) && bash tests/bench/run.sh

fmt:
	@cargo fmt --all
	@cd plugins && cargo fmt --all

lint:
	@$(TOOLCHAIN) && cargo clippy --workspace --all-targets --locked -- -D warnings
	@$(TOOLCHAIN) && cargo clippy --workspace --test outside --locked -- -D warnings
	@$(TOOLCHAIN) && cd plugins && cargo clippy --all-targets --locked -- -D warnings
	@cargo fmt --all --check
	@cd plugins && cargo fmt --all --check
