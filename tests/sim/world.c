/* world.c - one step after another, each chosen by the seed
 */
#include "disk.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/folder.h"
#include "daemon/settings.h"

#define HOUR_MS INT64_C(3600000)
#define DAY_MS INT64_C(86400000)
#define REST_EVERY \
	1000 /* whatever the number of steps is: fewer of them are the beginning of the same run \
	      */

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

struct world *world_open(uint64_t seed, const struct shape *shape)
{
	struct world *w = calloc(1, sizeof *w);
	const char *temporary = getenv("AVVIK_SIM_DIR");
	if (!w || av_crypto_start() < 0)
		abort();
	if (!temporary)
		temporary = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
	*w = (struct world){.seed = seed,
		.steps = shape->steps,
		.without = shape->without,
		.mutation = shape->mutation,
		.verbose = shape->verbose,
		.reports_most = shape->reports,
		.reports_all = shape->reports,
		.year = shape->year};
	w->random = av_random_seeded(seed);
	w->luck = av_random_seeded(seed ^ 0x6c75636b);
	w->backing_up = NODES - 1;
	w->arena = av_arena_create(0);
	w->scratch = av_arena_create(0);
	snprintf(w->path, sizeof w->path, "%s/avvik-sim-XXXXXX", temporary);
	if (!mkdtemp(w->path))
		abort();
	w->settings = av_settings_default("simulation", "state", w->arena);
	/* Some day of 2026, in the morning; a year begins on 2 January. */
	w->started_at_ms = w->now_ms =
		INT64_C(1767250800000) + (w->year ? 1 : (int64_t)chance(w, 330)) * DAY_MS + 8 * HOUR_MS;
	for (int client = 0; client < CLIENTS; client++)
		for (int node = 0; node < NODES; node++) {
			line_init(&w->up[client][node]);
			line_init(&w->down[client][node]);
		}
	fault_world(w);
	disk_watch(w);
	mail_open(w);
	for (int node = 0; node < NODES; node++) {
		node_init(w, node);
		mkdir(w->nodes[node].path, 0700);
		disk_begin(&w->nodes[node]);
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
	disk_watch(NULL);
	mail_close(w);
	folder_remove(w->path);
	free(w->orders);
	av_arena_destroy(&w->arena);
	av_arena_destroy(&w->scratch);
	free(w);
	*world = NULL;
}

/* --- the network --- */

static bool has_its_turn(const struct world *w, const struct order *order)
{
	const struct order *before = order->after;
	return order->state == ORDER_WAITING && order->not_before_ms <= w->now_ms &&
	       (!before || (before->state != ORDER_WAITING && before->state != ORDER_SENT));
}

bool world_send(struct world *w)
{
	size_t first = chance(w, w->order_count ? w->order_count : 1);
	for (size_t i = 0; i < w->order_count; i++) {
		struct order *order = w->orders[(first + i) % w->order_count];
		if (has_its_turn(w, order) && w->nodes[order->node].up &&
			w->up[order->client][order->node].count < 50) {
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

bool world_deliver(struct world *w)
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

struct follow *world_follow(struct world *w)
{
	struct node *n = &w->nodes[1 + chance(w, NODES - 1)];
	return n->follow_count ? &n->follows[chance(w, n->follow_count)] : NULL;
}

static bool feed_one(struct world *w)
{
	struct follow *f = world_follow(w);
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
	struct node *n = &w->nodes[chance(w, NODES)];
	uint64_t luck = chance(w, 1000);
	uint64_t moment = chance(w, 20);
	w->now_ms += w->step < w->stands_until ? 0 : (int64_t)moment;
	if (luck < 250) {
		node_step(w);
	} else if (luck < 420) {
		for (uint64_t some = 1 + chance(w, 6); some > 0; some--)
			world_deliver(w);
	} else if (luck < 520) {
		for (uint64_t some = 1 + chance(w, 4); some > 0; some--)
			world_send(w);
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
		if (on(w, KIND_REPEATS))
			repeat_one(w);
	} else if (luck < 970) {
		pass_time(w);
	} else if (luck < 985) {
		if (n->full)
			make_room(n);
	} else if (!w->year || chance(w, 8) == 0) {
		trouble(w);
	}
	av_arena_reset(w->scratch);
}

void world_run(struct world *w)
{
	for (w->step = 1; w->step <= w->steps; w->step++) {
		step(w);
		if (w->step % REST_EVERY == 0)
			world_rest(w);
	}
	world_end(w);
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
