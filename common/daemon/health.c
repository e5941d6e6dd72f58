/* health.c - GetStatus: what is wrong in plain words with the remedy, and the metrics
 *
 * Issues are found afresh for every status, from what stands now; only since when is remembered, by code.
 */
#include "daemon/health.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "daemon/daemon_inner.h"

#define ALMOST_FULL_PERCENT 75u
#define FULL_PERCENT_TOLD 90u
#define READER_LAG_MOST 100000u
#define FAILED_TOLD_MS (24 * INT64_C(3600000))
#define DUE_LATE_MS 60000
#define METRICS_FIRST 64u

/* --- issues and metrics --- */

static struct issue *issue_of(struct av_daemon *d, const char *code)
{
	struct issue *unused = NULL;
	for (size_t i = 0; i < ISSUES_MAX; i++) {
		if (strcmp(d->issues[i].code, code) == 0)
			return &d->issues[i];
		if (!unused && d->issues[i].code[0] == '\0')
			unused = &d->issues[i];
	}
	if (unused) {
		snprintf(unused->code, sizeof unused->code, "%s", code);
		unused->since_ms = av_daemon_now_ms(d);
		unused->seen = false;
	}
	return unused;
}

void av_health(struct av_daemon *d, const char *code, bool critical, const char *text_format, ...)
{
	struct collecting *c = d->collecting;
	char text[600];
	va_list args;
	if (!c || c->issue_count == ISSUES_MAX)
		return;
	va_start(args, text_format);
	vsnprintf(text, sizeof text, text_format, args);
	va_end(args);
	struct issue *known = issue_of(d, code);
	Avvik__V1__HealthIssue *issue = AV_NEW(c->arena, Avvik__V1__HealthIssue, avvik__v1__health_issue);
	if (!issue)
		return;
	issue->code = av_arena_strdup(c->arena, code);
	issue->text = av_arena_strdup(c->arena, text);
	issue->severity =
		critical ? AVVIK__V1__SEVERITY__SEVERITY_CRITICAL : AVVIK__V1__SEVERITY__SEVERITY_WARNING;
	issue->since_ms = known ? known->since_ms : av_daemon_now_ms(d);
	if (!issue->code || !issue->text)
		return;
	if (c->log && known && !known->seen)
		av_log(critical ? AV_LOG_ERROR : AV_LOG_WARN, "health", "code=%s text=%s", code, text);
	if (known)
		known->seen = true;
	c->issues[c->issue_count++] = issue;
}

void av_metric(struct av_daemon *d, const char *name, const char *labels, double value, bool counter,
	const char *help)
{
	struct collecting *c = d->collecting;
	if (!c)
		return;
	if (c->metric_count == c->metric_room) {
		size_t room = c->metric_room ? 2 * c->metric_room : METRICS_FIRST;
		Avvik__V1__Metric **grown = av_arena_alloc(c->arena, room * sizeof(Avvik__V1__Metric *));
		if (!grown)
			return;
		if (c->metric_count)
			memcpy(grown, c->metrics, c->metric_count * sizeof(Avvik__V1__Metric *));
		c->metrics = grown;
		c->metric_room = room;
	}
	Avvik__V1__Metric *metric = AV_NEW(c->arena, Avvik__V1__Metric, avvik__v1__metric);
	if (!metric)
		return;
	name = strncmp(name, "avvik_", 6) == 0 ? name + 6 : name;
	metric->name = av_arena_strdup(c->arena, name);
	metric->labels = av_arena_strdup(c->arena, labels ? labels : "");
	metric->help = av_arena_strdup(c->arena, help ? help : "");
	metric->value = value;
	metric->counter = counter;
	if (metric->name && metric->labels && metric->help)
		c->metrics[c->metric_count++] = metric;
}

