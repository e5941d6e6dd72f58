/* feed_record.c - what is kept of a feed beside its cursor
 *
 * Record (AV_TABLE_META, key: "feed:" and the feed's name): version u8 = 1, halted u8, handled u64, passed
 * over u64, halted at u64, count u16, per restore: sequence u64, event id 16; cause size u16, cause text. Of
 * a feed that never halted or parted:
 *
 *	01 00 0000000000000009 0000000000000000 0000000000000000 0000 0000
 *
 * The cursor says where to read on; `handled` says what must not be done twice. They differ while a batch has
 * been done in part, and after a RESTART. When a producer is restored from a backup its journal goes on from
 * an earlier sequence, with other events, and the first of them is always JournalRestored. So a known sequence
 * means a known event, up to the first JournalRestored that is not among those kept here: from there the
 * histories part, and everything is new.
 */
#include <stdio.h>
#include <string.h>

#include "daemon/turn_inner.h"

#define VERSION 1
#define HEAD_BYTES 28u
#define RESTORE_BYTES (8u + AV_ID_SIZE)

static struct av_bytes record_key(const char *feed, char ret_text[FEED_NAME_MAX + 8])
{
	snprintf(ret_text, FEED_NAME_MAX + 8, "feed:%.*s", (int)FEED_NAME_MAX, feed);
	return av_bytes_of(ret_text);
}

int feed_record_load(struct av_txn *txn, const char *feed, struct feed_record *ret_record)
{
	char text[FEED_NAME_MAX + 8];
	struct av_bytes value;
	int status = av_get(txn, AV_TABLE_META, record_key(feed, text), &value);
	if (status < 0)
		return status;
	const unsigned char *at = value.data;
	size_t restores = value.size >= HEAD_BYTES ? (size_t)at[26] << 8 | at[27] : 0;
	size_t fixed = HEAD_BYTES + restores * RESTORE_BYTES + 2;
	if (value.size < fixed || at[0] != VERSION || restores > RESTORES_MAX)
		return AV_DAMAGED;
	memset(ret_record, 0, sizeof *ret_record);
	ret_record->halted = at[1] != 0;
	ret_record->handled = av_get_u64(at + 2);
	ret_record->passed_over = av_get_u64(at + 10);
	ret_record->halted_at = av_get_u64(at + 18);
	ret_record->restores = restores;
	for (size_t i = 0; i < restores; i++) {
		ret_record->restore[i].sequence = av_get_u64(at + HEAD_BYTES + i * RESTORE_BYTES);
		memcpy(&ret_record->restore[i].id, at + HEAD_BYTES + i * RESTORE_BYTES + 8, AV_ID_SIZE);
	}
	memcpy(ret_record->cause, at + fixed, AV_MIN(value.size - fixed, (size_t)QUARANTINE_CAUSE_MAX));
	return AV_OK;
}

void feed_record_store(struct av_txn *txn, const char *feed, const struct feed_record *record)
{
	char text[FEED_NAME_MAX + 8];
	size_t cause = strlen(record->cause), fixed = HEAD_BYTES + record->restores * RESTORE_BYTES + 2;
	unsigned char *at = av_put_room(txn, AV_TABLE_META, record_key(feed, text), fixed + cause);
	if (!at)
		return;
	at[0] = VERSION;
	at[1] = record->halted;
	av_put_u64(at + 2, record->handled);
	av_put_u64(at + 10, record->passed_over);
	av_put_u64(at + 18, record->halted_at);
	at[26] = (unsigned char)(record->restores >> 8);
	at[27] = (unsigned char)record->restores;
	for (size_t i = 0; i < record->restores; i++) {
		av_put_u64(at + HEAD_BYTES + i * RESTORE_BYTES, record->restore[i].sequence);
		memcpy(at + HEAD_BYTES + i * RESTORE_BYTES + 8, &record->restore[i].id, AV_ID_SIZE);
	}
	at[fixed - 2] = (unsigned char)(cause >> 8);
	at[fixed - 1] = (unsigned char)cause;
	memcpy(at + fixed, record->cause, cause);
}

void feed_record_restored(struct feed_record *record, uint64_t sequence, const struct av_id *id)
{
	if (record->restores ==
		RESTORES_MAX) { /* the oldest become one: all up to there are taken as known */
		memset(&record->restore[1].id, 0, sizeof record->restore[1].id);
		memmove(&record->restore[0], &record->restore[1],
			(RESTORES_MAX - 1) * sizeof record->restore[0]);
		record->restores--;
	}
	record->restore[record->restores].sequence = sequence;
	record->restore[record->restores].id = *id;
	record->restores++;
}

bool feed_record_knows(const struct feed_record *record, uint64_t sequence, const struct av_id *id)
{
	static const struct av_id all;
	for (size_t i = 0; i < record->restores; i++) {
		bool any = memcmp(&record->restore[i].id, &all, sizeof all) == 0;
		if (any ? sequence <= record->restore[i].sequence
			: sequence == record->restore[i].sequence &&
					memcmp(&record->restore[i].id, id, sizeof *id) == 0)
			return true;
	}
	return false;
}

/* The histories part after `sequence`: what came later is not of the producer's journal any more. */
void feed_record_part(struct feed_record *record, uint64_t sequence)
{
	size_t kept = 0;
	record->handled = sequence;
	while (kept < record->restores && record->restore[kept].sequence <= sequence)
		kept++;
	record->restores = kept;
}

struct tally {
	unsigned int count;
};

static bool count_one(void *context, const struct av_quarantined *entry)
{
	struct tally *tally = context;
	AV_UNUSED(entry);
	return ++tally->count < 1000000;
}

int av_feed_standing(
	struct av_txn *txn, const char *feed, struct av_arena *arena, struct av_feed_standing *ret_standing)
{
	struct feed_record record;
	struct tally tally = {0};
	int status = feed_record_load(txn, feed, &record);
	if (status < 0)
		return status;
	if (av_table_count(txn, AV_TABLE_QUARANTINE) > 0)
		av_quarantine_each(txn, feed, count_one, &tally);
	*ret_standing = (struct av_feed_standing){
		.halted = record.halted,
		.handled = record.handled,
		.passed_over = record.passed_over,
		.halted_at = record.halted_at,
		.quarantined = tally.count,
		.cause = av_arena_strdup(arena, record.cause),
	};
	return ret_standing->cause ? AV_OK : AV_MEMORY;
}
