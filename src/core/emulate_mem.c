/* SPDX-License-Identifier: BSD-2-Clause */
/* Guest memory: linear ranges and the operands of instructions, in RAM or not. */
#include "emulate_impl.h"
#include "kstring.h"

/* Any alignment; one access of the CPU each. */
struct PACKED any16 {
	uint16_t v;
};
struct PACKED any32 {
	uint32_t v;
};
struct PACKED any64 {
	uint64_t v;
};

static uint64_t host_load(const void *host, unsigned size)
{
	const uint8_t *bytes = host;
	uint64_t v = 0;

	switch (size) {
	case 1: return *bytes;
	case 2: return ((const volatile struct any16 *)host)->v;
	case 4: return ((const volatile struct any32 *)host)->v;
	case 8: return ((const volatile struct any64 *)host)->v;
	default: /* a part of an operand that crosses a page */
		for (unsigned i = 0; i < size; i++)
			v |= (uint64_t)bytes[i] << (8 * i);
		return v;
	}
}

static void host_store(void *host, unsigned size, uint64_t v)
{
	uint8_t *bytes = host;

	switch (size) {
	case 1: *(volatile uint8_t *)host = (uint8_t)v; break;
	case 2: ((volatile struct any16 *)host)->v = (uint16_t)v; break;
	case 4: ((volatile struct any32 *)host)->v = (uint32_t)v; break;
	case 8: ((volatile struct any64 *)host)->v = v; break;
	default:
		for (unsigned i = 0; i < size; i++)
			bytes[i] = (uint8_t)(v >> (8 * i));
	}
}

/* The largest size that a device takes at once, no larger than `left`. */
static unsigned mmio_chunk(uint64_t gpa, size_t left)
{
	unsigned chunk = 8;

	if (left == 1 || left == 2 || left == 4 || left == 8)
		return (unsigned)left;
	while (chunk > left || (gpa & (chunk - 1)))
		chunk /= 2;
	return chunk;
}

/* `size` is 1 to 8 bytes that do not cross a page. */
static uint64_t piece_read(const struct emu_cpu *cpu, uint64_t gpa, unsigned size)
{
	const void *host = cpu->ops->ram(cpu->ctx, gpa, size);
	uint64_t v = 0;

	if (host)
		return host_load(host, size);
	for (unsigned done = 0, n; done < size; done += n) {
		n = mmio_chunk(gpa + done, size - done);
		v |= (cpu->ops->mmio_read(cpu->ctx, gpa + done, n) & size_mask(n)) << (8 * done);
	}
	return v;
}

static void piece_write(const struct emu_cpu *cpu, uint64_t gpa, unsigned size, uint64_t v)
{
	void *host = cpu->ops->ram(cpu->ctx, gpa, size);

	if (host) {
		host_store(host, size, v);
		return;
	}
	for (unsigned done = 0, n; done < size; done += n) {
		n = mmio_chunk(gpa + done, size - done);
		cpu->ops->mmio_write(cpu->ctx, gpa + done, n, (v >> (8 * done)) & size_mask(n));
	}
}

static unsigned left_in_page(uint64_t linear)
{
	return (unsigned)(PAGE_SIZE - (linear & (PAGE_SIZE - 1)));
}

/* The address `n` bytes further; outside 64-bit code addresses wrap at 4 GiB. */
static uint64_t linear_add(const struct emu_cpu *cpu, uint64_t linear, uint64_t n)
{
	uint64_t at = linear + n;

	return linear >> 32 || emu_code_bits(cpu) == 64 ? at : at & 0xffffffff;
}

static void copy_in(const struct emu_cpu *cpu, uint64_t gpa, uint8_t *to, size_t n)
{
	const void *host = cpu->ops->ram(cpu->ctx, gpa, n);

	if (host) {
		memcpy(to, host, n);
		return;
	}
	for (size_t done = 0, m; done < n; done += m) {
		m = mmio_chunk(gpa + done, n - done);
		host_store(to + done, (unsigned)m, piece_read(cpu, gpa + done, (unsigned)m));
	}
}

static void copy_out(const struct emu_cpu *cpu, uint64_t gpa, const uint8_t *from, size_t n)
{
	void *host = cpu->ops->ram(cpu->ctx, gpa, n);

	if (host) {
		memcpy(host, from, n);
		return;
	}
	for (size_t done = 0, m; done < n; done += m) {
		m = mmio_chunk(gpa + done, n - done);
		piece_write(cpu, gpa + done, (unsigned)m, host_load(from + done, (unsigned)m));
	}
}

bool emu_read_linear(const struct emu_cpu *cpu, uint64_t linear, void *buf, size_t len,
		     enum emu_access access, struct guest_fault *fault)
{
	uint8_t *to = buf;

	while (len) {
		size_t n = min_u64(len, left_in_page(linear));
		uint64_t gpa;

		if (!emu_translate(cpu, linear, access, &gpa, fault))
			return false;
		copy_in(cpu, gpa, to, n);
		linear = linear_add(cpu, linear, n);
		to += n;
		len -= n;
	}
	return true;
}

bool emu_write_linear(const struct emu_cpu *cpu, uint64_t linear, const void *buf, size_t len,
		      struct guest_fault *fault)
{
	const uint8_t *from = buf;

