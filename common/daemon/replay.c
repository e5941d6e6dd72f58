/* replay.c - the journal alone gives every projection: replay, and the proof that it does */
#include <stdio.h>
#include <string.h>

#include "daemon/turn_inner.h"

#define REPLAY_ARENA_BYTES ((size_t)64 * 1024 * 1024)
#define REPLAY_AT_ONCE 5000u

static void arena_free(struct av_arena **arena)
{
	av_arena_destroy(arena);
}

static void txn_free(struct av_txn **txn)
{
	av_txn_abort(txn);
}

static int load(struct av_txn *txn, uint64_t sequence, struct av_arena *arena, Avvik__V1__Event **ret_event)
{
	struct av_bytes packed;
	ProtobufCMessage *message;
	int status = av_journal_read(txn, sequence, &packed, NULL);
	if (status == AV_OK)
		status = av_message_load(&avvik__v1__event__descriptor, packed, arena, &message);
	if (status == AV_OK)
		*ret_event = (Avvik__V1__Event *)message;
	return status;
}

/* A page of the journal in one pair of transactions. */
static int replay_page(const struct av_service *service, struct av_store *from, struct av_store *to,
	struct av_arena *arena, uint64_t *sequence, bool *ret_end)
{
	AV_CLEANUP(txn_free)
	struct av_txn *in = NULL;
	AV_CLEANUP(txn_free)
	struct av_txn *out = NULL;
	struct av_position head;
	uint64_t at = *sequence;
	int status = av_txn_begin_read(from, &in);
	if (status == AV_OK)
		status = av_txn_begin_write(to, &out);
	if (status == AV_OK)
		status = av_journal_head(in, &head);
	if (status != AV_OK)
		return status;
	uint64_t last = AV_MIN(at + REPLAY_AT_ONCE, head.sequence);
	while (at < last) {
		Avvik__V1__Event *event = NULL;
		av_arena_reset(arena);
		status = load(in, at + 1, arena, &event);
		if (status == AV_OK)
			status = apply_event(service, out, event, arena);
		if (status < 0) {
			*sequence = at + 1;
			return status;
		}
		at++;
	}
	status = av_txn_commit(&out);
	*sequence = at;
	*ret_end = at == head.sequence;
	return status;
}

int av_replay(
	const struct av_service *service, struct av_store *from, struct av_store *to, uint64_t *ret_sequence)
{
	AV_CLEANUP(arena_free)
	struct av_arena *arena = av_arena_create(REPLAY_ARENA_BYTES);
	uint64_t sequence = 0;
	bool end = false;
	int status = arena ? AV_OK : AV_MEMORY;
	while (status == AV_OK && !end)
		status = replay_page(service, from, to, arena, &sequence, &end);
	*ret_sequence = sequence;
	return status;
}

/* --- verify --- */

struct verifying {
	const struct av_service *service;
	struct av_arena *arena;
	const unsigned char *sign_public;
	void (*say)(void *context, bool good, const char *line);
	void *context;
	bool bad;
};

static void say(struct verifying *v, bool good, const char *format, ...) AV_PRINTF(3, 4);

static void say(struct verifying *v, bool good, const char *format, ...)
{
	char line[512];
	va_list args;
	va_start(args, format);
	vsnprintf(line, sizeof line, format, args);
	va_end(args);
	v->bad |= !good;
	v->say(v->context, good, line);
}

/* The root of a turn's receipts, from the events. */
static int root_of(struct verifying *v, struct av_txn *txn, const Avvik__V1__TurnSeal *seal,
	unsigned char ret_root[AV_HASH_SIZE], size_t *ret_count)
{
	size_t count = 0, most = (size_t)(seal->last_sequence + 1 - seal->first_sequence);
	unsigned char(*hashes)[AV_HASH_SIZE] = av_arena_alloc(v->arena, AV_MAX(most, 1) * AV_HASH_SIZE);
	if (!hashes)
		return AV_MEMORY;
	for (uint64_t at = seal->first_sequence; at <= seal->last_sequence; at++) {
		Avvik__V1__Event *event = NULL;
		Avvik__V1__ReceiptLeaf leaf = AVVIK__V1__RECEIPT_LEAF__INIT;
		int status = load(txn, at, v->arena, &event);
		if (status != AV_OK)
			return status;
		if (!v->service->receipt_leaf || !v->service->receipt_leaf(event, &leaf))
			continue;
		leaf.sequence = event->sequence;
		leaf.recorded_at_ms = event->recorded_at_ms;
		status = av_receipt_leaf_hash(&leaf, v->arena, hashes[count++]);
		if (status < 0)
			return status;
	}
	memset(ret_root, 0, AV_HASH_SIZE);
	if (count > 0)
		av_merkle_root(hashes[0], count, ret_root);
	*ret_count = count;
	return AV_OK;
}

