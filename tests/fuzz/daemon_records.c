/* daemon_records.c - stored records changed behind the daemon's back, and everything read that stands */
#include "daemon_inner.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

void run_apply(const struct step *step)
{
	struct av_txn *txn;
	struct av_arena *arena = fuzz.h->arena;
	ProtobufCMessage *event;
	uint64_t sequence;
	fuzz.damaged = fuzz.dirty = true;
	if (av_txn_begin_write(fuzz.h->store, &txn) != AV_OK)
		return;
	av_journal_append(txn, step->body, &sequence);
	int status = av_message_load(&avvik__v1__event__descriptor, step->body, arena, &event);
	if (status == AV_OK)
		status = fuzz.h->service->apply(txn, (const Avvik__V1__Event *)event, arena);
	if (status == AV_OK && fuzz.h->service->receipt_leaf) {
		Avvik__V1__ReceiptLeaf leaf = AVVIK__V1__RECEIPT_LEAF__INIT;
		(void)fuzz.h->service->receipt_leaf((const Avvik__V1__Event *)event, &leaf);
	}
	(void)av_txn_commit(&txn); /* refused ones leave nothing, ignoring */
}

static bool find_record(struct av_txn *txn, unsigned int table, size_t number, struct av_bytes *ret_key,
	struct av_bytes *ret_value)
{
	size_t count = av_table_count(txn, table), at = 0;
	if (count == 0)
		return false;
	struct av_iter it = av_iter(txn, table, av_bytes(NULL, 0), av_bytes(NULL, 0));
	bool found = false;
	while (!found && av_iter_next(&it)) {
		if (at++ != number % count)
			continue;
		*ret_key = av_bytes(av_arena_copy(fuzz.h->arena, it.key.data, it.key.size), it.key.size);
		*ret_value =
			av_bytes(av_arena_copy(fuzz.h->arena, it.value.data, it.value.size), it.value.size);
		found = true;
	}
	av_iter_end(&it);
	return found;
}

static void change_record(struct av_txn *txn, unsigned int table, const struct step *step)
{
	const unsigned char *p = step->body.data;
	struct av_bytes key, value, bytes = av_bytes(p + 6, step->body.size - 6);
	size_t offset = p[4] | (size_t)p[5] << 8;
	if (!find_record(txn, table, p[1] | (size_t)p[2] << 8, &key, &value))
		return;
	unsigned char *changed = av_arena_alloc(fuzz.h->arena, value.size + bytes.size + 1);
	memcpy(changed, value.data, value.size);
	size_t size = value.size;
	offset = value.size ? offset % value.size : 0;
	switch ((enum record_change)(p[3] % RECORD_CHANGES)) {
	case RECORD_OVERWRITE:
		memcpy(changed + offset, bytes.data, AV_MIN(bytes.size, size - offset));
		break;
	case RECORD_TRUNCATE:
		size = offset;
		break;
	case RECORD_EXTEND:
		memcpy(changed + size, bytes.data, bytes.size);
		size += bytes.size;
		break;
	case RECORD_DELETE:
		av_delete(txn, table, key);
		return;
	case RECORD_REPLACE:
		memcpy(changed, bytes.data, bytes.size);
		size = bytes.size;
		break;
	case RECORD_CHANGES:
		break;
	}
	av_put(txn, table, key, av_bytes(changed, size));
}

void run_record(const struct step *step)
{
	struct av_txn *txn;
	unsigned int tables = 0;
	if (step->body.size < 6)
		return;
	fuzz.damaged = fuzz.dirty = true;
	while (av_store_table(fuzz.h->store, tables))
		tables++;
	if (av_txn_begin_write(fuzz.h->store, &txn) != AV_OK)
		return;
	/* NOLINTNEXTLINE(clang-analyzer-core.DivideZero): every store has tables */
	change_record(txn, *(const unsigned char *)step->body.data % tables, step);
	(void)av_txn_commit(&txn);
}

/* --- reading everything --- */

static void quiet(void *context, bool good, const char *line)
{
	AV_UNUSED(context);
	AV_UNUSED(good);
	AV_UNUSED(line);
}

static void remove_folder(const char *path)
{
	static const char *const names[] = {"data.mdb", "lock.mdb", "lock"};
	char file[1024];
	for (size_t i = 0; i < AV_COUNT(names); i++) {
		snprintf(file, sizeof file, "%s/%s", path, names[i]);
		unlink(file);
	}
	rmdir(path);
}

static void look_at_feed(void)
{
	struct harness *h = fuzz.h;
	struct av_txn *txn = harness_read(h);
	struct av_bytes packed;
	for (uint64_t sequence = 1; av_journal_read(txn, sequence, &packed, NULL) == AV_OK; sequence++) {
		Avvik__V1__FeedItem item = AVVIK__V1__FEED_ITEM__INIT;
		ProtobufCMessage *event;
		(void)av_event_number(packed);
		if (h->service->open_parts &&
			av_message_load(&avvik__v1__event__descriptor, packed, h->arena, &event) == AV_OK)
			(void)h->service->open_parts(
				h->keys, txn, (const Avvik__V1__Event *)event, h->arena, &item);
	}
	for (size_t i = 0; i < FEEDS; i++) {
		struct av_feed_standing standing;
		struct av_cursor cursor;
		(void)av_feed_standing(txn, feed_names[i], h->arena, &standing);
		(void)av_cursor_load(txn, feed_names[i], &cursor);
	}
	av_txn_abort(&txn);
}

void run_look(void)
{
	struct harness *h = fuzz.h;
	const char *scratch = av_arena_printf(h->arena, "%s/look", h->path);
	if (fuzz.looking)
		return;
	fuzz.looking = true;
	run_steps(fuzz.look, fuzz.look_count);
	fuzz.looking = false;
	look_at_feed();
	int status = av_verify(h->service, h->store, scratch, h->sign_public, quiet, NULL);
	remove_folder(scratch);
	MUST(fuzz.damaged || status == AV_OK, "what stands is not what the journal gives: %s",
		av_status_name(status));
}
