/* loop.c - what arrives becomes batches, what was committed becomes replies, and one timer waits for the
 * earliest due instant
 *
 * A batch is handed over the moment the writer is idle, never later; while it commits, the next one collects.
 * When a turn is done the next batch is handed over first, and only then are the replies of the first one
 * sent, so that the disk does not wait for the network. The handle `check` runs after the bus's own (it was
 * started before it: libuv runs them last started, first), so what the bus read in a round of the loop goes
 * into a batch in the same round.
 */
#include "daemon/daemon_inner.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#define BATCH_BYTES ((size_t)16 * 1024 * 1024)
#define BATCH_ITEMS_LEAST 16u
#define INNER_SHARE 4u	      /* inner items are at most this part of a batch */
#define TIMER_MOST_MS 60000   /* wall clocks jump */
#define TIMER_STEPPED_MS 1000 /* a stepped clock moves when its driver says so */
#define RETRY_MS 1000	      /* full, or failed for a reason that may pass */
#define DUE_RETRY_MS 60000
#define DRAIN_MOST_MS 20000

static void on_idle(uv_idle_t *idle)
{
	AV_UNUSED(idle); /* its being there keeps the loop from sleeping before check */
}

void loop_kick(struct av_daemon *d)
{
	if (!d->busy && !d->closing)
		uv_idle_start(&d->idle, on_idle);
}

bool loop_due(const struct av_daemon *d)
{
	return d->due_more || (d->next_due_ms > 0 && d->next_due_ms <= av_clock_now_ms(&d->clock));
}

static bool due_ready(const struct av_daemon *d)
{
	return loop_due(d) && d->due_retry_at_ms <= av_clock_monotonic_ms();
}

static bool feeds_ready(const struct av_daemon *d, int64_t monotonic_ms)
{
	for (size_t i = 0; i < d->follow_count; i++) {
		if (follow_ready(&d->follows[i], monotonic_ms) &&
			follow_calm_ms(&d->follows[i]) <= monotonic_ms)
			return true;
	}
	return false;
}

static bool own_ready(const struct av_daemon *d)
{
	return d->own_retry_at_ms <= av_clock_monotonic_ms();
}

static bool work_waits(const struct av_daemon *d)
{
	if (d->draining) /* only what was accepted */
		return av_queue_count(d->queue) > 0 || (d->inner_first && own_ready(d));
	return av_queue_count(d->queue) > 0 || ((d->inner_first || d->change_waits) && own_ready(d)) ||
	       feeds_ready(d, av_clock_monotonic_ms()) || due_ready(d);
}

static void on_due(uv_timer_t *timer)
{
	struct av_daemon *d = timer->data;
	if (work_waits(d))
		loop_kick(d);
	loop_plan(d);
}

void loop_plan(struct av_daemon *d)
{
	int64_t most = av_clock_is_stepped(&d->clock) ? TIMER_STEPPED_MS : TIMER_MOST_MS, wait = most;
	if (d->closing)
		return;
	if (d->next_due_ms > 0)
		wait = AV_MIN(wait, AV_MAX(d->next_due_ms - av_clock_now_ms(&d->clock), 1));
	if (loop_due(d))
		wait = AV_MAX(d->due_retry_at_ms - av_clock_monotonic_ms(), 1);
	for (size_t i = 0; i < d->follow_count; i++) {
		int64_t calm_ms = follow_calm_ms(&d->follows[i]);
		if (calm_ms)
			wait = AV_MIN(wait, AV_MAX(calm_ms - av_clock_monotonic_ms(), 1));
	}
	if (d->feed_retry_ms)
		wait = AV_MIN(wait, AV_MAX(d->feed_retry_ms - av_clock_monotonic_ms(), 1));
	if ((d->inner_first || d->change_waits) && !own_ready(d))
		wait = AV_MIN(wait, AV_MAX(d->own_retry_at_ms - av_clock_monotonic_ms(), 1));
	uv_timer_start(&d->due_timer, on_due, (uint64_t)AV_MIN(wait, most), 0);
}

bool loop_quiet(const struct av_daemon *d)
{
	if (d->busy || av_queue_count(d->queue) > 0 || d->inner_first || d->change_waits || loop_due(d))
		return false;
	for (size_t i = 0; i < d->follow_count; i++) {
		const struct follow *f = &d->follows[i];
		if (!f->halted && !f->refused && (f->has_batch || !av_feed_client_at_head(f->client)))
			return false;
	}
	return !d->service->quiet || d->service->quiet((struct av_daemon *)(uintptr_t)d);
}

/* --- a batch --- */

static int by_arrival(const void *a, const void *b)
{
	const struct av_item *left = a, *right = b;
	if (left->arrived_at_ms != right->arrived_at_ms)
		return left->arrived_at_ms < right->arrived_at_ms ? -1 : 1;
	return left->order < right->order ? -1 : left->order > right->order;
}