static int check_turn(
	struct verifying *v, struct av_txn *txn, const Avvik__V1__TurnSeal *seal, uint64_t expected)
{
	unsigned char hash[AV_CHAIN_SIZE], root[AV_HASH_SIZE];
	struct av_bytes event;
	size_t count;
	unsigned long long last = (unsigned long long)seal->last_sequence;
	if (seal->first_sequence != expected || seal->last_sequence < seal->first_sequence) {
		say(v, false, "turns: entries from %llu are under no signature",
			(unsigned long long)expected);
		return AV_DAMAGED;
	}
	if (av_turn_check(seal, v->sign_public, v->arena) < 0) {
		say(v, false, "turns: the signature of the turn that ends at %llu does not hold", last);
		return AV_OK;
	}
	int status = av_journal_read(txn, seal->last_sequence, &event, hash);
	if (status < 0 || seal->chain_hash.len != AV_CHAIN_SIZE ||
		memcmp(hash, seal->chain_hash.data, AV_CHAIN_SIZE) != 0) {
		say(v, false, "turns: the turn that ends at %llu was signed over another history", last);
		return AV_OK;
	}
	status = root_of(v, txn, seal, root, &count);
	if (status != AV_OK)
		return status;
	if (count != seal->leaves || seal->merkle_root.len != AV_HASH_SIZE ||
		memcmp(root, seal->merkle_root.data, AV_HASH_SIZE) != 0)
		say(v, false, "receipts: those of the turn that ends at %llu are not what its events say",
			last);
	return AV_OK;
}

static int check_turns(struct verifying *v, struct av_txn *txn)
{
	struct av_position head;
	uint64_t expected = 1;
	size_t turns = 0;
	int status = av_journal_head(txn, &head);
	struct av_bytes packed;
	uint64_t at = 1, ends = 0;
	for (; status == AV_OK && av_journal_seal_of(txn, at, &ends, &packed) == AV_OK; at = ends + 1) {
		ProtobufCMessage *message;
		av_arena_reset(v->arena);
		status = av_message_load(&avvik__v1__turn_seal__descriptor, packed, v->arena, &message);
		if (status < 0)
			break;
		const Avvik__V1__TurnSeal *seal = (const Avvik__V1__TurnSeal *)message;
		uint64_t last = seal->last_sequence;
		status = check_turn(v, txn, seal, expected);
		expected = last + 1;
		turns++;
	}
	if (status < 0)
		return status;
	if (expected != head.sequence + 1)
		say(v, false, "turns: entries from %llu are under no signature",
			(unsigned long long)expected);
	if (!v->bad)
		say(v, true, "turns: %zu signatures and their receipts hold", turns);
	return AV_OK;
}

static int check_replay(struct verifying *v, struct av_store *store, const char *scratch_path)
{
	struct av_store *scratch = NULL;
	struct av_random random = av_random_system();
	const char *why = "", *table;
	char key[129];
	uint64_t sequence = 0;
	struct av_store_options options = {
		.path = scratch_path,
		.map_bytes = av_store_map_bytes(store), /* what it holds has room there */
		.tables = v->service->tables,
		.table_count = v->service->table_count,
		.daemon = v->service->name,
		.instance = "replay",
		.stepped_clock = av_store_stepped(store),
	};
	int status = av_store_open(&options, &random, &scratch, &why);
	if (status < 0) {
		say(v, false, "replay: no scratch store: %s", why);
		return status;
	}
	status = av_replay(v->service, store, scratch, &sequence);
	if (status < 0) {
		say(v, false, "replay: event %llu cannot be applied: %s", (unsigned long long)sequence,
			av_status_text(status));
	} else {
		status = av_store_compare(store, scratch, &table, key);
		if (status == AV_CONFLICT)
			say(v, false, "replay: table %s differs at key %s", table, key);
		else if (status == AV_OK)
			say(v, true, "replay: %llu events give every projection",
				(unsigned long long)sequence);
	}
	av_store_close(&scratch);
	return status == AV_CONFLICT ? AV_OK : status;
}

int av_verify(const struct av_service *service, struct av_store *store, const char *scratch_path,
	const unsigned char *sign_public, void (*tell)(void *context, bool good, const char *line),
	void *context)
{
	AV_CLEANUP(arena_free)
	struct av_arena *arena = av_arena_create(REPLAY_ARENA_BYTES);
	struct verifying v = {service, arena, sign_public, tell, context, false};
	struct av_txn *txn;
	uint64_t sequence = 0;
	if (!arena)
		return AV_MEMORY;
	int status = av_txn_begin_read(store, &txn);
	if (status < 0)
		return status;
	status = av_journal_check(txn, &sequence);
	if (status == AV_OK)
		say(&v, true, "journal: the chain holds");
	else
		say(&v, false, "journal: the chain breaks at entry %llu", (unsigned long long)sequence);
	if (status == AV_OK)
		status = check_turns(&v, txn);
	av_txn_abort(&txn);
	if (status == AV_OK)
		status = check_replay(&v, store, scratch_path);
	return status < 0 ? status : v.bad ? AV_DAMAGED : AV_OK;
}
