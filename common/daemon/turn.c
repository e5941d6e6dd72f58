/* turn.c - a batch as one transaction, again without what fails
 *
 * An attempt that fails while an item is handled names the item: what stood before it is committed as an
 * attempt of its own, then the item alone, and if it fails alone too it is answered FAILED (a feed event:
 * quarantine) and the rest goes on. So each item is run at most a few times, whatever its neighbours do. An
 * attempt that fails without a name (at the commit, say) is halved until the item is found.
 */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "daemon/turn_inner.h"

#define NOT_BEGUN SIZE_MAX
#define ARENA_BYTES_DEFAULT ((size_t)256 * 1024 * 1024)

/* Made with the first block of keys, and never destroyed. */
static int own_key(struct av_turn *turn)
{
	int status = av_keystore_extend(turn->o.keys, AV_KEY_FIRST_CONTENT);
	return status < 0 ? status : av_keystore_get(turn->o.keys, AV_KEY_OWN, turn->own_key);
}

int av_turn_create(const struct av_turn_options *options, struct av_turn **ret_turn)
{
	struct av_turn *turn = calloc(1, sizeof *turn);
	if (!turn)
		return AV_MEMORY;
	turn->o = *options;
	if (!turn->o.arena_bytes)
		turn->o.arena_bytes = ARENA_BYTES_DEFAULT;
	turn->mark = &turn->mark_none;
	/* libsodium's secret key ends with the public one */
	memcpy(turn->sign_public, options->sign_secret + AV_SIGN_SECRET_SIZE - AV_SIGN_PUBLIC_SIZE,
		AV_SIGN_PUBLIC_SIZE);
	int status = AV_OK;
	turn->arena = av_arena_create(turn->o.arena_bytes);
	for (size_t i = 0; i < AV_COUNT(turn->kept); i++) {
		turn->kept[i] = av_arena_create(turn->o.arena_bytes);
		if (!turn->kept[i])
			status = AV_MEMORY;
	}
	turn->keep = turn->kept[0];
	if (!turn->arena)
		status = AV_MEMORY;
	if (status == AV_OK)
		status = own_key(turn);
	if (options->service->cache_create && !(turn->cache = options->service->cache_create()))
		status = AV_MEMORY;
	if (status == AV_OK)
		status = marks_open(turn);
	if (status < 0) {
		av_turn_destroy(&turn);
		return status;
	}
	*ret_turn = turn;
	return AV_OK;
}

void av_turn_destroy(struct av_turn **turn)
{
	if (!turn || !*turn)
		return;
	struct av_turn *t = *turn;
	marks_close(t);
	av_txn_abort(&t->txn);
	if (t->cache && t->o.service->cache_destroy)
		t->o.service->cache_destroy(t->cache);
	av_arena_destroy(&t->arena);
	for (size_t i = 0; i < AV_COUNT(t->kept); i++)
		av_arena_destroy(&t->kept[i]);
	free(t->leaves.hashes);
	free(t->leaves.leaf);
	av_wipe(t->own_key, sizeof t->own_key);
	free(t);
	*turn = NULL;
}

uint64_t av_turn_progress(const struct av_turn *turn)
{
	return atomic_load_explicit(&turn->progress, memory_order_relaxed);
}

/* --- an attempt --- */

int attempt_begin(struct av_turn *turn)
{
	av_arena_reset(turn->arena);
	int status = av_txn_begin_write(turn->o.store, &turn->txn);
	if (status < 0)
		return status;
	status = av_journal_head(turn->txn, &turn->head);
	if (status < 0) {
		av_txn_abort(&turn->txn);
		return status;
	}
	turn->first = turn->head.sequence + 1;
	turn->full = av_store_used_percent(turn->txn) >= FULL_PERCENT;
	turn->key_first = turn->key_next = AV_MAX(av_counter(turn->txn, "next_key"), AV_KEY_FIRST_CONTENT);
	turn->dirty = turn->doomed = turn->feeds_resolved = false;
	turn->leaves.count = 0;
	turn->crowded_at = 0;
	turn->wanted = NULL;
	turn->wanted_tail = &turn->wanted;
	memset(&turn->counts, 0, sizeof turn->counts);
	return AV_OK;
}

void attempt_abort(struct av_turn *turn)
{
	const struct av_service *service = turn->o.service;
	av_txn_abort(&turn->txn);
	mark_clear(turn);
	/* What the service's cache learnt from writes that never were must go. */
	if (turn->dirty && turn->cache && service->cache_destroy && service->cache_create) {
		service->cache_destroy(turn->cache);
		turn->cache = service->cache_create();
	}
}

