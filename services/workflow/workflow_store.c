/* workflow_store.c - keys and formats of the workflow's records
 *
 * An example: the rung of 2026-06-23 00:00 (+02:00) of a deadline, its overdue rung, the fourth of the
 * ladder.
 *
 *	key    00 00 01 9e f1 58 f7 00  01 9d 5e 2a 40 00 70 00 80 00 00 00 00 00 00 11
 *	       at_ms = 1782165600000    deadline id
 *	value  03  01 9d 5e 2a 3c 00 70 00 80 00 00 00 00 00 00 07
 *	       rung  case id
 *
 * Only the next rung of a deadline is in the table; the others wait in its record. So a deadline is two keys
 * in the indexes however long its ladder is, and what is due costs what is due, not what is stored.
 */
#include "workflow_store.h"

#include <stdio.h>
#include <string.h>

#include "base/macros.h"
#include "deadline_rules.h"
#include "wire/message.h"

#define UNIT_MAX 200 /* of a key; a unit's code has at most 40 bytes */

/* clang-format off */
const struct av_table_decl workflow_tables[WORKFLOW_TABLE_COUNT] = {
	{ "cases",          AV_PROJECTION },
	{ "case_numbers",   AV_PROJECTION },
	{ "cases_by_state", AV_PROJECTION },
	{ "cases_by_unit",  AV_PROJECTION },
	{ "deadlines",      AV_PROJECTION },
	{ "deadlines_due",  AV_PROJECTION },
	{ "rungs",          AV_PROJECTION },
	{ "unplaced",       AV_PROJECTION },
	{ "unruled",        AV_PROJECTION },
	{ "work",           AV_PROJECTION },
	{ "published",      AV_PROJECTION },
	{ "sequences",      AV_PROJECTION },
	{ "applying",       AV_PROJECTION },
	{ "effective",      AV_PROJECTION },
	{ "near",           AV_PROJECTION },
	{ "taken",          AV_PROJECTION },
};
/* clang-format on */

struct av_id id_of(ProtobufCBinaryData data)
{
	struct av_id id = {{0}};
	if (data.len == AV_ID_SIZE)
		memcpy(id.bytes, data.data, AV_ID_SIZE);
	return id;
}

ProtobufCBinaryData id_data(const struct av_id *id, struct av_arena *arena)
{
	void *copy = av_arena_copy(arena, id->bytes, AV_ID_SIZE);
	return (ProtobufCBinaryData){copy ? AV_ID_SIZE : 0, copy};
}

static int load(const ProtobufCMessageDescriptor *type, struct av_bytes wire, struct av_arena *arena,
	void *ret_message)
{
	ProtobufCMessage *message;
	int status = av_message_load(type, wire, arena, &message);
	if (status == AV_OK)
		*(ProtobufCMessage **)ret_message = message;
	return status;
}

/* --- cases --- */

int case_load(struct av_txn *txn, const struct av_id *id, struct av_arena *arena, Avvik__V1__Case **ret_case)
{
	struct av_bytes value;
	int status = av_get(txn, TABLE_CASES, ID_BYTES(id), &value);
	return status == AV_OK ? load(&avvik__v1__case__descriptor, value, arena, ret_case) : status;
}

bool case_exists(struct av_txn *txn, const struct av_id *id)
{
	struct av_bytes value;
	return av_get(txn, TABLE_CASES, ID_BYTES(id), &value) == AV_OK;
}

int case_by_number(struct av_txn *txn, const char *number, struct av_id *ret_id)
{
	struct av_bytes value;
	int status;

	if (!*number)
		return AV_NOT_FOUND;
	status = av_get(txn, TABLE_NUMBERS, av_bytes_of(number), &value);
	if (status != AV_OK)
		return status;
	if (value.size != AV_ID_SIZE)
		return AV_DAMAGED;
	memcpy(ret_id->bytes, value.data, AV_ID_SIZE);
	return AV_OK;
}

char *case_next_number(struct av_txn *txn, int year, struct av_arena *arena)
{
	struct av_bytes value;
	char key[16];
	uint32_t last = 0;

	snprintf(key, sizeof(key), "%04d", year);
	if (av_get(txn, TABLE_SEQUENCES, av_bytes_of(key), &value) == AV_OK && value.size == 4)
		last = av_get_u32(value.data);
	return av_arena_printf(arena, "%s-%04u", key, last + 1);
}

