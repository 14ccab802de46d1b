# SPDX-License-Identifier: BSD-2-Clause
# Host side: the configuration checker, unit tests, fuzzers.

HB := build/host

# The checker, also handy in scripts: build/bulkhead check FILE
build/bulkhead: $(wildcard tools/bulkhead*.c tools/attach*.c) src/vconsole/frame.c $(wildcard tools/*.h) \
                src/lib/fmt.c src/lib/parse.c $(wildcard src/core/config*.c) $(wildcard include/*.h)
	@mkdir -p $(@D)
	@echo "  HOST  $@"
	@$(HOSTCC) $(filter-out -MMD -MP,$(HOSTFLAGS)) -O2 -o $@ $(filter %.c,$^)

# Fakes of the hardware below the pure code.
FAKE_SRC := $(wildcard tests/host/*.c)

# Pure code and fakes as an archive: a test gets only what it uses, and may
# bring its own in place of an object.
PURE_OBJ := $(PURE_SRC:src/%.c=$(HB)/pure/%.o) $(FAKE_SRC:tests/host/%.c=$(HB)/pure/fake/%.o)
$(HB)/pure/%.o: src/%.c
	@mkdir -p $(@D)
	@$(HOSTCC) $(HOSTFLAGS) $(SAN) -c -o $@ $<
$(HB)/pure/fake/%.o: tests/host/%.c
	@mkdir -p $(@D)
	@$(HOSTCC) $(HOSTFLAGS) $(SAN) -c -o $@ $<
$(HB)/libpure.a: $(PURE_OBJ)
	@rm -f $@
	@ar rcsP $@ $^

# A test file links what it needs from the archive of pure code.  One that
# includes a source file itself gets that file's object from nowhere else.
UNIT_SRC := $(sort $(wildcard tests/unit/test_*.c))
UNIT_BIN := $(UNIT_SRC:tests/unit/%.c=$(HB)/unit/%)
$(HB)/unit/%: tests/unit/%.c $(HB)/libpure.a
	@mkdir -p $(@D)
	@echo "  TEST  $@"
	@$(HOSTCC) $(HOSTFLAGS) $(SAN) -Isrc -Itests/host -o $@ $< $(filter %.o,$^) $(HB)/libpure.a -lcmocka -lpthread

# Instructions as an assembler writes them, for the decoder.
$(HB)/unit/insn_forms.o: tests/unit/insn_forms.asm
	@mkdir -p $(@D)
	@$(NASM) -f elf64 -o $@ $<
$(HB)/unit/test_insn_forms: $(HB)/unit/insn_forms.o

# The host program's end of the framed mode, against the multiplexer.
ATTACH_OBJ := $(patsubst tools/%.c,$(HB)/tools/%.o,$(wildcard tools/attach_*.c))
$(HB)/tools/%.o: tools/%.c
	@mkdir -p $(@D)
	@$(HOSTCC) $(HOSTFLAGS) $(SAN) -c -o $@ $<
$(HB)/unit/test_attach: $(ATTACH_OBJ)

unit-bins: $(UNIT_BIN)

# The same archive for the fuzzers, instrumented by clang.
FUZZFLAGS = $(filter-out $(WARN),$(HOSTFLAGS)) -fno-sanitize-recover=all
FUZZ_OBJ := $(PURE_OBJ:$(HB)/pure/%=$(HB)/fuzzed/%)
$(HB)/fuzzed/%.o: src/%.c
	@mkdir -p $(@D)
	@$(CLANG) $(FUZZFLAGS) -fsanitize=fuzzer-no-link,address,undefined -c -o $@ $<
$(HB)/fuzzed/fake/%.o: tests/host/%.c
	@mkdir -p $(@D)
	@$(CLANG) $(FUZZFLAGS) -fsanitize=fuzzer-no-link,address,undefined -c -o $@ $<
$(HB)/libfuzzed.a: $(FUZZ_OBJ)
	@rm -f $@
	@ar rcsP $@ $^
$(HB)/fuzzed/vdev/guest_acpi.o: build/gen/dsdt.h

FUZZ_SRC := $(sort $(wildcard tests/fuzz/fuzz_*.c))
FUZZ_BIN := $(FUZZ_SRC:tests/fuzz/%.c=$(HB)/fuzz/%)
$(HB)/fuzz/%: tests/fuzz/%.c $(HB)/libfuzzed.a
	@mkdir -p $(@D)
	@echo "  FUZZ  $@"
	@$(CLANG) $(FUZZFLAGS) -Isrc -Itests/host -fsanitize=fuzzer,address,undefined -o $@ $< $(HB)/libfuzzed.a

fuzz-bins: $(FUZZ_BIN)

# The stress tests once more, under ThreadSanitizer: with fewer bytes, as it is slow.
TSAN_SRC := src/lib/fmt.c src/lib/log.c src/lib/parse.c $(wildcard src/vconsole/*.c)
TSAN_BIN := $(HB)/tsan/test_ring_stress $(HB)/tsan/test_mux_stress $(HB)/tsan/test_marks \
            $(HB)/tsan/test_mux_flood
$(HB)/tsan/%: tests/unit/%.c $(TSAN_SRC) $(wildcard include/*.h)
	@mkdir -p $(@D)
	@echo "  TSAN  $@"
	@$(CLANG) -std=gnu11 -g -O2 -Iinclude -Isrc -DBULKHEAD_DEBUG=1 -DBULKHEAD_HOST=1 \
	  -fsanitize=thread -DTOTAL=300000U -o $@ $< $(TSAN_SRC) -lcmocka -lpthread

# Figures of the console's code on the host, as it is compiled for the hypervisor.
BENCHFLAGS := -std=gnu11 -O2 -Iinclude -Isrc -DBULKHEAD_DEBUG=0 -DBULKHEAD_HOST=1
$(HB)/bench/ring: tests/bench/host/ring.c src/vconsole/ring.c include/ring.h
	@mkdir -p $(@D)
	@$(HOSTCC) $(BENCHFLAGS) -flto -o $@ $(filter %.c,$^) -lpthread
$(HB)/bench/flood: tests/unit/test_mux_flood.c $(TSAN_SRC) $(wildcard include/*.h)
	@mkdir -p $(@D)
	@$(HOSTCC) $(BENCHFLAGS) -DTOTAL=50000000U -DCHANGES=12000U -o $@ $(filter %.c,$^) \
	  -lcmocka -lpthread

bench-bins: $(HB)/bench/ring $(HB)/bench/flood

tsan-bins: $(TSAN_BIN)

-include $(shell find $(HB) -name '*.d' 2>/dev/null)
.PHONY: unit-bins fuzz-bins tsan-bins bench-bins