static void store_issues(struct av_daemon *d, struct av_txn *txn)
{
	struct av_store_health health;
	unsigned int percent = av_store_used_percent(txn);
	size_t quarantined = av_table_count(txn, AV_TABLE_QUARANTINE),
	       doomed = av_table_count(txn, AV_TABLE_DOOMED);
	if (d->full || percent >= FULL_PERCENT_TOLD)
		av_health(d, "store_full", true,
			"the store is %u %% full and new input is refused: make room on the disk and raise "
			"limits.map_megabytes",
			percent);
	else if (percent >= ALMOST_FULL_PERCENT)
		av_health(d, "store_almost_full", false,
			"the store is %u %% full: raise limits.map_megabytes before it reaches %u %%",
			percent, FULL_PERCENT_TOLD);
	if (av_store_health(d->store, &health) == AV_OK && health.oldest_reader_lag > READER_LAG_MOST)
		av_health(d, "store_reader_old", false,
			"a reader holds pages of %llu transactions back: end the process that copies or "
			"verifies the store",
			(unsigned long long)health.oldest_reader_lag);
	if (quarantined > 0)
		av_health(d, "quarantine", true,
			"%zu events are in quarantine or wait behind one: see `avvik quarantine`, and retry "
			"or drop them",
			quarantined);
	int upkeep = d->writer ? av_writer_upkeep_status(d->writer) : AV_OK;
	if (upkeep < 0)
		av_health(d, "keys_upkeep", true,
			"content keys cannot be made or destroyed (%s): is the disk of the key store full or "
			"read-only?",
			av_status_text(upkeep));
	if (doomed > 0 && upkeep < 0)
		av_health(d, "erasure_incomplete", true,
			"the keys of %zu erased contents are not destroyed yet", doomed);
	if (av_table_count(txn, AV_TABLE_ATTEMPTS) > 0)
		av_health(d, "item_ended_process", false,
			"an item was under way when the process ended, and has not succeeded since: see the "
			"journal for ItemSetAside");
}

static void feed_issues(struct av_daemon *d)
{
	for (size_t i = 0; i < d->follow_count; i++) {
		const struct follow *f = &d->follows[i];
		char code[80];
		if (f->halted) {
			snprintf(code, sizeof code, "feed_halted_%.20s", f->name);
			av_health(d, code, true,
				"the feed of %s has halted (%s): see `avvik quarantine`, then retry or drop "
				"the event, or let the feed go on",
				f->name, f->why);
		} else if (f->refused &&
			   f->refusal == AVVIK__V1__FEED_REFUSAL_CODE__FEED_REFUSAL_CODE_UNKNOWN_POSITION) {
			snprintf(code, sizeof code, "feed_refused_%.20s", f->name);
			av_health(d, code, true,
				"%s has another history than this daemon has read (was it restored?): decide "
				"with "
				"`avvik quarantine feed %s --restart` or `--accept-head`",
				f->name, f->name);
		} else if (f->refused) {
			snprintf(code, sizeof code, "feed_refused_%.20s", f->name);
			av_health(d, code, true, "%s refuses its feed (%s): give %s the right \"feed\" there",
				f->name, f->why, d->service->name);
		} else if (!av_feed_client_connected(f->client)) {
			snprintf(code, sizeof code, "feed_away_%.20s", f->name);
			av_health(d, code, false,
				"%s does not answer: is it running, and is its feed's address right?",
				f->name);
		}
	}
}

static void connection_issues(struct av_daemon *d)
{
	if (d->descriptors_out)
		av_health(d, "descriptors_out", true,
			"%u files are open, as many as may be: nobody new can connect, and no backup be "
			"made; raise "
			"LimitNOFILE, and look who connects so often",
			d->descriptors);
	if (d->bus && av_bus_full(d->bus))
		av_health(d, "connections_full", true,
			"%u peers are connected, as many as may be, and others are refused: end connections "
			"that "
			"nobody uses, or raise limits.connections",
			d->connections);
	if (d->connections < d->settings->limits->connections)
		av_health(d, "connections_fewer", false,
			"%u peers may connect instead of the %u of limits.connections, because only %u files "
			"may "
			"be open: raise LimitNOFILE",
			d->connections, d->settings->limits->connections, d->descriptors);
}

