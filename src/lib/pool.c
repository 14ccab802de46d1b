/* SPDX-License-Identifier: BSD-2-Clause */
#include "pool.h"

#include "kstring.h"

static uint64_t base, size, used;

void pool_init(uint64_t pool_start, uint64_t pool_bytes)
{
	base = pool_start;
	size = pool_bytes;
	used = 0;
	memset((void *)(uintptr_t)base, 0, size);
}

void *pool_alloc(uint64_t bytes, uint64_t align)
{
	const uint64_t end = base + size;
	const uint64_t start = align_up(base + used, align);

	if (start < base || start > end || bytes > end - start)
		return NULL;
	used = start + bytes - base;
	return (void *)(uintptr_t)start;
}

uint64_t pool_used(void)
{
	return used;
}

uint64_t pool_base(void)
{
	return base;
}

uint64_t pool_size(void)
{
	return size;
}
