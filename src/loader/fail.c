/* SPDX-License-Identifier: BSD-2-Clause */
#include "fail.h"

#include "fmt.h"

bool loader_fail(const struct error_line *error, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fmt_vbuf(error->text, error->size, fmt, ap);
	va_end(ap);
	return false;
}
