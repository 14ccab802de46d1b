/* SPDX-License-Identifier: BSD-2-Clause */
/* A small guest for the tests of the emulator: RAM, page tables, one recording device. */
#ifndef TESTS_EMU_WORLD_H
#define TESTS_EMU_WORLD_H

#include <stdlib.h>
#include <string.h>

#include "emulate.h"

#define WORLD_RAM 0x80000u
#define WORLD_TABLES 0x1000u /* page tables are taken from here up */
#define WORLD_CODE 0x400000u /* linear; two pages */
#define WORLD_CODE_GPA 0x40000u
#define WORLD_DATA 0x10000000u /* linear; two pages that are not neighbours in RAM */
#define WORLD_DATA_GPA 0x50000u
#define WORLD_DATA2_GPA 0x58000u
#define WORLD_HOLE (WORLD_DATA + 0x2000) /* linear; not mapped */
#define WORLD_MMIO 0xfee00000u		 /* linear and physical */

#define MAP_P 1u
#define MAP_W 2u
#define MAP_U 4u
#define MAP_A 0x20u
#define MAP_D 0x40u
#define MAP_PS 0x80u
#define MAP_NX (1ULL << 63)

struct world {
	uint8_t *ram;
	uint64_t next_table;
	struct vcpu_regs regs;
	struct vcpu_sysregs sys;
	struct emu_cpu cpu;
	struct guest_fault fault;
	/* The device remembers its last access, and how many there were. */
	unsigned reads, writes, size;
	uint64_t gpa, value, answer;
	uint32_t pkru;
	/* A callback that looks like another CPU: run on each look-up of RAM. */
	void (*meddle)(struct world *w, uint64_t gpa);
};

static void *world_ram(void *ctx, uint64_t gpa, size_t len)
{
	struct world *w = ctx;

	if (w->meddle)
		w->meddle(w, gpa);
	return gpa <= WORLD_RAM && len <= WORLD_RAM - gpa ? w->ram + gpa : NULL;
}

static uint64_t world_read(void *ctx, uint64_t gpa, unsigned size)
{
	struct world *w = ctx;

	w->reads++;
	w->gpa = gpa;
	w->size = size;
	return w->answer;
}

static void world_write(void *ctx, uint64_t gpa, unsigned size, uint64_t value)
{
	struct world *w = ctx;

	w->writes++;
	w->gpa = gpa;
	w->size = size;
	w->value = value;
}

static uint32_t world_pkru(void *ctx)
{
	return ((struct world *)ctx)->pkru;
}

static inline uint64_t *world_entry(struct world *w, uint64_t gpa)
{
	return (uint64_t *)(void *)(w->ram + gpa);
}

/* Maps one 4 KiB page with 4-level tables and returns its entry. */
static inline uint64_t *world_map(struct world *w, uint64_t linear, uint64_t gpa, uint64_t flags)
{
	uint64_t table = w->sys.cr3;

	for (unsigned shift = 39; shift > 12; shift -= 9) {
		uint64_t *entry = world_entry(w, table + ((linear >> shift) & 511) * 8);

		if (!*entry) {
			*entry = w->next_table | MAP_P | MAP_W | MAP_U;
			w->next_table += 0x1000;
		}
		table = *entry & ~0xfffULL & ~MAP_NX;
	}
	uint64_t *leaf = world_entry(w, table + ((linear >> 12) & 511) * 8);
	*leaf = gpa | flags;
	return leaf;
}

static inline void world_segment(struct world *w, enum segment seg, uint64_t base, uint32_t limit,
				 uint64_t attr)
{
	w->sys.seg[seg] = (struct segment_reg){ .base = base, .limit = limit,
						.attr = (uint16_t)attr };
}

#define ATTR_CODE64 (0xbu | SEG_ATTR_S | SEG_ATTR_P | SEG_ATTR_L | SEG_ATTR_G)
#define ATTR_CODE32 (0xbu | SEG_ATTR_S | SEG_ATTR_P | SEG_ATTR_DB | SEG_ATTR_G)
#define ATTR_CODE16 (0xbu | SEG_ATTR_S | SEG_ATTR_P)
#define ATTR_DATA (0x3u | SEG_ATTR_S | SEG_ATTR_P | SEG_ATTR_DB | SEG_ATTR_G)
#define ATTR_DATA_RO (0x1u | SEG_ATTR_S | SEG_ATTR_P | SEG_ATTR_DB | SEG_ATTR_G)

/* 64-bit code at CPL 0 with the pages above mapped. */
static inline void world_init(struct world *w)
{
	static const struct emu_ops ops = { world_ram, world_read, world_write, world_pkru };

	memset(w, 0, sizeof(*w));
	w->ram = aligned_alloc(4096, WORLD_RAM);
	memset(w->ram, 0, WORLD_RAM);
	w->cpu = (struct emu_cpu){ &w->regs, &w->sys, &ops, w, 0 };
	w->sys.cr0 = CR0_PE | CR0_PG | CR0_WP;
	w->sys.cr4 = CR4_PAE | CR4_PSE;
	w->sys.efer = EFER_LME | EFER_LMA | EFER_NXE;
	w->sys.cr3 = WORLD_TABLES;
	w->next_table = WORLD_TABLES + 0x1000;
	for (unsigned i = 0; i < SEG_COUNT; i++)
		world_segment(w, (enum segment)i, 0, 0xffffffff, ATTR_DATA);
	world_segment(w, SEG_CS, 0, 0xffffffff, ATTR_CODE64);
	world_map(w, WORLD_CODE, WORLD_CODE_GPA, MAP_P | MAP_W);
	world_map(w, WORLD_CODE + 0x1000, WORLD_CODE_GPA + 0x1000, MAP_P | MAP_W);
	world_map(w, WORLD_DATA, WORLD_DATA_GPA, MAP_P | MAP_W | MAP_NX);
	world_map(w, WORLD_DATA + 0x1000, WORLD_DATA2_GPA, MAP_P | MAP_W | MAP_NX);
	world_map(w, WORLD_MMIO, WORLD_MMIO, MAP_P | MAP_W | MAP_NX);
	w->regs.rip = WORLD_CODE;
	w->regs.rflags = RFLAGS_RESERVED1;
}

/* No paging, all segments flat (base 0) with code of `bits`; linear is physical. */
static inline void world_flat(struct world *w, unsigned bits)
{
	w->sys.cr0 = CR0_PE;
	w->sys.efer = 0;
	w->sys.cr4 = 0;
	world_segment(w, SEG_CS, 0, 0xffffffff, bits == 32 ? ATTR_CODE32 : ATTR_CODE16);
	w->regs.rip = WORLD_CODE_GPA;
}

static inline void world_free(struct world *w)
{
	free(w->ram);
}

static inline void world_code(struct world *w, const void *bytes, size_t n)
{
	memcpy(w->ram + WORLD_CODE_GPA, bytes, n);
}

#endif
