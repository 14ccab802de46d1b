/* SPDX-License-Identifier: BSD-2-Clause */
/* Formatted print into a buffer. */
#include "fmt.h"
#include "kstring.h"

struct output {
	char *buf;
	size_t room; /* characters that still fit, the terminator apart */
	size_t len;
};

enum length { LEN_INT, LEN_CHAR, LEN_SHORT, LEN_LONG };

/* One conversion specification, as parsed. */
struct spec {
	bool left;
	bool zero;
	size_t width;
	bool has_precision;
	size_t precision;
	enum length length; /* l, ll and z are all 64 bits wide here */
};

_Static_assert(sizeof(long) == 8 && sizeof(long long) == 8 && sizeof(size_t) == 8, "LP64");

/* va_list is an array type: a struct lets it be passed on by reference. */
struct args {
	va_list ap;
};

/* Wide enough for 64 bits in any base from 10 up. */
#define MAX_DIGITS 20

static void put(struct output *out, char c)
{
	if (out->room == 0)
		return;
	out->buf[out->len++] = c;
	out->room--;
}

/* Stops as soon as the buffer is full: a huge width must not cost time. */
static void put_repeat(struct output *out, char c, size_t n)
{
	for (; n > 0 && out->room > 0; n--)
		put(out, c);
}

static void put_text(struct output *out, const char *s, size_t len)
{
	for (size_t i = 0; i < len && out->room > 0; i++)
		put(out, s[i]);
}

static size_t sub_or_zero(size_t a, size_t b)
{
	return a > b ? a - b : 0;
}

static void put_string(struct output *out, const struct spec *spec, const char *s)
{
	size_t len = 0;

	if (!s)
		s = "(null)";
	while ((!spec->has_precision || len < spec->precision) && s[len] != '\0')
		len++;

	if (!spec->left)
		put_repeat(out, ' ', sub_or_zero(spec->width, len));
	put_text(out, s, len);
	if (spec->left)
		put_repeat(out, ' ', sub_or_zero(spec->width, len));
}

/* `prefix` is the sign or "0x"; zero padding goes between it and the digits. */
static void put_number(struct output *out, const struct spec *spec, uint64_t v, unsigned base,
		       const char *digits, const char *prefix)
{
	char text[MAX_DIGITS];
	size_t n = 0, zeros = 0, prefix_len = strlen(prefix), total;

	/* As in C: the value 0 with precision 0 has no digits at all. */
	while (v != 0 || (n == 0 && !(spec->has_precision && spec->precision == 0))) {
		text[MAX_DIGITS - 1 - n++] = digits[v % base];
		v /= base;
	}

	if (spec->has_precision)
		zeros = sub_or_zero(spec->precision, n);
	else if (spec->zero && !spec->left)
		zeros = sub_or_zero(spec->width, n + prefix_len);
	total = prefix_len + n + zeros;

	if (!spec->left)
		put_repeat(out, ' ', sub_or_zero(spec->width, total));
	put_text(out, prefix, prefix_len);
	put_repeat(out, '0', zeros);
	put_text(out, &text[MAX_DIGITS - n], n);
	if (spec->left)
		put_repeat(out, ' ', sub_or_zero(spec->width, total));
}

static int64_t arg_signed(enum length length, struct args *args)
{
	switch (length) {
	case LEN_CHAR:
		return (signed char)va_arg(args->ap, int);
	case LEN_SHORT:
		return (short)va_arg(args->ap, int);
	case LEN_LONG:
		return va_arg(args->ap, int64_t);
	case LEN_INT:
	default:
		return va_arg(args->ap, int);
	}
}

static uint64_t arg_unsigned(enum length length, struct args *args)
{
	switch (length) {
	case LEN_CHAR:
		return (unsigned char)va_arg(args->ap, unsigned);
	case LEN_SHORT:
		return (unsigned short)va_arg(args->ap, unsigned);
	case LEN_LONG:
		return va_arg(args->ap, uint64_t);
	case LEN_INT:
	default:
		return va_arg(args->ap, unsigned);
	}
}

static const char *parse_flags(const char *f, struct spec *spec)
{
	for (;; f++) {
		if (*f == '-')
			spec->left = true;
		else if (*f == '0')
			spec->zero = true;
		else
			return f;
	}
}

