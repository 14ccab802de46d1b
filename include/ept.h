/* SPDX-License-Identifier: BSD-2-Clause */
/* Second-stage page tables: one builder and one walker for every entry format. */
#ifndef BULKHEAD_EPT_H
#define BULKHEAD_EPT_H

#include "types.h"

/* What differs between AMD's nested tables and Intel's EPT. */
struct s2_format {
	const char *name;
	uint64_t table;        /* flags of an entry that points to a table */
	uint64_t leaf;         /* flags of a writable, executable, write-back page */
	uint64_t large;        /* flag of a 2 MiB or 1 GiB leaf */
	uint64_t present_mask; /* an entry with none of these is empty */
	uint64_t address_mask;
	bool has_1g;
};

/* One level-4 tree. */
struct s2_space {
	const struct s2_format *format;
	uint64_t *root;
	/* Pages for tables; returns zeroed, page-aligned memory or NULL. */
	void *(*alloc)(void);
};

bool s2_init(struct s2_space *s, const struct s2_format *format, void *(*alloc)(void));

/*
 * Maps [gpa, gpa + size) to host memory at hpa, both 2 MiB aligned, size a
 * multiple of 2 MiB, with 1 GiB pages where both are aligned and the CPU has
 * them.  False: out of memory, not aligned, or already mapped.
 */
bool s2_map(struct s2_space *s, uint64_t gpa, uint64_t hpa, uint64_t size);

/* Calls `visit` for each leaf, in order of guest address; stops when it returns false. */
typedef bool (*s2_visit_fn)(void *ctx, uint64_t gpa, uint64_t hpa, uint64_t size);
bool s2_walk(const struct s2_space *s, s2_visit_fn visit, void *ctx);

/* The host address of the byte at `gpa`, good to the end of its page; NULL: not mapped. */
void *s2_lookup(const struct s2_format *format, uint64_t root, uint64_t gpa);

/* AMD APM vol. 2, 15.25.5: a nested entry is walked as a user access. */
extern const struct s2_format s2_npt_1g, s2_npt_2m;
/* SDM vol. 3, 28.3.2. */
extern const struct s2_format s2_ept_1g, s2_ept_2m;

#endif