static void attempt_count(struct av_turn *turn)
{
	struct av_turn_result *sum = turn->result, *one = &turn->counts;
	if (turn->head.sequence >= turn->first) {
		sum->first = sum->first ? sum->first : turn->first;
		sum->last = turn->head.sequence;
		sum->events += (size_t)(turn->head.sequence + 1 - turn->first);
	}
	sum->refused += one->refused;
	sum->repeated += one->repeated;
	sum->failed += one->failed;
	sum->passed_over += one->passed_over;
	sum->quarantined += one->quarantined;
	sum->doomed |= turn->doomed;
	sum->feeds_resolved |= turn->feeds_resolved;
	turn->keys_used = AV_MAX(turn->keys_used, (size_t)(turn->key_next - turn->key_first));
	sum->keys_low = av_keystore_end(turn->o.keys) <
			turn->key_next + AV_MAX((uint64_t)KEYS_LOW, 2 * (uint64_t)turn->keys_used);
}

/* What the items answer outlives the attempt. */
static int answers_keep(struct av_turn *turn, struct av_item *items, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (items[i].reply.data)
			items[i].reply.data =
				av_arena_copy(turn->keep, items[i].reply.data, items[i].reply.size);
		if (items[i].halt_text)
			items[i].halt_text = av_arena_strdup(turn->keep, items[i].halt_text);
	}
	return av_arena_failed(turn->keep) ? AV_MEMORY : AV_OK;
}

/* Seal, plan, commit. On AV_OK the items' answers stand. */
int attempt_end(struct av_turn *turn, struct av_item *items, size_t count)
{
	const struct av_service *service = turn->o.service;
	int status = av_txn_error(turn->txn);
	mark_clear(turn);
	if (status >= 0 && turn->head.sequence >= turn->first)
		status = turn_seal(turn);
	if (status >= 0 && turn->key_next != turn->key_first)
		av_counter_set(turn->txn, "next_key", turn->key_next);
	int64_t next_due_ms = status >= 0 && service->next_due ? service->next_due(turn->txn) : 0;
	if (status >= 0 && av_arena_failed(turn->arena))
		status = AV_MEMORY;
	if (status >= 0)
		status = answers_keep(turn, items, count);
	if (status < 0) {
		attempt_abort(turn);
		return status;
	}
	if (!turn->dirty) {
		av_txn_abort(&turn->txn);
		turn->next_due_ms = next_due_ms;
		attempt_count(turn);
		return AV_OK;
	}
	int64_t started_us = av_clock_monotonic_us();
	status = av_txn_commit(&turn->txn);
	if (status < 0) {
		attempt_abort(turn);
		return status;
	}
	turn->next_due_ms = next_due_ms;
	turn->result->commit_us += AV_MAX(av_clock_monotonic_us() - started_us, 1);
	atomic_fetch_add_explicit(&turn->progress, 1, memory_order_relaxed);
	attempt_count(turn);
	return AV_OK;
}

/* --- items --- */

/* Portion after portion, each seeing the effect of the one before, up to a limit: what arrived later is not
 * to find undone what was due before it came. */
static int due_portions(struct av_turn *turn, struct av_item *item)
{
	struct av_outcome out;
	size_t done = 0;
	do {
		outcome_init(&out, turn);
		struct av_ctx ctx = turn_ctx(turn, item, &out);
		item->more = false;
		int status = turn->o.service->on_due(&ctx, (unsigned int)(DUE_LIMIT - done), &item->more);
		if (status == AV_NOTHING && !out.first)
			return AV_OK;
		if (status < 0)
			return status;
		turn->dirty = true;
		status = outcome_commit(turn, &ctx);
		if (status < 0)
			return status;
		done += out.count + ctx.let_be;
	} while (item->more && out.count > 0 && done < DUE_LIMIT);
	return AV_OK;
}

static int due_run(struct av_turn *turn, struct av_item *item)
{
	const struct av_service *service = turn->o.service;
	unsigned char hash[AV_HASH_SIZE];
	int64_t due_ms = service->next_due ? service->next_due(turn->txn) : 0;
	if (!service->on_due)
		return AV_OK;
	feed_mark_hash("due", (uint64_t)due_ms, hash);
	if (held_back(turn, hash)) {
		item->status = AV_INTERNAL;
		turn->counts.failed++;
		turn->result->failed_text = "due work has ended the process twice and is held back for ten "
					    "minutes: deadlines are late";
		return AV_OK;
	}
	mark_set(turn, AV_ITEM_DUE, "due", 0, hash);
	int status = due_portions(turn, item);
	if (status == AV_OK)
		set_aside_forget(turn, hash);
	return status;
}

