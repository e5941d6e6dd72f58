/* world.c - one step after another, each chosen by the seed; rests, at which everything must hold; the end of
 * time
 */
#include "sim.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/folder.h"
#include "daemon/settings.h"

#define HOUR_MS INT64_C(3600000)
#define DAY_MS INT64_C(86400000)
#define RESTS 4
#define ROUNDS_MOST 20000

uint64_t chance(struct world *w, uint64_t below)
{
	return av_random_below(&w->random, below);
}

bool percent(struct world *w, unsigned int hundredths)
{
	return chance(w, 10000) < hundredths;
}

void sim_say(struct world *w, const char *format, ...)
{
	va_list list;
	va_start(list, format);
	fprintf(stderr, "seed %llu step %u at %lld: ", (unsigned long long)w->seed, w->step,
		(long long)w->now_ms);
	vfprintf(stderr, format, list);
	fputc('\n', stderr);
	va_end(list);
}

void sim_fail(struct world *w, const char *format, ...)
{
	va_list list;
	va_start(list, format);
	printf("FAULT at step %u: ", w->step);
	vprintf(format, list);
	printf("\n");
	va_end(list);
	fflush(stdout);
	folder_remove(w->path);
	_exit(1);
}

struct world *world_open(uint64_t seed, unsigned int steps, enum mutation mutation, bool verbose)
{
	struct world *w = calloc(1, sizeof *w);
	const char *temporary = getenv("AVVIK_SIM_DIR");
	if (!w || av_crypto_start() < 0)
		abort();
	if (!temporary)
		temporary = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
	*w = (struct world){.seed = seed, .steps = steps, .mutation = mutation, .verbose = verbose};
	w->random = av_random_seeded(seed);
	w->arena = av_arena_create(0);
	w->scratch = av_arena_create(0);
	snprintf(w->path, sizeof w->path, "%s/avvik-sim-XXXXXX", temporary);
	if (!mkdtemp(w->path))
		abort();
	w->settings = av_settings_default("simulation", "state", w->arena);
	/* Some day of 2026, in the morning. */
	w->started_at_ms = w->now_ms =
		INT64_C(1767250800000) + (int64_t)chance(w, 330) * DAY_MS + 8 * HOUR_MS;
	w->reports_most = 20 + steps / 25;
	for (int client = 0; client < CLIENTS; client++)
		for (int node = 0; node < NODES; node++) {
			line_init(&w->up[client][node]);
			line_init(&w->down[client][node]);
		}
	fault_world(w);
	mail_open(w);
	for (int node = 0; node < NODES; node++) {
		node_init(w, node);
		mkdir(w->nodes[node].path, 0700);
	}
	people_begin(w);
	return w;
}

void world_close(struct world **world)
{
	struct world *w = *world;
	for (int node = 0; node < NODES; node++)
		node_free(&w->nodes[node]);
	for (int client = 0; client < CLIENTS; client++)
		for (int node = 0; node < NODES; node++) {
			line_clear(&w->up[client][node]);
			line_clear(&w->down[client][node]);
		}
	fault_world(NULL);
	mail_close(w);
	folder_remove(w->path);
	free(w->orders);
	av_arena_destroy(&w->arena);
	av_arena_destroy(&w->scratch);
	free(w);
	*world = NULL;
}

/* --- the network --- */

static bool send_one(struct world *w)
{
	size_t first = chance(w, w->order_count ? w->order_count : 1);
	for (size_t i = 0; i < w->order_count; i++) {
		struct order *order = w->orders[(first + i) % w->order_count];
		if (order->state == ORDER_WAITING && order->not_before_ms <= w->now_ms &&
			w->nodes[order->node].up && w->up[order->client][order->node].count < 50) {
			order_send(order);
			return true;
		}
	}
	return false;
}

/* Nobody has answered for a while: the same again. */
static void repeat_one(struct world *w)
{
	struct order *order = w->order_count ? w->orders[chance(w, w->order_count)] : NULL;
	if (!order || order->once || !w->nodes[order->node].up)
		return;
	if (order->state == ORDER_SENT)
		order_send(order);
	else if (order->state == ORDER_DONE && chance(w, 2)) { /* it lost the answer, much later */
		order_send(order);
		order->state = ORDER_DONE; /* whatever comes now must be the same */
	}
}

