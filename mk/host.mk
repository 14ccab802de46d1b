# SPDX-License-Identifier: BSD-2-Clause
# Host side: the configuration checker, unit tests, fuzzers.

HB := build/host

# The checker, also handy in scripts: build/bulkhead check FILE
build/bulkhead: $(wildcard tools/bulkhead*.c) src/lib/fmt.c src/lib/parse.c $(wildcard src/core/config*.c) $(wildcard include/*.h)
	@mkdir -p $(@D)
	@echo "  HOST  $@"
	@$(HOSTCC) $(filter-out -MMD -MP,$(HOSTFLAGS)) -O2 -o $@ $(filter %.c,$^)

PURE_OBJ := $(PURE_SRC:src/%.c=$(HB)/pure/%.o)
$(HB)/pure/%.o: src/%.c
	@mkdir -p $(@D)
	@$(HOSTCC) $(HOSTFLAGS) $(SAN) -c -o $@ $<
$(HB)/libpure.a: $(PURE_OBJ)
	@rm -f $@
	@ar rcs $@ $^

# A test file links what it needs from the archive of pure code; a line
# `/* no-archive */` in it says that it includes its sources itself.
UNIT_SRC := $(sort $(wildcard tests/unit/test_*.c))
UNIT_BIN := $(UNIT_SRC:tests/unit/%.c=$(HB)/unit/%)
$(HB)/unit/%: tests/unit/%.c $(HB)/libpure.a
	@mkdir -p $(@D)
	@echo "  TEST  $@"
	@$(HOSTCC) $(HOSTFLAGS) $(SAN) -Isrc -o $@ $< $(HB)/libpure.a -lcmocka -lpthread

unit-bins: $(UNIT_BIN)

# Fuzzers are built from source with clang, so that the code is instrumented.
FUZZ_SRC := $(sort $(wildcard tests/fuzz/fuzz_*.c))
FUZZ_BIN := $(FUZZ_SRC:tests/fuzz/%.c=$(HB)/fuzz/%)
$(HB)/fuzz/%: tests/fuzz/%.c $(PURE_SRC) $(wildcard include/*.h)
	@mkdir -p $(@D)
	@echo "  FUZZ  $@"
	@$(CLANG) -std=gnu11 -g -O1 -Iinclude -Isrc -Ibuild/gen -DBULKHEAD_DEBUG=1 -DBULKHEAD_HOST=1 \
	  -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all \
	  -ffunction-sections -Wl,--gc-sections -o $@ $< $(PURE_SRC)

fuzz-bins: $(FUZZ_BIN)

# The stress tests once more, under ThreadSanitizer.
TSAN_SRC := src/lib/fmt.c src/lib/log.c src/lib/parse.c $(wildcard src/vconsole/*.c)
TSAN_BIN := $(HB)/tsan/test_ring_stress $(HB)/tsan/test_mux_stress
$(HB)/tsan/%: tests/unit/%.c $(TSAN_SRC) $(wildcard include/*.h)
	@mkdir -p $(@D)
	@echo "  TSAN  $@"
	@$(CLANG) -std=gnu11 -g -O2 -Iinclude -Isrc -DBULKHEAD_DEBUG=1 -DBULKHEAD_HOST=1 \
	  -fsanitize=thread -o $@ $< $(TSAN_SRC) -lcmocka -lpthread

tsan-bins: $(TSAN_BIN)

-include $(shell find $(HB) -name '*.d' 2>/dev/null)
.PHONY: unit-bins fuzz-bins tsan-bins
