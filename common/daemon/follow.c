/* follow.c - the feeds that this daemon consumes
 *
 * A batch is kept until its turn is committed; only then is the reader told that it is done. A feed that an
 * event has halted, or whose producer refused the position, keeps its batch and asks for no more until an
 * administrator has decided; then it starts again from the cursor that the store holds, and what was handled
 * is passed over by the turn.
 */
#include <string.h>

#include "daemon/daemon_inner.h"

#define RETRY_MS 1000
#define REFUSED_RETRY_MS 30000
#define CALM_MS 25

const char *follow_name(const struct av_service *service, size_t index)
{
	size_t at = 0;
	for (size_t i = 0; i < service->event_count; i++) {
		if (i > 0 && strcmp(service->events[i].feed, service->events[i - 1].feed) == 0)
			continue;
		if (at++ == index)
			return service->events[i].feed;
	}
	return NULL;
}

size_t follow_count(const struct av_service *service)
{
	size_t count = 0;
	while (follow_name(service, count))
		count++;
	return count;
}

static void batch_drop(struct follow *f)
{
	if (!f->has_batch)
		return;
	av_frame_release(&f->batch.frame);
	av_arena_destroy(&f->batch.arena);
	f->has_batch = false;
}

static int cursor_now(struct av_daemon *d, const char *feed, struct av_cursor *ret_cursor)
{
	struct av_txn *txn;
	memset(ret_cursor, 0, sizeof *ret_cursor);
	int status = av_txn_begin_read(d->store, &txn);
	if (status < 0)
		return status;
	status = av_cursor_load(txn, feed, ret_cursor);
	av_txn_abort(&txn);
	return status == AV_NOT_FOUND ? AV_OK : status;
}

bool follow_ready(const struct follow *f, int64_t monotonic_ms)
{
	return f->has_batch && !f->in_turn && !f->halted && f->retry_at_ms <= monotonic_ms;
}

int64_t follow_calm_ms(const struct follow *f)
{
	return f->has_batch && !f->in_turn && !f->halted ? f->calm_until_ms : 0;
}

/* Does anything that somebody waits for follow from it? */
static bool is_urgent(const struct follow *f, const Avvik__V1__FeedItem *item)
{
	const struct av_service *service = f->daemon->service;
	unsigned int number = av_event_number(av_bytes(item->event.data, item->event.len));
	if (number == AVVIK__V1__EVENT__BODY_JOURNAL_RESTORED || number == AVVIK__V1__EVENT__BODY_STORE_MADE)
		return true; /* what begins a history is kept */
	for (size_t i = 0; i < service->event_count; i++)
		if (service->events[i].number == number && strcmp(service->events[i].feed, f->name) == 0)
			return !service->events[i].patient;
	return false;
}

/* Then no one waits for its turn, and a commit of its own would only be in the way of those that somebody
 * waits for. */
static bool is_calm(const struct follow *f)
{
	for (size_t i = 0; i < f->batch.batch->n_items; i++)
		if (is_urgent(f, f->batch.batch->items[i]))
			return false;
	return true;
}

static void on_batch(void *context, struct av_feed_batch batch)
{
	struct follow *f = context;
	f->batch = batch;
	f->arrived_at_ms = av_daemon_now_ms(f->daemon);
	f->has_batch = true;
	f->refused = false;
	f->calm_until_ms = is_calm(f) ? av_clock_monotonic_ms() + CALM_MS : 0;
	if (f->calm_until_ms)
		loop_plan(f->daemon);
	else
		loop_kick(f->daemon);
}

static void on_refused(void *context, Avvik__V1__FeedRefusalCode code, const char *text)
{
	struct follow *f = context;
	if (!f->refused || f->refusal != code)
		av_log(AV_LOG_WARN, "a feed was refused", "feed=%s code=%s text=%s", f->name,
			av_enum_name(&avvik__v1__feed_refusal_code__descriptor, (int)code), text);
	f->refused = true;
	f->refusal = code;
	snprintf(f->why, sizeof f->why, "%s", text);
	f->retry_at_ms = av_clock_monotonic_ms() + REFUSED_RETRY_MS;
}