static struct av_item *item_add(
	struct slot *slot, enum av_item_kind kind, int64_t arrived_at_ms, uint64_t order)
{
	struct av_item *item = &slot->batch.items[slot->batch.count++];
	*item = (struct av_item){.kind = kind, .arrived_at_ms = arrived_at_ms, .order = order};
	return item;
}

static bool slot_room(struct slot *slot, size_t room)
{
	if (slot->batch.room >= room)
		return true;
	void *items = realloc(slot->batch.items, room * sizeof *slot->batch.items);
	if (items)
		slot->batch.items = items;
	void *commands = realloc(slot->commands, room * sizeof(struct av_queued *));
	if (commands)
		slot->commands = commands;
	if (!items || !commands)
		return false;
	slot->batch.room = room;
	return true;
}

/* As many as the turn's time allows, by what items have cost lately. */
static size_t items_most(const struct av_daemon *d)
{
	size_t most = d->settings->limits->turn_items;
	if (d->cost_ns > 0) {
		uint64_t fits = (uint64_t)d->settings->limits->turn_milliseconds * 1000000 / d->cost_ns;
		most = AV_MIN(most, AV_MAX((size_t)fits, (size_t)BATCH_ITEMS_LEAST));
	}
	return most;
}

static void add_commands(struct av_daemon *d, struct slot *slot, size_t most)
{
	size_t count = av_queue_take(d->queue, slot->commands, most, BATCH_BYTES);
	for (size_t i = 0; i < count; i++) {
		struct av_queued *queued = slot->commands[i];
		struct av_item *item = item_add(slot, AV_ITEM_COMMAND, queued->arrived_at_ms, queued->number);
		item->wire = av_frame_bytes(&queued->frame);
		item->principal =
			av_principals_by_key(slot->batch.principals, queued->key, slot->batch.now_ms);
		item->owner = queued;
	}
}

static void add_inner(struct av_daemon *d, struct slot *slot, size_t most)
{
	for (size_t i = 0; i < most && d->inner_first && own_ready(d); i++) {
		struct inner *inner = d->inner_first;
		d->inner_first = inner->next;
		if (!d->inner_first)
			d->inner_last = NULL;
		d->inner_count--;
		d->inner_bytes -= inner->size;
		struct av_item *item = item_add(slot, AV_ITEM_INNER, inner->arrived_at_ms, inner->number);
		item->inner_kind = inner->kind;
		item->wire = av_bytes(inner->data, inner->size);
		item->owner = inner;
	}
}

static void add_feeds(struct av_daemon *d, struct slot *slot)
{
	int64_t monotonic_ms = av_clock_monotonic_ms();
	for (size_t i = 0; i < d->follow_count; i++) {
		struct follow *f = &d->follows[i];
		struct av_position head;
		bool refused = av_feed_client_refused_head(f->client, &head) == AV_OK;
		av_turn_feed_head(d->turn, f->name, refused ? &head : NULL);
		if (!follow_ready(f, monotonic_ms))
			continue;
		struct av_item *item = item_add(slot, AV_ITEM_FEED, f->arrived_at_ms, UINT64_MAX - 1);
		item->feed = f->name;
		item->batch = f->batch.batch;
		item->after = f->batch.after;
		item->after_epoch = &f->batch.after_epoch;
		item->owner = f;
		f->in_turn = true;
	}
}

static void add_principals(struct av_daemon *d, struct slot *slot)
{
	if (!d->change_waits || !own_ready(d))
		return;
	struct av_item *item = item_add(slot, AV_ITEM_PRINCIPALS, 0, 0);
	item->change = &d->change;
	item->change_hash = av_principals_hash(d->change_table);
	item->change_count = (unsigned int)av_principals_count(d->change_table);
	d->change_waits = false;
	d->change_in_turn = true;
}

/* Hands over what waits, if the writer is idle. */
static void hand_over(struct av_daemon *d)
{
	struct slot *slot = &d->slots[0];
	if (d->busy || d->closing || !work_waits(d))
		return;
	size_t most = items_most(d);
	if (slot->batch.count > 0)
		slot = &d->slots[1]; /* the other one's replies are still being sent */
	if (!slot_room(slot, most + most / INNER_SHARE + FEEDS_MAX + 3))
		return; /* out of memory: the next round tries again */
	slot->batch.now_ms = av_clock_now_ms(&d->clock);
	slot->batch.principals = av_principals_ref(d->principals);
	add_commands(d, slot, most);
	add_inner(d, slot, AV_MAX(most / INNER_SHARE, 1));
	if (!d->draining) {
		add_principals(d, slot);
		add_feeds(d, slot);
	}
	if (!d->draining && due_ready(d))
		item_add(slot, AV_ITEM_DUE, d->next_due_ms, UINT64_MAX);
	if (slot->batch.count > 1)
		qsort(slot->batch.items, slot->batch.count, sizeof *slot->batch.items, by_arrival);
	d->busy = slot;
	d->counters.largest_batch = AV_MAX(d->counters.largest_batch, slot->batch.count);
	av_writer_give(d->writer, &slot->batch);
}

