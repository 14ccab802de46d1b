# SPDX-License-Identifier: BSD-2-Clause
# One tiny guest for each guest format: build/guests/formats/.  Include after
# mk/host.mk.

FORMATS     := build/guests/formats
FORMATS_SRC := tests/guests/formats
FORMAT_GUESTS := $(addprefix $(FORMATS)/,real16.bin protected32.bin long64.bin multiboot32.elf \
                   multiboot64.elf multiboot-addresses.bin module-a.txt module-b.txt)

guests-formats: $(FORMAT_GUESTS)

$(FORMAT_GUESTS): $(wildcard $(FORMATS_SRC)/*) mk/guests-formats.mk | $(FORMATS)

$(FORMATS):
	@mkdir -p $@

FORMAT_NASM = $(NASM) -Werror -w+all -I$(FORMATS_SRC)/

$(FORMATS)/%.bin: $(FORMATS_SRC)/%.asm
	@$(FORMAT_NASM) -f bin -o $@ $<
$(FORMATS)/multiboot-addresses.bin: $(FORMATS_SRC)/multiboot.asm
	@$(FORMAT_NASM) -f bin -DADDRESSES -o $@ $<
# The class of the ELF file is all that differs.
$(FORMATS)/multiboot32.elf: $(FORMATS_SRC)/multiboot.asm $(FORMATS_SRC)/multiboot.ld
	@$(FORMAT_NASM) -f elf32 -o $@.o $<
	@$(LD) -m elf_i386 -z noexecstack --no-warn-rwx-segments -T $(FORMATS_SRC)/multiboot.ld -o $@ $@.o
$(FORMATS)/multiboot64.elf: $(FORMATS_SRC)/multiboot.asm $(FORMATS_SRC)/multiboot.ld
	@$(FORMAT_NASM) -f elf64 -o $@.o $<
	@$(LD) -m elf_x86_64 -z max-page-size=4096 -z noexecstack --no-warn-rwx-segments -T $(FORMATS_SRC)/multiboot.ld -o $@ $@.o
$(FORMATS)/module-%.txt: | $(FORMATS)
	@printf 'text of module %s\r\n\0' $* >$@

.PHONY: guests-formats
