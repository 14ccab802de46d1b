/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The guest's own page tables, walked as the CPU walks them (Intel SDM vol. 3,
 * chapter 4).  Entries outside RAM read as ones, as any hole does.
 */
#include "emulate_impl.h"

#define PTE_P BIT(0)
#define PTE_RW BIT(1)
#define PTE_US BIT(2)
#define PTE_A BIT(5)
#define PTE_D BIT(6)
#define PTE_PS BIT(7)
#define PTE_NX BIT(63)
#define PTE_ADDR 0x000ffffffffff000ULL

/* Page-fault error code (Intel SDM vol. 3, 4.7). */
#define PF_P 1u
#define PF_W 2u
#define PF_U 4u
#define PF_RSVD 8u
#define PF_I 16u
#define PF_PK 32u

/* Protection keys (4.6.2): two bits a key in PKRU. */
#define PTE_KEY_SHIFT 59
#define PTE_KEY_MASK 15u
#define PKRU_AD 1u
#define PKRU_WD 2u

#define MAX_LEVELS 5
/* Bits of the linear address below what an entry of each table maps. */
#define PD_SHIFT 21
#define PDPT_SHIFT 30
#define PML4_SHIFT 39
#define PML5_SHIFT 48
#define MAX_PHYS_BITS 52
#define PSE36_BITS 40 /* what a 4 MiB page's entry can address (4.3) */

/*
 * How often a walk starts again because another CPU of the guest changed an
 * entry while its accessed bit was to be set.
 */
#define WALK_TRIES 16

enum walk_end { WALK_PAGE, WALK_ABSENT, WALK_RESERVED };

struct walk {
	uint64_t gpa;
	uint64_t all; /* the AND of the entries: R/W and U/S must be in each */
	uint64_t any; /* the OR of the entries: NX counts from any */
	unsigned n;   /* entries whose accessed bit is to be set; the last is the leaf */
	bool wide;    /* entries of 8 bytes, not 4 */
	void *slot[MAX_LEVELS]; /* NULL: not RAM */
	uint64_t value[MAX_LEVELS];
};

static unsigned phys_bits(const struct emu_cpu *cpu)
{
	return cpu->phys_bits >= 32 && cpu->phys_bits < MAX_PHYS_BITS ? cpu->phys_bits
								      : MAX_PHYS_BITS;
}

/*
 * Reads one entry.  The load is acquire: what it points to was written before
 * it by the guest's CPU that linked it (an ordinary store, a release on x86).
 */
static uint64_t load_entry(const struct emu_cpu *cpu, struct walk *w, uint64_t gpa)
{
	void *slot = cpu->ops->ram(cpu->ctx, gpa, w->wide ? 8 : 4);
	uint64_t v;

	if (!slot)
		v = ~0ULL;
	else if (w->wide)
		v = __atomic_load_n((uint64_t *)slot, __ATOMIC_ACQUIRE);
	else
		v = __atomic_load_n((uint32_t *)slot, __ATOMIC_ACQUIRE);
	w->slot[w->n] = slot;
	w->value[w->n] = v;
	return v;
}

static void pass_entry(struct walk *w, uint64_t entry)
{
	w->all &= entry;
	w->any |= entry;
	w->n++;
}

/* Reserved in every entry of 8 bytes (4.4.2, 4.5.4). */
static uint64_t reserved_bits(const struct emu_cpu *cpu)
{
	uint64_t bits = BIT(MAX_PHYS_BITS) - BIT(phys_bits(cpu));

	if (!(cpu->sys->efer & EFER_NXE))
		bits |= PTE_NX;
	if (!(cpu->sys->efer & EFER_LMA))
		bits |= PTE_NX - BIT(MAX_PHYS_BITS);
	return bits;
}

/* The last entry of a walk: of a 4 KiB page, or a large page's, whose PS bit is set. */
static enum walk_end wide_leaf(struct walk *w, uint64_t linear, uint64_t entry, unsigned shift)
{
	uint64_t inside = BIT(shift) - 1;

	if (shift > PAGE_SHIFT) {
		if (shift > PDPT_SHIFT)
			return WALK_RESERVED;
		/* Bit 12 is PAT, the others below the address are reserved. */
		if (entry & inside & ~(BIT(13) - 1))
			return WALK_RESERVED;
	}
	w->gpa = (entry & PTE_ADDR & ~inside) | (linear & inside);
	return WALK_PAGE;
}

/*
 * Tables of 512 entries, down from the one whose entries map BIT(shift) bytes:
 * 4-level and 5-level paging, and PAE below its root.
 */
