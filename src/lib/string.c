/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory and string functions for the freestanding image.  The compiler may
 * call memcpy, memmove, memset and memcmp on its own (also with
 * -ffreestanding), so all four must be here.
 *
 * A compiler can recognize a loop as the very function that it is the body
 * of and turn it into a call to itself.  String instructions, and opaque()
 * where a loop is needed, keep it from that.
 */
#include "kstring.h"

/* Hides from the optimizer where `i` comes from; emits no instruction. */
static inline size_t opaque(size_t i)
{
	__asm__ volatile("" : "+r"(i));
	return i;
}

void *memcpy(void *restrict dst, const void *restrict src, size_t n)
{
	void *d = dst;
	size_t words = n / 8, rest = n % 8;

	/* In words: an emulator takes as long for a byte as for a word. */
	__asm__ volatile("rep movsq" : "+D"(d), "+S"(src), "+c"(words) : : "memory");
	__asm__ volatile("rep movsb" : "+D"(d), "+S"(src), "+c"(rest) : : "memory");
	return dst;
}

void *memmove(void *dst, const void *src, size_t n)
{
	uint8_t *d = dst;
	const uint8_t *s = src;

	/* Forwards is right unless dst starts inside src; the wrap makes one comparison enough. */
	if ((uintptr_t)d - (uintptr_t)s >= n)
		return memcpy(dst, src, n);

	while (n > 0) {
		n = opaque(n - 1);
		d[n] = s[n];
	}
	return dst;
}

void *memset(void *dst, int c, size_t n)
{
	const uint64_t pattern = (uint8_t)c * 0x0101010101010101ULL;
	size_t words = n / 8, rest = n % 8;
	void *d = dst;

	__asm__ volatile("rep stosq" : "+D"(d), "+c"(words) : "a"(pattern) : "memory");
	__asm__ volatile("rep stosb" : "+D"(d), "+c"(rest) : "a"(pattern) : "memory");
	return dst;
}

int memcmp(const void *a, const void *b, size_t n)
{
	const uint8_t *x = a, *y = b;

	for (size_t i = 0; i < n; i = opaque(i + 1)) {
		if (x[i] != y[i])
			return x[i] - y[i];
	}
	return 0;
}

size_t strlen(const char *s)
{
	size_t n = 0;

	while (s[n] != '\0')
		n = opaque(n + 1);
	return n;
}

int strcmp(const char *a, const char *b)
{
	return strncmp(a, b, SIZE_MAX);
}

int strncmp(const char *a, const char *b, size_t n)
{
	for (size_t i = 0; i < n; i = opaque(i + 1)) {
		uint8_t x = (uint8_t)a[i], y = (uint8_t)b[i];

		if (x != y || x == '\0')
			return x - y;
	}
	return 0;
}
