/* SPDX-License-Identifier: BSD-2-Clause */
#include "low_memory.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define MAX_COPIES 256

static struct {
	uint8_t *map;
	size_t size;
} copies[MAX_COPIES];
static unsigned n_copies;

uint32_t low_memory_copy(const void *data, size_t len, size_t align)
{
	const size_t size = align_up(len + align, PAGE_SIZE);
	uint8_t *map, *at;

	if (n_copies == MAX_COPIES)
		abort();
	map = mmap(NULL, size + PAGE_SIZE, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
	if (map == MAP_FAILED || mprotect(map + size, PAGE_SIZE, PROT_NONE) != 0)
		abort();
	copies[n_copies].map = map;
	copies[n_copies++].size = size + PAGE_SIZE;
	at = map + align_down(size - len, align);
	memcpy(at, data, len);
	return (uint32_t)(uintptr_t)at;
}

void low_memory_free(void)
{
	while (n_copies > 0) {
		n_copies--;
		munmap(copies[n_copies].map, copies[n_copies].size);
	}
}
