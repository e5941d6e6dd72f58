/* quarantine.c - events that could not be handled, and those that wait behind them.
 *
 *	key   "intake" 00 0000000000000011
 *	value 01 02 00000003 <first_at_ms u64> <case id 16> 0007 "INVALID" <packed FeedItem>
 */
#include "store/quarantine.h"

#include <stdlib.h>
#include "base/macros.h"

enum { VERSION = 1, FAILED = 1, WAITING = 2, HEAD_SIZE = 1 + 1 + 4 + 8 + AV_ID_SIZE + 2 };

static bool make_prefix(
	struct av_txn *txn, const char *feed, unsigned char ret_key[AV_KEY_MAX], size_t *ret_size)
{
	size_t size = strlen(feed) + 1;
	if (size + 8 > AV_KEY_MAX) {
		av_txn_fail(txn, AV_TOO_LARGE);
		return false;
	}
	memcpy(ret_key, feed, size);
	*ret_size = size;
	return true;
}

static bool make_key(struct av_txn *txn, const char *feed, uint64_t sequence,
	unsigned char ret_key[AV_KEY_MAX], struct av_bytes *ret_bytes)
{
	size_t size;
	if (!make_prefix(txn, feed, ret_key, &size))
		return false;
	av_put_u64(ret_key + size, sequence);
	*ret_bytes = av_bytes(ret_key, size + 8);
	return true;
}

static int unpack(struct av_txn *txn, struct av_bytes value, struct av_quarantined *ret_entry)
{
	const unsigned char *from = value.data;
	size_t cause = value.size >= HEAD_SIZE ? (size_t)from[HEAD_SIZE - 2] << 8 | from[HEAD_SIZE - 1] : 0;
	if (value.size < HEAD_SIZE || from[0] != VERSION || (from[1] != FAILED && from[1] != WAITING) ||
		cause > value.size - HEAD_SIZE) {
		av_txn_fail(txn, AV_DAMAGED);
		return av_txn_error(txn);
	}
	ret_entry->waiting = from[1] == WAITING;
	ret_entry->attempts = av_get_u32(from + 2);
	ret_entry->first_at_ms = (int64_t)av_get_u64(from + 6);
	memcpy(ret_entry->case_id.bytes, from + 14, AV_ID_SIZE);
	ret_entry->cause = av_bytes(from + HEAD_SIZE, cause);
	ret_entry->item = av_bytes(from + HEAD_SIZE + cause, value.size - HEAD_SIZE - cause);
	return AV_OK;
}

/* Put together aside: what is stored again was often loaded from the very record it replaces. */
void av_quarantine_store(struct av_txn *txn, const struct av_quarantined *entry)
{
	unsigned char room[AV_KEY_MAX];
	struct av_bytes key;
	size_t cause = AV_MIN(entry->cause.size, UINT16_MAX), size = HEAD_SIZE + cause + entry->item.size;
	if (!make_key(txn, entry->feed, entry->sequence, room, &key))
		return;
	unsigned char *to = malloc(size);
	if (!to) {
		av_txn_fail(txn, AV_MEMORY);
		return;
	}
	to[0] = VERSION;
	to[1] = entry->waiting ? WAITING : FAILED;
	av_put_u32(to + 2, entry->attempts);
	av_put_u64(to + 6, (uint64_t)entry->first_at_ms);
	memcpy(to + 14, entry->case_id.bytes, AV_ID_SIZE);
	to[HEAD_SIZE - 2] = (unsigned char)(cause >> 8);
	to[HEAD_SIZE - 1] = (unsigned char)cause;
	if (cause)
		memcpy(to + HEAD_SIZE, entry->cause.data, cause);
	if (entry->item.size)
		memcpy(to + HEAD_SIZE + cause, entry->item.data, entry->item.size);
	av_put(txn, AV_TABLE_QUARANTINE, key, av_bytes(to, size));
	free(to);
}

int av_quarantine_load(
	struct av_txn *txn, const char *feed, uint64_t sequence, struct av_quarantined *ret_entry)
{
	unsigned char room[AV_KEY_MAX];
	struct av_bytes key, value;
	struct av_quarantined entry = {.feed = feed, .sequence = sequence};
	if (!make_key(txn, feed, sequence, room, &key))
		return av_txn_error(txn);
	int status = av_get(txn, AV_TABLE_QUARANTINE, key, &value);
	if (status == AV_OK)
		status = unpack(txn, value, &entry);
	if (status == AV_OK)
		*ret_entry = entry;
	return status;
}

void av_quarantine_delete(struct av_txn *txn, const char *feed, uint64_t sequence)
{
	unsigned char room[AV_KEY_MAX];
	struct av_bytes key;
	if (make_key(txn, feed, sequence, room, &key))
		av_delete(txn, AV_TABLE_QUARANTINE, key);
}

bool av_quarantine_holds(struct av_txn *txn, const char *feed, const struct av_id *case_id)
{
	unsigned char prefix[AV_KEY_MAX];
	size_t size;
	bool held = false;
	if (av_table_count(txn, AV_TABLE_QUARANTINE) == 0 || !make_prefix(txn, feed, prefix, &size))
		return false;
	struct av_iter it = av_iter(txn, AV_TABLE_QUARANTINE, av_bytes(prefix, size), av_bytes("", 0));
	while (!held && av_iter_next(&it)) {
		struct av_quarantined entry;
		held = unpack(txn, it.value, &entry) == AV_OK &&
		       memcmp(entry.case_id.bytes, case_id->bytes, AV_ID_SIZE) == 0;
	}
	av_iter_end(&it);
	return held;
}

void av_quarantine_each(struct av_txn *txn, const char *feed, av_quarantine_visitor *visit, void *context)
{
	unsigned char prefix[AV_KEY_MAX];
	size_t size = 0;
	if (feed && !make_prefix(txn, feed, prefix, &size))
		return;
	struct av_iter it = av_iter(txn, AV_TABLE_QUARANTINE, av_bytes(prefix, size), av_bytes("", 0));
	bool more = true;
	while (more && av_iter_next(&it)) {
		/* The feed's name ends with the NUL in the key. */
		struct av_quarantined entry = {.feed = it.key.data};
		size_t name = it.key.size > 8 ? strnlen(it.key.data, it.key.size) : it.key.size;
		if (name + 1 + 8 != it.key.size) {
			av_txn_fail(txn, AV_DAMAGED);
			break;
		}
		entry.sequence = av_get_u64((const unsigned char *)it.key.data + name + 1);
		more = unpack(txn, it.value, &entry) == AV_OK && visit(context, &entry);
	}
	av_iter_end(&it);
}