void follow_restart(struct follow *f)
{
	struct av_cursor cursor;
	bool had = f->has_batch;
	if (f->in_turn || cursor_now(f->daemon, f->name, &cursor) < 0) {
		f->retry_at_ms = av_clock_monotonic_ms() + RETRY_MS;
		return;
	}
	batch_drop(f);
	f->halted = f->refused = false;
	f->retry_at_ms = 0;
	av_feed_client_restart(f->client, &cursor);
	if (had)
		av_feed_client_done(f->client);
}

void follow_done(struct follow *f, const struct av_item *item)
{
	f->in_turn = false;
	f->retry_at_ms = 0;
	if (item->status == AV_STALE) {
		follow_restart(f);
		return;
	}
	if (item->status < 0) {
		if (item->status != AV_FULL && item->status != AV_BUSY)
			av_log(AV_LOG_ERROR, "a feed cannot be handled, trying again", "feed=%s status=%s",
				f->name, av_status_name(item->status));
		f->retry_at_ms = av_clock_monotonic_ms() + RETRY_MS;
		f->daemon->feed_retry_ms = f->retry_at_ms;
		return;
	}
	if (item->halted) {
		if (!f->halted)
			av_log(AV_LOG_ERROR, "a feed has halted at an event that belongs to no case",
				"feed=%s", f->name);
		f->halted = true;
		snprintf(f->why, sizeof f->why, "%s", item->halt_text ? item->halt_text : "");
		return;
	}
	batch_drop(f);
	av_feed_client_done(f->client);
}

/* Every second: those that were refused ask again, in case the producer's side was put right. */
void follow_watch(struct av_daemon *d)
{
	int64_t now_ms = av_clock_monotonic_ms();
	d->feed_retry_ms = 0;
	for (size_t i = 0; i < d->follow_count; i++) {
		struct follow *f = &d->follows[i];
		if (f->refused && f->retry_at_ms <= now_ms && !f->in_turn) {
			bool halted = f->halted;
			Avvik__V1__FeedRefusalCode code = f->refusal;
			follow_restart(f);
			f->halted = halted;
			f->refused = true; /* until a batch comes */
			f->refusal = code;
			f->retry_at_ms = now_ms + REFUSED_RETRY_MS;
		} else if (follow_ready(f, now_ms)) {
			loop_kick(d);
		}
	}
}

static int open_one(struct av_daemon *d, struct follow *f, const char *name, const char **ret_why)
{
	char server_key[AV_CURVE_TEXT];
	const Avvik__V1__Endpoints *endpoints = av_settings_endpoints(d->settings, name);
	struct av_feed_client_options options = {
		.bus = d->bus,
		.name = name,
		.endpoint = endpoints ? endpoints->feed : "",
		.server_key = server_key,
		.events = FEED_EVENTS,
		.bytes = FEED_BYTES,
		.on_batch = on_batch,
		.on_refused = on_refused,
		.context = f,
	};
	const char *path = av_key_path(d->settings, AV_FILE_CURVE_PUBLIC, name, d->arena);
	int status = path ? av_curve_public_load(path, server_key) : AV_MEMORY;
	if (status < 0) {
		*ret_why = "the public key of a producer is missing in the folder of keys: copy its "
			   ".curve.pub there";
		return status;
	}
	*f = (struct follow){.daemon = d, .name = name};
	status = cursor_now(d, name, &options.start);
	if (status == AV_OK)
		status = av_feed_client_open(&options, &f->client, ret_why);
	return status;
}

int follow_open(struct av_daemon *d, const char **ret_why)
{
	size_t count = follow_count(d->service);
	for (size_t i = 0; i < AV_MIN(count, (size_t)FEEDS_MAX); i++) {
		int status = open_one(d, &d->follows[i], follow_name(d->service, i), ret_why);
		if (status < 0)
			return status;
		d->follow_count++;
	}
	return AV_OK;
}

void follow_close(struct av_daemon *d)
{
	for (size_t i = 0; i < d->follow_count; i++) {
		batch_drop(&d->follows[i]);
		av_feed_client_close(&d->follows[i].client);
	}
	d->follow_count = 0;
}