static enum walk_end walk_wide(const struct emu_cpu *cpu, struct walk *w, uint64_t linear,
			       uint64_t table, unsigned shift)
{
	uint64_t reserved = reserved_bits(cpu);

	for (;; shift -= 9) {
		uint64_t entry = load_entry(cpu, w, table + ((linear >> shift) & 0x1ff) * 8);

		if (!(entry & PTE_P))
			return WALK_ABSENT;
		if (entry & reserved)
			return WALK_RESERVED;
		pass_entry(w, entry);
		if (shift == PAGE_SHIFT || (entry & PTE_PS))
			return wide_leaf(w, linear, entry, shift);
		table = entry & PTE_ADDR;
	}
}

/*
 * 32-bit PAE paging: the root has four entries with no rights of their own (4.4.1).
 * Bit 5 is reserved, but QEMU marks an entry as accessed there when it walks: a
 * guest with it set would not have come as far as an instruction to emulate.
 */
static enum walk_end walk_pae(const struct emu_cpu *cpu, struct walk *w, uint64_t linear)
{
	uint64_t root = cpu->sys->cr3 & 0xffffffe0ULL;
	uint64_t entry = load_entry(cpu, w, root + ((linear >> 30) & 3) * 8);
	uint64_t low_reserved = BIT(1) | BIT(2) | (BIT(9) - BIT(6));

	if (!(entry & PTE_P))
		return WALK_ABSENT;
	if (entry & (low_reserved | PTE_NX | reserved_bits(cpu)))
		return WALK_RESERVED;
	return walk_wide(cpu, w, linear, entry & PTE_ADDR, PD_SHIFT);
}

/* A 4 MiB page: bits 13-20 of the entry are bits 32-39 of the address (4.3, PSE-36). */
static enum walk_end large_page32(const struct emu_cpu *cpu, struct walk *w, uint64_t linear,
				  uint64_t entry)
{
	uint64_t high_bits = min_u64(phys_bits(cpu), PSE36_BITS) - 32;

	if (entry & (BIT(22) - BIT(13 + high_bits)))
		return WALK_RESERVED;
	pass_entry(w, entry);
	w->gpa = (entry & 0xffc00000ULL) | ((entry >> 13) & 0xff) << 32 | (linear & 0x3fffff);
	return WALK_PAGE;
}

static enum walk_end walk32(const struct emu_cpu *cpu, struct walk *w, uint64_t linear)
{
	uint64_t table = cpu->sys->cr3 & 0xfffff000ULL;
	uint64_t entry;

	entry = load_entry(cpu, w, table + (linear >> 22) * 4);
	if (!(entry & PTE_P))
		return WALK_ABSENT;
	if ((entry & PTE_PS) && (cpu->sys->cr4 & CR4_PSE))
		return large_page32(cpu, w, linear, entry);
	pass_entry(w, entry);

	entry = load_entry(cpu, w, (entry & 0xfffff000ULL) + ((linear >> 12) & 0x3ff) * 4);
	if (!(entry & PTE_P))
		return WALK_ABSENT;
	pass_entry(w, entry);
	w->gpa = (entry & 0xfffff000ULL) | (linear & 0xfff);
	return WALK_PAGE;
}

static enum walk_end walk(const struct emu_cpu *cpu, struct walk *w, uint64_t linear)
{
	const struct vcpu_sysregs *sys = cpu->sys;

	w->all = ~0ULL;
	w->any = 0;
	w->n = 0;
	w->wide = (sys->cr4 & CR4_PAE) || (sys->efer & EFER_LMA);
	if (sys->efer & EFER_LMA)
		return walk_wide(cpu, w, linear, sys->cr3 & PTE_ADDR,
				 sys->cr4 & CR4_LA57 ? PML5_SHIFT : PML4_SHIFT);
	linear &= 0xffffffff;
	return w->wide ? walk_pae(cpu, w, linear) : walk32(cpu, w, linear);
}

/* Does the key of a user page forbid a data access?  Intel SDM vol. 3, 4.6.2. */
static bool key_forbids(const struct emu_cpu *cpu, const struct walk *w, enum emu_access access)
{
	const struct vcpu_sysregs *sys = cpu->sys;
	unsigned key;
	uint32_t rights;

	if (access == EMU_FETCH || !(sys->cr4 & CR4_PKE) || !(sys->efer & EFER_LMA) ||
	    !(w->all & PTE_US) || !cpu->ops->pkru)
		return false;
	key = w->value[w->n - 1] >> PTE_KEY_SHIFT & PTE_KEY_MASK;
	rights = cpu->ops->pkru(cpu->ctx) >> 2 * key;
	if (rights & PKRU_AD)
		return true;
	return (rights & PKRU_WD) && access == EMU_WRITE &&
	       (sys->cpl == 3 || (sys->cr0 & CR0_WP));
}