static int inner_run(struct av_turn *turn, struct av_item *item)
{
	const struct av_service *service = turn->o.service;
	unsigned char hash[AV_FINGERPRINT_SIZE];
	struct av_outcome out;
	if (!service->on_inner)
		return AV_OK;
	av_fingerprint(item->wire, hash);
	if (held_back(turn, hash)) {
		item->status = AV_INTERNAL;
		turn->counts.failed++;
		turn->result->failed_text =
			"an inner item has ended the process twice and is held back for ten minutes";
		return AV_OK;
	}
	mark_set(turn, AV_ITEM_INNER, "inner", item->inner_kind, hash);
	outcome_init(&out, turn);
	struct av_ctx ctx = turn_ctx(turn, item, &out);
	int status = service->on_inner(&ctx, item->inner_kind, item->wire);
	if (status < 0) {
		item->status = status;
		return status == AV_IO || status == AV_FULL || status == AV_MEMORY ? status : AV_OK;
	}
	turn->dirty = true;
	status = outcome_commit(turn, &ctx);
	if (status == AV_OK)
		set_aside_forget(turn, hash);
	return status;
}

static char **names_copy(struct av_turn *turn, const char **names, size_t count)
{
	char **copy = av_arena_alloc(turn->arena, AV_MAX(count, 1) * sizeof(char *));
	for (size_t i = 0; copy && i < count; i++)
		copy[i] = (char *)(uintptr_t)names[i];
	return copy;
}

static int principals_run(struct av_turn *turn, struct av_item *item)
{
	const struct av_principals_change *change = item->change;
	Avvik__V1__PrincipalsChanged *body =
		AV_NEW(turn->arena, Avvik__V1__PrincipalsChanged, avvik__v1__principals_changed);
	if (!body)
		return AV_MEMORY;
	body->n_added = change->added_count;
	body->added = names_copy(turn, change->added, change->added_count);
	body->n_changed = change->changed_count;
	body->changed = names_copy(turn, change->changed, change->changed_count);
	body->n_removed = change->removed_count;
	body->removed = names_copy(turn, change->removed, change->removed_count);
	body->hash = (ProtobufCBinaryData){AV_HASH_SIZE, (uint8_t *)(uintptr_t)item->change_hash};
	body->count = item->change_count;
	av_put(turn->txn, AV_TABLE_META, av_bytes_of("principals"),
		av_bytes(item->change_hash, AV_HASH_SIZE));
	return turn_emit_own(turn, AVVIK__V1__EVENT__BODY_PRINCIPALS_CHANGED, body);
}

static int item_run(struct av_turn *turn, struct av_item *item)
{
	item->reply = av_bytes(NULL, 0);
	item->status = AV_OK;
	item->halted = item->more = false;
	item->halt_text = NULL;
	atomic_fetch_add_explicit(&turn->progress, 1, memory_order_relaxed);
	switch (item->kind) { /* clang-format off */
	case AV_ITEM_COMMAND:    return command_run(turn, item);
	case AV_ITEM_FEED:       return feed_run(turn, item);
	case AV_ITEM_DUE:        return due_run(turn, item);
	case AV_ITEM_INNER:      return inner_run(turn, item);
	case AV_ITEM_PRINCIPALS: return principals_run(turn, item);
	} /* clang-format on */
	return AV_INTERNAL;
}

/* They wait for another attempt: nothing of what they had answered is true. */
static void items_wait(struct av_item *items, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		items[i].reply = av_bytes(NULL, 0);
		items[i].status = AV_FULL;
		items[i].halted = items[i].more = false;
		items[i].halt_text = NULL;
	}
}

static int items_run(struct av_turn *turn, struct av_item *items, size_t low, size_t high, size_t *ret_at)
{
	for (size_t i = low; i < high; i++) {
		int status = item_run(turn, &items[i]);
		if (status >= 0)
			status = AV_MIN(av_txn_error(turn->txn), AV_OK);
		if (status >= 0 && av_arena_failed(turn->arena))
			status = AV_MEMORY;
		if (status < 0) {
			*ret_at = i;
			attempt_abort(turn);
			return status;
		}
	}
	return attempt_end(turn, items + low, high - low);
}

/* *ret_at: the item that failed; `high`: none is to blame; NOT_BEGUN: the store does not let a transaction
 * begin. */
static int attempt(struct av_turn *turn, struct av_item *items, size_t low, size_t high, size_t *ret_at)
{
	int status = attempt_begin(turn);
	*ret_at = status < 0 ? NOT_BEGUN : high;
	if (status >= 0)
		status = items_run(turn, items, low, high, ret_at);
	if (status < 0)
		items_wait(items + low, high - low);
	return status;
}

