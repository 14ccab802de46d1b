# SPDX-License-Identifier: BSD-2-Clause
# Running and testing the whole system.

define HELP
make            builds the hypervisor (build/bulkhead.elf) and the configuration checker
make run        installs what is missing, builds all, starts it in QEMU on this terminal
                  SMP=2         CPUs of the machine
                  MEM=1G        its memory; as much as the configuration needs, when not given
                  LOG=info      error, warn, info or debug
                  CONFIG=FILE   another configuration; images are found relative to it
                  SERIAL=unix:PATH   the console on a Unix socket, for scripts
                  BACKEND=bochs      in Bochs, which has Intel's VMX; CPU_MODEL= says which CPU
                  QEMU=10            in QEMU 10, which has x2APIC, from Debian's backports
make test       unit tests, models, fuzzers for a short time, then the whole-system tests: all of
                them in QEMU, some in QEMU 10 and in Bochs
                  TESTS=PATTERN only those whose name matches the shell pattern, such as
                                smp, system/smp (QEMU), qemu10/smp or bochs/smp
                  BACKEND=qemu, QEMU=10 or BACKEND=bochs   in this one alone
make test-all   all whole-system tests in all three, and ten times the fuzzing
make test-unit  the unit tests and models alone; make test-system the whole-system tests alone
make check      headers, include rules, both compilers, scripts, static analysis
make fuzz       each fuzzer for SECONDS (60) seconds
make bench      figures: what exits and IPIs cost, timers' accuracy, exits of boots and
                in steady state, boot against native
                  ONLY=PART     size, costs, instructions, ipi, timing, bootexits, exits, console,
                                startup
make guests     our own small guests, which check a PC from inside: build/guests/NAME.elf
make iso        a bootable image with GRUB, of CONFIG: build/bulkhead.iso
make setup      installs what building and testing need, and nothing else
make clean      removes build/
DEBUG=1         builds with assertions, into build/debug
endef
export HELP

help:
	@printf '%s\n' "$$HELP"

setup:
	@tools/setup --test

# The targets below install and build what they need first.
built:
	@tools/step "building Bulkhead" $(MAKE) --no-print-directory all

run:
	@tools/setup $(if $(filter bochs,$(BACKEND)),--bochs)
	@$(MAKE) --no-print-directory built
	@IMAGE=$(B)/bulkhead.elf tools/run

test test-unit test-system test-all:
	@tools/setup --test
	@tests/run $(if $(filter test-%,$@),--$(@:test-%=%)) $(if $(TESTS),'$(TESTS)')

check:
	@tools/setup --test
	@tools/check

bench:
	@tools/setup --test
	@tools/guest-images --real
	@tools/guest-images --real32
	@$(MAKE) --no-print-directory built
	@tests/bench/run

SECONDS ?= 60
fuzz:
	@tools/setup --test
	@tests/run --fuzz $(SECONDS)

iso:
	@tools/setup --iso
	@$(MAKE) --no-print-directory built
	@tools/guest-images
	@tools/step "making the bootable image" tools/iso build/bulkhead.iso $(CONFIG)

.PHONY: built test-unit test-system test-all iso

# For scripts: the value of a variable.
show-%:
	@echo '$($*)'