/* Intel SDM vol. 3, 4.6.1. */
static bool permitted(const struct emu_cpu *cpu, const struct walk *w, enum emu_access access)
{
	const struct vcpu_sysregs *sys = cpu->sys;
	bool user_page = w->all & PTE_US, writable = w->all & PTE_RW;
	bool user = sys->cpl == 3;

	if (user && !user_page)
		return false;
	if (access == EMU_FETCH) {
		if (w->wide && (w->any & PTE_NX))
			return false;
		return user || !user_page || !(sys->cr4 & CR4_SMEP);
	}
	if (!user && user_page && (sys->cr4 & CR4_SMAP) && !(cpu->regs->rflags & RFLAGS_AC))
		return false;
	return access == EMU_READ || writable || (!user && !(sys->cr0 & CR0_WP));
}

/*
 * Replaces an entry that is still what the walk saw.  Sequentially consistent,
 * as the CPU's own locked update: it pairs with the guest's updates of its
 * page tables and with the page walkers of the guest's other CPUs.
 */
static bool replace_entry(void *slot, bool wide, uint64_t old, uint64_t new)
{
	uint32_t old32 = (uint32_t)old;

	if (wide)
		return __atomic_compare_exchange_n((uint64_t *)slot, &old, new, false,
						   __ATOMIC_SEQ_CST, __ATOMIC_RELAXED);
	return __atomic_compare_exchange_n((uint32_t *)slot, &old32, (uint32_t)new, false,
					   __ATOMIC_SEQ_CST, __ATOMIC_RELAXED);
}

/* Sets accessed and dirty bits (4.8).  False: an entry has changed since it was read. */
static bool mark_used(const struct walk *w, enum emu_access access)
{
	/* The usual case: all of them are set. */
	if ((w->all & PTE_A) && (access != EMU_WRITE || (w->value[w->n - 1] & PTE_D)))
		return true;
	for (unsigned i = 0; i < w->n; i++) {
		uint64_t want = w->value[i] | PTE_A;

		if (i == w->n - 1 && access == EMU_WRITE)
			want |= PTE_D;
		if (want != w->value[i] && w->slot[i] &&
		    !replace_entry(w->slot[i], w->wide, w->value[i], want))
			return false;
	}
	return true;
}

static void page_fault(const struct emu_cpu *cpu, uint64_t linear, enum emu_access access,
		       enum walk_end end, bool key, struct guest_fault *fault)
{
	const struct vcpu_sysregs *sys = cpu->sys;
	bool nx_on = (sys->efer & EFER_NXE) && (sys->cr4 & CR4_PAE);
	uint32_t error = end == WALK_ABSENT ? 0 : PF_P;

	if (end == WALK_RESERVED)
		error |= PF_RSVD;
	if (access == EMU_WRITE)
		error |= PF_W;
	if (sys->cpl == 3)
		error |= PF_U;
	if (access == EMU_FETCH && (nx_on || (sys->cr4 & CR4_SMEP)))
		error |= PF_I;
	if (key)
		error |= PF_PK;
	*fault = (struct guest_fault){ .vector = VEC_PF, .has_error = true, .error = error,
				       .cr2 = linear };
}

bool emu_translate(const struct emu_cpu *cpu, uint64_t linear, enum emu_access access,
		   uint64_t *gpa, struct guest_fault *fault)
{
	struct walk w;

	if (!(cpu->sys->cr0 & CR0_PG)) {
		*gpa = linear & 0xffffffff;
		return true;
	}
	if ((cpu->sys->efer & EFER_LMA) && !emu_canonical(cpu, linear)) {
		*fault = (struct guest_fault){ .vector = VEC_GP, .has_error = true };
		return false;
	}
	/*
	 * A guest that changes its tables under the walk again and again only
	 * loses an accessed bit; the translation is one that was there.
	 */
	for (unsigned i = 0; i < WALK_TRIES; i++) {
		const enum walk_end end = walk(cpu, &w, linear);
		/* The error code names the key also where other rights are missing too (4.7). */
		const bool key = end == WALK_PAGE && key_forbids(cpu, &w, access);

		if (end != WALK_PAGE || key || !permitted(cpu, &w, access)) {
			page_fault(cpu, linear, access, end, key, fault);
			return false;
		}
		if (mark_used(&w, access))
			break;
	}
	*gpa = w.gpa;
	return true;
}