/* --- a result --- */

static void due_done(struct av_daemon *d, const struct av_item *item, bool alone)
{
	d->due_more = item->status == AV_OK && item->more;
	d->due_failed = item->status < 0 && item->status != AV_FULL && item->status != AV_BUSY;
	if (item->status < 0)
		d->due_retry_at_ms = av_clock_monotonic_ms() + (d->due_failed ? DUE_RETRY_MS : RETRY_MS);
	else if (alone && !d->due_more &&
		 d->next_due_ms == item->arrived_at_ms) /* it stays due: not at once again */
		d->due_retry_at_ms = av_clock_monotonic_ms() + RETRY_MS;
}

static void principals_done(struct av_daemon *d, const struct av_item *item)
{
	d->change_in_turn = false;
	if (item->status < 0) {
		d->change_waits = true;
		d->own_retry_at_ms = av_clock_monotonic_ms() + RETRY_MS;
		return;
	}
	av_arena_destroy(&d->change_arena);
	av_principals_unref(&d->principals_told);
	d->principals_told = AV_TAKE(d->change_table);
}

static void inner_done(struct av_daemon *d, struct av_item *item)
{
	struct inner *inner = item->owner;
	if (item->status == AV_FULL || item->status == AV_BUSY) { /* again soon, in the same order */
		struct inner **place = &d->inner_first;
		while (*place && (*place)->number < inner->number)
			place = &(*place)->next;
		inner->next = *place;
		*place = inner;
		d->inner_last = inner->next ? d->inner_last : inner;
		d->own_retry_at_ms = av_clock_monotonic_ms() + RETRY_MS;
		d->inner_count++;
		d->inner_bytes += inner->size;
		return;
	}
	if (item->status < 0)
		av_log(AV_LOG_ERROR, "inner item failed", "kind=%u status=%s", inner->kind,
			av_status_name(item->status));
	free(inner);
}

static void item_done(struct av_daemon *d, struct av_item *item)
{
	struct av_queued *queued = item->owner;
	switch (item->kind) {
	case AV_ITEM_COMMAND:
		if (!item->reply.data) { /* there was no memory for it: the sender repeats, and gets what was
					    done */
			av_arena_reset(d->ask_arena);
			item->reply = av_reply_plain(item->wire, AVVIK__V1__REPLY_STATUS__REPLY_STATUS_BUSY,
				RETRY_MS, "too much at once: send it again", d->ask_arena);
		}
		answer_send(d, queued->route, queued->route_size, item->reply);
		av_queued_free(queued);
		break;
	case AV_ITEM_FEED:
		if (item->owner)
			follow_done(item->owner, item);
		break;
	case AV_ITEM_DUE: /* in result_take */
		break;
	case AV_ITEM_INNER:
		inner_done(d, item);
		break;
	case AV_ITEM_PRINCIPALS:
		principals_done(d, item);
		break;
	}
}

/* Before the next batch: what its making depends on. */
static void result_take(struct av_daemon *d, const struct av_batch *batch)
{
	const struct av_turn_result *result = &batch->result;
	struct counters *c = &d->counters;
	c->turns++;
	c->items += batch->count;
	c->events += result->events;
	c->refused += result->refused;
	c->repeated += result->repeated;
	c->failed += result->failed;
	c->passed_over += result->passed_over;
	c->quarantined += result->quarantined;
	c->commits += result->commit_us > 0;
	c->commit_us += (uint64_t)result->commit_us;
	c->turn_us += (uint64_t)batch->took_us;
	d->next_due_ms = result->next_due_ms; /* when full: of what stood before it was */
	d->full = batch->status == AV_FULL;
	if (result->failed_text) {
		snprintf(d->failed_text, sizeof d->failed_text, "%s", result->failed_text);
		d->failed_at_ms = batch->now_ms;
		av_log(AV_LOG_ERROR, "an item failed", "status=%s", result->failed_text);
	}
	bool commands = true;
	for (size_t i = 0; i < batch->count; i++) {
		commands &= batch->items[i].kind == AV_ITEM_COMMAND;
		if (batch->items[i].kind == AV_ITEM_DUE)
			due_done(d, &batch->items[i],
				batch->count == 1); /* else its neighbours may have made it due */
	}
	/* A feed's batch or a piece of due work says nothing of what a command costs. */
	/* NOLINTNEXTLINE(clang-analyzer-core.DivideZero): a batch that was run is not empty */
	uint64_t cost = (uint64_t)AV_MAX(batch->took_us - result->commit_us, 0) * 1000 / batch->count;
	if (commands)
		d->cost_ns = d->cost_ns ? (d->cost_ns * 7 + cost) / 8 : cost;
}