	while (len) {
		size_t n = min_u64(len, left_in_page(linear));
		uint64_t gpa;

		if (!emu_translate(cpu, linear, EMU_WRITE, &gpa, fault))
			return false;
		copy_out(cpu, gpa, from, n);
		linear = linear_add(cpu, linear, n);
		from += n;
		len -= n;
	}
	return true;
}

/* Intel SDM vol. 3, 6.15, #AC. */
static bool misaligned(const struct emu_cpu *cpu, uint64_t linear, unsigned size)
{
	return (linear & (size - 1)) && cpu->sys->cpl == 3 && (cpu->sys->cr0 & CR0_AM) &&
	       (cpu->regs->rflags & RFLAGS_AC);
}

bool mem_resolve(const struct emulation *e, enum segment seg, uint64_t offset, unsigned size,
		 enum emu_access access, struct mem *m)
{
	const struct emu_cpu *cpu = e->cpu;
	unsigned first;
	uint64_t linear;

	if (!emu_linear(cpu, seg, offset, size, access, &linear, e->fault))
		return false;
	first = (unsigned)min_u64(size, left_in_page(linear));
	m->size = (uint8_t)size;
	m->first = (uint8_t)first;
	if (!emu_translate(cpu, linear, access, &m->gpa[0], e->fault))
		return false;
	if (first < size && !emu_translate(cpu, linear_add(cpu, linear, first), access, &m->gpa[1],
					   e->fault))
		return false;
	if (misaligned(cpu, linear, size)) {
		emu_fault_zero(cpu, VEC_AC, e->fault);
		return false;
	}
	return true;
}

uint64_t mem_read(const struct emulation *e, const struct mem *m)
{
	uint64_t v = piece_read(e->cpu, m->gpa[0], m->first);

	if (m->first < m->size)
		v |= piece_read(e->cpu, m->gpa[1], m->size - (unsigned)m->first) << (8 * m->first);
	return v;
}

void mem_write(const struct emulation *e, const struct mem *m, uint64_t v)
{
	piece_write(e->cpu, m->gpa[0], m->first, v & size_mask(m->first));
	if (m->first < m->size)
		piece_write(e->cpu, m->gpa[1], m->size - (unsigned)m->first, v >> (8 * m->first));
}

/*
 * Sequentially consistent, as a LOCK prefix is: pairs with the accesses of the
 * guest's other CPUs to the same RAM.
 */
static bool host_replace(void *host, unsigned size, uint64_t old, uint64_t new)
{
	uint8_t old8 = (uint8_t)old;
	uint16_t old16 = (uint16_t)old;
	uint32_t old32 = (uint32_t)old;

	switch (size) {
	case 1:
		return __atomic_compare_exchange_n((uint8_t *)host, &old8, (uint8_t)new, false,
						   __ATOMIC_SEQ_CST, __ATOMIC_RELAXED);
	case 2:
		return __atomic_compare_exchange_n((uint16_t *)host, &old16, (uint16_t)new, false,
						   __ATOMIC_SEQ_CST, __ATOMIC_RELAXED);
	case 4:
		return __atomic_compare_exchange_n((uint32_t *)host, &old32, (uint32_t)new, false,
						   __ATOMIC_SEQ_CST, __ATOMIC_RELAXED);
	default:
		return __atomic_compare_exchange_n((uint64_t *)host, &old, new, false,
						   __ATOMIC_SEQ_CST, __ATOMIC_RELAXED);
	}
}

bool mem_update(const struct emulation *e, const struct mem *m, uint64_t old, uint64_t new,
		bool atomic)
{
	if (atomic && !(m->gpa[0] & (m->size - 1u))) {
		void *host = e->cpu->ops->ram(e->cpu->ctx, m->gpa[0], m->size);

		if (host)
			return host_replace(host, m->size, old, new);
	}
	mem_write(e, m, new);
	return true;
}

uint64_t effective_address(const struct emulation *e, uint64_t extra)
{
	const struct insn *in = &e->insn;
	const uint64_t *gpr = e->cpu->regs->gpr;
	uint64_t at = (uint64_t)in->disp + extra;

	if (in->base != INSN_NO_REG)
		at += gpr[in->base];
	if (in->index != INSN_NO_REG)
		at += gpr[in->index] << in->scale;
	if (in->rip_relative)
		at += e->next_rip;
	return at & size_mask(in->addrsize);
}

bool rm_resolve(const struct emulation *e, unsigned size, enum emu_access access, struct rm *rm)
{
	rm->size = size;
	if (!e->insn.mem)
		return true;
	return mem_resolve(e, (enum segment)e->insn.seg, effective_address(e, 0), size, access,
			   &rm->mem);
}

uint64_t rm_read(const struct emulation *e, const struct rm *rm)
{
	return e->insn.mem ? mem_read(e, &rm->mem) : gpr_read(e, e->insn.rm, rm->size);
}

void rm_write(const struct emulation *e, const struct rm *rm, uint64_t v)
{
	if (e->insn.mem)
		mem_write(e, &rm->mem, v);
	else
		gpr_write(e, e->insn.rm, rm->size, v);
}

bool rm_update(const struct emulation *e, const struct rm *rm, uint64_t old, uint64_t new)
{
	if (e->insn.mem)
		return mem_update(e, &rm->mem, old, new, e->insn.lock);
	gpr_write(e, e->insn.rm, rm->size, new);
	return true;
}
