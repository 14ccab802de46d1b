/* SPDX-License-Identifier: BSD-2-Clause */
/* Commands on guests.  What only the floor above can do is asked of console_ops. */
#include "kstring.h"
#include "mux.h"

void list_guests(const struct mux *m)
{
	unsigned i;

	console_print("guests:");
	for (i = 0; i < m->n_guests; i++)
		console_print(" %u=%s", i + 1, m->src[i]->name);
	console_print("%s\n", m->n_guests ? "" : " none");
}

static bool starts_with(const char *name, struct span s)
{
	return strlen(name) >= s.len && !memcmp(name, s.at, s.len);
}

static unsigned find_by_name(const struct mux *m, struct span s)
{
	unsigned i;

	for (i = 0; i < m->n_guests; i++)
		if (span_is(s, m->src[i]->name))
			return i;
	return NO_SOURCE;
}

/* The last guest whose name begins so; *n is how many there are. */
static unsigned find_by_beginning(const struct mux *m, struct span s, unsigned *n)
{
	unsigned i, found = NO_SOURCE;

	*n = 0;
	for (i = 0; i < m->n_guests; i++)
		if (starts_with(m->src[i]->name, s)) {
			found = i;
			(*n)++;
		}
	return found;
}

/* No name is a number, but one may begin with a number: 'stop 2' is never about that one. */
unsigned find_guest(const struct mux *m, struct span s)
{
	unsigned found = find_by_name(m, s), n;
	uint64_t number;

	if (found != NO_SOURCE)
		return found;
	if (m->n_guests && parse_number(s, 1, m->n_guests, &number) == PARSE_OK)
		return (unsigned)number - 1;
	found = find_by_beginning(m, s, &n);
	if (n == 1)
		return found;
	if (n)
		console_print("'%.*s' fits %u guests; give more of the name\n", width(s), s.at, n);
	else
		console_print("there is no guest '%.*s'; give a name, its beginning or a number\n",
			      width(s), s.at);
	list_guests(m);
	return NO_SOURCE;
}

unsigned find_source(const struct mux *m, struct span s)
{
	if (span_is(s, "log"))
		return SOURCE_LOG;
	return find_guest(m, s);
}

void cmd_list(struct mux *m, struct args *a)
{
	(void)a;
	if (m->ops->list)
		m->ops->list(option(&m->mon.options, 'm'));
	else
		list_guests(m);
}

static void list_hidden(const struct mux *m)
{
	unsigned i, n = 0;

	for (i = 0; i < m->n_guests; i++)
		if (m->src[i]->merge.hidden)
			console_print("%s%s", n++ ? " " : "hidden: ", m->src[i]->name);
	console_print("%s\n", n ? "" : "no guest is hidden");
}

void cmd_hide(struct mux *m, struct args *a)
{
	unsigned guest;

	if (!a->n) {
		list_hidden(m);
		return;
	}
	guest = find_guest(m, a->word[0]);
	if (guest != NO_SOURCE)
		merge_hide(m->src[guest], true);
}

void cmd_show(struct mux *m, struct args *a)
{
	unsigned i, guest = NO_SOURCE;

	if (a->n) {
		guest = find_guest(m, a->word[0]);
		if (guest == NO_SOURCE)
			return;
	}
	for (i = 0; i < m->n_guests; i++)
		if (!a->n || i == guest)
			merge_hide(m->src[i], false);
}

static bool stats_step(struct mux *m)
{
	struct each_job *j = &m->mon.job.each;

	if (m->ops->stats(j->vm, j->part, j->machine)) {
		j->part++;
		return true;
	}
	j->part = 0;
	return ++j->vm < j->end;
}

#define ULL(x) ((unsigned long long)(x))

static void line_for_people(const struct console_line *l)
{
	if (!l->present) {
		console_print("line: none\n");
		return;
	}
	console_print("line: port 0x%x at %u baud: in %llu, out %llu; breaks %llu, framing %llu, "
		      "parity %llu, overruns %llu%s%s\n",
		      l->port, l->baud, ULL(l->in), ULL(l->out), ULL(l->breaks), ULL(l->framing),
		      ULL(l->parity), ULL(l->overruns), l->host_holds ? "; held by the host" : "",
		      l->host_held ? "; holds the host" : "");
}

static void line_for_programs(const struct console_line *l)
{
	console_print("line present=%u port=0x%x baud=%u in=%llu out=%llu breaks=%llu framing=%llu "
		      "parity=%llu overruns=%llu host_holds=%u host_held=%u\n",
		      l->present, l->port, l->baud, ULL(l->in), ULL(l->out), ULL(l->breaks),
		      ULL(l->framing), ULL(l->parity), ULL(l->overruns), l->host_holds,
		      l->host_held);
}

