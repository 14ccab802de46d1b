# SPDX-License-Identifier: BSD-2-Clause
# The hypervisor's image: bulkhead.elf (ELF32 for Multiboot), with a listing
# and a map beside it.

$(B)/gen/offsets.inc: tools/offsets.c include/backend.h include/smp.h include/vcpu_state.h
	@mkdir -p $(@D)
	@$(CC) $(filter-out -MMD -MP,$(HVFLAGS)) -fno-lto -S -o $(B)/gen/offsets.s $<
	@sed -n 's/.*#OFFSET \([A-Z0-9_]*\) \$$\{0,1\}\([0-9]*\).*/\1 equ \2/p' $(B)/gen/offsets.s >$@

# Runs once, or at the speed of somebody's fingers: small instead of quick.
COLD := $(wildcard src/boot/*.c src/loader/*.c src/core/config*.c src/core/main.c \
	src/core/monitor*.c src/core/partition.c src/smp/acpi*.c src/vconsole/monitor*.c src/vdev/guest_*.c)
$(COLD:src/%.c=$(B)/obj/%.o): HVFLAGS += -Os

$(B)/obj/%.o: src/%.c Makefile mk/image.mk
	@mkdir -p $(@D)
	@echo "  CC    $<"
	@$(CC) $(HVFLAGS) -c -o $@ $<

$(B)/obj/%.asm.o: src/%.asm $(B)/gen/offsets.inc src/smp/regs.inc
	@mkdir -p $(@D)
	@echo "  NASM  $<"
	@$(NASM) -f elf64 -Werror -w+all -g -F dwarf -I$(B)/gen/ -Isrc/ -o $@ $<

$(B)/bulkhead.elf64: $(OBJ) src/boot/image.ld
	@echo "  LINK  $@"
	@$(CC) $(LDFLAGS) -nostdlib -static -no-pie -Wl,-z,max-page-size=4096 -Wl,--build-id=none -Wl,--gc-sections \
	  -Wl,-z,noexecstack -Wl,-Map,$(B)/bulkhead.map -T src/boot/image.ld -o $@ $(OBJ)

# Multiboot loaders take 32-bit ELF; the 64-bit one stays for gdb.
$(B)/bulkhead.elf: $(B)/bulkhead.elf64
	@$(OBJCOPY) -O elf32-i386 --strip-all $< $@
	@objdump -d -S --no-show-raw-insn $< >$(B)/bulkhead.lst 2>/dev/null || objdump -d $< >$(B)/bulkhead.lst
	@size $< | sed "s/^/  /"
	@echo "  image: $$(( ($$(stat -c %s $@) + 1023) / 1024 )) KiB ($@), listing $(B)/bulkhead.lst, map $(B)/bulkhead.map"

-include $(shell find $(B)/obj -name '*.d' 2>/dev/null)
