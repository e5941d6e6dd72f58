/* rest.c - coming to rest: whatever is under way ends, and then everything must hold; and the end of time
 */
#include "sim.h"

#include <string.h>

#define DAY_MS INT64_C(86400000)
#define ROUNDS_MOST 4000

int64_t world_next_due(const struct world *w)
{
	int64_t first = 0;
	for (int node = 0; node < NODES; node++) {
		int64_t due = w->nodes[node].up ? w->nodes[node].next_due_ms : 0;
		if (due > 0)
			due = AV_MAX(due, w->nodes[node].due_retry_at_ms);
		if (due > 0 && (!first || due < first))
			first = due;
	}
	return first;
}

static bool rest_node(struct world *w, struct node *n)
{
	bool moved = false;
	if (!n->up)
		moved = node_start(n);
	if (n->full) {
		make_room(n);
		return true;
	}
	if (node_waits(n)) {
		node_turn(n, true);
		moved = true;
	}
	for (size_t i = 0; n->up && i < n->follow_count; i++) {
		struct follow *f = &n->follows[i];
		if (f->refused && !f->has_refused_head) {
			reader_restart(f);
			moved = true;
		}
		if (f->asking && !f->request && !f->replies.first)
			f->asking = false;
		reader_ask(f);
		moved |= reader_serve(f);
		moved |= reader_receive(f);
	}
	if (n->up && n->upkeep)
		moved |= node_upkeep(n);
	av_arena_reset(w->scratch);
	return moved;
}

static bool quiet(struct world *w)
{
	if (!orders_quiet(w) || !mail_quiet(w))
		return false;
	for (int node = 0; node < NODES; node++) {
		struct node *n = &w->nodes[node];
		if (!n->up || node_waits(n) || n->upkeep)
			return false;
		if (n->next_due_ms > 0 &&
			n->next_due_ms <= w->now_ms) /* it failed, and is tried again later */
			return false;
		for (size_t i = 0; i < n->follow_count; i++)
			if (!reader_quiet(&n->follows[i]))
				return false;
	}
	return true;
}

static void tell_unrest(struct world *w)
{
	for (int node = 0; node < NODES; node++) {
		struct node *n = &w->nodes[node];
		sim_say(w,
			"%s: up %d, queued %zu, inner %zu, due %lld, more %d, retry %lld, upkeep %d, full %d",
			n->service.name, n->up, n->queue.count, n->inner_count, (long long)n->next_due_ms,
			n->due_more, (long long)n->due_retry_at_ms, n->upkeep, n->full);
		for (size_t i = 0; i < n->follow_count; i++) {
			const struct follow *f = &n->follows[i];
			sim_say(w,
				"  %s: at %llu, head %d, asking %d, request %d, handed %d, held %d, halted "
				"%d, refused %d",
				f->name, (unsigned long long)f->asked.position.sequence, f->at_head,
				f->asking, f->request, f->handed.arena != NULL, f->held.arena != NULL,
				f->halted, f->refused);
		}
	}
	for (size_t i = 0; i < w->order_count; i++)
		if (w->orders[i]->state == ORDER_WAITING || w->orders[i]->state == ORDER_SENT)
			sim_say(w, "  order %u, command %u to %s, sent %u", w->orders[i]->id,
				w->orders[i]->number, node_names[w->orders[i]->node], w->orders[i]->sent);
}

/* The earliest instant that an order waits for; 0: none. */
static int64_t first_wish(const struct world *w)
{
	int64_t first = 0;
	for (size_t i = 0; i < w->order_count; i++)
		if (w->orders[i]->state == ORDER_WAITING && (!first || w->orders[i]->not_before_ms < first))
			first = w->orders[i]->not_before_ms;
	return first;
}

/* Everything that is under way comes to its end; no time passes but for pauses. */
static void settle(struct world *w)
{
	for (unsigned int round = 0;; round++) {
		bool moved = false;
		if (round == ROUNDS_MOST) {
			tell_unrest(w);
			sim_fail(w, "it does not come to rest");
		}
		for (int node = 0; node < NODES; node++)
			moved |= rest_node(w, &w->nodes[node]);
		while (world_deliver(w))
			moved = true;
		while (world_send(w))
			moved = true;
		mail_look(&w->nodes[NOTIFICATION]);
		while (mail_progress(w))
			moved = true;
		av_arena_reset(w->scratch);
		if (moved)
			continue;
		people_resolve(w);
		av_arena_reset(w->scratch);
		if (quiet(w))
			return;
		for (size_t i = 0; i < w->order_count; i++) /* what was sent before the quiet, and got lost */
			if (w->orders[i]->state == ORDER_SENT)
				w->orders[i]->state = w->orders[i]->once ? ORDER_UNKNOWN : ORDER_WAITING;
		w->now_ms = AV_MAX(w->now_ms + 1000, first_wish(w));
	}
}

static void calm_down(struct world *w)
{
	w->calm = true;
	memset(w->revoked, 0, sizeof w->revoked);
	w->feed_revoked = false;
	restore_rest(w, true);
}

void world_rest(struct world *w)
{
	calm_down(w);
	settle(w);
	check_rest(w, false);
	w->calm = false;
}

/* Nobody does anything any more, for two years: every deadline runs out, every mail ends. */
void world_end(struct world *w)
{
	int64_t until_ms = w->now_ms + 730 * DAY_MS;
	calm_down(w);
	settle(w);
	for (int64_t due; (due = world_next_due(w)) > 0 && due <= until_ms;) {
		w->now_ms = AV_MAX(due, w->now_ms);
		settle(w);
	}
	w->now_ms = until_ms;
	settle(w);
	check_rest(w, true);
}
