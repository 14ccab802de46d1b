# SPDX-License-Identifier: BSD-2-Clause
# The small guests of our own: build/guests/NAME.elf, a Multiboot1 kernel of
# tests/guests/NAME.c (or .asm) and tests/guests/lib.  Those of GUESTS_64 are
# also built for long mode, as build/guests/NAME64.elf; those of GUESTS_64_ONLY
# need 64-bit arithmetic and are built for nothing else.

G          := build/guests
GUESTS_64_ONLY := timing
GUESTS     := $(filter-out $(GUESTS_64_ONLY),$(sort $(patsubst tests/guests/%.c,%,$(wildcard tests/guests/*.c))))
GUESTS_64  := $(filter mmio strings,$(GUESTS)) $(GUESTS_64_ONLY)
GUEST_ELF  := $(GUESTS:%=$(G)/%.elf) $(GUESTS_64:%=$(G)/%64.elf)
GUEST_HDR  := $(wildcard tests/guests/lib/*.h)
GUEST_LIB  := $(patsubst tests/guests/lib/%,%.o,$(wildcard tests/guests/lib/*.c tests/guests/lib/*.asm))
# They take interrupts on the stack that runs, and no vector registers.
GUESTFLAGS := -std=gnu11 -ffreestanding -O2 -fno-pic -fno-pie -mno-red-zone -mgeneral-regs-only \
              -fno-stack-protector -fno-asynchronous-unwind-tables -fno-strict-aliasing -fno-common \
              -fcf-protection=none -g $(WARN) -Itests/guests/lib

guests: $(GUEST_ELF)

$(G)/32/%.c.o: tests/guests/%.c $(GUEST_HDR) mk/guests.mk
	@mkdir -p $(@D)
	@$(CC) $(GUESTFLAGS) -m32 -march=i686 -c -o $@ $<
$(G)/64/%.c.o: tests/guests/%.c $(GUEST_HDR) mk/guests.mk
	@mkdir -p $(@D)
	@$(CC) $(GUESTFLAGS) -m64 -c -o $@ $<
$(G)/32/%.asm.o: tests/guests/%.asm mk/guests.mk
	@mkdir -p $(@D)
	@$(NASM) -f elf32 -Werror -w+all -o $@ $<
$(G)/64/%.asm.o: tests/guests/%.asm mk/guests.mk
	@mkdir -p $(@D)
	@$(NASM) -f elf64 -Werror -w+all -DMODE64 -o $@ $<

# What a guest has beside its C file.
GUEST_ASM = $(patsubst tests/guests/%,$(G)/$(1)/%.o,$(wildcard tests/guests/$(2).asm))

.SECONDEXPANSION:
$(G)/%64.elf: $(G)/64/$$*.c.o $$(call GUEST_ASM,64,$$*) $(GUEST_LIB:%=$(G)/64/lib/%) tests/guests/lib/guest.ld
	@echo "  GUEST $@"
	@ld -m elf_x86_64 -nostdlib -static -z noexecstack --no-warn-rwx-segments --build-id=none \
	  -T tests/guests/lib/guest.ld -o $@64 $(filter %.o,$^)
	@$(OBJCOPY) -O elf32-i386 $@64 $@
$(G)/%.elf: $(G)/32/$$*.c.o $$(call GUEST_ASM,32,$$*) $(GUEST_LIB:%=$(G)/32/lib/%) tests/guests/lib/guest.ld
	@echo "  GUEST $@"
	@ld -m elf_i386 -nostdlib -static -z noexecstack --no-warn-rwx-segments --build-id=none \
	  -T tests/guests/lib/guest.ld -o $@ $(filter %.o,$^)

.SECONDARY:
.PHONY: guests