/* kind, state, case id; behind `unit` NUL when there is a unit. Answers the size. */
static size_t index_key(unsigned char *key, const char *unit, int kind, int state, const struct av_id *id)
{
	size_t at = 0;
	if (unit) {
		at = strnlen(unit, UNIT_MAX);
		memcpy(key, unit, at);
		key[at++] = '\0';
	}
	key[at++] = (unsigned char)kind;
	key[at++] = (unsigned char)state;
	memcpy(key + at, id->bytes, AV_ID_SIZE);
	return at + AV_ID_SIZE;
}

void case_store(struct av_txn *txn, const struct av_id *id, struct case_place was,
	const Avvik__V1__Case *record, struct av_arena *arena)
{
	unsigned char key[UNIT_MAX + 1 + 2 + AV_ID_SIZE];
	struct av_bytes none = {NULL, 0};
	bool moved = !was.unit || was.kind != (int)record->kind || was.state != (int)record->state;
	struct av_bytes packed = av_message_pack(&record->base, arena);

	if (!packed.data) {
		av_txn_fail(txn, AV_MEMORY);
		return;
	}
	av_put(txn, TABLE_CASES, ID_BYTES(id), packed);
	near_store(txn, id, was, record);
	if (!was.unit)
		av_put(txn, TABLE_NUMBERS, av_bytes_of(record->number), ID_BYTES(id));
	if (moved) {
		if (was.unit)
			av_delete(txn, TABLE_BY_STATE,
				av_bytes(key, index_key(key, NULL, was.kind, was.state, id)));
		av_put(txn, TABLE_BY_STATE,
			av_bytes(key, index_key(key, NULL, (int)record->kind, (int)record->state, id)), none);
	}
	if (moved || strcmp(was.unit, record->unit) != 0) {
		if (was.unit)
			av_delete(txn, TABLE_BY_UNIT,
				av_bytes(key, index_key(key, was.unit, was.kind, was.state, id)));
		av_put(txn, TABLE_BY_UNIT,
			av_bytes(
				key, index_key(key, record->unit, (int)record->kind, (int)record->state, id)),
			none);
	}
}

/* --- deadlines --- */

static struct av_bytes deadline_key(
	unsigned char key[2 * AV_ID_SIZE], const struct av_id *case_id, const struct av_id *id)
{
	memcpy(key, case_id->bytes, AV_ID_SIZE);
	memcpy(key + AV_ID_SIZE, id->bytes, AV_ID_SIZE);
	return av_bytes(key, 2 * AV_ID_SIZE);
}

static struct av_bytes instant_key(unsigned char key[8 + AV_ID_SIZE], int64_t at_ms, const struct av_id *id)
{
	av_put_u64(key, (uint64_t)AV_MAX(at_ms, 0));
	memcpy(key + 8, id->bytes, AV_ID_SIZE);
	return av_bytes(key, 8 + AV_ID_SIZE);
}

int deadline_load(struct av_txn *txn, const struct av_id *case_id, const struct av_id *id,
	struct av_arena *arena, Avvik__V1__Deadline **ret_deadline)
{
	unsigned char key[2 * AV_ID_SIZE];
	struct av_bytes value;
	int status = av_get(txn, TABLE_DEADLINES, deadline_key(key, case_id, id), &value);
	return status == AV_OK ? load(&avvik__v1__deadline__descriptor, value, arena, ret_deadline) : status;
}

int deadlines_load(struct av_txn *txn, const struct av_id *case_id, struct av_arena *arena,
	Avvik__V1__Deadline ***ret_deadlines, size_t *ret_count)
{
	struct av_iter it = av_iter(txn, TABLE_DEADLINES, ID_BYTES(case_id), av_bytes(NULL, 0));
	Avvik__V1__Deadline **found = NULL;
	size_t count = 0, room = 0;
	int status = AV_OK;

	while (status == AV_OK && av_iter_next(&it)) {
		if (count == room) {
			Avvik__V1__Deadline **more = av_arena_alloc(arena, (room + 8) * 2 * sizeof(*more));
			if (!more) {
				status = AV_MEMORY;
				break;
			}
			if (count)
				memcpy(more, found, count * sizeof(*more));
			found = more;
			room = (room + 8) * 2;
		}
		status = load(&avvik__v1__deadline__descriptor, it.value, arena, &found[count]);
		count += status == AV_OK;
	}
	av_iter_end(&it);
	if (status != AV_OK)
		return status;
	*ret_deadlines = found;
	*ret_count = count;
	return AV_OK;
}