static bool deliver_one(struct world *w)
{
	size_t first = chance(w, CLIENTS * NODES);
	for (size_t i = 0; i < (size_t)CLIENTS * NODES; i++) {
		int client = (int)((first + i) % CLIENTS), node = (int)((first + i) / CLIENTS % NODES);
		struct packet *packet = w->nodes[node].up ? line_pop(&w->up[client][node]) : NULL;
		if (packet) {
			node_arrive(&w->nodes[node], packet, client);
			return true;
		}
		packet = line_pop(&w->down[client][node]);
		if (packet) {
			order_reply(packet->order, packet);
			free(packet);
			return true;
		}
	}
	return false;
}

static struct follow *some_follow(struct world *w)
{
	struct node *n = &w->nodes[1 + chance(w, NODES - 1)];
	return n->follow_count ? &n->follows[chance(w, n->follow_count)] : NULL;
}

static bool feed_one(struct world *w)
{
	struct follow *f = some_follow(w);
	if (!f)
		return false;
	reader_ask(f);
	switch (chance(w, 3)) {
	case 0:
		return reader_serve(f);
	case 1:
		return reader_receive(f);
	default:
		if (f->refused && !f->in_turn && f->retry_at_ms <= w->now_ms && !f->has_refused_head) {
			bool halted = f->halted;
			reader_restart(f);
			f->halted = halted;
			f->refused = true;
		}
		return false;
	}
}

/* --- what goes wrong --- */

static struct node *some_node(struct world *w)
{
	return &w->nodes[chance(w, NODES)];
}

/* Consumers before what they consume. */
static void backup(struct world *w)
{
	for (int node = NODES - 1; node >= 0; node--)
		if (!w->nodes[node].up)
			return;
	for (int node = NODES - 1; node >= 0; node--)
		node_backup(&w->nodes[node]);
}

/* One, and all that read from it, from the same backup; a consumer alone otherwise. */
static void restore(struct world *w)
{
	int node = (int)chance(w, NODES);
	for (int each = 0; each < NODES; each++)
		if (!w->nodes[each].has_backup)
			return;
	if (node == NOTIFICATION || node == REPORTING) {
		node_restore(&w->nodes[node]);
		return;
	}
	for (int each = node; each < NODES; each++)
		node_restore(&w->nodes[each]);
}

static void rights_change(struct world *w)
{
	int client = (int)chance(w, CLIENTS);
	if (chance(w, 4) == 0) {
		w->feed_revoked = !w->feed_revoked;
	} else {
		w->revoked[client] = !w->revoked[client];
	}
	for (int node = 0; node < NODES; node++)
		w->nodes[node].principals_changed = w->nodes[node].up;
}

static void trouble(struct world *w)
{
	switch (chance(w, 12)) {
	case 0:
	case 1:
	case 2: {
		struct node *n = some_node(w);
		if (n->up)
			node_crash(n);
		break;
	}
	case 3:
	case 4:
	case 5:
		link_cut(w, (int)chance(w, CLIENTS), (int)chance(w, NODES));
		break;
	case 6:
	case 7:
	case 8: {
		struct follow *f = some_follow(w);
		if (f && chance(w, 2))
			line_clear(&f->replies);
		if (f)
			reader_silence(f);
		break;
	}
	case 9:
		backup(w);
		break;
	case 10:
		if (percent(w, 4000))
			restore(w);
		break;
	default:
		rights_change(w);
	}
}

/* More room, as an administrator gives it: with a restart. */
static void make_room(struct node *n)
{
	n->map_bytes *= 2;
	n->full = false;
	if (n->up)
		node_crash(n);
}

/* --- time --- */

static int64_t next_due(const struct world *w)
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

static bool anything_queued(struct world *w)
{
	for (int node = 0; node < NODES; node++)
		if (w->nodes[node].queue.first)
			return true;
	return false;
}

