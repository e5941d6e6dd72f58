/* mail.c - what outbox.c and a mail server do: mails under way are composed, sent, and end; in between the
 * daemon may die
 *
 * The mailbox is the world's: what has arrived there stays, whatever the daemon remembers.
 */
#include "sim.h"

#include <stdlib.h>
#include <string.h>

#include "../../services/notification/attempts_store.h"
#include "../../services/notification/compose.h"
#include "../../services/notification/outcome.h"

struct sending {
	bool busy, ended;
	struct underway mail;
	struct delivery_ended end;
	struct inner *posted;
};

struct arrived {
	struct av_id notice;
	unsigned int count;
};

struct mail_world {
	struct sending sendings[UNDERWAY_MAX];
	uint64_t run_before, run;
	int64_t said_at_ms; /* that the run has started */
	struct known *known;
	struct templates *templates;
	struct arrived *arrived;
	size_t count, room;
};

void mail_open(struct world *w)
{
	w->mail = calloc(1, sizeof *w->mail);
	if (!w->mail)
		abort();
	w->mail->templates = templates_open(NULL);
}

void mail_close(struct world *w)
{
	if (!w->mail)
		return;
	known_destroy(w->mail->known);
	templates_close(&w->mail->templates);
	free(w->mail->arrived);
	free(w->mail);
	w->mail = NULL;
}

static void post_started(struct node *n)
{
	unsigned char run[8];
	av_put_u64(run, n->world->mail->run_before);
	n->world->mail->said_at_ms = n->world->now_ms;
	node_post(n, INNER_STARTED, av_bytes(run, sizeof run));
}

void mail_started(struct node *n)
{
	struct mail_world *m = n->world->mail;
	struct av_txn *txn;
	memset(m->sendings, 0, sizeof m->sendings);
	m->known = known_create();
	SIM_EXPECT(n->world, av_txn_begin_read(n->store, &txn) == AV_OK, "no read transaction");
	m->run_before = av_counter(txn, RUN_COUNTER);
	av_txn_abort(&txn);
	m->run = 0;
	if (n->world->mutation == MUTATION_MAIL_FORGOTTEN && m->run_before)
		m->run = m->run_before;
	post_started(n);
}

void mail_crashed(struct node *n)
{
	struct mail_world *m = n->world->mail;
	if (!m)
		return;
	memset(m->sendings, 0, sizeof m->sendings);
	known_destroy(m->known);
	m->known = NULL;
}

/* --- the mailbox --- */

static struct arrived *arrived_at(struct mail_world *m, const struct av_id *notice)
{
	for (size_t i = 0; i < m->count; i++)
		if (memcmp(&m->arrived[i].notice, notice, sizeof *notice) == 0)
			return &m->arrived[i];
	return NULL;
}

static void arrives(struct world *w, const struct underway *mail)
{
	struct mail_world *m = w->mail;
	w->count.mails++;
	for (size_t i = 0; w->verbose && i < mail->count; i++)
		sim_say(w, "mail of run %llu, attempt %u, arrives: notice %s", (unsigned long long)mail->run,
			mail->attempt,
			sim_hex((ProtobufCBinaryData){
				AV_ID_SIZE, (uint8_t *)(uintptr_t)mail->members[i].bytes}));
	for (size_t i = 0; i < mail->count; i++) {
		struct arrived *known = arrived_at(m, &mail->members[i]);
		if (known) {
			known->count++;
			w->count.duplicates++;
			continue;
		}
		if (m->count == m->room) {
			m->room = m->room ? 2 * m->room : 256;
			m->arrived = realloc(m->arrived, m->room * sizeof *m->arrived);
			if (!m->arrived)
				abort();
		}
		m->arrived[m->count++] = (struct arrived){mail->members[i], 1};
	}
}

unsigned int mail_count(struct world *w, ProtobufCBinaryData notice_id)
{
	struct av_id id = sim_id(notice_id);
	const struct arrived *found = arrived_at(w->mail, &id);
	return found ? found->count : 0;
}

/* The store no longer knows what it had sent: it may send again. */
void mail_forget(struct world *w)
{
	w->mail->count = 0;
}

/* --- the outbox --- */

static bool same(const struct sending *sending, const struct underway *mail)
{
	return sending->busy && memcmp(sending->end.leader, mail->leader.bytes, AV_ID_SIZE) == 0 &&
	       sending->end.attempt == mail->attempt;
}

static void post_end(struct node *n, struct sending *sending)
{
	sending->ended = true;
	node_post(n, INNER_ENDED, av_bytes(&sending->end, sizeof sending->end));
}