static void own_issues(struct av_daemon *d)
{
	int64_t now_ms = av_daemon_now_ms(d);
	if (d->principals_invalid)
		av_health(d, "principals_invalid", true,
			"the file of principals cannot be read and those read before stay in force: see the "
			"log, and put it right before the next start, which needs it");
	if (d->due_failed)
		av_health(d, "due_failed", true, "due work fails (%s): deadlines and notices may be late",
			d->failed_text);
	else if (d->next_due_ms > 0 && now_ms - d->next_due_ms > DUE_LATE_MS && !d->busy)
		av_health(d, "due_late", true, "what was due more than a minute ago has not been done");
	if (d->counters.failed > 0 && now_ms - d->failed_at_ms < FAILED_TOLD_MS)
		av_health(d, "item_failed", false, "%llu items could not be handled, the last of them: %s",
			(unsigned long long)d->counters.failed, d->failed_text);
	if (d->counters.dropped > 0 && d->commands)
		av_health(d, "replies_dropped", false,
			"%llu replies went to peers that do not read; they get them again by sending the "
			"same reference",
			(unsigned long long)d->counters.dropped);
}

static void own_metrics(struct av_daemon *d)
{
	const struct counters *c = &d->counters;
	struct av_socket_counts socket =
		d->commands ? av_socket_counts(d->commands) : (struct av_socket_counts){0};
	const struct {
		const char *name, *help;
		double value;
		bool counter;
	} rows[] = {
		/* clang-format off */
		{ "turns_total",            "Turns that were run.",                                    (double)c->turns,       true },
		{ "turn_seconds_total",     "Time of turns, commits included.",                        (double)c->turn_us / 1e6, true },
		{ "commits_total",          "Synced commits of turns.",                                (double)c->commits,     true },
		{ "commit_seconds_total",   "Time of commits.",                                        (double)c->commit_us / 1e6, true },
		{ "items_total",            "Commands, feed batches, due and inner items in turns.",   (double)c->items,       true },
		{ "batch_items_largest",    "Items of the largest batch.",                             (double)c->largest_batch, false },
		{ "batch_items_average",    "Items of a turn on the average.",                         c->turns ? (double)c->items / (double)c->turns : 0, false },
		{ "events_total",           "Events that were journalled.",                            (double)c->events,      true },
		{ "refused_total",          "Commands that were refused.",                             (double)c->refused,     true },
		{ "forbidden_total",        "Commands refused for a key or a right.",                  (double)c->forbidden,   true },
		{ "repeated_total",         "Commands answered from memory.",                          (double)c->repeated,    true },
		{ "failed_total",           "Items that could not be handled.",                        (double)c->failed,      true },
		{ "busy_total",             "Commands told to come back: the queue was full.",         (double)c->busy,        true },
		{ "queries_total",          "Questions that were answered.",                           (double)c->queries,     true },
		{ "quarantined_total",      "Feed events put in quarantine.",                          (double)c->quarantined, true },
		{ "passed_over_total",      "Feed events of an unknown type.",                         (double)c->passed_over, true },
		{ "replies_dropped_total",  "Replies to peers that do not read.",                      (double)c->dropped,     true },
		{ "messages_received_total", "Messages on the command socket.",                        (double)socket.received, true },
		{ "messages_sent_total",    "Replies that were sent.",                                 (double)socket.sent,    true },
		{ "messages_broken_total",  "Messages with too many frames or none.",                  (double)socket.broken,  true },
		{ "messages_refused_total", "Messages and handshakes of keys that are not allowed.",   (double)socket.refused, true },
		{ "queue_items",            "Commands that wait.",                                     (double)av_queue_count(d->queue), false },
		{ "queue_bytes",            "Bytes of commands that wait.",                            (double)av_queue_bytes(d->queue), false },
		{ "connections",            "Peers that are connected.",                               d->bus ? (double)av_bus_connections(d->bus) : 0, false },
		{ "feed_readers",           "Readers of this daemon's feed that wait for more.",       d->feed_server ? (double)av_feed_server_waiting(d->feed_server) : 0, false },
	}; /* clang-format on */
	for (size_t i = 0; i < AV_COUNT(rows); i++)
		av_metric(d, rows[i].name, "", rows[i].value, rows[i].counter, rows[i].help);
}

static void store_metrics(struct av_daemon *d, struct av_txn *txn)
{
	struct av_store_health health;
	struct av_position head;
	if (av_journal_head(txn, &head) == AV_OK)
		av_metric(d, "journal_head", "", (double)head.sequence, true, "The journal's last sequence.");
	if (av_store_health(d->store, &health) < 0)
		return;
	av_metric(d, "store_map_bytes", "", (double)health.map_bytes, false, "The store's largest size.");
	av_metric(d, "store_used_bytes", "", (double)health.used_bytes, false, "What of it is used.");
	av_metric(d, "store_free_pages", "", (double)health.free_pages, false,
		"Pages in the file that are free.");
	av_metric(d, "store_oldest_reader_lag", "", (double)health.oldest_reader_lag, false,
		"Transactions since the oldest reader began.");
	av_metric(d, "quarantine_events", "", (double)av_table_count(txn, AV_TABLE_QUARANTINE), false,
		"Events in quarantine or behind one.");
}

