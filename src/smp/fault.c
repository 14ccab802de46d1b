/* SPDX-License-Identifier: BSD-2-Clause */
/* An exception in the hypervisor: always a bug of ours, never a guest's doing. */
#include "log.h"
#include "smp_internal.h"
#include "x86.h"

static uint64_t read_cr2(void)
{
	uint64_t v;

	__asm__ volatile("mov %%cr2, %0" : "=r"(v));
	return v;
}

/*
 * The other CPUs, and so the other guests, go on; this CPU halts in its
 * caller.  The log is lock-free, so nothing that was held here is needed.
 */
void fault_report(const struct fault_frame *f)
{
	log_error("hypervisor bug: exception %u, error %llx, on CPU %u at rip %llx, cr2 %llx; "
		  "this CPU stops",
		  (unsigned)f->vector, (unsigned long long)f->error, this_cpu()->index,
		  (unsigned long long)f->rip, (unsigned long long)read_cr2());
	log_error("rax %llx rbx %llx rcx %llx rdx %llx rsi %llx rdi %llx rbp %llx rsp %llx",
		  (unsigned long long)f->rax, (unsigned long long)f->rbx,
		  (unsigned long long)f->rcx, (unsigned long long)f->rdx,
		  (unsigned long long)f->rsi, (unsigned long long)f->rdi,
		  (unsigned long long)f->rbp, (unsigned long long)f->rsp);
	/* Relaxed: who routes the console's interrupt here just now does it in vain, once. */
	__atomic_store_n(&this_cpu()->online, 0, __ATOMIC_RELAXED);
	/* This CPU shows nothing any more: wake the others to do it. */
	for (unsigned i = 0; i < n_cpus; i++)
		if (__atomic_load_n(&cpus[i]->online, __ATOMIC_RELAXED))
			smp_kick(i);
}
