/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Choosing a guest by the first letters of its name, after the escape.  TAB
 * completes and goes there when only one guest is left; Enter takes what is
 * typed.  Nothing of it reaches a guest.
 */
#include "fmt.h"
#include "kstring.h"
#include "mux.h"

#define NAME_LIST 640 /* all guests' names with a space before each */

static const char *name_of(const struct mux *m, unsigned i)
{
	return i == m->n_guests ? "monitor" : m->src[i]->name;
}

static bool fits(const struct mux *m, unsigned i)
{
	const char *name = name_of(m, i);

	return strlen(name) >= m->name.len && !memcmp(name, m->name.text, m->name.len);
}

/* How many names begin with what is typed; *found is the first of them. */
static unsigned count_fitting(const struct mux *m, unsigned *found)
{
	unsigned i, n = 0;

	for (i = 0; i <= m->n_guests; i++)
		if (fits(m, i) && !n++)
			*found = i;
	return n;
}

static void go(struct mux *m, unsigned i)
{
	m->name.active = false;
	mux_focus(m, i == m->n_guests ? MONITOR : i);
}

static void say_none(struct mux *m)
{
	m->name.active = false;
	notice(m, "no guest's name begins with '%.*s'", (int)m->name.len, m->name.text);
}

static void list_fitting(struct mux *m)
{
	char list[NAME_LIST];
	size_t len = 0;
	unsigned i;

	list[0] = '\0';
	for (i = 0; i <= m->n_guests; i++)
		if (fits(m, i))
			len += fmt_buf(list + len, sizeof(list) - len, " %s", name_of(m, i));
	notice(m, "console %.*s?%s", (int)m->name.len, m->name.text, list);
}

/* As far as all fitting names agree. */
static void complete(struct mux *m)
{
	struct name_entry *e = &m->name;
	unsigned first = 0, n = count_fitting(m, &first);
	const char *name = name_of(m, first);

	if (n == 1) {
		go(m, first);
		return;
	}
	while (e->len < sizeof(e->text) - 1 && name[e->len]) {
		e->text[e->len] = name[e->len];
		e->len++;
		if (count_fitting(m, &first) != n) {
			e->len--;
			break;
		}
	}
	list_fitting(m);
}

/* The exact name, or the only one that begins so. */
static void enter(struct mux *m)
{
	unsigned i, first = 0;

	for (i = 0; i <= m->n_guests; i++)
		if (fits(m, i) && strlen(name_of(m, i)) == m->name.len) {
			go(m, i);
			return;
		}
	if (count_fitting(m, &first) == 1) {
		go(m, first);
		return;
	}
	m->name.active = false;
	notice(m, "'%.*s' fits several guests", (int)m->name.len, m->name.text);
}

static void add(struct mux *m, uint8_t key)
{
	unsigned first = 0;

	if (m->name.len < sizeof(m->name.text) - 1)
		m->name.text[m->name.len++] = (char)key;
	if (!count_fitting(m, &first))
		say_none(m);
}

void name_key(struct mux *m, uint8_t key)
{
	switch (key) {
	case KEY_TAB:
		complete(m);
		break;
	case '\r':
	case '\n':
		enter(m);
		break;
	case KEY_BACKSPACE:
	case KEY_DEL:
		if (m->name.len)
			m->name.len--;
		break;
	default:
		if (key > ' ' && key <= '~') {
			add(m, key);
			return;
		}
		m->name.active = false; /* the escape, ESC, Ctrl-C: no guest after all */
		notice(m, "no change");
	}
}

bool name_begin(struct mux *m, uint8_t key)
{
	unsigned first = 0;

	m->name.len = 0;
	if (key == KEY_TAB) {
		m->name.active = true;
		list_fitting(m);
		return true;
	}
	m->name.text[m->name.len++] = (char)key;
	m->name.active = count_fitting(m, &first) != 0;
	return m->name.active;
}