static const char *parse_digits(const char *f, size_t *n)
{
	*n = 0;
	for (; *f >= '0' && *f <= '9'; f++) {
		if (*n < SIZE_MAX / 20)
			*n = *n * 10 + (size_t)(*f - '0');
	}
	return f;
}

static const char *parse_width(const char *f, struct spec *spec, struct args *args)
{
	int n;

	if (*f != '*')
		return parse_digits(f, &spec->width);

	n = va_arg(args->ap, int);
	if (n < 0)
		spec->left = true;
	spec->width = n < 0 ? 0 - (size_t)n : (size_t)n;
	return f + 1;
}

static const char *parse_precision(const char *f, struct spec *spec, struct args *args)
{
	int n;

	if (*f != '.')
		return f;
	f++;
	if (*f != '*') {
		spec->has_precision = true;
		return parse_digits(f, &spec->precision);
	}

	/* A negative precision counts as none. */
	n = va_arg(args->ap, int);
	spec->has_precision = n >= 0;
	spec->precision = n >= 0 ? (size_t)n : 0;
	return f + 1;
}

static const char *parse_length(const char *f, struct spec *spec)
{
	switch (*f) {
	case 'h':
		spec->length = f[1] == 'h' ? LEN_CHAR : LEN_SHORT;
		return f[1] == 'h' ? f + 2 : f + 1;
	case 'l':
		spec->length = LEN_LONG;
		return f[1] == 'l' ? f + 2 : f + 1;
	case 'z':
		spec->length = LEN_LONG;
		return f + 1;
	default:
		return f;
	}
}

static void put_signed(struct output *out, const struct spec *spec, int64_t v)
{
	uint64_t magnitude = v < 0 ? 0 - (uint64_t)v : (uint64_t)v;

	put_number(out, spec, magnitude, 10, "0123456789", v < 0 ? "-" : "");
}

/* False when the conversion is not one of ours; no argument was taken then. */
static bool convert(struct output *out, char conversion, struct spec *spec, struct args *args)
{
	static const char lower[] = "0123456789abcdef", upper[] = "0123456789ABCDEF";
	char c;

	switch (conversion) {
	case 'c':
		c = (char)va_arg(args->ap, int);
		if (!spec->left)
			put_repeat(out, ' ', sub_or_zero(spec->width, 1));
		put(out, c);
		if (spec->left)
			put_repeat(out, ' ', sub_or_zero(spec->width, 1));
		return true;
	case 's':
		put_string(out, spec, va_arg(args->ap, const char *));
		return true;
	case 'd':
	case 'i':
		put_signed(out, spec, arg_signed(spec->length, args));
		return true;
	case 'u':
		put_number(out, spec, arg_unsigned(spec->length, args), 10, lower, "");
		return true;
	case 'x':
		put_number(out, spec, arg_unsigned(spec->length, args), 16, lower, "");
		return true;
	case 'X':
		put_number(out, spec, arg_unsigned(spec->length, args), 16, upper, "");
		return true;
	case 'p':
		put_number(out, spec, (uintptr_t)va_arg(args->ap, void *), 16, lower, "0x");
		return true;
	case '%':
		put(out, '%');
		return true;
	default:
		return false;
	}
}

static void format(struct output *out, const char *f, struct args *args)
{
	while (*f != '\0') {
		const char *start = f;
		struct spec spec = { .left = false };

		if (*f != '%') {
			put(out, *f++);
			continue;
		}
		f = parse_flags(f + 1, &spec);
		f = parse_width(f, &spec, args);
		f = parse_precision(f, &spec, args);
		f = parse_length(f, &spec);
		if (!convert(out, *f, &spec, args)) {
			/* The arguments can no longer be told apart: show the rest as it is. */
			put_text(out, start, strlen(start));
			return;
		}
		f++;
	}
}

size_t fmt_vbuf(char *buf, size_t size, const char *fmt, va_list ap)
{
	struct output out = { .buf = buf, .room = size - 1 };
	struct args args;

	if (size == 0)
		return 0;
	va_copy(args.ap, ap);
	format(&out, fmt, &args);
	va_end(args.ap);
	buf[out.len] = '\0';
	return out.len;
}

size_t fmt_buf(char *buf, size_t size, const char *fmt, ...)
{
	va_list ap;
	size_t n;

	va_start(ap, fmt);
	n = fmt_vbuf(buf, size, fmt, ap);
	va_end(ap);
	return n;
}