/* Feeds start again before the next batch is made, so that none of it was read from where they stood. */
static void feeds_resolved(struct av_daemon *d, struct av_batch *batch)
{
	for (size_t i = 0; i < batch->count; i++) {
		if (batch->items[i].kind != AV_ITEM_FEED)
			continue;
		follow_done(batch->items[i].owner, &batch->items[i]);
		batch->items[i].owner = NULL;
	}
	for (size_t i = 0; i < d->follow_count; i++)
		follow_restart(&d->follows[i]);
}

static void fail_hard(struct av_daemon *d, int status)
{
	/* Whether the turn is on disk is not known: no reply; the senders repeat, and the store says what it
	 * has. */
	av_log(AV_LOG_ERROR, "the store failed: ending without a reply, to start again", "status=%s",
		av_status_name(status));
	AV_UNUSED(d);
	_Exit(status == AV_IO ? EXIT_TEMPFAIL : EXIT_SOFTWARE);
}

static void batch_done(struct av_daemon *d, struct av_batch *batch)
{
	struct av_turn_result result = batch->result;
	if (batch->status < 0 && batch->status != AV_FULL)
		fail_hard(d, batch->status);
	result_take(d, batch);
	d->busy = NULL;
	if (result.feeds_resolved)
		feeds_resolved(d, batch);
	hand_over(d);
	for (size_t i = 0; i < batch->count; i++) {
		if (batch->items[i].kind != AV_ITEM_DUE && batch->items[i].kind != AV_ITEM_FEED)
			item_done(d, &batch->items[i]);
	}
	if (result.events > 0 && d->feed_server)
		av_feed_server_advanced(d->feed_server);
	/* Asking for more comes last: somebody waits for what was told before. */
	for (size_t i = 0; i < batch->count; i++) {
		if (batch->items[i].kind == AV_ITEM_FEED)
			item_done(d, &batch->items[i]);
	}
	av_principals_unref(&batch->principals);
	batch->count = 0;
	if (d->service->committed && (result.events > 0 || result.commit_us > 0))
		d->service->committed(d, result.first, result.last);
	d->idle_since_ms = av_clock_monotonic_ms();
	hand_over(d);
	loop_plan(d);
}

static void drain_on(struct av_daemon *d)
{
	if (!d->draining || d->drained || d->busy || av_queue_count(d->queue) > 0 || d->inner_first)
		return;
	if (d->service->busy && d->service->busy(d))
		return;
	d->drained = true;
	uv_stop(&d->loop);
}

static void on_check(uv_check_t *check)
{
	struct av_daemon *d = check->data;
	struct av_batch *batch = av_writer_done(d->writer);
	uv_idle_stop(&d->idle);
	if (batch)
		batch_done(d, batch);
	hand_over(d);
	drain_on(d);
}

static void on_wake(uv_async_t *async)
{
	AV_UNUSED(async); /* check does the work */
}

static void on_drain_time(uv_timer_t *timer)
{
	struct av_daemon *d = timer->data;
	av_log(AV_LOG_WARN, "stopping before the queue is empty, what waits was not acknowledged",
		"queued=%zu", av_queue_count(d->queue));
	uv_stop(&d->loop);
}

void loop_drain(struct av_daemon *d)
{
	if (d->draining)
		return;
	av_log(AV_LOG_INFO, "stopping", "queued=%zu", av_queue_count(d->queue));
	notify_state("STOPPING=1\nSTATUS=finishing what was accepted");
	d->draining = true;
	uv_timer_start(&d->drain_timer, on_drain_time, DRAIN_MOST_MS, 0);
	uv_idle_start(&d->idle, on_idle);
}

int loop_open(struct av_daemon *d, const char **ret_why)
{
	*ret_why = "the event loop could not be made; is the machine out of descriptors?";
	if (uv_loop_init(&d->loop) < 0)
		return AV_IO;
	d->loop_open = true;
	d->loop.data = d;
	if (uv_async_init(&d->loop, &d->wake, on_wake) < 0)
		return AV_IO;
	uv_check_init(&d->loop, &d->check);
	uv_idle_init(&d->loop, &d->idle);
	uv_timer_init(&d->loop, &d->due_timer);
	uv_timer_init(&d->loop, &d->watch_timer);
	uv_timer_init(&d->loop, &d->drain_timer);
	d->check.data = d->due_timer.data = d->watch_timer.data = d->drain_timer.data = d;
	uv_check_start(&d->check, on_check); /* before the bus is made: see above */
	return AV_OK;
}