static void pass_time(struct world *w)
{
	int64_t due = next_due(w);
	if (percent(w, 200)) { /* a clock that was fast is put right */
		w->now_ms -= (int64_t)chance(w, HOUR_MS / 3);
		w->count.jumps++;
		return;
	}
	if (anything_queued(w)) {
		w->now_ms += (int64_t)chance(w, 2000);
		return;
	}
	switch (chance(w, 8)) {
	case 0:
	case 1:
	case 2:
		w->now_ms = due > w->now_ms ? due : w->now_ms + HOUR_MS;
		break;
	case 3:
		w->now_ms += (int64_t)chance(w, 3 * DAY_MS);
		break;
	case 4: /* a machine that slept, or a clock that was wrong */
		if (percent(w, 1000)) {
			w->now_ms += (int64_t)chance(w, 50 * DAY_MS);
			w->count.jumps++;
		}
		break;
	default:
		w->now_ms += (int64_t)chance(w, 8 * HOUR_MS);
	}
}

/* --- steps --- */

/* One that is down is started now and then; one that has something to do does it. */
static void node_step(struct world *w)
{
	size_t first = chance(w, NODES);
	for (size_t i = 0; i < NODES; i++) {
		struct node *n = &w->nodes[(first + i) % NODES];
		if (!n->up && chance(w, 3)) {
			node_start(n);
			return;
		}
		if (node_waits(n)) {
			node_turn(n, false);
			return;
		}
	}
}

static void step(struct world *w)
{
	struct node *n = some_node(w);
	uint64_t luck = chance(w, 1000);
	w->now_ms += (int64_t)chance(w, 20);
	if (luck < 250) {
		node_step(w);
	} else if (luck < 420) {
		for (uint64_t some = 1 + chance(w, 6); some > 0; some--)
			deliver_one(w);
	} else if (luck < 520) {
		for (uint64_t some = 1 + chance(w, 4); some > 0; some--)
			send_one(w);
	} else if (luck < 670) {
		for (uint64_t some = 1 + chance(w, 4); some > 0; some--)
			feed_one(w);
	} else if (luck < 870) {
		people_step(w);
	} else if (luck < 915) {
		mail_look(&w->nodes[NOTIFICATION]);
		mail_progress(w);
	} else if (luck < 935) {
		if (n->up)
			node_upkeep(n);
	} else if (luck < 945) {
		repeat_one(w);
	} else if (luck < 970) {
		pass_time(w);
	} else if (luck < 985) {
		if (n->full)
			make_room(n);
	} else {
		trouble(w);
	}
	av_arena_reset(w->scratch);
}

/* --- rest --- */

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
		while (deliver_one(w))
			moved = true;
		while (send_one(w))
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

void world_rest(struct world *w)
{
	w->calm = true;
	memset(w->revoked, 0, sizeof w->revoked);
	w->feed_revoked = false;
	settle(w);
	check_rest(w, false);
	w->calm = false;
}

/* Nobody does anything any more, for two years: every deadline runs out, every mail ends. */
static void end_of_time(struct world *w)
{
	int64_t until_ms = w->now_ms + 730 * DAY_MS;
	w->calm = true;
	memset(w->revoked, 0, sizeof w->revoked);
	w->feed_revoked = false;
	settle(w);
	for (int64_t due; (due = next_due(w)) > 0 && due <= until_ms;) {
		w->now_ms = AV_MAX(due, w->now_ms);
		settle(w);
	}
	w->now_ms = until_ms;
	settle(w);
	check_rest(w, true);
}

void world_run(struct world *w)
{
	for (w->step = 1; w->step <= w->steps; w->step++) {
		step(w);
		if (w->step % (w->steps / RESTS + 1) == 0)
			world_rest(w);
	}
	end_of_time(w);
}

void world_hash(struct world *w, unsigned char ret_hash[AV_HASH_SIZE])
{
	memset(ret_hash, 0, AV_HASH_SIZE);
	for (int node = 0; node < NODES; node++) {
		struct av_txn *txn;
		struct av_position head;
		SIM_EXPECT(w,
			av_txn_begin_read(w->nodes[node].store, &txn) == AV_OK &&
				av_journal_head(txn, &head) == AV_OK,
			"no journal");
		w->count.events += head.sequence;
		/* The chain's hash is that of every event before it. */
		struct av_bytes pieces[] = {
			av_bytes(ret_hash, AV_HASH_SIZE), av_bytes(head.hash, sizeof head.hash)};
		av_hash_pieces(pieces, AV_COUNT(pieces), ret_hash);
		av_txn_abort(&txn);
	}
}