/* --- without what fails --- */

static void answer(struct av_turn *turn, struct av_item *item, int reply_status, const char *text)
{
	if (item->kind == AV_ITEM_COMMAND)
		item->reply = av_reply_plain(item->wire, reply_status, 0, text, turn->keep);
}

/* It failed alone. */
static void item_failed(struct av_turn *turn, struct av_item *item, int status)
{
	item->status = status;
	turn->result->failed++;
	turn->result->failed_text = av_status_text(status);
	/* When the machine is short of memory it is not the item's fault: without an answer of ours its
	 * sender is told to come again. */
	if (status == AV_MEMORY && !av_arena_crowded(turn->arena) && !av_arena_crowded(turn->keep))
		return;
	answer(turn, item, AVVIK__V1__REPLY_STATUS__REPLY_STATUS_FAILED,
		"it could not be handled and nothing was stored: see the daemon's health");
}

static bool fatal(int status)
{
	return status == AV_IO || status == AV_FULL || status == AV_LOCKED;
}

static int range_run(struct av_turn *turn, struct av_item *items, size_t low, size_t high);

/* A feed event was blamed: everything before it, then the batch up to it, with it in quarantine. */
static int quarantine_run(struct av_turn *turn, struct av_item *items, size_t low, size_t at)
{
	size_t ignored;
	int status = at > low ? range_run(turn, items, low, at) : AV_OK;
	if (status < 0 || items[at].kind != AV_ITEM_FEED)
		return status;
	turn->stop_after = turn->blamed->sequence;
	status = attempt(turn, items, at, at + 1, &ignored);
	turn->stop_after = 0;
	return fatal(status) ? status : AV_OK; /* another failure shows again, with its own blame */
}

/* A feed's batch for which one attempt has not room. What came before the event at which it ran out is done
 * first; an event that fails so alone is to blame. AV_OK: the rest can be tried again; AV_NOTHING: it was not
 * that. */
static int crowded_run(struct av_turn *turn, struct av_item *items, size_t low, int status)
{
	size_t ignored;
	uint64_t at = turn->crowded_at;
	if (items[low].kind != AV_ITEM_FEED || !at)
		return AV_NOTHING;
	if (turn->crowded_alone)
		return feed_blame(turn, items[low].feed, at, status) < 0 ? AV_NOTHING : AV_OK;
	turn->stop_after = at - 1;
	status = attempt(turn, items, low, low + 1, &ignored);
	turn->stop_after = 0;
	return status < 0 && !fatal(status) ? AV_NOTHING : status;
}

static int range_run(struct av_turn *turn, struct av_item *items, size_t low, size_t high)
{
	while (low < high) {
		size_t at;
		const struct blamed *blamed = turn->blamed;
		int status = attempt(turn, items, low, high, &at);
		if (status >= 0)
			return AV_OK;
		if (fatal(status) || at == NOT_BEGUN)
			return status;
		if (turn->blamed != blamed) {
			status = quarantine_run(turn, items, low, at);
			if (status < 0)
				return status;
			low = at;
			continue;
		}
		if (high - low == 1) {
			int again = crowded_run(turn, items, low, status);
			if (again < 0)
				return again;
			if (again == AV_OK)
				continue;
			item_failed(turn, &items[low], status);
			return AV_OK;
		}
		size_t middle = at == high ? low + (high - low) / 2 : at > low ? at : low + 1;
		status = range_run(turn, items, low, middle);
		if (status < 0)
			return status;
		low = middle;
	}
	return AV_OK;
}

int av_turn_run(struct av_turn *turn, struct av_item *items, size_t count, int64_t now_ms,
	struct av_turn_result *ret_result)
{
	struct av_turn_result result = {0};
	turn->keep = turn->keep == turn->kept[0] ? turn->kept[1] : turn->kept[0];
	av_arena_reset(turn->keep);
	turn->blamed = NULL;
	turn->now_ms = now_ms;
	turn->result = &result;
	items_wait(items, count);
	int status = range_run(turn, items, 0, count);
	for (size_t i = 0; status == AV_FULL && i < count; i++) {
		if (!items[i].reply.data)
			answer(turn, &items[i], AVVIK__V1__REPLY_STATUS__REPLY_STATUS_FULL,
				"the store is full and nothing was stored: the administrator must make room");
	}
	if (result.events == 0)
		result.first = turn->head.sequence + 1, result.last = turn->head.sequence;
	result.next_due_ms = turn->next_due_ms;
	turn->result = NULL;
	*ret_result = result;
	return status;
}
