/* SPDX-License-Identifier: BSD-2-Clause */
/* A guest's memory type range registers: checked as the CPU checks them, and kept. */
#include "mtrr.h"

#include "kstring.h"

#define MSR_MTRRCAP 0xFEu
#define MSR_MTRR_PHYSBASE0 0x200u
#define MSR_MTRR_DEF_TYPE 0x2FFu

/* IA32_MTRRCAP: the number of variable ranges; fixed ranges; write-combining.  No SMRR. */
#define CAP_FIXED BIT(8)
#define CAP_WC BIT(10)

#define DEF_TYPE_TYPE 0xFFULL
#define DEF_TYPE_FIXED_ENABLE BIT(10)
#define DEF_TYPE_ENABLE BIT(11)

#define BASE_TYPE 0xFFULL
#define MASK_VALID BIT(11)

#define TYPE_UC 0u
#define TYPE_WC 1u
#define TYPE_WT 4u
#define TYPE_WP 5u
#define TYPE_WB 6u

#define PCI_HOLE 0xC0000000ULL /* up to 4 GiB: where a guest has no RAM */
#define EIGHT 0x0101010101010101ULL
#define FIXED_VGA 2 /* the index of A0000-BFFFF */

/* 64 KiB, 16 KiB and 4 KiB ranges, eight a register (table 11-9). */
static const uint16_t fixed_msr[MTRR_FIXED] = { 0x250, 0x258, 0x259, 0x268, 0x269, 0x26A,
						0x26B, 0x26C, 0x26D, 0x26E, 0x26F };

/* Memory in the PCI hole and the VGA window is uncached, all else is write-back. */
void mtrr_reset(struct mtrr *m, unsigned phys_bits)
{
	memset(m, 0, sizeof(*m));
	m->def_type = DEF_TYPE_ENABLE | DEF_TYPE_FIXED_ENABLE | TYPE_WB;
	for (unsigned i = 0; i < MTRR_FIXED; i++)
		m->fixed[i] = i == FIXED_VGA ? TYPE_UC : TYPE_WB * EIGHT;
	m->variable[0] = PCI_HOLE | TYPE_UC;
	m->variable[1] = ((BIT(phys_bits) - 1) & ~(BIT(30) - 1)) | MASK_VALID;
}

static int fixed_index(uint32_t msr)
{
	for (int i = 0; i < MTRR_FIXED; i++)
		if (fixed_msr[i] == msr)
			return i;
	return -1;
}

static bool is_variable(uint32_t msr)
{
	return msr >= MSR_MTRR_PHYSBASE0 && msr < MSR_MTRR_PHYSBASE0 + 2 * MTRR_VARIABLE;
}

bool mtrr_read(const struct mtrr *m, uint32_t msr, uint64_t *value)
{
	const int fixed = fixed_index(msr);

	if (msr == MSR_MTRRCAP)
		*value = MTRR_VARIABLE | CAP_FIXED | CAP_WC;
	else if (msr == MSR_MTRR_DEF_TYPE)
		*value = m->def_type;
	else if (is_variable(msr))
		*value = m->variable[msr - MSR_MTRR_PHYSBASE0];
	else if (fixed >= 0)
		*value = m->fixed[fixed];
	else
		return false;
	return true;
}

static bool type_exists(uint64_t type)
{
	return type == TYPE_UC || type == TYPE_WC || type == TYPE_WT || type == TYPE_WP ||
	       type == TYPE_WB;
}

static bool fixed_valid(uint64_t value)
{
	for (unsigned i = 0; i < 8; i++)
		if (!type_exists(value >> 8 * i & 0xFF))
			return false;
	return true;
}

/* Bits 8 to 11 of a base and 0 to 10 of a mask are reserved, and all above the address. */
static bool variable_valid(uint32_t msr, uint64_t value, unsigned phys_bits)
{
	const uint64_t address = (BIT(phys_bits) - 1) & ~(PAGE_SIZE - 1);

	if (msr & 1)
		return !(value & ~(address | MASK_VALID));
	return !(value & ~(address | BASE_TYPE)) && type_exists(value & BASE_TYPE);
}

static bool def_type_valid(uint64_t value)
{
	return !(value & ~(DEF_TYPE_TYPE | DEF_TYPE_FIXED_ENABLE | DEF_TYPE_ENABLE)) &&
	       type_exists(value & DEF_TYPE_TYPE);
}

bool mtrr_write(struct mtrr *m, uint32_t msr, uint64_t value, unsigned phys_bits)
{
	const int fixed = fixed_index(msr);

	if (msr == MSR_MTRR_DEF_TYPE && def_type_valid(value))
		m->def_type = value;
	else if (is_variable(msr) && variable_valid(msr, value, phys_bits))
		m->variable[msr - MSR_MTRR_PHYSBASE0] = value;
	else if (fixed >= 0 && fixed_valid(value))
		m->fixed[fixed] = value;
	else
		return false;
	return true;
}