struct deadline_place deadline_place(const Avvik__V1__Deadline *record)
{
	struct deadline_place place = {.running = deadline_running(record),
		.due_at_ms = record->due_at_ms,
		.unit = record->unit_code};

	place.speaks = deadline_next_rung(record, &place.rung, &place.rung_at_ms);
	return place;
}

static void index_due(struct av_txn *txn, struct deadline_place was, struct deadline_place now,
	const struct av_id *id, const struct av_id *case_id)
{
	unsigned char key[8 + AV_ID_SIZE], value[AV_ID_SIZE + UNIT_MAX];
	size_t unit_size = strnlen(now.unit, UNIT_MAX);
	bool same = was.running && now.running && was.due_at_ms == now.due_at_ms;

	if (was.running && !same)
		av_delete(txn, TABLE_DUE, instant_key(key, was.due_at_ms, id));
	if (!now.running || (same && strcmp(was.unit, now.unit) == 0))
		return;
	memcpy(value, case_id->bytes, AV_ID_SIZE);
	memcpy(value + AV_ID_SIZE, now.unit, unit_size);
	av_put(txn, TABLE_DUE, instant_key(key, now.due_at_ms, id), av_bytes(value, AV_ID_SIZE + unit_size));
}

static void index_rung(struct av_txn *txn, struct deadline_place was, struct deadline_place now,
	const struct av_id *id, const struct av_id *case_id)
{
	unsigned char key[8 + AV_ID_SIZE], value[1 + AV_ID_SIZE];
	bool same = was.speaks && now.speaks && was.rung_at_ms == now.rung_at_ms;

	if (was.speaks && !same)
		av_delete(txn, TABLE_RUNGS, instant_key(key, was.rung_at_ms, id));
	if (!now.speaks || (same && was.rung == now.rung))
		return;
	value[0] = (unsigned char)now.rung;
	memcpy(value + 1, case_id->bytes, AV_ID_SIZE);
	av_put(txn, TABLE_RUNGS, instant_key(key, now.rung_at_ms, id), av_bytes(value, sizeof(value)));
}

void deadline_store(struct av_txn *txn, struct deadline_place was, const Avvik__V1__Deadline *record,
	struct av_arena *arena)
{
	struct av_id id = id_of(record->deadline_id), case_id = id_of(record->case_id);
	struct deadline_place now = deadline_place(record);
	struct av_bytes packed = av_message_pack(&record->base, arena);
	unsigned char key[2 * AV_ID_SIZE];

	if (!packed.data) {
		av_txn_fail(txn, AV_MEMORY);
		return;
	}
	av_put(txn, TABLE_DEADLINES, deadline_key(key, &case_id, &id), packed);
	index_due(txn, was, now, &id, &case_id);
	index_rung(txn, was, now, &id, &case_id);
}

/* --- where measures were effective --- */

size_t effective_key(
	unsigned char key[EFFECTIVE_KEY_MAX], const char *unit, const char *category, const struct av_id *id)
{
	size_t at = strnlen(unit, UNIT_MAX), size = strnlen(category, UNIT_MAX);

	memcpy(key, unit, at);
	key[at++] = '\0';
	memcpy(key + at, category, size);
	at += size;
	key[at++] = '\0';
	if (!id)
		return at;
	memcpy(key + at, id->bytes, AV_ID_SIZE);
	return at + AV_ID_SIZE;
}

/* --- what was taken over --- */

size_t taken_key(unsigned char key[TAKEN_KEY_MAX], const char *system, const char *external_id)
{
	size_t at = strnlen(system, 40), size = strnlen(external_id, 80);

	memcpy(key, system, at);
	key[at++] = '\0';
	memcpy(key + at, external_id, size);
	return at + size;
}