static void begin(struct node *n, struct av_txn *txn, struct sending *sending, const struct underway *mail)
{
	struct world *w = n->world;
	struct composer composer = {.txn = txn,
		.keys = n->keys,
		.known = w->mail->known,
		.templates = w->mail->templates,
		.mail = w->settings->mail,
		.instance = w->settings->instance};
	struct composed composed;
	memset(sending, 0, sizeof *sending);
	sending->busy = true;
	sending->mail = *mail;
	memcpy(sending->end.leader, mail->leader.bytes, AV_ID_SIZE);
	sending->end.attempt = mail->attempt;
	enum outcome outcome = compose(&composer, mail, w->scratch, &composed);
	if (outcome != OUTCOME_DELIVERED) {
		sending->end.outcome = outcome;
		post_end(n, sending);
		return;
	}
	SIM_EXPECT(w,
		!memmem(composed.message.data, composed.message.size, SIM_SECRET, sizeof SIM_SECRET - 1) ||
			strstr(composed.to, SIM_SECRET_LOW),
		"a mail holds content");
}

void mail_look(struct node *n)
{
	struct mail_world *m = n->world->mail;
	static struct underway mails[UNDERWAY_MAX];
	struct av_txn *txn;
	if (!n->up)
		return;
	SIM_EXPECT(n->world, av_txn_begin_read(n->store, &txn) == AV_OK, "no read transaction");
	if (!m->run && av_counter(txn, RUN_COUNTER) != m->run_before)
		m->run = av_counter(txn, RUN_COUNTER);
	if (m->run) {
		size_t count = underway_all(txn, mails);
		for (size_t i = 0; i < UNDERWAY_MAX; i++) {
			bool stands = false;
			for (size_t j = 0; j < count; j++)
				stands |= same(&m->sendings[i], &mails[j]);
			if (m->sendings[i].ended && !stands)
				m->sendings[i].busy = m->sendings[i].ended = false;
		}
		for (size_t i = 0; i < count; i++) {
			struct sending *empty = NULL, *place = NULL;
			for (size_t j = 0; j < UNDERWAY_MAX; j++) {
				if (same(&m->sendings[j], &mails[i]))
					place = &m->sendings[j];
				else if (!m->sendings[j].busy && !empty)
					empty = &m->sendings[j];
			}
			if (mails[i].run == m->run && !place && empty)
				begin(n, txn, empty, &mails[i]);
		}
	}
	int64_t first_ms = schedule_first(txn);
	bool stalled = underway_all(txn, mails) == 0 && first_ms && first_ms <= n->world->now_ms;
	av_txn_abort(&txn);
	/* In the real one a timer says it again. */
	if ((!m->run || stalled) && !n->inner && n->world->now_ms >= m->said_at_ms + 1000)
		post_started(n);
}

bool mail_progress(struct world *w)
{
	struct node *n = &w->nodes[NOTIFICATION];
	struct sending *chosen = NULL;
	if (!n->up)
		return false;
	size_t first = chance(w, UNDERWAY_MAX);
	for (size_t i = 0; i < UNDERWAY_MAX && !chosen; i++) {
		struct sending *each = &w->mail->sendings[(first + i) % UNDERWAY_MAX];
		if (each->busy && !each->ended)
			chosen = each;
	}
	if (!chosen)
		return false;
	unsigned int luck = on(w, KIND_MAILS) ? (unsigned int)chance(w, 100) : 99;
	chosen->end.outcome = OUTCOME_DELIVERED;
	if (luck < 6) {
		chosen->end.outcome = OUTCOME_UNREACHABLE;
	} else if (luck < 8) {
		chosen->end.outcome = OUTCOME_REFUSED;
	} else if (luck < 12) { /* no answer after the whole message had gone */
		chosen->end.outcome = OUTCOME_TIMED_OUT;
		chosen->end.perhaps_sent = true;
		if (chance(w, 2))
			arrives(w, &chosen->mail);
	} else {
		arrives(w, &chosen->mail);
		if (fault(w, KIND_DEATHS, 300)) { /* the server has it, and the daemon dies before it hears */
			node_crash(n);
			return true;
		}
	}
	post_end(n, chosen);
	return true;
}

bool mail_quiet(struct world *w)
{
	for (size_t i = 0; i < UNDERWAY_MAX; i++)
		if (w->mail->sendings[i].busy && !w->mail->sendings[i].ended)
			return false;
	return true;
}