static void line_stats(bool machine)
{
	struct console_line l;

	console_get_line(&l);
	if (machine)
		line_for_programs(&l);
	else
		line_for_people(&l);
}

void cmd_stats(struct mux *m, struct args *a)
{
	const unsigned guest = a->n ? find_guest(m, a->word[0]) : 0;
	struct each_job *j = &m->mon.job.each;

	if (guest == NO_SOURCE)
		return;
	j->machine = option(&m->mon.options, 'm');
	j->vm = guest;
	j->end = a->n ? guest + 1 : m->n_guests;
	j->part = 0;
	if (!a->n)
		line_stats(j->machine);
	if (m->ops->stats && j->vm < j->end)
		m->mon.job.step = stats_step;
}

static bool regs_step(struct mux *m)
{
	struct each_job *j = &m->mon.job.each;

	const enum console_answer answer = m->ops->regs(j->vm, j->part, !j->waiting);

	j->waiting = answer == ANSWER_WAIT;
	if (answer == ANSWER_DONE)
		j->part++;
	return answer != ANSWER_NONE;
}

void cmd_regs(struct mux *m, struct args *a)
{
	const unsigned guest = find_guest(m, a->word[0]);

	if (guest == NO_SOURCE || !m->ops->regs)
		return;
	m->mon.job.each.vm = guest;
	m->mon.job.each.part = 0;
	m->mon.job.each.waiting = false;
	m->mon.job.step = regs_step;
}

/* Does it; returns the guest, or NO_SOURCE if there is none. */
static unsigned on_guest(struct mux *m, const struct args *a, void (*op)(unsigned vm))
{
	const unsigned guest = find_guest(m, a->word[0]);

	if (guest != NO_SOURCE && op)
		op(guest);
	return guest;
}

static bool ending_step(struct mux *m)
{
	return m->ops->ending(m->mon.job.each.vm);
}

/* The next command, which may be a script's `start`, finds the guest stopped. */
static void wait_for_end(struct mux *m, unsigned guest)
{
	if (guest == NO_SOURCE || !m->ops->ending)
		return;
	m->mon.job.each.vm = guest;
	m->mon.job.step = ending_step;
}

void cmd_start(struct mux *m, struct args *a)
{
	on_guest(m, a, m->ops->start);
}

void cmd_stop(struct mux *m, struct args *a)
{
	wait_for_end(m, on_guest(m, a, m->ops->stop));
}

void cmd_restart(struct mux *m, struct args *a)
{
	wait_for_end(m, on_guest(m, a, m->ops->restart));
}

void cmd_pause(struct mux *m, struct args *a)
{
	on_guest(m, a, m->ops->pause);
}

void cmd_resume(struct mux *m, struct args *a)
{
	on_guest(m, a, m->ops->resume);
}

void cmd_nmi(struct mux *m, struct args *a)
{
	const unsigned guest = find_guest(m, a->word[0]);
	uint64_t cpu = 0;

	if (guest == NO_SOURCE)
		return;
	if (a->n > 1 && parse_number(a->word[1], 0, CFG_MAX_CPUS - 1, &cpu) != PARSE_OK)
		console_print("'%.*s' is no number of a CPU; a guest's CPUs count from 0\n",
			      width(a->word[1]), a->word[1].at);
	else if (m->ops->nmi)
		m->ops->nmi(guest, (unsigned)cpu);
}

/* As if it had been typed with the focus there. */
static void type_to(struct mux *m, struct vcon *c, const uint8_t *text, size_t len)
{
	const size_t room = (size_t)min_u64(ring_free(&c->in), len);
	size_t i;

	for (i = 0; i < len; i++)
		vcon_deliver(m, c, text[i]);
	if (room < len)
		console_print("guest %s does not read: %zu of %zu bytes were dropped\n", c->name,
			      len - room, len);
}

static bool text_of(struct span word, uint8_t *text, size_t *len)
{
	const char *error = word_escapes(word, text, MON_LINE, len);

	if (error)
		console_print("%.*s: %s\n", width(word), word.at, error);
	return !error;
}

void cmd_send(struct mux *m, struct args *a)
{
	const unsigned guest = find_guest(m, a->word[0]);
	uint8_t text[MON_LINE];
	size_t len;

	if (guest != NO_SOURCE && text_of(a->word[1], text, &len))
		type_to(m, m->src[guest], text, len);
}

void cmd_broadcast(struct mux *m, struct args *a)
{
	uint8_t text[MON_LINE];
	unsigned i;
	size_t len;

	if (!text_of(a->word[0], text, &len))
		return;
	for (i = 0; i < m->n_guests; i++)
		type_to(m, m->src[i], text, len);
}
