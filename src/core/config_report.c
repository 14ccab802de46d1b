/* SPDX-License-Identifier: BSD-2-Clause */
/* The configuration: how a mistake is put into words. */
#include "config_parser.h"
#include "fmt.h"
#include "kstring.h"

#define WHAT_TEXT 224
#define QUOTE_LIMIT 48

void cfg_mistake_at(struct cfg_reporter *r, unsigned line, const char *rule, const char *remedy,
		    const char *what, ...)
{
	char text[WHAT_TEXT];
	struct cfg_mistake m = { .line = line, .what = text, .rule = rule, .remedy = remedy };
	va_list ap;

	r->any = true;
	if (!r->fn)
		return;
	va_start(ap, what);
	fmt_vbuf(text, sizeof(text), what, ap);
	va_end(ap);
	r->fn(r->ctx, &m);
}

size_t config_format_mistake(char *buf, size_t size, const char *file,
			     const struct cfg_mistake *m)
{
	if (m->line == 0)
		return fmt_buf(buf, size, "%s: %s; %s; %s", file, m->what, m->rule, m->remedy);
	return fmt_buf(buf, size, "%s:%u: %s; %s; %s", file, m->line, m->what, m->rule, m->remedy);
}

const char *cfg_quoted(struct cfg_quote *q, struct span s)
{
	bool cut = s.len > QUOTE_LIMIT;

	fmt_buf(q->text, sizeof(q->text), "'%.*s%s'", (int)(cut ? QUOTE_LIMIT : s.len),
		s.len > 0 ? s.at : "", cut ? "..." : "");
	return q->text;
}

const char *cfg_size(struct cfg_size_text *t, uint64_t bytes)
{
	if (bytes != 0 && bytes % GIB(1) == 0)
		fmt_buf(t->text, sizeof(t->text), "%luG", (unsigned long)(bytes / GIB(1)));
	else if (bytes >= MIB(1))
		fmt_buf(t->text, sizeof(t->text), "%luM", (unsigned long)(bytes / MIB(1)));
	else
		fmt_buf(t->text, sizeof(t->text), "%luK", (unsigned long)(bytes / KIB(1)));
	return t->text;
}