static void feed_metrics(struct av_daemon *d, struct av_txn *txn)
{
	for (size_t i = 0; i < d->follow_count; i++) {
		const struct follow *f = &d->follows[i];
		struct av_cursor cursor = {0};
		char labels[80];
		(void)av_cursor_load(txn, f->name, &cursor); /* none: from the start, ignoring */
		uint64_t head = av_feed_client_head(f->client);
		snprintf(labels, sizeof labels, "feed=\"%s\"", f->name);
		av_metric(d, "feed_lag_events", labels,
			head > cursor.position.sequence ? (double)(head - cursor.position.sequence) : 0,
			false, "How far this daemon is behind a producer.");
		av_metric(d, "feed_connected", labels, av_feed_client_connected(f->client), false,
			"Does the producer answer?");
	}
}

int health_collect(struct av_daemon *d, struct av_txn *txn, struct collecting *collecting)
{
	d->collecting = collecting;
	own_issues(d);
	connection_issues(d);
	store_issues(d, txn);
	feed_issues(d);
	own_metrics(d);
	store_metrics(d, txn);
	feed_metrics(d, txn);
	if (d->service->health)
		d->service->health(d, txn, collecting->arena);
	d->collecting = NULL;
	return av_arena_failed(collecting->arena) ? AV_MEMORY : AV_MIN(av_txn_error(txn), AV_OK);
}

/* Issues that no longer stand are forgotten, so that they begin anew if they come back. */
static void forget_gone(struct av_daemon *d, const struct collecting *c)
{
	for (size_t i = 0; i < ISSUES_MAX; i++) {
		bool stands = false;
		for (size_t j = 0; j < c->issue_count && !stands; j++)
			stands = strcmp(c->issues[j]->code, d->issues[i].code) == 0;
		if (stands || d->issues[i].code[0] == '\0')
			continue;
		if (d->issues[i].seen)
			av_log(AV_LOG_INFO, "health restored", "code=%s", d->issues[i].code);
		memset(&d->issues[i], 0, sizeof d->issues[i]);
	}
}

void health_log(struct av_daemon *d)
{
	struct av_txn *txn;
	struct collecting collecting = {.log = true};
	av_arena_reset(d->ask_arena);
	collecting.arena = d->ask_arena;
	if (av_txn_begin_read(d->store, &txn) < 0)
		return;
	(void)health_collect(d, txn, &collecting); /* for the log only, ignoring */
	av_txn_abort(&txn);
	forget_gone(d, &collecting);
}

/* --- the status --- */

static Avvik__V1__Cursor *cursor_of(const struct av_position *position, struct av_arena *arena)
{
	Avvik__V1__Cursor *cursor = AV_NEW(arena, Avvik__V1__Cursor, avvik__v1__cursor);
	struct av_position *copy = av_arena_copy(arena, position, sizeof *position);
	if (!cursor || !copy)
		return NULL;
	cursor->epoch_id = (ProtobufCBinaryData){AV_ID_SIZE, copy->epoch.bytes};
	cursor->sequence = copy->sequence;
	cursor->chain_hash = (ProtobufCBinaryData){AV_CHAIN_SIZE, copy->hash};
	return cursor;
}