int case_by_external(struct av_txn *txn, const char *system, const char *external_id, struct av_id *ret_id)
{
	unsigned char key[TAKEN_KEY_MAX];
	struct av_bytes value;
	int status = av_get(txn, TABLE_TAKEN, av_bytes(key, taken_key(key, system, external_id)), &value);

	if (status != AV_OK)
		return status;
	if (value.size != AV_ID_SIZE)
		return AV_DAMAGED;
	memcpy(ret_id->bytes, value.data, AV_ID_SIZE);
	return AV_OK;
}

/* --- what was published --- */

int applying_load(struct av_txn *txn, struct av_arena *arena, Avvik__V1__RulesApplied **ret_applied)
{
	struct av_bytes value;
	int status = av_get(txn, TABLE_APPLYING, av_bytes_of("rules"), &value);
	return status == AV_OK ? load(&avvik__v1__rules_applied__descriptor, value, arena, ret_applied)
			       : status;
}

void applying_store(struct av_txn *txn, const Avvik__V1__RulesApplied *applied, struct av_arena *arena)
{
	struct av_bytes packed = av_message_pack(&applied->base, arena);
	if (!packed.data)
		av_txn_fail(txn, AV_MEMORY);
	else if (applied->done)
		av_delete(txn, TABLE_APPLYING, av_bytes_of("rules"));
	else
		av_put(txn, TABLE_APPLYING, av_bytes_of("rules"), packed);
}

struct av_bytes work_key(unsigned char key[1 + AV_ID_SIZE], enum workflow_work work, const struct av_id *id)
{
	key[0] = (unsigned char)work;
	memcpy(key + 1, id->bytes, AV_ID_SIZE);
	return av_bytes(key, 1 + AV_ID_SIZE);
}

static struct av_bytes published_key(unsigned char key[UNIT_MAX + 1], char kind, const char *version)
{
	size_t size = strnlen(version, UNIT_MAX);
	key[0] = (unsigned char)kind;
	memcpy(key + 1, version, size);
	return av_bytes(key, size + 1);
}

static int published_find(
	struct av_txn *txn, char kind, const char *version, struct workflow_published *ret_found)
{
	unsigned char key[UNIT_MAX + 1];
	struct av_bytes value;
	int status = av_get(txn, TABLE_PUBLISHED, published_key(key, kind, version), &value);

	if (status != AV_OK)
		return status;
	if (value.size < AV_ID_SIZE + 32)
		return AV_DAMAGED;
	memcpy(ret_found->stamp.bytes, value.data, AV_ID_SIZE);
	memcpy(ret_found->hash, (const char *)value.data + AV_ID_SIZE, 32);
	ret_found->packed =
		av_bytes((const char *)value.data + AV_ID_SIZE + 32, value.size - AV_ID_SIZE - 32);
	return AV_OK;
}

int published_directory(struct av_txn *txn, struct workflow_published *ret_found)
{
	return published_find(txn, 'D', "", ret_found);
}

int published_rules(struct av_txn *txn, const char *version, struct workflow_published *ret_found)
{
	return published_find(txn, 'R', version, ret_found);
}

int published_rules_stamp(struct av_txn *txn, struct av_id *ret_stamp)
{
	struct workflow_published found;
	int status = published_find(txn, 'S', "", &found);
	if (status == AV_OK)
		*ret_stamp = found.stamp;
	return status;
}

void published_store(struct av_txn *txn, char kind, const char *version, const struct av_id *stamp,
	ProtobufCBinaryData hash, struct av_bytes packed)
{
	unsigned char key[UNIT_MAX + 1];
	unsigned char *room = av_put_room(
		txn, TABLE_PUBLISHED, published_key(key, kind, version), AV_ID_SIZE + 32 + packed.size);

	if (!room)
		return;
	memcpy(room, stamp->bytes, AV_ID_SIZE);
	memset(room + AV_ID_SIZE, 0, 32);
	if (hash.len == 32)
		memcpy(room + AV_ID_SIZE, hash.data, 32);
	if (packed.size)
		memcpy(room + AV_ID_SIZE + 32, packed.data, packed.size);
}
