/* SPDX-License-Identifier: BSD-2-Clause */
#include "ept.h"

#define LEVELS 4
#define ENTRIES 512

/* Bytes that one entry covers, at level 4 (top) to 1. */
static uint64_t level_size(unsigned level)
{
	return PAGE_SIZE << (9 * (level - 1));
}

bool s2_init(struct s2_space *s, const struct s2_format *format, void *(*alloc)(void))
{
	s->format = format;
	s->alloc = alloc;
	s->root = alloc();
	return s->root != NULL;
}

static uint64_t *entry_of(uint64_t *table, unsigned level, uint64_t gpa)
{
	return &table[gpa / level_size(level) % ENTRIES];
}

static uint64_t *table_of(const struct s2_format *f, uint64_t entry)
{
	return (uint64_t *)(uintptr_t)(entry & f->address_mask);
}

/* The table that the entry points to, made when there is none; NULL: a leaf is in the way. */
static uint64_t *descend(struct s2_space *s, uint64_t *entry)
{
	uint64_t *t;

	if (*entry & s->format->present_mask)
		return *entry & s->format->large ? NULL : table_of(s->format, *entry);
	t = s->alloc();
	if (t)
		*entry = (uintptr_t)t | s->format->table;
	return t;
}

static bool map_leaf(struct s2_space *s, uint64_t gpa, uint64_t hpa, unsigned leaf_level)
{
	uint64_t *table = s->root;
	uint64_t *entry;

	for (unsigned level = LEVELS; level > leaf_level; level--) {
		table = descend(s, entry_of(table, level, gpa));
		if (!table)
			return false;
	}
	entry = entry_of(table, leaf_level, gpa);
	if (*entry & s->format->present_mask)
		return false;
	*entry = hpa | s->format->leaf | s->format->large;
	return true;
}

bool s2_map(struct s2_space *s, uint64_t gpa, uint64_t hpa, uint64_t size)
{
	if ((gpa | hpa | size) & (PAGE_2M - 1))
		return false;
	while (size) {
		const bool huge = s->format->has_1g && ((gpa | hpa) & (PAGE_1G - 1)) == 0 &&
				  size >= PAGE_1G;
		const uint64_t step = huge ? PAGE_1G : PAGE_2M;

		if (!map_leaf(s, gpa, hpa, huge ? 3 : 2))
			return false;
		gpa += step;
		hpa += step;
		size -= step;
	}
	return true;
}

struct walk {
	const struct s2_format *f;
	s2_visit_fn visit;
	void *ctx;
};

static bool walk_table(const struct walk *w, const uint64_t *table, unsigned level, uint64_t gpa)
{
	for (unsigned i = 0; i < ENTRIES; i++, gpa += level_size(level)) {
		const uint64_t e = table[i];

		if (!(e & w->f->present_mask))
			continue;
		if (level == 1 || (e & w->f->large)) {
			if (!w->visit(w->ctx, gpa, e & w->f->address_mask, level_size(level)))
				return false;
		} else if (!walk_table(w, table_of(w->f, e), level - 1, gpa)) {
			return false;
		}
	}
	return true;
}

bool s2_walk(const struct s2_space *s, s2_visit_fn visit, void *ctx)
{
	const struct walk w = { s->format, visit, ctx };

	return walk_table(&w, s->root, LEVELS, 0);
}

void *s2_lookup(const struct s2_format *f, uint64_t root, uint64_t gpa)
{
	uint64_t *table = (uint64_t *)(uintptr_t)root;

	for (unsigned level = LEVELS; level > 0; level--) {
		const uint64_t e = *entry_of(table, level, gpa);

		if (!(e & f->present_mask))
			return NULL;
		if (level == 1 || (e & f->large))
			return (void *)(uintptr_t)((e & f->address_mask) +
						   (gpa & (level_size(level) - 1)));
		table = table_of(f, e);
	}
	return NULL;
}