static int fill_feeds(struct av_ctx *ctx, Avvik__V1__StatusFound *found)
{
	struct av_daemon *d = ctx->daemon;
	const struct av_service *service = ctx_service(ctx);
	size_t count = follow_count(service);
	found->feeds = av_arena_alloc(ctx->arena, AV_MAX(count, 1) * sizeof(Avvik__V1__FeedStatus *));
	if (!found->feeds)
		return AV_MEMORY;
	for (size_t i = 0; i < count; i++) {
		const char *name = follow_name(service, i);
		Avvik__V1__FeedStatus *feed =
			AV_NEW(ctx->arena, Avvik__V1__FeedStatus, avvik__v1__feed_status);
		struct av_feed_standing standing = {0};
		struct av_cursor cursor = {0};
		if (!feed)
			return AV_MEMORY;
		(void)av_cursor_load(ctx->txn, name, &cursor); /* none: from the start, ignoring */
		(void)av_feed_standing(ctx->txn, name, ctx->arena, &standing); /* never read yet, ignoring */
		feed->name = (char *)(uintptr_t)name;
		feed->cursor = cursor_of(&cursor.position, ctx->arena);
		feed->halted = standing.halted;
		feed->passed_over = standing.passed_over;
		feed->quarantined = standing.quarantined;
		for (size_t j = 0; d && j < d->follow_count; j++) {
			const struct follow *f = &d->follows[j];
			if (strcmp(f->name, name) != 0)
				continue;
			feed->head = av_feed_client_head(f->client);
			feed->connected = av_feed_client_connected(f->client);
			feed->halted |=
				f->halted ||
				(f->refused &&
					f->refusal ==
						AVVIK__V1__FEED_REFUSAL_CODE__FEED_REFUSAL_CODE_UNKNOWN_POSITION);
		}
		found->feeds[found->n_feeds++] = feed;
	}
	return AV_OK;
}

static int fill_store(struct av_ctx *ctx, Avvik__V1__StatusFound *found)
{
	struct av_store_health health;
	found->store = AV_NEW(ctx->arena, Avvik__V1__StoreStatus, avvik__v1__store_status);
	if (!found->store)
		return AV_MEMORY;
	int status = av_store_health(ctx->daemon->store, &health);
	if (status < 0)
		return status;
	found->store->map_bytes = health.map_bytes;
	found->store->used_bytes = health.used_bytes;
	found->store->oldest_reader_lag = health.oldest_reader_lag;
	found->store->free_pages = health.free_pages;
	found->store->format = AV_STORE_FORMAT;
	return AV_OK;
}

/* The clock may have been moved since the timer was set: whoever asks hears of what is due now, and it is
 * begun. */
static void look_at_clock(struct av_daemon *d)
{
	if (loop_due(d))
		loop_kick(d);
	loop_plan(d);
}

static int fill_shell(struct av_ctx *ctx, Avvik__V1__StatusFound *found)
{
	struct av_daemon *d = ctx->daemon;
	struct collecting collecting = {.arena = ctx->arena};
	look_at_clock(d);
	found->quiet = loop_quiet(d);
	found->next_due_ms = d->next_due_ms;
	found->stepped_clock = av_clock_is_stepped(&d->clock);
	found->started_at_ms = d->started_at_ms;
	found->draining = d->draining;
	int status = fill_store(ctx, found);
	if (status == AV_OK)
		status = health_collect(d, ctx->txn, &collecting);
	if (status < 0)
		return status;
	found->n_issues = collecting.issue_count;
	found->issues = av_arena_copy(ctx->arena, collecting.issues, sizeof collecting.issues);
	found->n_metrics = collecting.metric_count;
	found->metrics = collecting.metrics;
	return found->issues ? AV_OK : AV_MEMORY;
}

int status_fill(struct av_ctx *ctx, Avvik__V1__StatusFound *found)
{
	struct av_position *head = av_arena_zalloc(ctx->arena, sizeof *head);
	if (!head)
		return AV_MEMORY;
	int status = av_journal_head(ctx->txn, head);
	if (status < 0)
		return status;
	found->daemon = (char *)(uintptr_t)ctx_service(ctx)->name;
	found->instance = (char *)(uintptr_t)ctx->instance;
	found->version = (char *)(uintptr_t)AVVIK_VERSION;
	found->epoch_id = (ProtobufCBinaryData){AV_ID_SIZE, head->epoch.bytes};
	found->head = head->sequence;
	found->chain_hash = (ProtobufCBinaryData){AV_CHAIN_SIZE, head->hash};
	found->now_ms = ctx->now_ms;
	found->signing_key =
		(ProtobufCBinaryData){AV_SIGN_PUBLIC_SIZE, (uint8_t *)(uintptr_t)ctx->sign_public};
	status = fill_feeds(ctx, found);
	return status == AV_OK && ctx->daemon ? fill_shell(ctx, found) : status;
}
