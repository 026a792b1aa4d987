# Thin: meson does the work. `make run` and `make test` start from nothing on a Debian 12.
BUILD  ?= build
PREFIX ?= /usr/local
DESTDIR ?=
FUZZ_SECONDS ?= 30
MESON_FLAGS ?=

.PHONY: all build run test test-kernels bench fuzz check-style install clean help
all: build

help:
	@echo 'make              build reeve in $(BUILD)/ (installs missing Debian packages first)'
	@echo 'make run          build it, and watch a real program meet its limits'
	@echo 'make test         build it, and run the tests'
	@echo 'make test-kernels boot other kernels under QEMU, and run the same tests on each'
	@echo 'make bench        measure it beside bare execution and other sandboxes'
	@echo 'make fuzz         fuzz each parser for FUZZ_SECONDS ($(FUZZ_SECONDS)) seconds'
	@echo 'make check-style  formatting, lengths, layering'
	@echo 'make install      into DESTDIR and PREFIX ($(PREFIX))'

build:
	@tools/setup.sh build
	@test -f $(BUILD)/build.ninja || meson setup $(BUILD) --prefix $(PREFIX) $(MESON_FLAGS)
	@meson compile -C $(BUILD)

# Only the command: the tests take longer to build than it does.
run:
	@tools/setup.sh build
	@test -f $(BUILD)/build.ninja || meson setup $(BUILD) --prefix $(PREFIX) $(MESON_FLAGS)
	@ninja -C $(BUILD) cli/reeve
	@tools/demo.sh $(BUILD)/cli/reeve

# Both always run: the summary names what failed, meson's own list is per file.
test:
	@tools/setup.sh build test
	@$(MAKE) --no-print-directory build
	@status=0; \
	meson test -C $(BUILD) --print-errorlogs $(TESTS) || status=$$?; \
	tools/tap-summary.py $(BUILD)/meson-logs/testlog.json || status=$$?; \
	exit $$status

# Debian's kernels, without KVM: some minutes. KERNELS='--only SUITE' picks one.
test-kernels:
	@tools/setup.sh build kernels
	@$(MAKE) --no-print-directory build
	@tests/kernels/run --build $(BUILD) --docs docs/KERNELS.md $(KERNELS)

bench:
	@tools/setup.sh build bench
	@$(MAKE) --no-print-directory build
	@meson compile -C $(BUILD) bench

fuzz:
	@tools/setup.sh build fuzz
	@tools/fuzz.sh $(FUZZ_SECONDS)

check-style:
	@tools/setup.sh style
	@tools/check-style.sh
	@tools/check-layering.py

install: build
ifneq ($(filter command line environment,$(origin PREFIX)),)
	@meson configure $(BUILD) --prefix $(PREFIX)
endif
	meson install -C $(BUILD) $(if $(DESTDIR),--destdir $(abspath $(DESTDIR)))

clean:
	rm -rf $(BUILD)
