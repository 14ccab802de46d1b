# SPDX-License-Identifier: BSD-2-Clause
# Bulkhead: the one Makefile.  `make help` lists what it can do.

CC      ?= gcc
ifeq ($(origin CC),default)
CC      := gcc
endif
HOSTCC  ?= gcc
CLANG   ?= clang
NASM    ?= nasm
OBJCOPY ?= objcopy
PYTHON  ?= python3

DEBUG   ?= 0
ifeq ($(DEBUG),1)
B       := build/debug
else
B       := build
endif

# What `make run` understands; see `make help`.
SMP     ?= 2
MEM     ?=
LOG     ?= info
CONFIG  ?= configs/two-linux.conf
SERIAL  ?= stdio
export SMP MEM LOG CONFIG SERIAL DEBUG

WARN := -Wall -Wextra -Werror -Wconversion -Wsign-conversion -Wshadow -Wundef -Wvla \
        -Wmissing-prototypes -Wstrict-prototypes -Wold-style-definition -Wpointer-arith \
        -Wwrite-strings -Wcast-qual -Wformat=2 -Wmissing-declarations -Wredundant-decls

# No SSE or x87 in the hypervisor: a guest's vector registers stay live in the CPU.
HVFLAGS := -std=gnu11 -ffreestanding -fno-pic -fno-pie -mno-red-zone -mgeneral-regs-only \
           -mcmodel=small -fno-stack-protector -fno-asynchronous-unwind-tables \
           -fno-strict-aliasing -fno-common -ffunction-sections -fdata-sections \
           -fcf-protection=none -g $(WARN) -Iinclude -I$(B)/gen -MMD -MP
ifeq ($(DEBUG),1)
HVFLAGS += -O1 -DBULKHEAD_DEBUG=1
else
# Link-time optimisation: a seventh fewer instructions an exit.  clang would need another linker.
HVFLAGS += -O2 $(if $(findstring clang,$(CC)),,-flto=auto) -DBULKHEAD_DEBUG=0
endif

C_SRC   := $(sort $(wildcard src/*/*.c))
ASM_SRC := $(sort $(wildcard src/*/*.asm))
OBJ     := $(C_SRC:src/%.c=$(B)/obj/%.o) $(ASM_SRC:src/%.asm=$(B)/obj/%.asm.o)

# Code that knows no hardware: also built for the host, for tests, fuzzers and the checker.
PURE_SRC := $(wildcard src/lib/guest_memory.c src/lib/fmt.c src/lib/log.c src/lib/parse.c src/lib/pool.c \
            src/lib/boot_info.c src/lib/vcpu_state.c src/core/config*.c src/core/insn*.c src/core/emulate*.c src/core/walk.c \
            src/core/partition.c src/core/console_port.c src/core/msr.c src/core/mtrr.c src/core/ipi.c src/core/task_*.c \
            src/vdev/*.c src/vconsole/*.c src/loader/*.c src/ept/*.c \
            src/svm/*.c $(filter-out src/vmx/insn.c,$(wildcard src/vmx/*.c)) $(wildcard src/smp/acpi*.c) src/boot/multiboot.c)
HOSTFLAGS := -std=gnu11 -g -O1 $(WARN) -Iinclude -DBULKHEAD_DEBUG=1 -DBULKHEAD_HOST=1 -MMD -MP
SAN       := -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer

all: $(B)/bulkhead.elf build/bulkhead

include mk/image.mk
include mk/host.mk
include mk/dsdt.mk
include mk/guests-formats.mk
include mk/guests.mk
include mk/system.mk

clean:
	rm -rf build

.PHONY: all clean help run test test-unit test-system check bench fuzz setup
.DELETE_ON_ERROR:
